# A bar on a terminal, plain lines in a pipe, no colours where none are wanted.
. "$SUPPORT"
# shellcheck disable=SC2086
expect 0 train mult-dae $SMALL --epochs 30
grep -q "$(printf '\033')" out err && fail "escape sequences in a pipe"
grep -q "$(printf '\r')" err && fail "carriage returns in a pipe"
[ "$(grep -c '^epoch ' err)" -eq 30 ] || fail "not one line an epoch"
"$PUMICE" models --json 2>err | head -1 >out
[ -s err ] && fail "a reader that leaves is no error"
if [ -e /dev/full ]; then
    "$PUMICE" models >/dev/full 2>err
    [ $? -eq 1 ] || fail "results that cannot be written must fail"
    says err "could not be written"
fi
command -v script >/dev/null || exit 0
# shellcheck disable=SC2086
TERM=xterm NO_COLOR=1 script -qec "stty cols 80; '$PUMICE' train mult-dae --device ref --hidden none --latent 16 --held-out 200 --epochs 2" typescript >out </dev/null
grep -q "$(printf '\r')train" out || fail "no bar on a terminal"
grep -q '^epoch ' out && fail "a line an epoch besides the bar"
grep -q "$(printf '\033')" out && fail "escape sequences in spite of NO_COLOR"
tr '\r' '\n' <out | awk 'length($0) > 80 && /^train/ { exit 1 }' || fail "the bar is wider than the terminal"
TERM=xterm NO_COLOR= script -qec "'$PUMICE' trian" typescript >out </dev/null
exit 0
