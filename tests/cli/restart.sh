# Where OpenBLAS would miss a processor's best kernels, commands that compute start again once, others do not.
. "$SUPPORT"
unset OPENBLAS_CORETYPE PUMICE_REEXEC
"$RESTART" train item-pop --device ref --held-out 200 -q >out 2>err || fail "train"
printf 'started with nothing\nstarted with Haswell\n' | cmp - err || fail "not started again, once"
says out "item-pop"
"$RESTART" models >out 2>err || fail "models"
[ "$(wc -l <err)" -eq 1 ] || fail "models needs no restart"
OPENBLAS_CORETYPE=Nehalem "$RESTART" train item-pop --device ref --held-out 200 -q >out 2>err || fail "train"
echo 'started with Nehalem' | cmp - err || fail "what somebody chose was changed"
