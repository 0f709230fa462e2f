#!/bin/sh
# style.headers: headers.sh LANGUAGE STANDARD COMPILER INCLUDE_FOLDER...: each public header compiles alone.
language=$1 standard=$2 compiler=$3
shift 3
if [ -z "$compiler" ]; then
    echo "no compiler for $language"
    exit 77
fi
failed=0 count=0 flags=
for folder in "$@"; do flags="$flags -I$folder"; done
for folder in "$@"; do
    for header in "$folder"/pumice/*.h; do
        [ -f "$header" ] || continue
        count=$((count + 1))
        printf '#include <pumice/%s>\nextern int pm_style_unit;\n' "$(basename "$header")" |
            $compiler -x "$language" -std="$standard" -Wall -Wextra -Werror -pedantic -fsyntax-only $flags - || {
            echo "$header does not compile alone as $standard"
            failed=1
        }
    done
done
echo "$count headers as $standard"
[ "$count" -gt 5 ] || failed=1
exit $failed
