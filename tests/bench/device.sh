# A benchmark of each kind on a device that may be a slow software driver: device clock, host time apart, traces, comparison.
. "$SUPPORT"
device=${1:-vulkan}
if ! "$PUMICE" devices | grep -q '^vulkan:'; then
    [ -z "${PUMICE_NEED_DEVICE-}" ] || fail "no Vulkan device"
    exit 77
fi
quick="--device $device --quick --seconds 0"

events()
{
    "$JSON_GET" "$1" traceEvents >events || fail "$1 is no JSON"
    grep -o '"ph":"X"' events | wc -l
}

for op in softmax matmul; do
    # shellcheck disable=SC2086
    expect 0 bench ops $quick --op $op --lengths odd --trace ops.json --json
    cp out old.json
    [ "$(json rows 0 name)" = $op ] || fail "$op: name"
    [ "$(json rows 0 clock)" = device ] || fail "$op: no device clock"
    [ "$(json rows 0 host_seconds)" != null ] || fail "$op: no host time"
    [ "$(events ops.json)" -ge 1 ] || fail "$op: no event"
done
json ceilings copy gbs >value
# shellcheck disable=SC2086
expect 0 bench ops $quick --op matmul --lengths odd --compare old.json --tolerance 100
says out "host ms"
# shellcheck disable=SC2086
expect 0 bench models $quick --model mult-vae --hidden none --latent 16 --trace step.json --json
[ "$(json rows 1 name)" = "mult-vae: products" ] || fail "products"
[ "$(events step.json)" = "$(json models 0 ops)" ] || fail "a trace of $(json models 0 ops) ops has $(events step.json) events"
# shellcheck disable=SC2086
expect 0 bench eval $quick --model mult-vae --hidden none --latent 16 --held-out 60 --json
[ "$(json models 0 users)" = 60 ] || fail "users"
