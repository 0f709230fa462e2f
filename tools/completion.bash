# Completion of the pumice command: subcommands and options come from its own help, so there is nothing here to keep up to date.
_pumice()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$(pumice --help 2>/dev/null | sed -nE 's/^ {2,4}(pumice )?([a-z]+)( .*)?$/\2/p')
    elif [[ $cur == -* ]]; then
        words=$(pumice "$command" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)
    elif [ "$COMP_CWORD" -eq 2 ] && [[ $command =~ ^(train|models|sweep)$ ]]; then
        words=$(pumice models 2>/dev/null | sed -nE 's/^ *([a-z]+-[a-z0-9-]+) .*/\1/p')
    elif [ "$prev" = --device ]; then
        words="auto ref $(pumice devices 2>/dev/null | grep -oE '^ *(cpu|vulkan:[0-9]+)')"
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur"; [[ $cur == -* ]] || compgen -f -- "$cur")
}
complete -o filenames -F _pumice pumice
