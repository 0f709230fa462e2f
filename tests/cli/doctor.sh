# doctor: a row an op and a model, and a verdict.
. "$SUPPORT"
expect 0 doctor --device "$DEVICE" --json
cp out document
[ "$("$JSON_GET" document failed)" = 0 ] || fail "something failed on $DEVICE"
"$JSON_GET" document checks | grep -q '"what":"op matmul"' || fail "no matmul"
"$JSON_GET" document checks | grep -q '"what":"model mult-vae"' || fail "no mult-vae"
[ "$("$JSON_GET" document device)" = "$DEVICE" ] || fail "no device"
"$JSON_GET" document checks 0 verdict >verdict || fail "no verdict"
expect 3 doctor --device nope
