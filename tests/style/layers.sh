#!/bin/sh
# style.layers: layers.sh ROOT [TIERS]
here=$(cd "$(dirname "$0")" && pwd)
tiers=${2:-$here/tiers.txt}
cd "$1" || exit 1
set -- $(find src include/pumice -name '*.[ch]' -o -name '*.inc' | sort)
exec awk -f "$here/layers.awk" "$tiers" "$@"
