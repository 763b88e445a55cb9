#!/usr/bin/env bash
# gpu_check.sh - everything about the CUDA backend that only a machine with an NVIDIA GPU can tell, in under ten minutes: builds
# with --with-cuda, holds the kernels against the reference and the models against the original code, looks for wrong accesses and
# races, compares the accuracy of training with the CPU's, and the speed with PyTorch's. Needs no network.
#
#   bench/gpu_check.sh [--in DIR] [--cuda DIR] [--arch LIST] [--python PROGRAM] [--seeds N] [STEP...]
#
# Leaves DIR/summary.txt (build/gpu) and a log of each step beside it; prints the summary at the end. Every step runs, whatever
# became of those before it; the exit status is 0 only when none has failed. STEP: build device kernels memcheck racecheck accuracy
# speed, to run these only. A step that cannot be run (no compute-sanitizer, no PyTorch) is told as skipped.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

dir=$root/build/gpu cuda='' arch=native python=python3 seeds=3 steps=()
while [ $# -gt 0 ]; do
    case $1 in
    --in | --cuda | --arch | --python | --seeds)
        [ $# -ge 2 ] || die "$1 needs a value"
        case $1 in
        --in) dir=$(realpath -m -- "$2") ;;
        --cuda) cuda=$2 ;;
        --arch) arch=$2 ;;
        --python) python=$2 ;;
        --seeds) seeds=$2 ;;
        esac
        shift 2
        ;;
    -h | --help)
        sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
        exit 0
        ;;
    -*) die "unknown argument $1 (--help)" ;;
    *)
        steps+=("$1")
        shift
        ;;
    esac
done
mkdir -p "$dir" || exit 1
summary=$dir/summary.txt
mmlego=$dir/mmlego
export MMLEGO_CUDA_MODULE=$dir/backends/cuda/mmlego-cuda.so
export MMLT_SRCDIR=$root MMLT_BUILDDIR=$dir MMLT_MMLEGO=$mmlego MMLT_CUDA_MODULE=$MMLEGO_CUDA_MODULE OMP_WAIT_POLICY=passive
failed=0 passed=0 skipped=0
SKIP=77

note() { printf '%s\n' "$*" | tee -a "$summary" >&2; }

# step NAME SECONDS WHAT: runs the function step_NAME in a shell of its own, for at most SECONDS; lines that it prints and that begin
# with "= " go into the summary.
step() {
    local name=$1 most=$2 what=$3 log=$dir/$1.log begin=$SECONDS code=0 word
    if [ ${#steps[@]} -gt 0 ] && [[ " ${steps[*]} " != *" $name "* ]]; then
        return
    fi
    say "== $name: $what"
    set -m # each in a process group of its own, so that all of it can be ended
    (
        set -e
        "step_$name"
    ) >"$log" 2>&1 &
    local child=$! watch
    (sleep "$most" && echo "ran past $most s" >>"$log" && kill -TERM -- "-$child") >/dev/null 2>&1 &
    watch=$!
    set +m
    wait "$child" || code=$?
    kill -TERM -- "-$watch" "-$child" 2>/dev/null # nothing of the step goes on beside the next one
    wait "$watch" 2>/dev/null
    case $code in
    0) word=ok passed=$((passed + 1)) ;;
    "$SKIP") word=skipped skipped=$((skipped + 1)) ;;
    *) word=FAILED failed=$((failed + 1)) ;;
    esac
    note "$word  $name: $what ($((SECONDS - begin)) s)"
    sed -n 's/^= /      /p' "$log" | tee -a "$summary" >&2
    if [ $word = FAILED ]; then
        tail -n 15 "$log" | sed 's/^/      | /' | tee -a "$summary" >&2
        note "      all of it: $log"
    fi
}

# ---- the steps ------------------------------------------------------------------------------------------------------------

# Warnings of a compiler that nobody here has seen are not what is to be found out.
step_build() {
    local switches=(--with-cuda"${cuda:+=$cuda}" --with-cuda-arch="$arch") programs
    mapfile -t programs < <(sed -n 's/^ *device .* program \(tests\/[a-z_/]*\)$/\1/p' "$root/tests/cuda/device.sh")
    [ ${#programs[@]} -gt 0 ]
    make_configure
    configure_in "$dir" CC="${CC:-gcc}" "${switches[@]}"
    make -C "$dir" -j"$jobs" --no-print-directory all "${programs[@]}"
}

step_device() {
    if command -v nvidia-smi >/dev/null; then
        nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | sed 's/^/= /'
    fi
    "$mmlego" version --build >"$dir/version.txt"
    sed -n 's/^cuda /= cuda /p' "$dir/version.txt"
    grep -q '^cuda devices: cuda:0 ' "$dir/version.txt"
}

step_kernels() {
    local code=0
    (cd "$dir" && "$root/tests/cuda/device.sh") 2>&1 | tee "$dir/device.out" || code=$?
    echo "= $(grep -c '^ok - ' "$dir/device.out") passed, $(grep -c '^not ok - ' "$dir/device.out") failed"
    sed -n 's/^not ok - /= not ok - /p' "$dir/device.out"
    grep -q '^ok - ' "$dir/device.out" && return $code
    return 1 # all skipped: the step is there because there is a GPU
}

# sanitize TOOL PROGRAM...: the small cases of the tests in one process under compute-sanitizer. What races for shared memory inside of
# NVIDIA's libraries no caller can help: racecheck has reports of such.
sanitize() {
    local tool=$1 sanitizer program option without=()
    shift
    sanitizer=$(PATH=$PATH:${cuda:-/usr/local/cuda}/bin:${cuda:-/usr/local/cuda}/compute-sanitizer command -v compute-sanitizer) || true
    [ -n "$sanitizer" ] || {
        echo "= there is no compute-sanitizer on the PATH or in ${cuda:-/usr/local/cuda}"
        return $SKIP
    }
    if [ "$tool" = racecheck ]; then # older ones call it --kernel-regex-exclude
        option=$("$sanitizer" --help 2>/dev/null | grep -o -m 1 -e '--kernel-[a-z]*-exclude') || true
        [ -z "$option" ] || without=("$option" "kns=cublas,kns=cutlass,kns=gemm,kns=gemv,kns=splitK,kns=fft")
    fi
    for program; do
        CK_FORK=no CK_DEFAULT_TIMEOUT=0 MMLT_SMALL=1 MMLT_DEVICE=cuda \
            "$dir/libtool" --mode=execute "$sanitizer" --tool "$tool" "${without[@]}" --error-exitcode 9 --print-limit 20 "$dir/$program" ||
            {
                echo "= $program: $(grep -c '^========= \(Invalid\|Error\|Race\|Warning\)' "$dir/$tool.log") reports"
                return 1
            }
    done
    echo "= clean: $*"
}
step_memcheck() { sanitize memcheck tests/ops/test_conformance tests/golden/test_block; }
step_racecheck() { sanitize racecheck tests/ops/test_known_kernels tests/golden/test_block; }

# auroc DEVICE SEED: two blocks and their merge, trained on 1000 stays and measured on 1000 others.
auroc() {
    local device=$1 seed=$2 at=$dir/accuracy/$1.$2 modality
    mkdir -p "$at"
    for modality in static series; do
        "$mmlego" train "$dir/accuracy/cohort.h5" --modality $modality --task in_hospital_death --train challenge_set=a \
            --test challenge_set=b --seed "$seed" --device "$device" --quiet -o "$at/$modality.h5" || return 1
    done
    "$mmlego" merge "$at/static.h5" "$at/series.h5" --quiet -o "$at/merged.h5" || return 1
    for modality in static series merged; do
        "$mmlego" evaluate "$at/$modality.h5" "$dir/accuracy/cohort.h5" --on challenge_set=b --bootstrap 0 --device "$device" --json |
            sed -nE "s/^\{\"metrics\": \{\"[a-z_0-9]+\": \{\"value\": ([^,]*),.*/$device $modality $seed \1/p"
    done >"$at/scores"
}
# The same seed draws the same numbers on both, so what differs is rounding, which training makes larger. Over the seeds
# the score of one device varies by about 0.01; a mean that is further off than that is not rounding.
step_accuracy() {
    local seed on_cpu
    mkdir -p "$dir/accuracy"
    "$mmlego" import "$root/data/cohorts/physionet2012.ini" -o "$dir/accuracy/cohort.h5" --quiet
    (for ((seed = 0; seed < seeds; seed++)); do auroc cpu "$seed" || exit 1; done) &
    on_cpu=$!
    for ((seed = 0; seed < seeds; seed++)); do auroc cuda "$seed" || return 1; done
    wait $on_cpu
    cat "$dir"/accuracy/*/scores
    cat "$dir"/accuracy/*/scores | awk -v seeds="$seeds" '
        { sum[$1 " " $2] += $4; n[$1 " " $2]++; model[$2] = 1 }
        END {
            for (m in model) {
                if (n["cpu " m] != seeds || n["cuda " m] != seeds) { print "= " m ": a score is missing"; bad = 1; continue }
                a = sum["cuda " m] / seeds; b = sum["cpu " m] / seeds
                printf "= %-7s AUC on set b, mean of %d seeds: cuda %.4f, cpu %.4f, difference %+.4f\n", m, seeds, a, b, a - b
                if (a - b > 0.01 || b - a > 0.01) bad = 1
            }
            exit bad
        }'
}

step_speed() {
    "$mmlego" bench --device cuda --limits --seconds 0.5 >"$dir/bench.txt"
    sed 's/^/= /' "$dir/bench.txt"
    echo "= training steps without graphs (MMLEGO_CUDA_GRAPHS=0):"
    MMLEGO_CUDA_GRAPHS=0 "$mmlego" bench --device cuda --seconds 0.5 table-train-32 series-train-64 bag-train-10000 >"$dir/bench-no-graphs.txt"
    sed 's/^/= /' "$dir/bench-no-graphs.txt"
    if ! "$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
        echo "= no PyTorch with CUDA for $python: not compared (--python PROGRAM)"
        return 0
    fi
    "$python" "$root/bench/compare_torch.py" --mmlego "$mmlego" --device cuda --seconds 0.5 >"$dir/torch.txt"
    sed 's/^/= /' "$dir/torch.txt"
    "$python" "$root/bench/compare_torch.py" --mmlego "$mmlego" --device cuda --seconds 0.5 --compile \
        table-train-32 bag-train-10000 >"$dir/torch-compile.txt" # each takes PyTorch most of a minute to compile
    sed 's/^/= /' "$dir/torch-compile.txt"
}

# ---- all of them -----------------------------------------------------------------------------------------------------------

: >"$summary"
note "mmlego on an NVIDIA GPU, $(date -u '+%Y-%m-%d %H:%M UTC'), $(uname -n), commit $(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)"
step build 300 "configure --with-cuda --with-cuda-arch=$arch, make"
step device 60 "the driver and the module find a GPU"
step kernels 240 "kernels against the reference, blocks, merges and fuses against the original code, train and predict"
step accuracy 240 "training on physionet2012, beside the CPU"
step memcheck 180 "no access outside of memory (compute-sanitizer)"
step racecheck 120 "no races for shared memory (compute-sanitizer)"
step speed 420 "mmlego bench --device cuda, beside PyTorch on the same GPU"
note "$passed steps passed, $failed failed, $skipped skipped in $SECONDS s"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
