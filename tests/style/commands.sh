#!/bin/sh
# style.commands: commands.sh ROOT. A script that says by whom it is run (#!) can be run, and nothing else of ours can.
cd "$1" || exit 1
bad=0
for file in .ci/* tools/* bench/*.py bench/*/*.py; do
    [ -f "$file" ] || continue
    case $(head -c 2 "$file") in
    '#!') [ -x "$file" ] || { echo "$file: begins with #! and is not executable"; bad=1; } ;;
    *) [ ! -x "$file" ] || { echo "$file: executable without #!"; bad=1; } ;;
    esac
done
exit $bad
