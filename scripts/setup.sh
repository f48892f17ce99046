#!/usr/bin/env bash
# Makes .venv from the hash-pinned lock files that are named (requirements/NAME.txt), and installs suture into it, editable.
# What is there already is kept: a stamp names the lock files' hash. A run that was interrupted is simply run again.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV

say() { printf '%s\n' "$*" >&2; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
      if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
        echo "$candidate"
        return
      fi
      say "$candidate has no venv module: on Debian and Ubuntu install it with: apt-get install python3-venv"
    elif [ "$candidate" = "${PYTHON:-}" ]; then
      say "PYTHON=$candidate is not a Python of version 3.11 or later"
    fi
  done
  say "suture needs Python 3.11 or later with venv: apt-get install python3 python3-venv, or name one: make demo PYTHON=/path/to/python3.12"
  exit 2
}

files=()
locks=()
for name in "$@"; do
  files+=(-r "requirements/$name.txt")
  locks+=("requirements/$name.txt")
done
stamp=".venv/.installed-$(cat pyproject.toml "${locks[@]}" | sha256sum | cut -c1-16)"
[ -e "$stamp" ] && exit 0

if ! .venv/bin/python -c '' 2>/dev/null; then
  python=$(find_python)
  say "making .venv with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv
fi
say "installing packages ($*): about 150 MB to download for local, 200 MB more for dev, less what pip's cache has"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes "${files[@]}"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
.venv/bin/python -m compileall -q .venv/lib >/dev/null 2>&1 || true
touch "$stamp"
