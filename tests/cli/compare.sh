#!/bin/sh
# compare.sh - all systems on the same divisions: in any number of processes, stopped and gone on with, collected from folders.
# shellcheck disable=SC2317 # functions are called by test_that
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"
# Half of the patients: some forty trainings, none of which is about their number.
make_tables "$tmp"
for table in labels labs genes; do
    awk -F, 'NR == 1 || $1 <= "p060"' "$tmp/$table.csv" >"$tmp/half" && mv "$tmp/half" "$tmp/$table.csv"
done
must import "$tmp/cohort.ini" -o "$tmp/cohort.h5" --quiet
cohort=$tmp/cohort.h5

# What does not vary from run to run, of a table.
steady() { cut -f 1-13 "$1"; }
same_table() {
    steady "$1" >"$tmp/a"
    steady "$2" >"$tmp/b"
    [ -s "$tmp/a" ] && cmp "$tmp/a" "$tmp/b"
}
lines() { [ "$(wc -l <"$2")" -eq "$1" ]; }

run compare "$cohort" -t death --weight-folds 0 --folds 2 -s block,ensemble,ensemble-weighted,lego -o "$tmp/all" --jobs 2
test_that "a comparison ends well" exits 0
cp "$tmp/out" "$tmp/table"
for title in "LegoBlock, labs" "LegoBlock, genes" Ensemble LegoMerge "LegoFuse (stack)" "LegoFuse (weave)"; do
    test_that "the table has $title" grep -q "^$title " "$tmp/table"
done
test_that "the table says what differences are to" prints "the best baseline"
test_that "each finished job is told" says "14 of 14 "
test_that "table.tsv has a line a system" lines 8 "$tmp/all/table.tsv"
test_that "there is a record a job" [ "$(find "$tmp/all/jobs" -name '*.json' | wc -l)" -eq 14 ]
test_that "nothing is left half-written" no_rest "$tmp/all"

run compare "$cohort" -t death --weight-folds 0 --folds 2 -s block,ensemble,ensemble-weighted,lego -o "$tmp/all"
test_that "what is finished is not run again" silent
test_that "and the table is the same" cmp -s "$tmp/out" "$tmp/table"

test_that "there is a page" grep -q "LegoMerge" "$tmp/all/report.html"
run compare --report "$tmp/all" "$tmp/all" -o "$tmp/page.html"
test_that "comparisons can be put on one page" grep -q "</html>" "$tmp/page.html"

# In parts: one fold at a time, in folders of their own, one process at a time.
must compare "$cohort" -t death --weight-folds 0 --folds 2 --fold 1 -s block,ensemble,ensemble-weighted,lego -o "$tmp/one" -j 1 -q
test_that "with --fold nothing is collected" [ ! -e "$tmp/one/table.tsv" ]
must compare "$cohort" -t death --weight-folds 0 --folds 2 --fold 0 -s block,ensemble,ensemble-weighted,lego -o "$tmp/zero" -q
run compare --collect "$tmp/one" "$tmp/zero" -o "$tmp/both"
test_that "folders can be collected" exits 0
test_that "and give the same table" same_table "$tmp/both/table.tsv" "$tmp/all/table.tsv"
if has_python; then
    must compare --collect "$tmp/all" --json
    test_that "--json prints what compare.json has" python3 -c "
import json, sys
a, b = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
assert a == b and a['format'] == 'mmlego comparison' and len(a['jobs']) == 14
s = {x['system']: x for x in a['systems']}
assert s['merge']['n'] == 2 and s['merge']['difference']['low'] <= s['merge']['difference']['value']
assert abs(s['merge']['mean'] - sum(s['merge']['scores']) / 2) < 1e-12
" "$tmp/out" "$tmp/all/compare.json"
fi

# Stopped: the finished records stay, and the same command goes on.
env --default-signal=INT "$MMLT_MMLEGO" compare "$cohort" -t survival --weight-folds 0 --folds 40 -s block,merge -o "$tmp/stopped" -j 2 >"$tmp/out" 2>"$tmp/err" &
pid=$!
tries=0
while [ "$(find "$tmp/stopped/jobs" -name '*.json' 2>/dev/null | wc -l)" -lt 4 ] && [ $tries -lt 1200 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
kill -s INT $pid
wait $pid
code=$?
test_that "Ctrl-C ends it with 130" exits 130
test_that "and says how to go on" says "Repeat the command to go on"
test_that "nothing is left half-written after Ctrl-C" no_rest "$tmp/stopped"
done_before=$(find "$tmp/stopped/jobs" -name '*.json' | wc -l)
some() { [ "$done_before" -ge 4 ] && [ "$done_before" -lt 120 ]; }
test_that "some jobs were finished, not all" some
run compare "$cohort" -t survival --weight-folds 0 --folds 2 -s block,merge -o "$tmp/stopped"
test_that "it is gone on with" exits 0
must compare "$cohort" -t survival --weight-folds 0 --folds 2 -s block,merge -o "$tmp/whole" -q
grep -v '_seconds\|peak_bytes' "$tmp/stopped/jobs/merge.1.json" >"$tmp/a"
grep -v '_seconds\|peak_bytes' "$tmp/whole/jobs/merge.1.json" >"$tmp/b"
test_that "with the result of a run without a break" cmp "$tmp/a" "$tmp/b"

# A job that fails is told, the others go on.
awk -F, 'NR == 1 || substr($1, 2) % 3 == 0' "$tmp/genes.csv" >"$tmp/new" && mv "$tmp/new" "$tmp/genes.csv" # of site b only
must import "$tmp/cohort.ini" -o "$tmp/broken.h5" --quiet
run compare "$tmp/broken.h5" -t death --weight-folds 0 --train site=a --test site=b --folds 1 -s merge -o "$tmp/broken"
test_that "a job that fails makes the exit status 1" exits 1
test_that "its reason is told" says "block:genes of fold 0 failed: no sample of the training part"
test_that "what is joined from it fails with it" says "block:genes, which it is made of, failed"
test_that "the others go on" prints "LegoBlock, labs"
test_that "and the table has the reason" prints "failed in 1 of 1"

run compare "$cohort" -t grade -s block:labs --folds 1 --tune 2 -o "$tmp/grade" -q
test_that "a task of several classes is compared" exits 0
must inspect --json "$tmp/grade/models/block@labs.0.h5"
test_that "a block of few patients is cross-validated, with the settings that a search has chosen" prints '"cross_folds": 5'
run compare "$cohort" -t weight --weight-folds 0 -s block:labs,block:genes --folds 1 -o "$tmp/weight" -q
test_that "a regression is compared" exits 0
run compare "$cohort" -t death --weight-folds 0 --train site=a --test site=b --folds 2 -s merge -o "$tmp/site" -q
test_that "divisions by column are compared on" exits 0

run compare "$cohort" -t death --weight-folds 0 --folds 1 -s merge,ensemble --study overlap -o "$tmp/overlap" -q
test_that "the study of overlap is made" prints "symmetric difference"
test_that "its scores are a table" lines 21 "$tmp/overlap/study_overlap.tsv"
run compare "$cohort" -t death --weight-folds 0 --folds 1 --study interference -o "$tmp/mixing" -q
test_that "the study of interference is made" prints "harmonic, in frequency"
# All of them where there is time; the transformers among them take nearly all of it.
multimodal=multimodal
if [ -n "${MMLT_FAST:-}" ]; then
    echo "skip - baselines but late-concat, multimodn and mcat (MMLT_FAST)"
    multimodal=late-concat,multimodn,mcat
fi
run compare "$cohort" -t death --weight-folds 0 --folds 1 -s "snn,$multimodal,reference" -o "$tmp/baselines" -q
test_that "baselines are compared, or it is said why not" exits 0
test_that "SNN is among them" prints "SNN, labs"
run compare "$cohort" -t death --weight-folds 0 --folds 1 -s snn,late-concat,reference --tune 2 -o "$tmp/tuned" -q
test_that "and their settings are searched for" exits 0

test_that "another seed in the same folder is refused" fails 2 "seed: \"0\" there, \"5\" here" \
    compare "$cohort" -t death --weight-folds 0 --folds 2 --seed 5 -o "$tmp/all"
test_that "an unknown system is refused with the nearest" fails 2 'did you mean' compare "$cohort" -t death -s merg -o "$tmp/x"
test_that "an unknown task is refused" fails 2 "no task" compare "$cohort" -t deth -o "$tmp/x"
test_that "an unknown modality is refused" fails 2 "lab" compare "$cohort" -t death -m lab -o "$tmp/x"
test_that "a fold that is not there is refused" fails 2 "folds are 0 to 4" compare "$cohort" -t death --fold 5 -o "$tmp/x"
test_that "two cohorts are refused" fails 2 "one cohort" compare "$cohort" "$cohort" -t death -o "$tmp/x"
test_that "the output is needed" fails 2 "--output is needed" compare "$cohort" -t death
test_that "the task is needed" fails 2 "--task is needed" compare "$cohort" -o "$tmp/x"
test_that "--collect runs nothing" fails 2 "--task has no meaning" compare --collect "$tmp/all" -t death
test_that "--report needs a file" fails 2 "--output is needed" compare --report "$tmp/all"
test_that "a folder that is not collected has no page" fails 1 "compare.json" compare --report "$tmp" -o "$tmp/x"
test_that "one fold is none" fails 2 "weight folds must be" compare "$cohort" -t death --weight-folds 1 -o "$tmp/x"
test_that "an unknown study is refused" fails 2 "study" compare "$cohort" -t death --study overlop -o "$tmp/x"
test_that "different comparisons are not collected" fails 2 "of different comparisons" compare --collect "$tmp/all" "$tmp/site" -o "$tmp/x"
test_that "a folder without records is refused" fails 1 "no folder of a comparison" compare --collect "$tmp" -o "$tmp/x"
test_that "nothing was made by what was refused" [ ! -e "$tmp/x" ]
exit $status
