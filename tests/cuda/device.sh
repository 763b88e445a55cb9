#!/bin/sh
# device.sh - the tests that need an NVIDIA GPU: kernels, blocks and golden numbers on it, and the tool from training to prediction.
# Without one each is skipped, with the reason; scripts/tally says how many were.
# shellcheck disable=SC2317 # functions are called by test_that
# shellcheck disable=SC2086 # $train and $quick are several words
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"

build=${MMLT_BUILDDIR:-.}
MMLEGO_CUDA_MODULE=${MMLT_CUDA_MODULE:-}
export MMLEGO_CUDA_MODULE

why='' one=''
if [ -z "$MMLEGO_CUDA_MODULE" ]; then
    why="this build has no mmlego-cuda.so: configure --with-cuda"
else
    must version --build
    grep -q '^cuda devices: cuda:0 ' "$tmp/out" || why=$(sed -n 's/^cuda devices: none (\(.*\))$/\1/p' "$tmp/out")
    [ -n "$why" ] || sed -n 's/^cuda devices: /on /p' "$tmp/out"
    grep -q '^cuda devices:.*; cuda:1 ' "$tmp/out" || one="there is one GPU"
fi

# device SENTENCE COMMAND...: one test, or why it is skipped.
device() {
    if [ -n "$why" ]; then
        echo "skip - device: $1 ($why)"
    else
        test_that "$@"
    fi
}
# All tests of a program in one process: each of its own would start CUDA anew, which takes a second, and there are 300 of them. So Check
# ends none that hangs.
program() { # PROGRAM: of the tests, on the GPU alone
    log=$tmp/$(basename "$1").log
    MMLT_DEVICE=cuda CK_FORK=no timeout --foreground -k 10 120 "$build/$1" >"$log" 2>&1 && return 0
    code=$?
    [ $code -ne 124 ] || echo "#   ended after 120 s"
    grep -E ':[FE]:|CUDA' "$log" | sed -n '1,20s/^/#   /p'
    return 1
}
device "memory and copies are what they should be" program tests/cuda/test_device
device "batches that come in early give the same model" program tests/cuda/test_step
device "steps as graphs are what they are without" program tests/cuda/test_graph
device "... and so are trainings" program tests/cuda/test_graph_training
if [ -z "$why" ] && [ -n "$one" ]; then
    echo "skip - device: two GPUs add up and train together ($one)"
else
    device "two GPUs add up and train together" program tests/cuda/test_group
fi
device "every kernel agrees with the reference, and gives the same bits again" program tests/ops/test_conformance
device "gradients are slopes" program tests/ops/test_gradients
device "kernels give values that are known" program tests/ops/test_known_kernels
device "ops give values that are known" program tests/ops/test_known_values
device "identities hold" program tests/ops/test_identities
device "gradients of blocks are slopes" program tests/lego/test_differences
device "blocks are those of the original code" program tests/golden/test_block
device "merges are those of the original code" program tests/golden/test_merge
device "fuses are those of the original code" program tests/golden/test_fuse
device "baselines are those of the original code" program tests/golden/test_baselines

[ -n "$why" ] || make_cohort
train="train $tmp/cohort.h5 --modality labs --task death"
repeated() {
    run $train $quick --device cuda -o "$tmp/one.h5" && exits 0 && run $train $quick --device cuda -o "$tmp/two.h5" && exits 0 &&
        run predict "$tmp/one.h5" "$tmp/cohort.h5" --device cuda -o "$tmp/one.tsv" && exits 0 &&
        run predict "$tmp/two.h5" "$tmp/cohort.h5" --device cuda -o "$tmp/two.tsv" && exits 0 && cmp -s "$tmp/one.tsv" "$tmp/two.tsv"
}
device "training twice gives the same predictions, bit for bit" repeated
elsewhere() { # within the rounding of float32 sums
    run predict "$tmp/one.h5" "$tmp/cohort.h5" -o "$tmp/cpu.tsv" && exits 0 &&
        paste "$tmp/one.tsv" "$tmp/cpu.tsv" | awk 'NR > 1 { n = NF / 2
            for (i = 3; i < n; i++) { d = $i - $(i + n); if (d < -1e-4 || d > 1e-4) bad = 1 } } END { exit bad || NR < 100 }'
}
device "a model that was trained on the GPU predicts the same on the cpu" elsewhere
automatic() {
    run predict "$tmp/one.h5" "$tmp/cohort.h5" --device auto -o "$tmp/auto.tsv" && exits 0 && says "device: cuda:0 (" &&
        cmp -s "$tmp/auto.tsv" "$tmp/one.tsv"
}
device "auto takes the GPU" automatic
benched() { run bench --device cuda --seconds 0.05 --limits table-predict-1 && exits 0 && prints table-predict-1; }
device "bench measures a case and the limits of the GPU" benched
[ -z "$why" ] || exit 77
exit $status
