# sweep: chooses on validation, reads the test once, goes on where it stood, refuses what is not its own.
. "$SUPPORT"
grid="dropout=0,0.5;lr=0.001,0.01"
common="$SMALL --epochs 3 --seeds 2 --seed 4"
# shellcheck disable=SC2086
expect 0 sweep mult-dae $common --grid "$grid" --metric recall_capped@20 --jobs 2 -o a --json
[ "$(json runs)" = 8 ] || fail "runs"
[ "$(json select)" = recall_capped@20 ] || fail "metric"
[ "$(json found_done)" = 0 ] || fail "nothing was done before"
says err "run 8/8"
says err "reading the test part"
cp out first
winner=$(json winner index)
for i in 0 1 2 3; do
    mean=$(json settings $i validation mean)
    awk "BEGIN { exit !($mean <= $(json settings "$winner" validation mean)) }" || fail "setting $i is better than the winner"
    [ "$(json settings $i winner)" = "$([ $i = "$winner" ] && echo true || echo false)" ] || fail "the winner is not marked"
done
[ "$(find a/runs -name best.safetensors | wc -l)" = 2 ] || fail "parameters of others than the winner's were kept"
[ "$(find a/runs -maxdepth 1 -name '*.json' | wc -l)" = 8 ] || fail "not a document a run"
# the winner's run is a run like any other, and what validation said of it is what train says
run=$(json winner runs 0)
mean=$(json winner metrics ndcg@100 seeds 0)
expect 0 evaluate "$run" --json
[ "$(json metrics ndcg@100 mean)" = "$mean" ] || fail "evaluate differs from the sweep"
dropout=$("$JSON_GET" first winner setting dropout)
lr=$("$JSON_GET" first winner setting lr)
# shellcheck disable=SC2086
expect 0 train mult-dae $SMALL --epochs 3 --seed 4 --dropout "$dropout" --lr "$lr" --select recall_capped@20 --json
[ "$(json metrics ndcg@100 mean)" = "$mean" ] || fail "train differs from the sweep"
# the same command again: nothing is repeated, everything is said
# shellcheck disable=SC2086
expect 0 sweep mult-dae $common --grid "$grid" --metric recall_capped@20 -o a --json
[ "$(json found_done)" = 8 ] || fail "finished runs were repeated"
grep -q '^run ' err && fail "finished runs were repeated"
grep -v found_done first >x
grep -v found_done out | cmp - x || fail "another result the second time"
# shellcheck disable=SC2086
expect 0 sweep mult-dae $common --grid "$grid" --metric recall_capped@20 -o a
says out "winner"
says out "±"
# runs of a sweep have numbers for names: what they differ in is shown
expect 0 compare "$run" "$("$JSON_GET" first winner runs 1)"
grep -qE '^metric +seed=4 +seed=5 *$' out || fail "the winner's two runs by their seeds"
# shellcheck disable=SC2086
expect 0 sweep mult-dae $SMALL --epochs 1 --grid "latent=4,8;dropout=0,0.5" --keep -o kept
expect 0 compare kept/runs/00001-seed0 kept/runs/00002-seed0/
grep -qE '^metric +dropout=0 +dropout=0.5 *$' out || fail "runs by what they differ in"
expect 0 compare kept/runs/00001-seed0 kept/runs/00004-seed0
grep -qE '^metric +latent=4 dropout=0 +latent=8 dropout=0.5 *$' out || fail "runs by all that they differ in"
cp -r kept/runs/00002-seed0 mine
expect 0 compare kept/runs/00001-seed0 mine
grep -qE '^metric +kept/runs/00001-seed0 +mine *$' out || fail "a run that has a name of its own"
# other settings, other data, and what is no sweep
# shellcheck disable=SC2086
expect 2 sweep mult-dae $common --grid "dropout=0,0.5" --metric recall_capped@20 -o a
says err "parameters"
# shellcheck disable=SC2086
expect 2 sweep mult-dae $common --grid "$grid" --metric ndcg@100 -o a
says err "select"
# shellcheck disable=SC2086
expect 2 sweep mult-dae $common --split-seed 9 --grid "$grid" --metric recall_capped@20 -o a
says err "another setting"
mkdir full
touch full/thesis.tex
# shellcheck disable=SC2086
expect 2 sweep mult-dae $common --grid "$grid" -o full
says err "not empty"
# a document of another sweep, or a damaged one
cp -r a b
sed 's/"sweep":.*/"sweep": "0000000000000000",/' a/runs/00001-seed4.json >b/runs/00001-seed4.json
# shellcheck disable=SC2086
expect 4 sweep mult-dae $common --grid "$grid" --metric recall_capped@20 -o b
says err "another sweep"
echo '{' >b/runs/00001-seed4.json
# shellcheck disable=SC2086
expect 4 sweep mult-dae $common --grid "$grid" --metric recall_capped@20 -o b
says err "00001-seed4.json"
# grids that are none
bad()
{
    sentence=$1
    shift
    # shellcheck disable=SC2086
    expect 2 sweep mult-dae $SMALL -o none "$@"
    says err "$sentence"
    [ -e none ] && fail "a folder was made"
}
bad '"dropout"' --grid "dropot=0,0.5"
bad "dropout" --grid "dropout=0,2"
bad "twice" --grid "dropout=0,0.5;dropout=0.1"
bad "twice" --grid "dropout=0.5,0.5"
bad "lacks its values" --grid "dropout"
bad "has no values" --grid "dropout="
bad "is missing" --grid "dropout=0,,1"
bad "empty" --grid ";"
bad "--random" --grid "dropout=0.1..0.5"
bad "no range" --grid "dropout=0.5..0.1" --random 3
bad "within" --grid "dropout=0.5..1.5" --random 3
bad "logarithm" --grid "dropout=log:0..0.5" --random 3
bad "slashes" --grid "c1/c0=5/1,10"
bad "paper-depth" --preset-grid paper-deep
bad "exclude" --preset-grid paper-depth --grid "$grid"
bad "--grid" --seeds 2
bad "describes" --grid "$grid" --metric tail_short@10
bad "ndcg" --grid "$grid" --metric ndgc@10
expect 2 sweep mult-dae --grid "$grid"
says err "-o"
# tied names; a setting that the model refuses cannot win
# shellcheck disable=SC2086
expect 0 sweep mult-dae $SMALL --epochs 1 --likelihood gaussian --grid "c1/c0=1/5,10/2" -o tied --json
[ "$(json settings 1 winner)" = true ] || fail "tied"
json settings 0 failed >failed
grep -q c1 failed || fail "the refused setting has no reason"
[ "$(json settings 0 validation mean)" = null ] || fail "the refused setting has a value"
# shellcheck disable=SC2086
expect 2 sweep mult-dae $SMALL --epochs 1 --likelihood gaussian --grid "c1/c0=1/5" -o none
says err "no setting can win"
# drawn settings: as many as asked for, different, the same again
# shellcheck disable=SC2086
expect 0 sweep mult-dae $SMALL --epochs 1 --grid "dropout=0..0.9;latent=4..12;lr=log:1e-3..1e-1" --random 5 -o drawn --json
[ "$(grep -c '"setting"' out)" = 6 ] || fail "five settings and the winner's"
json settings 4 setting latent >latent
cp out first
# shellcheck disable=SC2086
expect 0 sweep mult-dae $SMALL --epochs 1 --grid "dropout=0..0.9;latent=4..12;lr=log:1e-3..1e-1" --random 5 -o again --json
grep '"setting"' -A 3 first >x
grep '"setting"' -A 3 out | cmp - x || fail "other settings were drawn"
# halving: the best go on, to what they would have been; the others say where they stopped
grid="lr=1e-4,3e-4,1e-3,3e-3,1e-2,3e-2"
# shellcheck disable=SC2086
expect 0 sweep mult-dae $SMALL --epochs 6 --grid "$grid" -o whole --json
cp out whole.json
# shellcheck disable=SC2086
expect 0 sweep mult-dae $SMALL --epochs 6 --grid "$grid" --halving --jobs 2 -o halved --json
stopped=0
for i in 0 1 2 3 4 5; do
    if [ "$(json settings $i share)" = 1 ]; then
        [ "$(json settings $i validation mean)" = "$("$JSON_GET" whole.json settings $i validation mean)" ] || fail "halving changed setting $i"
    else
        stopped=$((stopped + 1))
        [ "$(json settings $i epochs 0)" = 2 ] || fail "setting $i did not stop after a third"
    fi
done
[ $stopped = 4 ] || fail "$stopped settings were stopped, not 4"
[ "$(json winner metrics)" = "$("$JSON_GET" whole.json winner metrics)" ] || fail "another winner"
# refit: the winner alone, once more on train + validation
# shellcheck disable=SC2086
expect 0 sweep mult-dae $SMALL --epochs 2 --grid "lr=1e-3,1e-2" --refit -o refit --json
run=$(json winner runs 0)
mean=$(json winner metrics ndcg@100 mean)
lr=$(json winner setting lr)
case $lr in 1e-3) trained=refit/runs/00001-seed0 ;; *) trained=refit/runs/00002-seed0 ;; esac
head -n 2 "$run/metrics.jsonl" | cmp - "$trained/metrics.jsonl" || fail "the refit trained the winner again: other times in its log"
expect 0 evaluate "$run" --json
[ "$(json refit)" = true ] || fail "no refit"
[ "$(json metrics ndcg@100 mean)" = "$mean" ] || fail "evaluate differs from the sweep's refit"
# shellcheck disable=SC2086
expect 0 train mult-dae $SMALL --epochs 2 --set lr="$lr" --refit -o refit-alone --json
[ "$(json metrics ndcg@100 mean)" = "$mean" ] || fail "a training of its own differs from the sweep's refit"
cmp refit-alone/best.safetensors "$run/best.safetensors" || fail "other parameters than a training of its own"
