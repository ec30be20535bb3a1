#!/bin/sh
# Runs a script of the repository, or a tool that a package brought, with the right Node.js and everything installed.
set -eu
scripts=$(dirname "$0")
sh "$scripts/install.sh"

program=$1
shift
[ -f "$program" ] || program=$scripts/../node_modules/.bin/$program
exec sh "$scripts/node.sh" "$program" "$@"
