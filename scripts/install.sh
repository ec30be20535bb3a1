#!/bin/sh
# Installs what package-lock.json names, unless that has been done already. No package's own install script is run.
set -eu
cd "$(dirname "$0")/.."

wanted="$(uname -sm) $(cksum <package-lock.json)"
stamp=node_modules/.installed
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0

echo 'Installing the packages that package-lock.json names …' >&2
npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >&2
echo "$wanted" >"$stamp"
