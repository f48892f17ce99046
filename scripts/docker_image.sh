#!/usr/bin/env bash
# Makes the image that the tests of the Docker backend run in, without a registry: Debian by debootstrap, the packages of
# examples/shop/requirements.txt (pytest, pinned by hash) in /opt/environment, and nothing else. Needs root, debootstrap and a running daemon.
# Prints the image's tag, which is named after what decides its content; an image that is there already is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
suite=bookworm
version=3.11
tag=suture-test:$(cat scripts/docker_image.sh examples/shop/requirements.txt | sha256sum | cut -c1-16)

say() { printf '%s\n' "$*" >&2; }

if docker image inspect "$tag" >/dev/null 2>&1; then
  echo "$tag"
  exit 0
fi
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
say "making $tag: debootstrap $suite"
debootstrap --variant=minbase --include=python3 "$suite" "$root" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2 && exit 1; }
rm -f "$root.log"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/usr/share/{doc,locale,man,info} "$root"/dev/* "$root"/proc/* "$root"/sys/*
home=$root/opt/environment
site=$home/lib/python$version/site-packages
mkdir -p "$home/bin" "$site"
ln -s /usr/bin/python3 "$home/bin/python3"
ln -s python3 "$home/bin/python"
printf 'home = /usr/bin\ninclude-system-site-packages = false\nversion = %s\n' "$version" >"$home/pyvenv.cfg"
say "making $tag: packages"
"$python" -m pip install --quiet --target "$site" --no-deps --only-binary :all: --python-version "$version" --no-compile \
  --require-hashes -r examples/shop/requirements.txt 2>&1 | { grep -v '^WARNING' >&2 || true; }
rm -rf "$site/bin"
chroot "$root" /usr/bin/python3 -I -m compileall -q "/opt/environment/lib/python$version" >/dev/null
say "making $tag: import"
tar -C "$root" --sort=name --mtime=@0 --numeric-owner -c . | docker import --change 'ENV PATH=/opt/environment/bin:/usr/bin:/bin' - "$tag" >/dev/null
echo "$tag"
