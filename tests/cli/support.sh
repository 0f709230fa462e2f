# What the tests of the command share. PUMICE: the command; JSON_GET: reads a value of a JSON document; both from ctest.
# Run in a folder of its own, which goes with the test.
set -u
FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/pumice-cli-XXXXXX")
trap 'rm -rf "$FOLDER"' EXIT
cd "$FOLDER" || exit 1
export NO_COLOR=

fail()
{
    echo "FAILED: $*" >&2
    [ -f out ] && sed 's/^/stdout: /' out | head -20 >&2
    [ -f err ] && sed 's/^/stderr: /' err | head -20 >&2
    exit 1
}

# expect CODE ARGUMENT…: runs pumice, keeps out and err.
expect()
{
    wanted=$1
    shift
    "$PUMICE" "$@" >out 2>err
    got=$?
    [ "$got" -eq "$wanted" ] || fail "pumice $*: exit $got, not $wanted"
}

# says FILE TEXT: the fixed text is in out or err.
says()
{
    grep -qF -- "$2" "$1" || fail "$1 lacks: $2"
}

# json PATH: a value of the document in out; fails where it does not parse.
json()
{
    "$JSON_GET" out "$@" || fail "JSON: $*"
}

# The device for tests: cpu where the build has it.
DEVICE=ref
"$PUMICE" devices --json >out 2>err && "$JSON_GET" out devices 1 id >id 2>/dev/null && [ "$(cat id)" = cpu ] && DEVICE=cpu
SMALL="--device $DEVICE --threads 1 --hidden none --latent 16 --held-out 200"
