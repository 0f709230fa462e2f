# What is unknown is refused with 2, the nearest name and what is allowed; devices with 3.
. "$SUPPORT"
expect 2
says err "usage: pumice"
expect 2 trian
says err 'no command "trian"'
says err '"train"'
says err "recommend"
expect 2 help evaluat
says err '"evaluate"'
expect 2 data splt
says err '"split"'
expect 2 train mult-dae --epoch 3
says err "--epochs"
says err "--metrics"
expect 2 train mult-dae --dropot 0.5
says err "--dropout"
expect 2 train mult-day
says err '"mult-dae"'
says err "item-pop"
expect 2 models mult-day
says err '"mult-dae"'
expect 2 train
says err "MODEL"
expect 2 train mult-dae item-pop
expect 2 train mult-dae --epochs
says err "--epochs wants a value"
expect 2 train mult-dae --epochs three
says err "integer"
expect 2 train mult-dae --epochs 0
expect 2 train mult-dae --epochs 3 --epochs 4
says err "twice"
expect 2 train mult-dae --fixed-length --patience 3
says err "--patience has no use"
expect 2 train mult-dae --refit=yes
says err "takes no value"
expect 2 train mult-dae --ties expectd
says err '"expected"'
expect 2 train mult-dae --set dropout=2
says err "dropout"
expect 2 train mult-dae --set latnt=2
says err '"latent"'
expect 2 train mult-dae --beta_cap 0.1
says err "has no hyperparameter"
expect 2 train mult-dae --preset paper-ml-1n
says err "paper-ml-1m"
expect 2 train mult-dae --metrics ndgc@10
says err "ndcg"
expect 2 train mult-dae --protocol stong
says err "strong"
expect 2 train mult-dae --synth ml-2m
says err "ml-1m"
expect 2 train mult-dae --data x --synth small
expect 2 train --resume run --epochs 5
says err "--epochs"
expect 2 train mult-dae --resume run
expect 2 train ns-autorec --synth small --negatives 50
says err "--set negatives=50"
expect 2 recommend run
says err "--user"
expect 2 recommend run --user a --items b
expect 2 compare
expect 2 compare mult-day
says err '"mult-dae"'
expect 2 compare item-pop mult-day:epochs=3
says err '"mult-dae"'
expect 2 bench ops --op matmull
says err '"matmul"'
expect 2 data convert
expect 2 data synth --preset ml-2m -o x
says err "ml-1m"
expect 2 data synth
says err "-o"
expect 3 train mult-dae --device nope --epochs 1
says err "nope"
expect 3 bench ops --device nope
expect 2 evaluate no-such-run
says err "no-such-run"
expect 2 train --resume no-such-run
[ -z "$(ls | grep -v -e '^out$' -e '^err$' -e '^id$')" ] || fail "something was left behind: $(ls)"
