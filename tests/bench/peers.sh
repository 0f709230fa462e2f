# The scripts of bench/: they parse, explain themselves and, where NumPy, SciPy and PyTorch are, run at their smallest.
# PUMICE, STEPPER: programs; BUILD, SOURCE: folders; all from ctest.
set -u
FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/pumice-bench-XXXXXX")
trap 'rm -rf "$FOLDER"' EXIT
export PYTHONDONTWRITEBYTECODE=1

fail()
{
    echo "FAILED: $*" >&2
    sed 's/^/    /' "$FOLDER/out" "$FOLDER/err" 2>/dev/null | tail -20 >&2
    exit 1
}

# has MODULE…: a Python that has them all, in $python. Distributions' modules belong to their own Python, not to one put before it.
has()
{
    for python in python3 /usr/bin/python3; do
        "$python" -c "import $(echo "$*" | tr ' ' ',')" 2>/dev/null && return 0
    done
    return 1
}

# run TEXT SCRIPT ARGUMENT…: succeeds, and says TEXT.
run()
{
    text=$1 script=$2
    shift 2
    "$python" "$SOURCE/bench/$script" "$@" >"$FOLDER/out" 2>"$FOLDER/err" || fail "$script $* ended with $?"
    grep -q -- "$text" "$FOLDER/out" || fail "$script $* does not say: $text"
}

# The order that the stepper tells is the one its training takes, and what it trains is what it was asked for.
printf 'order 2\nsteps 2\nsteps 3\nprofile\n' | "$STEPPER" ref 40,30,200 mult-dae hidden=none latent=4 batch=16 >"$FOLDER/out" 2>"$FOLDER/err" ||
    fail "stepper ended with $?"
[ "$(wc -l <"$FOLDER/out")" -eq 5 ] || fail "stepper: not a line an answer"
grep -q '"rows":40,"items":30,"entries":200,"batch":16,"steps_per_epoch":3' "$FOLDER/out" || fail "stepper: another training"
sed -n 2p "$FOLDER/out" | tr -c '0-9\n' '\n' | grep . | sort -un | wc -l | grep -qx 32 || fail "stepper: order repeats rows"
sed -n 4p "$FOLDER/out" | grep -q '^\[{"steps":1,.*},{"steps":2,' || fail "stepper: a turn over the end of an epoch"
sed -n 5p "$FOLDER/out" | grep -q '"m":16,"n":30,"k":4,' || fail "stepper: a profile without the product of the last layer"
echo 'stop' | "$STEPPER" ref 40,30,200 mult-dae >"$FOLDER/out" 2>"$FOLDER/err" && fail "stepper took \"stop\""
grep -q '"stop" is neither' "$FOLDER/err" || fail "stepper: no sentence"

has json || { echo "SKIPPED: there is no python3"; exit 77; }
for script in goals.py peers/torch_mult_vae.py peers/sgemm.py peers/scipy_ops.py peers/negatives.py peers/sdae.py reproduce/mult_vae.py reproduce/sdae.py; do
    run usage: "$script" --help
done
has numpy scipy torch || { echo "SKIPPED: no Python here has NumPy, SciPy and PyTorch; on Debian: apt install python3-torch python3-scipy"; exit 77; }
"$PUMICE" devices --json 2>"$FOLDER/err" | grep -q '"cpu"' || { echo "SKIPPED: this build has no cpu backend"; exit 77; }
common="--build $BUILD --cache $FOLDER --any-blas --threads 1"
run 'all three' peers/sgemm.py $common --quick --rounds 1 --seconds 0.01
run '| spmm_t |' peers/scipy_ops.py $common --quick --rounds 1 --seconds 0.01
run '| 500,000 |' peers/negatives.py $common --quick
run '| 4 |' peers/sdae.py $common --users 60 --items 40 --ratings 1500 --rounds 2
run '| torch bag |' peers/torch_mult_vae.py $common --preset small --steps 4 --chunk 2 --hidden 24 --latent 8 --only dense,sparse,bag --json "$FOLDER/figures"
grep -q '"torch sparse"' "$FOLDER/figures" || fail "torch_mult_vae.py wrote no figures"
run 'CPU matmul inside the step' goals.py $common --quick step --results "$FOLDER/goals"
grep -q '"matmul_share"' "$FOLDER/goals" || fail "goals.py kept no figures"
# Work that is not the same is refused: a tolerance that nothing meets.
"$python" "$SOURCE/bench/peers/torch_mult_vae.py" $common --preset small --steps 4 --chunk 2 --hidden 24 --latent 8 --only dense --tolerance 1e-12 \
    >"$FOLDER/out" 2>"$FOLDER/err" && fail "losses apart were accepted"
grep -q 'the losses do not agree' "$FOLDER/err" || fail "no word of losses apart"
exit 0
