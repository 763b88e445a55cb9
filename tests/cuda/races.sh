#!/bin/sh
# races.sh - every kernel of CUDA on the emulated GPU, with all its accesses to memory watched by ThreadSanitizer, for which each thread of a
# block is a thread of its own, ordered with the others by __syncthreads and __syncwarp alone: who lacks one is found, whatever the result.
# That is what compute-sanitizer's racecheck looks for, and global memory as well; blocks count as ordered.
#
#   MMLT_FAST=1   skipped, for it takes minutes
#   MMLT_EVERY=N  every N-th variant of a kernel's case [7]: a prime, for shapes come in rows of 2, 3, 5, 10
set -u
src=${MMLT_SRCDIR:-.}
build=${MMLT_BUILDDIR:-.}
cxx=clang++ # gcc does not watch shared memory, which nobody else can know of, as it sees it
dir=$build/tests/cuda/emulated/races

skip() {
    echo "skip - races of kernels of CUDA ($*)"
    exit 77
}
command -v $cxx >/dev/null 2>&1 || skip "no $cxx: apt-get install clang"
[ "$(uname -s)" = Linux ] || skip "written for Linux"
[ -z "${MMLT_SANITIZERS:-}" ] || skip "a process has one sanitizer, this build another"
[ -z "${MMLT_FAST:-}" ] || skip "it takes minutes: MMLT_FAST"
# The test programs have no sanitizer, so it must be loaded before all else, which clang's cannot be.
tsan=$(gcc -print-file-name=libtsan.so 2>/dev/null)
[ -f "$tsan" ] || skip "no libtsan.so: apt-get install gcc"
LD_PRELOAD=$tsan true 2>/dev/null || skip "ThreadSanitizer does not run on this system"

sanitize='-DMMLT_CUDA_RACES'
watch='-fsanitize=thread'
# shellcheck source=tests/cuda/lib.sh
. "$src/tests/cuda/lib.sh"
make_races() {
    # shellcheck disable=SC2086 # flags are several words
    $cxx $cplusplus $flags $sanitize $watch -c "$src/tests/cuda/races.cc" -o "$dir/races.obj" 2>>"$dir/log" &&
        $cxx -o "$dir/races" "$dir/races.obj" "$tsan" -L"$dir" -l:mmlego-cuda.so -Wl,-rpath,"\$ORIGIN" -lpthread 2>>"$dir/log"
}
if stale; then
    { make_module && make_races; } || cannot_make
fi
use_module
export TSAN_OPTIONS='exitcode=66'

# ---- does it see what it should?
found() { # NAME SENTENCE: the case has a race
    "$dir/races" "$1" >"$dir/case.log" 2>&1
    if [ $? -eq 66 ] && grep -q 'data race' "$dir/case.log" && grep -qE 'neighbours|same_place' "$dir/case.log"; then
        echo "ok - $2 is found"
    else
        echo "not ok - $2 is found"
        sed -n '1,20s/^/#   /p' "$dir/case.log"
        status=1
    fi
}
clean() { # NAME SENTENCE
    if "$dir/races" "$1" >"$dir/case.log" 2>&1 && [ ! -s "$dir/case.log" ]; then
        echo "ok - $2 is no race"
    else
        echo "not ok - $2 is no race"
        sed -n '1,20s/^/#   /p' "$dir/case.log"
        status=1
    fi
}
found nothing "reading what a neighbour writes"
found shuffles "reading it after a shuffle, which orders nothing,"
found half-of-warps "writing again before the warp has read"
found half-of-block "writing again before the block has read"
found same-place "writing the same to one place"
clean warps "what __syncwarp orders"
clean block "what __syncthreads orders"

# ---- the kernels
export LD_PRELOAD="$tsan" OMP_NUM_THREADS=1 MMLT_SMALL=1 MMLT_EVERY="${MMLT_EVERY:-7}" CK_RUN_CASE=kernels CK_TIMEOUT_MULTIPLIER=20
passes "no kernel has a race" tests/ops/test_conformance
unset LD_PRELOAD
exit $status
