#!/bin/sh
# style.tables: tables.sh ROOT. Every Markdown table has rows, each with as many cells as its head.
cd "$1" || exit 1
exec awk '
function cells(line) { gsub(/\\\|/, "", line); return gsub(/\|/, "", line) - 1 }
function complain(at, what) { printf "%s:%d: %s\n", file, at, what; bad = 1 }
function end_table() { if (width && !rows) complain(begun, "a table without rows"); width = 0 }
FNR == 1 { end_table(); file = FILENAME; fenced = 0 }
/^ *```/ { fenced = !fenced }
fenced { next }
/^\|[-:| ]*-[-:| ]*\|$/ { width = cells($0); rows = 0; begun = FNR; if (cells(last) != width) complain(FNR, "another number of cells than the head has"); next }
/^\|/ { last = $0; if (width) { rows++; if (cells($0) != width) complain(FNR, cells($0) " cells under a head of " width) }; next }
{ end_table() }
END { end_table(); exit bad }' $(find . -name build -prune -o -name bad -prune -o -name '.?*' -prune -o -name '*.md' -print | sort)
