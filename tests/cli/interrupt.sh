# Ctrl-C: 130 after a checkpoint, and --resume ends with the bits of a run that was never stopped.
. "$SUPPORT"
settings="$SMALL --epochs 60 --seed 5"
# shellcheck disable=SC2086
expect 0 train mult-vae $settings -o whole --json
json metrics >whole.metrics
for signal in INT TERM; do
    # On a busy machine the run may be over before the signal comes: that says nothing, so it is tried again.
    attempts=0
    rm -f err
    until [ $attempts -eq 10 ] || { [ -f err ] && grep -q -e --resume err; }; do
        attempts=$((attempts + 1))
        rm -rf $signal err    # err is the child's to make: the last run's has an epoch 2 already
        # shellcheck disable=SC2086
        "$PUMICE" train mult-vae $settings -o $signal >out 2>err &
        child=$!
        tries=0
        until [ -f err ] && grep -q '^epoch 2 ' err; do
            tries=$((tries + 1))
            [ $tries -lt 5000 ] || fail "no epoch in 100 s"
            sleep 0.02
        done
        kill -$signal $child
        wait $child
        code=$?
    done
    [ $code -eq 130 ] || fail "SIG$signal: exit $code, not 130"
    says err "--resume"
    [ -f $signal/checkpoint.safetensors ] || fail "no checkpoint"
    cmp -s whole/checkpoint.safetensors $signal/checkpoint.safetensors && fail "it was not interrupted"
    expect 0 train --resume $signal --json
    json metrics | cmp - whole.metrics || fail "metrics after resuming"
    cmp whole/best.safetensors $signal/best.safetensors || fail "best parameters after resuming"
    cmp whole/checkpoint.safetensors $signal/checkpoint.safetensors || fail "checkpoint after resuming"
done
head -c 1000 whole/checkpoint.safetensors >cut
cp cut whole/checkpoint.safetensors
expect 4 train --resume whole
says err "checkpoint"
mkdir nothing
expect 2 train --resume nothing
says err "config.json"
