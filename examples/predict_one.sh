#!/bin/sh
# predict_one.sh - trains a small model of two modalities with the tool, and predicts one patient with predict_one.c.
set -u
tool=${MMLT_MMLEGO:-./mmlego}
program=${MMLT_BUILDDIR:-.}/examples/predict_one
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

# 200 patients who die the likelier, the lower their sodium and the higher their creatinine and heart rate.
awk -v folder="$tmp" '
    function noise() { seed = (seed * 16807) % 2147483647; return 2 * seed / 2147483647 - 1 }
    BEGIN {
        seed = 2024
        print "id,death" >(folder "/labels.csv")
        print "id,sodium,lactate,creatinine" >(folder "/labs.csv")
        print "id,heart_rate,temperature" >(folder "/vitals.csv")
        for (i = 1; i <= 200; i++) {
            a = noise(); b = noise(); c = noise()
            died = (a + b + c + noise() / 2 > 0) ? "yes" : "no"
            printf "p%d,%s\n", i, died >(folder "/labels.csv")
            lactate = i % 5 ? sprintf("%.2f", 2 + b + noise()) : ""
            printf "p%d,%.1f,%s,%.2f\n", i, 138 - 5 * a, lactate, 1.4 + b >(folder "/labs.csv")
            if (i % 3) printf "p%d,%.0f,%.1f\n", i, 90 + 25 * c, 37 + noise() >(folder "/vitals.csv")
        }
    }'
cat >"$tmp/cohort.ini" <<'INI'
[cohort]
labels = labels.csv
id = id

[task death]
kind = binary
label = death

[modality labs]
kind = table
file = labs.csv

[modality vitals]
kind = table
file = vitals.csv
INI

step() {
    "$tool" "$@" >"$tmp/log" 2>&1 && return
    echo "not ok - mmlego $1"
    sed 's/^/#   /' "$tmp/log"
    exit 1
}
step import "$tmp/cohort.ini" -o "$tmp/cohort.h5"
for modality in labs vitals; do
    step train "$tmp/cohort.h5" --modality $modality --task death --epochs 30 --weight-folds 0 -o "$tmp/$modality.h5"
done
step merge "$tmp/labs.h5" "$tmp/vitals.h5" -o "$tmp/merged.h5"

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
runs() { "$program" "$@" >"$tmp/out" 2>"$tmp/err"; }
prints() { grep -qE -e "$1" "$tmp/out"; }
adds_up() { awk '$1 == "no" || $1 == "yes" { s += $2; n++ } END { exit !(n == 2 && s > 0.998 && s < 1.002) }' "$tmp/out"; }
says_yes() { awk '$1 == "yes" { exit !($2 > 0.5) }' "$tmp/out"; }
refuses() { ! runs "$1" && grep -q -e "$2" "$tmp/err"; }

test_that "predict_one predicts a patient from the merged model" runs "$tmp/merged.h5"
test_that "predict_one uses the modality that the patient has" prints '^death, predicted from labs$'
test_that "predict_one gives probabilities" adds_up
test_that "predict_one expects this patient to die" says_yes
test_that "predict_one works with a block as with a merge" runs "$tmp/labs.h5"
test_that "predict_one says what is wrong with a file" refuses "$tmp/cohort.h5" 'is not an mmlego model'
exit $status
