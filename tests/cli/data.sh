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
# the temporal protocol: everybody comes back over a hundred days
awk -F, 'NR == 1 { print } NR > 1 { print $1 "," $2 "," $3 "," NR * 7919 % 100 * 86400 }' s.csv >timed.csv
expect 0 data stat timed.csv --protocol temporal --test-days 20
says out "windows     validation from 1970-03-1"
says out ", test from 1970-03-21"
expect 0 data stat timed.csv --protocol temporal --test-days 20 --json
users=$(json split test users)
[ "$users" -gt 200 ] || fail "test users"
expect 0 data split timed.csv --protocol temporal --test-from "$(json split test_from)" -o late --json
[ "$(json test users)" = "$users" ] || fail "the window by its first second is another"
expect 4 data stat timed.csv --protocol temporal --test-from 2100-01-01
says err "left to test on"
expect 4 data stat timed.csv --protocol temporal --test-days 100000
says err "left to train on"
expect 2 data stat timed.csv --protocol temporal --test-from yesterday
says err "yesterday"
expect 2 data stat timed.csv --protocol temporal --test-from 1970-02-01 --test-days 3
expect 2 data stat timed.csv --protocol temporal --test-days 0
printf 'a,x\na,y\nb,x\nb,y\n' >timeless.csv
expect 4 data split timeless.csv --protocol temporal -o none
says err "timestamps"
# the user-temporal protocol; at random without timestamps, which is said once
expect 0 data stat timed.csv --protocol user-temporal --json
all=$(json interactions)
[ "$(json split train interactions)" -ge $((all / 2)) ] || fail "less than half is training"
expect 0 data split s.csv --protocol user-temporal -o each
says out "user-temporal"
printf 'a,x\na,y\na,z\na,w\nb,x\nb,y\n' >timeless.csv
expect 0 data stat timeless.csv --protocol user-temporal
says err "dealt at random"
[ "$(grep -c "dealt at random" err)" = 1 ] || fail "said more than once"
says out "1 users, 3 known interactions, 1 to find; 1 users have nothing to find"
