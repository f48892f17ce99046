#!/usr/bin/env bash
# Makes .venv from the hash-pinned lock files that are named (requirements/NAME.txt), and installs suture into it, editable.
# What is there already is kept: a stamp is named after the hash of all that decides the content, and lists the sets that are in.
# An installation that was cut off may have left half a package behind, so it is begun anew; pip's cache has what was downloaded.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

say() { printf '%s\n' "$*" >&2; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
      if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
        echo "$candidate"
        return
      fi
      say "$candidate cannot make virtual environments: on Debian and Ubuntu, apt install $(basename "$candidate")-venv"
    elif [ -n "${PYTHON:-}" ]; then
      say "PYTHON=$candidate is not a Python from 3.11 to 3.14"
    fi
  done
  say "suture needs Python 3.11 or later with venv: apt install python3 python3-venv, or name one: make demo PYTHON=/path/to/python3.12"
  return 2
}

which_python() { "$1" -c 'import sys; print(sys.version_info[:2], sys.base_prefix)' 2>/dev/null; }

usable() { # whether .venv was finished, lies where it was made, and is of the Python that was asked for
  [ ! -e .venv/.unfinished ] && [ "$(head -n 1 .venv/bin/pip 2>/dev/null | cut -c3- | xargs -r dirname)" = "$PWD/.venv/bin" ] &&
    which_python .venv/bin/python >/dev/null && { [ -z "${PYTHON:-}" ] || [ "$(which_python .venv/bin/python)" = "$(which_python "$PYTHON")" ]; }
}

if command -v flock >/dev/null; then # two at a time would install over each other
  mkdir -p .cache
  exec 9>.cache/setup.lock
  flock -n 9 || { say "another make is installing: waiting for it" && flock 9; }
fi

# torch for training: a CPU build, where pip finds one (an index or a folder of the user's own); PyPI's carries CUDA, several GB, and is for
# machines with a GPU: pip install -r requirements/train.txt
wanted=()
for name in "$@"; do
  [ "$name" = train ] && training=1 || wanted+=("$name")
done
set -- "${wanted[@]}"

stamp=.venv/.installed-$(cat pyproject.toml requirements/*.txt scripts/setup.sh | sha256sum | cut -c1-16)
files=()
missing=
for name in "$@"; do
  files+=(-r "requirements/$name.txt")
  grep -qx "$name" "$stamp" 2>/dev/null || missing=1
done
train() { # the training libraries, in a folder of their own: what is in the environment is part of what the tests capture and hash
  [ -n "${training:-}" ] || return 0
  grep -qx train "$stamp" 2>/dev/null && return 0
  local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target .venv/train) torch
  rm -rf .venv/train
  torch=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' requirements/train.txt)
  say "installing the training libraries (about 350 MB, torch without CUDA)"
  if ! "${pip[@]}" "torch==$torch+cpu" >&2; then
    say "no CPU build of torch $torch is to be had here: what trains is left out, and so are its tests"
    return 0
  fi
  sh scripts/without_cuda.sh | "${pip[@]}" --require-hashes -r /dev/stdin >&2
  echo train >>"$stamp"
}

if usable; then
  [ -n "$missing" ] || { train; exit 0; }
else
  python=$(find_python)
  say "making .venv with $("$python" --version)"
  rm -rf .venv
  mkdir .venv
  touch .venv/.unfinished
  "$python" -m venv .venv
fi

say "installing the packages of: $*. about 70 MB to download for local, 140 MB more for dev, less what pip has in its cache"
had=$(cat "$stamp" 2>/dev/null || true)
touch .venv/.unfinished
rm -f .venv/.installed-*
pip=(.venv/bin/python -m pip install --disable-pip-version-check --no-deps)
[ -t 2 ] || pip+=(--quiet)
"${pip[@]}" --require-hashes --only-binary :all: "${files[@]}" >&2
"${pip[@]}" --quiet --no-build-isolation --editable . >&2
# These are plugins of every pytest that finds them, those in a sandbox too, and load up to a second of packages into each of them.
# They are put apart: scripts/run_tests.py and the tests that want one say so (tests/server/lsp/conftest.py).
for name in pytest_lsp pytest_xdist xdist execnet pytest_rerunfailures pytest_rerunfailures.py pytest_asyncio hypothesis _hypothesis_ftz_detector.py _hypothesis_globals.py _hypothesis_pytestplugin.py; do
  for plugin in .venv/lib/python3*/site-packages/"$name" .venv/lib/python3*/site-packages/"$name"-*; do
    if [ -e "$plugin" ]; then
      mkdir -p .venv/apart
      rm -rf ".venv/apart/$(basename "$plugin")"
      mv "$plugin" .venv/apart/
    fi
  done
done
printf '%s\n' $had "$@" >"$stamp"
rm .venv/.unfinished
train
