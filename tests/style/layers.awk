# Reads every #include of the files named against tiers.txt, which comes first:
#     awk -f layers.awk tiers.txt src/core/ctx.c …
# Paths are relative to the root. Prints "src/nn/linear.c:7 includes models/vae.h, one tier up"; exits 1 when there was any.

function trim(s) { sub(/^[ \t]+/, "", s); sub(/[ \t]+$/, "", s); return s }

# The longest tier that is a leading folder of the path; "" when there is none.
function tier_of(path,    best, t) {
    best = ""
    for (t in rank) if (index(path, t "/") == 1 && length(t) > length(best)) best = t
    return best
}

function complain(what, from, to,    up) {
    up = rank[to] - rank[from]
    printf "%s:%d includes %s, %s\n", FILENAME, FNR, what, up == 0 ? "a neighbour" : up == 1 ? "one tier up" : up " tiers up"
    bad = 1
}

FNR == 1 { first_file = NR == 1; own = ""; files++ }
FNR == 1 && !first_file {
    path = FILENAME
    if (path ~ /^include\/pumice\//) { sub(/^include\/pumice\//, "", path); own = home[path] }
    else { sub(/^src\//, "", path); own = tier_of(path) }
    if (own == "") { printf "%s: belongs to no tier; name it in tests/style/tiers.txt\n", FILENAME; bad = 1 }
}

first_file && (/^#/ || /^[ \t]*$/) { next }
first_file && /->/ {
    count = split($0, level, "->")
    for (i = 1; i <= count; i++) {
        n = split(trim(level[i]), names, /[ \t]+/)
        for (k = 1; k <= n; k++) rank[names[k]] = i
    }
    next
}
first_file { home[$1] = $2; next }

own != "" && /^[ \t]*#[ \t]*include[ \t]*["<]/ {
    what = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", what)
    sub(/[">].*$/, "", what)
    if (what ~ /^pumice\//) {
        header = what
        sub(/^pumice\//, "", header)
        to = home[header]
        if (to == "") { printf "%s:%d includes %s, which has no tier in tests/style/tiers.txt\n", FILENAME, FNR, what; bad = 1; next }
    } else {
        to = tier_of(what)
        if (to == "") next    # a system header, a generated one, or one of the same folder
    }
    if (to != own && rank[to] >= rank[own]) complain(what, own, to)
}

END {
    if (files < 2) { print "no file was read"; bad = 1 }
    exit bad
}
