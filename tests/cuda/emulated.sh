#!/bin/sh
# emulated.sh - the CUDA backend without a GPU: its sources, compiled as C++ with the headers of tests/cuda/emulated, run thread by
# thread on the host and are held against the reference, kernel by kernel; then blocks, merges and fuses are computed on them.
#
#   MMLT_FAST=1        skipped, for it takes minutes; under sanitizers, which see into kernels, kernels and steps all the same
#   MMLT_SANITIZED=1   such a run under sanitizers is beside this one (.ci/run): what it does is left out here, each as a skipped test,
#                      and trainings by graphs are run with late copies only
#
# Of the variants of a kernel's case every third is run, as threads of a grid one after the other are slow; a GPU runs all (bench/gpu_check.sh).
# That a kernel gives the same bits again, in whatever order its threads run, takes a minute more and is asked for by hand:
#
#   export MMLT_DEVICE=cuda MMLEGO_CUDA_MODULE=tests/cuda/emulated/mmlego-cuda.so GLIBC_TUNABLES=glibc.rtld.optional_static_tls=262144
#   MMLT_CUDA_ORDER=turns CK_RUN_CASE=threads tests/ops/test_conformance
set -u
src=${MMLT_SRCDIR:-.}
build=${MMLT_BUILDDIR:-.}
case ${MMLT_CC:-} in # one runtime of the sanitizers in a process
*clang*) cxx=${CXX:-clang++} ;;
*) cxx=${CXX:-g++} ;;
esac
dir=$build/tests/cuda/emulated
module=$dir/mmlego-cuda.so
status=0

skip() {
    echo "skip - kernels of CUDA on an emulated GPU ($*)"
    exit 77
}
command -v "${cxx%% *}" >/dev/null 2>&1 || skip "no C++ compiler $cxx: apt-get install g++ (or clang)"
[ "$(uname -s)" = Linux ] || skip "written for Linux"
sanitize='' watch=''
case ${MMLT_SANITIZERS:-} in
'') ;;
*thread*) skip "threads of a grid are no threads of the host" ;;
*) sanitize="-fsanitize=$MMLT_SANITIZERS -fno-sanitize-recover=undefined" ;;
esac
[ -z "${MMLT_FAST:-}" ] || [ -n "$sanitize" ] || skip "it takes minutes: MMLT_FAST"
beside=
[ -n "$sanitize" ] || beside=${MMLT_SANITIZED:-}

# shellcheck source=tests/cuda/lib.sh
. "$src/tests/cuda/lib.sh"
make_captures() { # the stand-in for NCCL, too
    # shellcheck disable=SC2086 # flags are several words
    compile "$src/tests/cuda/emulated/nccl.cc" && mv "$dir/emulated-nccl.cc.o" "$dir/nccl.obj" &&
        $cxx -shared $sanitize -o "$dir/libnccl.so.2" "$dir/nccl.obj" -L"$dir" -l:mmlego-cuda.so -Wl,-rpath,"\$ORIGIN" 2>>"$dir/log" &&
        $cxx $cplusplus $flags $sanitize "$src/tests/cuda/captures.cc" -x none -o "$dir/captures" -L"$dir" -l:mmlego-cuda.so \
            -Wl,-rpath,"\$ORIGIN" -lpthread 2>>"$dir/log"
}
if stale; then
    { make_module && make_captures; } || cannot_make
fi
use_module

# ---- programs of the tests, on that device alone
# The stand-in for NCCL lies beside the module, which says so to the loader; ASan's dlopen() does not ask it.
LD_LIBRARY_PATH=$dir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
anywhere() { # SENTENCE PROGRAM: what runs under sanitizers as well
    if [ -n "$beside" ]; then
        echo "skip - $1: $2 runs in the build with sanitizers (MMLT_SANITIZED)"
    else
        passes "$@"
    fi
}
hurried() { # SENTENCE PROGRAM: with early copies; late ones are worth more to a sanitizer, for what they read may have been freed
    if [ -n "$sanitize" ] && [ -n "${MMLT_FAST:-}" ]; then
        echo "skip - $1: $2 runs so in a plain build (MMLT_FAST)"
    else
        passes "$@"
    fi
}
anywhere "captures and kernels may what CUDA allows, and graphs repeat what was captured" tests/cuda/emulated/captures
# Streams run as late as events allow, then those that copy as early: who lacks an event finds it out in one of the two.
anywhere "memory and copies are what they should be" tests/cuda/test_device
anywhere "a training step is what it should be" tests/cuda/test_step
anywhere "steps as graphs are what they are without" tests/cuda/test_graph
[ -n "$sanitize" ] || passes "... in trainings, too" tests/cuda/test_graph_training # where there is time
export MMLT_CUDA_STREAMS=ahead
anywhere "... and so they are when copies hurry" tests/cuda/test_device
hurried "... and so is a training step" tests/cuda/test_step
anywhere "... and so are graphs" tests/cuda/test_graph
if [ -n "$beside" ]; then
    echo "skip - ... in trainings, too, when copies hurry: tests/cuda/test_graph_training (MMLT_SANITIZED)"
elif [ -z "$sanitize" ]; then
    passes "... in trainings, too" tests/cuda/test_graph_training
fi
export MMLT_CUDA_GPUS=2
hurried "two GPUs add up and train together, and so they do when sums hurry" tests/cuda/test_group
unset MMLT_CUDA_STREAMS
anywhere "... and when they are late" tests/cuda/test_group
unset MMLT_CUDA_GPUS
# Every second grid runs backwards: who lacks a barrier reads too early in one of the two.
export MMLT_CUDA_ORDER=turns CK_RUN_CASE=kernels MMLT_EVERY=3
anywhere "every kernel agrees with the reference" tests/ops/test_conformance
unset MMLT_CUDA_ORDER CK_RUN_CASE MMLT_EVERY
anywhere "gradients are slopes" tests/ops/test_gradients
# What is computed does not depend on a sanitizer, and every kernel has run under it by now.
if [ -z "$sanitize" ]; then
    passes "kernels give values that are known" tests/ops/test_known_kernels
    passes "... and ops" tests/ops/test_known_values
    passes "identities hold" tests/ops/test_identities
    passes "blocks are those of the original code" tests/golden/test_block
    export MMLT_CUDA_SHARED_KIB=64
    passes "... also where a block may have 64 KiB of shared memory" tests/golden/test_block
    unset MMLT_CUDA_SHARED_KIB
    passes "merges are those of the original code" tests/golden/test_merge
    passes "fuses are those of the original code" tests/golden/test_fuse
    passes "baselines are those of the original code" tests/golden/test_baselines
    passes "a feed-forward by the tape is that of its kernel" tests/lego/test_feed_forward
fi
exit $status
