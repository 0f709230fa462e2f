# Train, evaluate, recommend and compare on synthetic data; --json everywhere; a model of one's own.
. "$SUPPORT"
# shellcheck disable=SC2086
expect 0 train mult-dae $SMALL --epochs 4 --seed 3 -o run --json
metrics=$(json metrics)
[ "$(json model)" = mult-dae ] || fail "model"
[ "$(json seed)" = 3 ] || fail "seed"
[ "$(json epochs)" = 4 ] || fail "epochs"
[ "$(json hyperparameters latent)" = 16 ] || fail "latent"
[ "$(json data users)" = 2000 ] || fail "users"
json validation ndcg@100 ci95 >ci
says err "epoch 4"
expect 0 evaluate run --json
[ "$(json metrics)" = "$metrics" ] || fail "evaluate gives other metrics than train: $(json metrics), not $metrics"
expect 0 evaluate run --part validation --metrics recall@5 --quiet
says out "recall@5"
[ -s err ] && fail "--quiet is not"
expect 0 evaluate run
says out "ndcg@100"
says out "±"
expect 0 recommend run --user u1 --top 5 --json
[ "$(json recommendations 4 rank)" = 5 ] || fail "five recommendations"
# the scores of pairs are those that recommendation ranks by, known items have one too, and the order is the file's
best=$(json recommendations 0 item) score=$(json recommendations 0 score) next=$(json recommendations 1 item)
printf 'user,item\nu1,%s\nu2,i1\nu1,%s\nu1,%s\nu1,i1\n' "$next" "$best" "$next" >pairs.csv
expect 0 predict run --pairs pairs.csv --json
says err "1 pairs are given twice"
[ "$(json predictions 2 item)" = "$best" ] || fail "the order of the pairs"
echo "$(json predictions 2 score) $score" | awk '{ exit !(($1 - $2) ^ 2 < 1e-12) }' || fail "the score of $best is $(json predictions 2 score) and $score"
[ "$(json predictions 3 item)" = i1 ] || fail "the last pair"
expect 0 predict run --pairs pairs.csv -o scores.tsv
[ "$(wc -l <scores.tsv)" -eq 5 ] || fail "a line a pair"
sed -n 4p scores.tsv | awk -v item="$best" -v score="$score" '{ exit !($1 == "u1" && $2 == item && ($3 - score) ^ 2 < 1e-12) }' || fail "the file: $(sed -n 4p scores.tsv)"
printf 'u1,nothing\n' >unknown.csv
expect 2 predict run --pairs unknown.csv
says err 'no item "nothing"'
printf 'nobody,i1\n' >unknown.csv
expect 2 predict run --pairs unknown.csv
says err 'no user "nobody"'
expect 2 predict run
says err "--pairs"
expect 0 recommend run --items i1,i2 --top 3
[ "$(wc -l <out)" -eq 5 ] || fail "three recommendations"
grep -qw -e i1 -e i2 out && fail "known items are recommended"
expect 2 recommend run --user nobody
says err "nobody"
expect 2 recommend run --items i1,nothing
says err "nothing"
# shellcheck disable=SC2086
expect 0 train item-pop --device $DEVICE --held-out 200 --seed 3 -o pop
says out "item-pop"
says out "recommend pop --items ID,ID"
expect 0 train bpr --device $DEVICE --protocol random --epochs 1 --latent 4 -o known
says out "recommend known --user ID"    # it knows users by id
expect 0 compare pop run --quintiles ndcg@100 --json
[ "$(json runs 1 metrics)" = "$metrics" ] || fail "compare has other metrics"
[ "$(json runs 1 against_first ndcg@100 n)" = 200 ] || fail "paired test"
[ "$(json runs 1 quintiles 4 value n)" = 40 ] || fail "quintiles"
expect 0 compare pop run --quintiles ndcg@100
says out "quintile"
says out "Paired t-tests"
# the folder that all lie in is left out of what people read, not of the document
mkdir -p below/deeper
cp -r pop run below
cp -r run below/deeper
expect 0 compare below/pop/ below/run below/deeper/run
grep -qE '^metric +pop +run +deeper/run *$' out || fail "names of runs in a folder"
expect 0 compare below/pop item-pop --device "$DEVICE" --held-out 200 --seed 3
grep -qE '^metric +below/pop +item-pop *$' out || fail "a run beside a model"
expect 0 compare below/pop below/run --json
[ "$(json runs 0 name)" = below/pop ] || fail "the document's name of a run"
# shellcheck disable=SC2086
expect 0 compare item-pop mult-dae:epochs=2:latent=8 --device $DEVICE --held-out 200 --seed 3 --hidden none --json
[ "$(json runs 0 metrics ndcg@100 mean)" = "$("$PUMICE" evaluate pop --json >e; "$JSON_GET" e metrics ndcg@100 mean)" ] || fail "item-pop differs"
expect 2 compare item-pop mult-dae --set beta_cap=0.1
says err "beta_cap"
# shellcheck disable=SC2086
expect 0 train item-pop --device $DEVICE --held-out 150 --seed 3 -o other
expect 2 compare pop other
says err "150"
# shellcheck disable=SC2086
expect 0 train item-pop --device $DEVICE --protocol leave-one-out --json
json metrics hr@10 >hr
[ "$(json candidates all users)" = "$(json metrics hr@10:all n)" ] || fail "ranked among all items"
# shellcheck disable=SC2086
expect 0 train item-pop --device $DEVICE --protocol leave-one-out --candidates sampled
grep -q ":all" out && fail "candidates that nobody asked for"
# the rule for ties is of the evaluation: a run is asked again by another, and two are compared by one
# shellcheck disable=SC2086
expect 0 train item-pop --device $DEVICE --protocol leave-one-out -o tied --json
[ "$(json ties)" = expected ] || fail "the rule for ties in the document"
# shellcheck disable=SC2086
expect 0 train item-pop --device $DEVICE --protocol leave-one-out --ties pessimistic -o last --json
trained=$(json metrics hr@10 mean)
expect 0 evaluate tied --ties pessimistic --json
[ "$(json metrics hr@10 mean) $(json ties)" = "$trained pessimistic" ] || fail "--ties of evaluate and of train differ"
expect 2 compare tied last
says err "tied ranks tied targets by the rule expected and last by pessimistic; give --ties for both"
expect 0 compare tied last --ties optimistic
says out "Tied targets rank by the rule optimistic"
expect 2 evaluate pop --ties optimistic
says err "--ties optimistic is for leave-one-out"
expect 2 train item-pop --protocol random --ties id
says err "--ties id is for --protocol leave-one-out"
expect 2 train item-pop --protocol leave-one-out --candidates most
says err "sampled|all|sampled,all"
expect 2 train item-pop --protocol random --candidates all
says err "random ranks all items"
expect 0 models --json
[ "$(json models 0 name)" = item-pop ] || fail "models"
expect 0 models mult-vae --json
json hyperparameters 0 default >default
expect 0 bench ops --device "$DEVICE" --op add --quick --seconds 0 --json
json rows 0 seconds >seconds
expect 0 bench ops --device "$DEVICE" --op matmul --quick --seconds 0
says out "GFLOP/s"
"$OWN_MODEL" models my-dae >out 2>err || fail "a model of one's own"
# shellcheck disable=SC2086
"$OWN_MODEL" train my-dae $SMALL --epochs 1 --json >out 2>err || fail "a model of one's own"
[ "$(json model)" = my-dae ] || fail "a model of one's own"

# analyses: a multinomial model predicts no preference, a logistic one does
expect 0 evaluate run --analysis
says out "tails: percentage of the top 200"
says err "analysis preference is left out"
grep -q "^preference:" out && fail "a multinomial model has no preferences"
expect 2 evaluate run --analysis=preference
says err "likelihood=multinomial"
expect 2 evaluate run --analysis=tials
says err "did you mean 'tails'"
expect 2 evaluate run --csv tables
says err "--analysis"
# shellcheck disable=SC2086
expect 0 train mult-dae $SMALL --epochs 2 --likelihood logistic -o logistic
expect 0 evaluate logistic --analysis=preference,ranks --csv tables --json
[ "$(json analysis preference rows 0 band)" = "[0.9, 1]" ] || fail "bands"
[ "$(json analysis ranks rows 199 rank)" = 200 ] || fail "ranks"
[ "$(json metrics ndcg@100 n)" = "$(json analysis preference rows 5 users)" ] || fail "users of the analysis"
[ "$(head -1 tables/preference.csv)" = "band,from,to,percent,se,ci95,users" ] || fail "CSV: $(head -1 tables/preference.csv)"
[ "$(wc -l <tables/ranks.csv)" -eq 201 ] || fail "ranks as CSV"
[ -e tables/tails.csv ] && fail "an analysis nobody asked for"
expect 0 evaluate logistic --analysis
says out "[0.25, 0.5)"
says out "800 rows in all"
# a target set as large as the catalogue is all items, which is said once
expect 0 train dae --device "$DEVICE" --threads 1 --held-out 200 --latent 4 --iterations 3 --loss square --target mean --target-factor 500
[ "$(grep -c "800 items: target sets are all items" err)" -eq 1 ] || fail "target sets of all items"
