#!/bin/sh
# custom_encoder.sh - blocks with encoders of a program's own, on the patients that train_merge_fuse makes up too.
# shellcheck disable=SC2317 # functions are called by test_that
set -u
tool=${MMLT_MMLEGO:-./mmlego}
here=${MMLT_BUILDDIR:-.}/examples
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
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
    OMP_NUM_THREADS=$threads "$here/custom_encoder" "$@" >"$tmp/out" 2>"$tmp/err"
}
auc() { sed -nE "s/^$1 +auc ([0-9.]+) .*/\1/p" "$tmp/first"; }
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b && a <= 1) }'; }
prints() { grep -qE -e "$1" "$tmp/first"; }
same() { cmp -s "$tmp/first" "$tmp/out"; }
refuses() { # STATUS WORDS ARGUMENT...
    wanted=$1
    words=$2
    shift 2
    runs 1 "$@"
    [ $? -eq "$wanted" ] && grep -q -e "$words" "$tmp/err"
}
unknown_to_the_tool() { ! "$tool" inspect "$tmp/model.h5" >"$tmp/out" 2>"$tmp/err" && grep -q 'custom encoder .mean-of-set.' "$tmp/err"; }

awk -v folder="$tmp" '
    function noise() { seed = (seed * 16807) % 2147483647; return 2 * seed / 2147483647 - 1 }
    BEGIN {
        seed = 2024
        labels = folder "/labels.csv"; labs = folder "/labs.csv"; visits = folder "/visits.csv"
        print "id,site,death" >labels
        print "id,sodium,lactate,creatinine" >labs
        print "id,heart_rate,temperature" >visits
        for (i = 0; i < 400; i++) {
            kidney = noise(); heart = noise(); luck = noise()
            n = int(2.5 * (noise() + 1))
            id = sprintf("p%03d", i)
            print id "," (i % 2 ? "north" : "south") "," (kidney + heart + luck / 2 > 0.3 ? "yes" : "no") >labels
            if (i % 5) {
                sodium = 138 - 5 * kidney + 3 * noise()
                lactate = i % 3 ? sprintf("%.2f", 2 + kidney + noise()) : ""
                printf "%s,%.1f,%s,%.2f\n", id, sodium, lactate, 1.6 + kidney + noise() / 2 >labs
            }
            for (v = 0; v < n; v++) {
                rate = 90 + 20 * heart + 15 * noise()
                printf "%s,%.0f,%.1f\n", id, rate, 37 + noise() >visits
            }
        }
    }'
cat >"$tmp/cohort.ini" <<'INI'
[cohort]
labels = labels.csv
id = id
columns = site
[task death]
kind = binary
label = death
[modality labs]
kind = table
file = labs.csv
[modality visits]
kind = bag
file = visits.csv
INI
"$tool" import "$tmp/cohort.ini" -o "$tmp/cohort.h5" >"$tmp/out" 2>"$tmp/err" || {
    echo "not ok - a cohort is made"
    sed 's/^/#   /' "$tmp/out" "$tmp/err"
    exit 1
}
test_that "custom_encoder trains, merges, saves, loads and predicts" runs 1 "$tmp/cohort.h5" death visits labs "$tmp/model.h5"
cp "$tmp/out" "$tmp/first"
for encoder in mean-of-set soft-limits linear; do
    test_that "the block with encoder $encoder has learnt something" above "$(auc "block, $encoder")" 0.65
    test_that "the merged model is better than the block with $encoder" above "$(auc "all three, merged")" "$(auc "block, $encoder")"
done
test_that "a patient without labs is predicted from the other block" prints '^p000  0\.[0-9]{3}  from mean-of-set$'
test_that "a patient with both is predicted from all blocks" prints '^p001  0\.[0-9]{3}  from mean-of-set soft-limits linear$'
test_that "a program without the encoder is told its name" unknown_to_the_tool
if [ -n "${MMLT_FAST:-}" ]; then
    echo "skip - custom_encoder runs with three threads (MMLT_FAST)"
else
    test_that "custom_encoder runs with three threads" runs 3 "$tmp/cohort.h5" death visits labs "$tmp/model.h5"
    test_that "every figure is the same with one thread and with three" same
fi
test_that "custom_encoder says which modalities there are" refuses 1 'no modality visit .*labs, visits' \
    "$tmp/cohort.h5" death visit labs "$tmp/model.h5"
test_that "custom_encoder says how it is used" refuses 2 '^usage:' "$tmp/cohort.h5"
exit $status
