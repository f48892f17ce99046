#!/usr/bin/env bash
# Resolves pyproject.toml into the hash-pinned lock files in requirements/. Reads package metadata only: not even torch is downloaded.
# Versions stay as they are unless pyproject.toml forbids them; UPGRADE=1 takes the newest.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() { # compile NAME ARGUMENTS...: a universal resolution for Linux, Python 3.11 and later
  local name=$1
  shift
  echo "requirements/$name.txt"
  .venv/bin/uv pip compile "$@" --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
    ${UPGRADE:+--upgrade} --output-file "requirements/$name.txt"
}

compile base pyproject.toml
# The other sets hold base as well, and are held to its versions, so that any two of them install into one environment.
compile dev --group dev --group build pyproject.toml --constraints requirements/base.txt

compile local --group build pyproject.toml --extra local --constraints requirements/base.txt
# One torch release for all: the newest that the CPU builds around also have.
printf 'torch==2.13.0\n' > requirements/.torch
compile docker --group build pyproject.toml --extra docker --constraints requirements/base.txt
compile train pyproject.toml --extra train --constraints requirements/base.txt --constraints requirements/.torch
rm requirements/.torch

# What the demo's workspace needs for its checks: suture builds its environment from this file.
echo pytest | .venv/bin/uv pip compile - --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
  --quiet --output-file examples/shop/requirements.txt

.venv/bin/uv pip compile tests/e2e/neovim/requirements.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
  --quiet ${UPGRADE:+--upgrade} --output-file tests/e2e/neovim/requirements.txt

# uv writes no comment of ours, and reads its own output back as preferences: the note is put on top afterwards.
note='# PyPI has one build of torch for Linux: the CUDA one, with nvidia-* packages of several GB. That is what this file pins.
# On a machine without a GPU install a CPU build of the same release first (its hash depends on where it comes from, so it is
# not pinned here), then the rest of this file:
#   pip install torch==2.13.0 --no-deps      (from the index or folder that has the CPU build)
#   sh scripts/without_cuda.sh | pip install --no-deps --require-hashes -r /dev/stdin
'
printf '%s' "$note" | cat - requirements/train.txt > requirements/train.txt.new
mv requirements/train.txt.new requirements/train.txt
