#!/bin/sh
# module.sh - --device with a module for GPUs that needs none (tests/cuda/fake.c): the module is found, opened and used, and
# every way in which it can be of no use has its message and exit status.
# shellcheck disable=SC2317 # functions are called by test_that
# shellcheck disable=SC2086 # $train, $quick and $predict are several words
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"

build=${MMLT_BUILDDIR:-.}
fake=$build/tests/cuda/.libs/fake.so
unset MMLEGO_CUDA_MODULE MMLT_FAKE
if ! [ -f "$fake" ]; then
    echo "skip - modules (this build makes no shared objects)"
    exit 77
fi
make_cohort
train="train $tmp/cohort.h5 --modality labs --task death"
with() { # VARIABLE=VALUE... -- COMMAND...: in an environment of its own
    (
        while [ "$1" != -- ]; do
            export "${1?}"
            shift
        done
        shift
        "$@"
        echo "$code" >"$tmp/code"
    )
    code=$(cat "$tmp/code")
}
fails_with() { # TEXT VARIABLE=VALUE... -- WORD...: exit status 1, the message, nothing on stdout
    text=$1
    shift
    with "$@"
    exits 1 && says "$text" && prints_nothing
}

# ---- a module that works
reference() { # what the fake computes, on the backend that it is made of
    run $train $quick --device reference -o "$tmp/reference.h5" && exits 0 &&
        run predict "$tmp/reference.h5" "$tmp/cohort.h5" --device reference -o "$tmp/reference.tsv" && exits 0
}
test_that "training and prediction work on device reference" reference

test_that "training works through a module" with MMLEGO_CUDA_MODULE="$fake" -- works $train $quick --device cuda -o "$tmp/cuda.h5"
test_that "prediction works through a module" \
    with MMLEGO_CUDA_MODULE="$fake" -- works predict "$tmp/cuda.h5" "$tmp/cohort.h5" --device cuda:1 -o "$tmp/cuda.tsv"
test_that "the start line says which device was taken" says "device: cuda:1 (Fake 1, 2.0 GiB, compute capability 9.1)"
test_that "the result is that of what the module is made of" cmp -s "$tmp/reference.tsv" "$tmp/cuda.tsv"

on_the_cpu() { # the same file, on another device: within the rounding of float32 sums
    run predict "$tmp/cuda.h5" "$tmp/cohort.h5" -o "$tmp/cpu.tsv" && exits 0 &&
        paste "$tmp/cuda.tsv" "$tmp/cpu.tsv" | awk 'NR > 1 { n = NF / 2
            for (i = 3; i < n; i++) { d = $i - $(i + n); if (d < -1e-4 || d > 1e-4) bad = 1 } } END { exit bad || NR < 100 }'
}
test_that "a model that was trained through a module predicts on the cpu" on_the_cpu
trained_on() { run inspect "$tmp/cuda.h5" --json && prints '"backend": "cuda"'; }
test_that "the model says that it was trained on cuda" trained_on

same_evaluation() {
    run evaluate "$tmp/cuda.h5" "$tmp/cohort.h5" --device reference --bootstrap 0 && cp "$tmp/out" "$tmp/want" &&
        with MMLEGO_CUDA_MODULE="$fake" -- run evaluate "$tmp/cuda.h5" "$tmp/cohort.h5" --device cuda --bootstrap 0 &&
        exits 0 && cmp -s "$tmp/out" "$tmp/want"
}
test_that "evaluate takes --device" same_evaluation
same_explanation() {
    run explain "$tmp/cuda.h5" "$tmp/cohort.h5" --sample p003 --what modalities --device reference -o "$tmp/want" && exits 0 &&
        with MMLEGO_CUDA_MODULE="$fake" -- run explain "$tmp/cuda.h5" "$tmp/cohort.h5" --sample p003 --what modalities \
            --device cuda -o "$tmp/got" && exits 0 && cmp -s "$tmp/got" "$tmp/want"
}
test_that "explain takes --device" same_explanation
fused() {
    with MMLEGO_CUDA_MODULE="$fake" -- run train "$tmp/cohort.h5" -m genes -t death $quick --device cuda -o "$tmp/genes.h5" &&
        with MMLEGO_CUDA_MODULE="$fake" -- run fuse "$tmp/cohort.h5" "$tmp/cuda.h5" "$tmp/genes.h5" --epochs 1 --quiet \
            --device cuda -o "$tmp/fused.h5" && exits 0
}
test_that "fuse takes --device" fused
benched() {
    with MMLEGO_CUDA_MODULE="$fake" -- run bench --device cuda --no-limits --seconds 0.01 table-predict-1 && exits 0 &&
        says "device: cuda:0" && prints table-predict-1
}
test_that "bench takes --device, and its cases run in children" benched
compared() {
    with MMLEGO_CUDA_MODULE="$fake" -- run compare "$tmp/cohort.h5" -t death -s block:labs --folds 1 --weight-folds 0 --quiet --device cuda \
        -o "$tmp/compared" && exits 0 && grep -q '"device": "cuda"' "$tmp/compared/plan.json"
}
if [ -n "${MMLT_FAST:-}" ]; then
    echo "skip - compare takes --device (MMLT_FAST)"
else
    test_that "compare takes --device" compared
fi

# ---- several GPUs
shared() { # the same as on as many devices of what the module is made of, and on "all"
    run $train $quick --device reference,reference -o "$tmp/reference2.h5" && exits 0 &&
        run predict "$tmp/reference2.h5" "$tmp/cohort.h5" --device reference -o "$tmp/reference2.tsv" && exits 0 &&
        with MMLEGO_CUDA_MODULE="$fake" -- run $train $quick --device cuda:0,1 -o "$tmp/cuda2.h5" && exits 0 &&
        run predict "$tmp/cuda2.h5" "$tmp/cohort.h5" --device reference -o "$tmp/cuda2.tsv" && exits 0 &&
        cmp -s "$tmp/reference2.tsv" "$tmp/cuda2.tsv" &&
        with MMLEGO_CUDA_MODULE="$fake" -- run $train $quick --device cuda:all -o "$tmp/all.h5" && exits 0 &&
        run predict "$tmp/all.h5" "$tmp/cohort.h5" --device reference -o "$tmp/all.tsv" && cmp -s "$tmp/all.tsv" "$tmp/cuda2.tsv"
}
test_that "two GPUs train together" shared
says_both() {
    with MMLEGO_CUDA_MODULE="$fake" -- run fuse "$tmp/cohort.h5" "$tmp/cuda.h5" "$tmp/genes.h5" --epochs 1 \
        --device cuda:0,cuda:1 -o "$tmp/fused.h5" && exits 0 &&
        says "device: cuda:0 (Fake 0, 1.0 GiB, compute capability 9.0), cuda:1 (Fake 1, 2.0 GiB, compute capability 9.1)"
}
test_that "fuse takes two GPUs, and names both" says_both
one_only() { # WORD...: exit status 2, and why
    with MMLEGO_CUDA_MODULE="$fake" -- run "$@" --device cuda:0,1 && exits 2 && says "train and fuse work with several devices at once"
}
test_that "predict takes one device" one_only predict "$tmp/cuda.h5" "$tmp/cohort.h5"
test_that "evaluate takes one device" one_only evaluate "$tmp/cuda.h5" "$tmp/cohort.h5"
test_that "compare takes one device" one_only compare "$tmp/cohort.h5" -t death -s block:labs -o "$tmp/compared2"
test_that "bench takes one device" one_only bench table-predict-1
test_that "a baseline is trained on one device" fails_with "names several" \
    MMLEGO_CUDA_MODULE="$fake" -- run $train --system snn --epochs 1 --quiet --device cuda:0,1 -o "$tmp/x.h5"
test_that "a GPU that is named twice is refused" fails_with "GPU 1 is named twice" \
    MMLEGO_CUDA_MODULE="$fake" -- run $train --device cuda:1,1 -o "$tmp/x.h5"
test_that "a GPU of several that is not there is told" fails_with "cuda:0 to cuda:1" \
    MMLEGO_CUDA_MODULE="$fake" -- run $train --device cuda:0,2 -o "$tmp/x.h5"
test_that "a GPU of several that cannot be opened is told" fails_with "GPU 1 is busy" \
    MMLEGO_CUDA_MODULE="$fake" MMLT_FAKE=busy -- run $train $quick --device cuda:0,1 -o "$tmp/x.h5"
test_that "the cpu is one device" fails_with "which uses all its processors" -- run $train --device cpu,cpu -o "$tmp/x.h5"

automatic() {
    with MMLEGO_CUDA_MODULE="$fake" -- run predict "$tmp/cuda.h5" "$tmp/cohort.h5" --device auto -o "$tmp/auto.tsv" && exits 0 &&
        says "device: cuda:0 (Fake 0" && cmp -s "$tmp/auto.tsv" "$tmp/reference.tsv"
}
test_that "auto takes the first GPU" automatic
automatic_cpu() {
    with MMLEGO_CUDA_MODULE="$fake" MMLT_FAKE=none -- run predict "$tmp/cuda.h5" "$tmp/cohort.h5" --device auto -o "$tmp/auto.tsv" &&
        exits 0 && says "device: cpu (there is no NVIDIA GPU" && cmp -s "$tmp/auto.tsv" "$tmp/cpu.tsv"
}
test_that "auto takes the cpu where there is no GPU, and says why" automatic_cpu
listed() {
    with MMLEGO_CUDA_MODULE="$fake" -- run version --build && prints "cuda module: $fake (a fake)" &&
        prints "cuda devices: cuda:0 Fake 0, 1.0 GiB, compute capability 9.0; cuda:1 Fake 1, 2.0 GiB, compute capability 9.1"
}
test_that "version --build lists module and GPUs" listed

# ---- modules that are of no use
predict="predict $tmp/cuda.h5 $tmp/cohort.h5"
refusals() {
    test_that "a missing module is named, with what to do" fails_with "$tmp/none.so: No such file or directory; it is installed with" \
        MMLEGO_CUDA_MODULE="$tmp/none.so" -- run $predict --device cuda
    test_that "a file that is no shared object is refused" fails_with "cannot be loaded" \
        MMLEGO_CUDA_MODULE="$tmp/cohort.ini" -- run $predict --device cuda
    test_that "a shared object that is no module is refused" fails_with "it has no mmlego_module_entry" \
        MMLEGO_CUDA_MODULE="$tmp/other.so" -- run $predict --device cuda
    test_that "a module of another binary interface is refused" fails_with "does not fit this library" \
        MMLEGO_CUDA_MODULE="$fake" MMLT_FAKE=abi -- run $predict --device cuda
    test_that "a module with other kernels is refused" fails_with "install both from one build" \
        MMLEGO_CUDA_MODULE="$fake" MMLT_FAKE=kernels -- run $predict --device cuda
    test_that "a machine without a GPU is told" fails_with "device cuda: there is no NVIDIA GPU" \
        MMLEGO_CUDA_MODULE="$fake" MMLT_FAKE=none -- run $predict --device cuda
    test_that "a machine without a driver is told" fails_with "device cuda:1: there is no NVIDIA driver" \
        MMLEGO_CUDA_MODULE="$fake" MMLT_FAKE=driver -- run $predict --device cuda:1
    test_that "a GPU that is not there is told, with those that are" fails_with "cuda:0 to cuda:1" \
        MMLEGO_CUDA_MODULE="$fake" -- run $predict --device cuda:2
    test_that "a GPU that cannot be opened is told" fails_with "GPU 1 is busy" \
        MMLEGO_CUDA_MODULE="$fake" MMLT_FAKE=busy -- run $predict --device cuda:1
    test_that "a number that is none is refused" fails_with "cuda:N with the number of a GPU" \
        MMLEGO_CUDA_MODULE="$fake" -- run $predict --device cuda:one
    test_that "bench without the GPU ends before its cases" fails_with "there is no NVIDIA GPU" \
        MMLEGO_CUDA_MODULE="$fake" MMLT_FAKE=none -- run bench --device cuda --no-limits table-predict-1
}
other="static int nothing; int *mmlt_nothing(void); int *mmlt_nothing(void) { return &nothing; }"
echo "$other" | ${MMLT_CC:-cc} -shared -fPIC -x c - -o "$tmp/other.so" || exit 99
refusals
said() {
    with MMLEGO_CUDA_MODULE="$fake" MMLT_FAKE=driver -- run version --build && exits 0 &&
        prints "cuda devices: none (there is no NVIDIA driver"
}
installed() { run version --build && prints "/libmmlego/mmlego-cuda.so"; }
test_that "without the variable the installed module is looked for" installed
test_that "version --build says why there is no GPU" said
exit $status
