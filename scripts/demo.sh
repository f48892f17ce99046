#!/usr/bin/env bash
# Repairs a copy of examples/shop, so that the clone stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
model=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/suture-demo-XXXXXX")
trap 'rm -rf "$folder"' EXIT
cp -r examples/shop "$folder/shop"
suture=$PWD/.venv/bin/suture
cd "$folder/shop"
echo '$ suture check'
"$suture" check || true
echo
echo '$ suture fix --apply'
"$suture" fix --apply --policy "embedded:$model"
echo
echo '$ suture check'
"$suture" check
