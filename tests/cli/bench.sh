# bench: rows of every kind, the document, traces, and what --compare finds.
. "$SUPPORT"
quick="--device $DEVICE --threads 2 --quick --seconds 0"

# events FILE: how many events of a trace are ops.
events()
{
    "$JSON_GET" "$1" traceEvents >events || fail "$1 is no JSON"
    grep -o '"ph":"X"' events | wc -l
}

# shellcheck disable=SC2086
expect 0 bench ops $quick --op matmul
says out "GFLOP/s"
says out "share"
# shellcheck disable=SC2086
expect 0 bench ops $quick --op softmax --lengths odd --json --trace trace.json
cp out old.json
[ "$(json pumice_bench)" = 1 ] || fail "format"
[ "$(json bench)" = ops ] || fail "bench"
[ "$(json machine backend)" = "$DEVICE" ] || fail "backend"
[ "$(json machine threads)" = 2 ] || fail "threads"
[ "$(json rows 0 name)" = softmax ] || fail "name"
[ "$(json rows 0 shape)" = "R=129 C=1009" ] || fail "shape"
[ "$(json rows 0 bytes)" = $((2 * 4 * 129 * 1009)) ] || fail "bytes"
for key in seconds least most noise repetitions flops gflops gbs share; do
    json rows 0 $key >value
done
[ "$(events trace.json)" = 1 ] || fail "a trace of one op has $(events trace.json) events"
"$JSON_GET" trace.json traceEvents 1 args shape | grep -q R=129 || fail "no shape in the trace"
if [ "$DEVICE" = cpu ]; then
    [ "$(json rows 0 against)" = copy ] || fail "softmax is held against copying"
    json ceilings copy gbs >value
    # shellcheck disable=SC2086
    expect 0 bench ops $quick --op matmul --json
    [ "$(json rows 0 against)" = OpenBLAS ] || fail "matmul is held against OpenBLAS"
    json ceilings sgemm gflops >value
fi

# A planted slowdown: the old run much faster. And the other way round. On ref, which has no ceilings to measure first.
ref="--device ref --threads 2 --quick --seconds 0"
compare="bench ops $ref --op softmax --lengths odd --compare"
# shellcheck disable=SC2086
expect 0 bench ops $ref --op softmax --lengths odd --json
cp out old.json
retimed()
{
    sed "s/\"seconds\":.*/\"seconds\": $1,/; s/\"least\":.*/\"least\": $1,/; s/\"most\":.*/\"most\": $1,/; s/\"noise\":.*/\"noise\": $2,/" old.json
}
retimed 1e-9 0 >fast.json
retimed 100 0 >slow.json
# shellcheck disable=SC2086
expect 1 $compare fast.json
says out "1 slower, 0 faster"
grep -q nan out && fail "a time that is no number"
# shellcheck disable=SC2086
expect 1 $compare fast.json --json
[ "$(json comparison slower 0 name)" = softmax ] || fail "what got slower"
# shellcheck disable=SC2086
expect 0 $compare slow.json
says out "0 slower, 1 faster"
# Within the tolerance, or within the noise: neither.
# shellcheck disable=SC2086
expect 0 $compare old.json --tolerance 100
retimed 1e-9 1000 | sed 's/"most":.*/"most": 1000,/' >noisy.json
# shellcheck disable=SC2086
expect 0 $compare noisy.json

# What cannot be compared is refused: another machine, other lengths, another benchmark, no common row, no document.
sed 's/"profile":.*/"profile": "another",/' old.json >other.json
# shellcheck disable=SC2086
expect 2 $compare other.json
says err "another"
sed 's/"quick":.*/"quick": false,/' old.json >long.json
# shellcheck disable=SC2086
expect 2 $compare long.json
says err "--quick"
sed 's/"bench":.*/"bench": "models",/' old.json >models.json
# shellcheck disable=SC2086
expect 2 $compare models.json
says err "bench models"
# shellcheck disable=SC2086
expect 2 bench ops $ref --op exp --compare old.json
says err "no row in common"
head -c 200 old.json >cut.json
# shellcheck disable=SC2086
expect 4 $compare cut.json
says err "cut.json"
echo '{"rows": []}' >empty.json
# shellcheck disable=SC2086
expect 4 $compare empty.json
retimed '"x"' 0 >bad.json
# shellcheck disable=SC2086
expect 4 $compare bad.json
says err "softmax"
# shellcheck disable=SC2086
expect 1 $compare none.json
# shellcheck disable=SC2086
expect 1 bench ops $ref --op exp --trace none/trace.json
# shellcheck disable=SC2086
expect 2 bench ops $quick --op sotfmax
says err '"softmax"'

# Models: the step, its parts, an epoch; facts; a trace with an event an op.
# shellcheck disable=SC2086
expect 0 bench models $quick --model mult-vae --set hidden=none --latent 16 --detail --trace step.json --json
cp out models.json
[ "$(json rows 0 name)" = "mult-vae: step" ] || fail "step"
[ "$(json rows 4 name)" = "mult-vae: epoch" ] || fail "epoch"
[ "$(json models 0 model)" = mult-vae ] || fail "model"
[ "$(json models 0 items)" = 800 ] || fail "items"
for key in step_seconds product_seconds other_seconds host_share epoch_seconds peak_device_memory arena arena_lower_bound; do
    [ "$(json models 0 $key)" != null ] || fail "$key"
done
[ "$(events step.json)" = "$(json models 0 ops)" ] || fail "a trace of $(json models 0 ops) ops has $(events step.json) events"
grep -q '"label":"encoder.0"' events || fail "no label in the trace"
# shellcheck disable=SC2086
expect 2 bench models $quick --preset ml-2m
says err "ml-1m"
# shellcheck disable=SC2086
expect 2 bench models $quick --model mult-dae --set beta_cap=0.1
says err "beta_cap"

# Evaluation: all of it, its parts, and training on as many.
# shellcheck disable=SC2086
expect 0 bench eval $quick --model mult-dae --hidden none --latent 16 --held-out 150 --trace eval.json --json
[ "$(json rows 0 name)" = "mult-dae: evaluation" ] || fail "evaluation"
[ "$(json rows 0 shape)" = "users=150 I=800 top=100" ] || fail "shape: $(json rows 0 shape)"
[ "$(json models 0 users)" = 150 ] || fail "users"
for key in seconds top_k_seconds training_seconds per_training; do
    [ "$(json models 0 $key)" != null ] || fail "$key"
done
[ "$(events eval.json)" = "$(json models 0 ops)" ] || fail "a trace of $(json models 0 ops) ops has $(events eval.json) events"
grep -q '"name":"top_k"' events || fail "no top_k in the trace"
cp out eval.json
# shellcheck disable=SC2086
expect 0 bench eval $quick --model mult-dae --hidden none --latent 16 --held-out 150 --compare eval.json --tolerance 100
says out "of an epoch's training on as many"
