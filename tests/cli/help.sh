# Help of every command: exit 0, on stdout, with an example; the manual page has every command and option.
. "$SUPPORT"
expect 0 --version
says out "pumice "
expect 0 --help
says out "Commands"
sed -n '/^Commands/,/^Examples/p' out | sed -n 's/^  \([a-z][a-z]* \{0,1\}[a-z]*\)  .*/\1/p' | grep -v '^help' | sed 's/ *$//' >commands
[ "$(wc -l <commands)" -ge 11 ] || fail "the list of commands is short: $(cat commands)"
for part in data bench; do
    expect 0 $part --help
    says out "Commands"
    expect 2 $part
done
expect 0 help --man
cp out man
while read -r command; do
    # shellcheck disable=SC2086 # two words
    expect 0 $command --help
    [ -s err ] && fail "$command --help wrote to stderr"
    says out "usage: pumice $command"
    says out "Examples"
    sed -n '/^Examples/,$p' out | grep -q '^  pumice ' || fail "$command --help has no example"
    cp out help
    # shellcheck disable=SC2086
    expect 0 help $command
    cmp -s out help || fail "help $command differs from $command --help"
    grep -qF "SS \"pumice $command\"" man || fail "the manual page lacks $command"
    grep -o -e '^  \(-[a-z], \)\{0,1\}--[a-z-]*' help | sed 's/.*--//' | grep -v '^help$' >options
    [ -s options ] || fail "$command has no options"
    sed -n "/^.SS \"pumice $command\"/,/^.S[SH] /p" man >section
    while read -r option; do
        grep -qF -- "\\-\\-$(echo "$option" | sed 's/-/\\-/g')" section || fail "the manual page lacks $command --$option"
    done <options
done <commands
expect 0 train mult-vae --help
says out "Hyperparameters of mult-vae"
says out "--beta_cap"
