# shellcheck shell=sh
# lib.sh - for scripts of this folder: makes mmlego-cuda.so for the emulated GPU, out of the sources of backends/cuda and the headers of
# tests/cuda/emulated, and runs test programs on it. Sourced, with these set:
#
#   src, build    the tree of sources, and of the build
#   dir           where all that is made lies
#   cxx           compiler of C++
#   sanitize      flags of sanitizers for all of it, or empty
#   watch         flags for kernels alone, or empty
#
# Gives stale, make_module, compile, cannot_make, use_module and passes; sets module, flags, cplusplus and status.
# shellcheck disable=SC2154,SC2034 # that is the caller's, or for him
module=$dir/mmlego-cuda.so
status=0
flags="-g1 -O2 -fPIC -Wall -Wextra -Wno-unknown-pragmas -Wno-unused-function -DHAVE_CONFIG_H -I$build -I$src -I$src/src -I$src/include"
cplusplus="-std=c++17 -fno-exceptions -fno-rtti -I$src/tests/cuda/emulated -x c++"
# threadIdx and its like are looked at in every line: at a fixed place, for which the loader must leave room, not by a call that finds it.
case $(getconf GNU_LIBC_VERSION 2>/dev/null) in
"glibc 2.3"[3-9]* | "glibc 2."[4-9]*)
    flags="$flags -ftls-model=initial-exec"
    GLIBC_TUNABLES=${GLIBC_TUNABLES:+$GLIBC_TUNABLES:}glibc.rtld.optional_static_tls=262144
    export GLIBC_TUNABLES
    ;;
esac

compile() { # SOURCE...: each into an object of its own; what went wrong is in $dir/log
    for file; do
        object=$dir/$(basename "$(dirname "$file")")-$(basename "$file").o
        # As in m4/mml_simd.m4: what a kernel keeps in registers would be in memory, each access to it looked up.
        scope=
        [ -z "$sanitize" ] || ! grep -q __global__ "$file" || scope=-fno-sanitize-address-use-after-scope
        # shellcheck disable=SC2086 # flags are several words
        case $file in
        *.c) ${MMLT_CC:-cc} -std=c11 -D_GNU_SOURCE $flags $sanitize -c "$file" -o "$object" ;;
        *.cu) $cxx $cplusplus $flags $sanitize $scope $watch '-DMML_CUDA_ARCH="none: emulated"' -DMMLI_DFT_PRODUCT=5e5 -c "$file" -o "$object" ;;
        *) $cxx $cplusplus $flags $sanitize -c "$file" -o "$object" ;;
        esac || touch "$dir/failed"
    done 2>>"$dir/log"
    [ ! -f "$dir/failed" ]
}
make_module() {
    mkdir -p "$dir" || exit 99
    rm -f "$dir"/*.o "$dir/failed" "$dir/log" "$module"
    # Two compilers side by side, each with every other file.
    turn=0 one='' other=''
    for file in "$src"/backends/cuda/*.cu "$src"/tests/cuda/emulated/*.cc "$src/backends/cuda/host.c"; do
        case $file in */nccl.cc) continue ;; esac # a library of its own
        if [ $((turn = 1 - turn)) -eq 1 ]; then one="$one $file"; else other="$other $file"; fi
    done
    # shellcheck disable=SC2086 # lists of files
    { compile $one & compile $other; wait; }
    # shellcheck disable=SC2086
    [ ! -f "$dir/failed" ] && $cxx -shared $sanitize -o "$module" "$dir"/*.o -Wl,-rpath,"\$ORIGIN" -lm -lpthread -ldl 2>>"$dir/log"
}
stale() {
    [ ! -f "$module" ] || [ -n "$(find "$src/backends" "$src/tests/cuda" "$src/include" -name '*.[chd]*' -newer "$module" | head -n 1)" ]
}
cannot_make() {
    rm -f "$module" # what was made of it is not taken for all
    echo "not ok - the sources of backends/cuda compile as C++"
    sed -n '1,40s/^/#   /p' "$dir/log"
    exit 1
}
use_module() {
    echo "ok - the sources of backends/cuda compile as C++"
    export MMLEGO_CUDA_MODULE="$module" MMLT_DEVICE=cuda CK_VERBOSITY=normal
}

passes() { # SENTENCE PROGRAM
    log=$dir/$(basename "$2").log
    "$build/$2" >"$log" 2>&1
    code=$?
    checks=$(sed -n 's/.*Checks: \([0-9]*\),.*/\1/p' "$log" | tail -n 1)
    if [ $code -eq 0 ]; then
        echo "ok - $1 (${checks:-no} checks of $2)"
    elif [ $code -eq 77 ]; then
        echo "skip - $1: $2"
    else
        echo "not ok - $1 ($2)"
        grep -E ':[FE]:|emulated CUDA|ERROR|runtime error' "$log" | sed -n '1,20s/^/#   /p'
        status=1
    fi
}
