#!/bin/sh
# Runs Node.js: the release that a platform package of npm brought, or the first one in the PATH that is new enough.
# The package's needs libatomic, which a bare Linux may lack; hence a look at whether it starts.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

PATH=$root/node_modules/.bin:$PATH
old_ifs=$IFS
IFS=:
for folder in $PATH; do
  case $("$folder/node" --version 2>/dev/null || :) in
    v2[4-9].* | v[3-9][0-9].* | v[1-9][0-9][0-9].*)
      IFS=$old_ifs
      PATH=$folder:$PATH exec "$folder/node" "$@"
      ;;
  esac
done

echo 'managed-gitops needs Node.js 24 or newer. The one from npm does not start here (on Linux it needs libatomic: package libatomic1, or libatomic), and the PATH has none that is new enough.' >&2
exit 1
