#!/bin/sh
# train_merge_fuse.sh - runs the main job through the C API, and looks at what it made with the tool. With MMLT_FAST not under
# sanitizers, where it takes a minute; the other examples go the same way.
# shellcheck disable=SC2317 # functions are called by test_that
set -u
if [ -n "${MMLT_FAST:-}" ] && [ -n "${MMLT_SANITIZERS:-}" ]; then
    echo "skip - train_merge_fuse does the main job (a minute under sanitizers: MMLT_FAST)"
    exit 77
fi
tool=${MMLT_MMLEGO:-./mmlego}
program=${MMLT_BUILDDIR:-.}/examples/train_merge_fuse
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/one" "$tmp/three"
status=0

test_that() { # SENTENCE COMMAND...
    sentence=$1
    shift
    if "$@"; then
        echo "ok - $sentence"
    else
        echo "not ok - $sentence"
        sed 's/^/#   /' "$tmp/out" "$tmp/err"
        status=1
    fi
}
runs() { # THREADS ARGUMENT...
    threads=$1
    shift
    OMP_NUM_THREADS=$threads "$program" "$@" >"$tmp/out" 2>"$tmp/err"
}
auc() { awk -v model="$1.h5" '$1 == model && $2 == "auc" { print $3 }' "$tmp/out"; }
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b && a <= 1) }'; }
has() { [ -s "$tmp/one/$1" ]; }
agrees() { # the program's figure and the tool's
    "$tool" evaluate "$tmp/one/$1.h5" "$tmp/one/cohort.h5" --strict --bootstrap 0 --json >"$tmp/json" 2>"$tmp/err" &&
        [ "$(sed -nE 's/.*"auc": \{"value": ([0-9.]+).*/\1/p' "$tmp/json" | awk '{ printf "%.3f", $1 }')" = "$(auc "$1")" ]
}
prior() { # the one patient without any data
    grep -qE '^p010  yes 0\.[0-9]+  from nothing: the rate of the training patients$' "$tmp/out" &&
        "$tool" predict "$tmp/one/merged.h5" "$tmp/one/cohort.h5" -o "$tmp/all.tsv" 2>"$tmp/err" &&
        [ "$(awk -F '\t' '$1 == "p010" && $7 == 1 { printf "%.3f", $6 }' "$tmp/all.tsv")" = "$(awk '$1 == "p010" { print $3 }' "$tmp/out")" ]
}
same() { sed "s|$tmp/three|$tmp/one|" "$tmp/out" | cmp -s - "$tmp/first"; }
refuses() { ! runs 1 "$tmp/nowhere" && grep -q "cannot write into $tmp/nowhere" "$tmp/err"; }

test_that "train_merge_fuse does the main job" runs 1 "$tmp/one"
cp "$tmp/out" "$tmp/first"
for model in labs visits merged fused; do
    test_that "train_merge_fuse leaves $model.h5" has $model.h5
    test_that "mmlego evaluate finds the same AUC of $model.h5" agrees $model
done
for model in labs visits; do
    test_that "the block of $model has learnt something" above "$(auc $model)" 0.65
    test_that "the merged model is better than the block of $model" above "$(auc merged)" "$(auc $model)"
    test_that "the fused model is better than the block of $model" above "$(auc fused)" "$(auc $model)"
done
test_that "a patient without data gets the rate of the training patients" prior
if [ -n "${MMLT_FAST:-}" ]; then
    echo "skip - train_merge_fuse runs with three threads (MMLT_FAST)"
else
    test_that "train_merge_fuse runs with three threads" runs 3 "$tmp/three"
    test_that "every figure is the same with one thread and with three" same
fi
test_that "train_merge_fuse says where it cannot write" refuses
exit $status
