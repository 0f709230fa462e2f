# installed.sh WHAT: one claim about the installed tree $TREE. Nothing of the source tree but examples/ and README.md is used.
export PKG_CONFIG_PATH=$TREE/$LIBDIR/pkgconfig
export LD_LIBRARY_PATH=$TREE/$LIBDIR${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
here=$WORK/$1
rm -rf "$here"
mkdir -p "$here"
cd "$here"

fail() { echo "$*" >&2; exit 1; }
strict="-std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic -Werror"

case $1 in
pkgconfig)    # shared, by pkg-config
    $CC $strict "$SOURCE/examples/matmul.c" $(pkg-config --cflags --libs pumice) -lm -o matmul
    ldd matmul | grep -q "$TREE.*libpumice.so" || fail "not linked to the installed library"
    ./matmul ref 65
    ;;
static)    # static, by pkg-config
    $CC $strict "$SOURCE/examples/matmul.c" $(pkg-config --static --cflags --libs pumice | sed 's/-lpumice\b/-l:libpumice.a/') -o matmul
    ldd matmul | grep libpumice && fail "linked to the shared library"
    ./matmul ref 65
    ;;
examples)    # both kinds of library by find_package, in a copy of examples/
    cp "$SOURCE"/examples/* .
    printf 'add_executable(matmul_static matmul.c)\ntarget_link_libraries(matmul_static PRIVATE Pumice::pumice_static m)\n' >>CMakeLists.txt
    cmake -S . -B build -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$TREE" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror"
    cmake --build build
    ! grep -e "-I$SOURCE/" build/build.ninja || fail "the examples see the source tree"
    for device in ref ${DEVICE-cpu}; do
        build/matmul $device 129
        build/matmul_static $device 129
    done
    if build/matmul no-such-device 2>message; then fail "a device that does not exist was opened"; fi
    grep -q no-such-device message || fail "the message does not name the device"
    ;;
custom_model)    # a model with its own loss in under 80 lines, with everything the command offers
    lines=$(wc -l <"$SOURCE/examples/custom_model.c")
    [ "$lines" -lt 80 ] || fail "examples/custom_model.c has $lines lines"
    mine=$WORK/examples/build/custom_model
    $mine models smooth-tied | grep -q smooth || fail "its hyperparameters are not listed"
    $mine train smooth-tied --epochs 3 --device cpu --seed 1 -o run --json >result.json
    grep -q '"model":[[:space:]]*"smooth-tied"' result.json || fail "the result names another model"
    $mine evaluate run --device cpu --json >again.json
    ;;
readme)    # the program in README.md compiles as printed, in under twenty lines, and runs
    awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$SOURCE/README.md" >program.c
    lines=$(wc -l <program.c)
    [ "$lines" -gt 5 ] && [ "$lines" -lt 20 ] || fail "the program has $lines lines"
    $CC $strict program.c $(pkg-config --cflags --libs pumice) -o program
    ./program | tee out
    [ -s out ] || fail "it printed nothing"
    ;;
command)    # the installed command, its man page and completion
    "$TREE/bin/pumice" --help >/dev/null
    "$TREE/bin/pumice" models | grep -q mult-vae || fail "mult-vae is not among the models"
    [ -s "$TREE/share/man/man1/pumice.1" ] || fail "no man page"
    PATH=$TREE/bin:$PATH bash -eu -c '
        . "$TREE/share/bash-completion/completions/pumice"
        complete_as() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _pumice; echo " ${COMPREPLY[*]} "; }
        [[ "$(complete_as pumice tr)" == *" train "* ]]
        [[ "$(complete_as pumice train --ep)" == *" --epochs "* ]]
        [[ "$(complete_as pumice train mult-)" == *" mult-vae "* ]]' || fail "completion does not complete"
    ;;
*) fail "unknown test $1" ;;
esac
