#!/usr/bin/env bash
# For CI, as root on Debian or Ubuntu: installs the daemon, starts one where none answers, and makes the image for the tests. Prints the process
# id of the daemon that it started, and nothing where one ran already; all else goes to stderr.
set -euo pipefail
cd "$(dirname "$0")/.."
exec 3>&1 >&2

missing=()
command -v dockerd >/dev/null && command -v docker >/dev/null || missing+=(docker.io)
command -v debootstrap >/dev/null || missing+=(debootstrap)
if [ "${#missing[@]}" -gt 0 ]; then
  bundle=/etc/ssl/certs/ca-certificates.crt # a machine may have added its own to it, which a package's trigger would take out again
  copy=$(mktemp)
  cp "$bundle" "$copy" 2>/dev/null || true
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" iptables
  [ ! -s "$copy" ] || cmp -s "$copy" "$bundle" || cp "$copy" "$bundle"
  rm -f "$copy"
fi

if ! docker version >/dev/null 2>&1; then
  log=$(mktemp)
  setsid dockerd >"$log" 2>&1 3>&- &
  daemon=$!
  for _ in $(seq 120); do
    docker version >/dev/null 2>&1 && break
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.5
  done
  docker version >/dev/null 2>&1 || { tail -n 30 "$log" && exit 1; }
  echo "$daemon" >&3
fi
PYTHON=${PYTHON:-.venv/bin/python} bash scripts/docker_image.sh
