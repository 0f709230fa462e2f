# A device that is lost, or full, in the middle of training: exit 1 with a sentence, the last checkpoint intact, and --resume ends with the
# bits of a run that nothing disturbed.
. "$SUPPORT"
settings="--set hidden=none --latent 8 --epochs 4 --batch 400 --device vulkan --save-every 0.001 --quiet --json"
if ! "$PUMICE" devices | grep -q '^vulkan:'; then
    [ -z "${PUMICE_NEED_DEVICE-}" ] || fail "no Vulkan device"
    exit 77
fi
# shellcheck disable=SC2086
expect 0 train mult-dae $settings -o whole
lost=0
n=2
while :; do
    rm -rf part
    # shellcheck disable=SC2086
    PUMICE_VK_FAULT=lost:$n "$PUMICE" train mult-dae $settings -o part >out 2>err
    code=$?
    [ $code -ne 0 ] || break    # the run has fewer submissions
    [ $code -eq 1 ] || fail "losing the device at submission $n: exit $code, not 1"
    says err "the device was lost while running"
    [ ! -f part/checkpoint.safetensors ] || lost=$((lost + 1))
    expect 0 train --resume part --json
    cmp whole/best.safetensors part/best.safetensors || fail "best parameters after losing the device at submission $n"
    cmp whole/checkpoint.safetensors part/checkpoint.safetensors || fail "checkpoint after losing the device at submission $n"
    n=$((n + n / 2 + 1))
done
[ $lost -ge 1 ] || fail "the device was never lost after a checkpoint"

# Without mapping there are three allocations at least: two for transfers, then memory for the tensors.
for n in 1 2 3; do
    rm -rf part
    # shellcheck disable=SC2086
    PUMICE_VK_DISABLE=mapping PUMICE_VK_FAULT=full:$n expect 1 train mult-dae $settings -o part
    says err "--set batch"
done
expect 0 train --resume part --json
cmp whole/best.safetensors part/best.safetensors || fail "best parameters after running out of device memory"

# What cannot fit is said before anything is computed.
awk 'BEGIN { for (u = 0; u < 100; u++) for (k = 0; k < 40; k++) print "u" u ",i" (u * 40 + k * 37) % 1500 }' >many.csv
PUMICE_VK_LIMITS=memory=10000000 expect 1 train ease --data many.csv --columns 1,2 --device vulkan --quiet
says err "ease: 1480 items need 0.01 GiB and vulkan:0 has 0.01 GiB"
