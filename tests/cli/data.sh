# data …, and what bad data give: 4, with file and line.
. "$SUPPORT"
expect 0 data synth -o s.csv --users 300 --items 120 --interactions 6000
expect 0 data stat s.csv --json
[ "$(json users)" = 300 ] || fail "users"
[ "$(json interactions)" = 6000 ] || fail "interactions"
expect 0 data stat s.csv
says out "median"
expect 0 data convert s.csv -o t.tsv.gz --min-user 20
expect 0 data stat t.tsv.gz --json
users=$(json users)
expect 0 data stat s.csv --min-user=20 --json
[ "$(json users)" = "$users" ] || fail "filters before and after writing differ"
expect 0 data split s.csv --protocol strong --held-out 50 -o parts --json
[ "$(json validation users)" = 50 ] || fail "held-out users"
[ "$(json train users)" = 200 ] || fail "train users"
expect 0 data stat parts
expect 0 data split parts --protocol files -o again
cmp parts/train.tsv again/train.tsv || fail "a split read back is another"
printf 'user,item,rating\na,b,3\nc,d\n' >bad.csv
expect 4 data stat bad.csv
says err "bad.csv:3"
expect 4 train item-pop --data bad.csv
says err "bad.csv:3"
expect 0 data stat bad.csv --skip-bad-lines --json
[ "$(json skipped_lines)" = 1 ] || fail "skipped lines"
: >empty.csv
expect 4 data stat empty.csv
expect 4 data stat s.csv --min-user 1000
expect 1 data stat none.csv
says err "none.csv"
expect 1 data synth -o none/s.csv
expect 2 data stat s.csv --format cvs
says err "csv"
