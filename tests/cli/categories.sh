#!/bin/sh
# categories.sh - a model meets the words of another hospital: matched by name, unknown ones counted and told.
# shellcheck disable=SC2317 # functions are called by test_that
# shellcheck disable=SC2086,SC2016 # $quick is several words; messages have backquotes
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"
mkdir "$tmp/a" "$tmp/b"
awk -v OFS=, -v a="$tmp/a/t.csv" -v b="$tmp/b/t.csv" 'BEGIN {
    split("I II III IV V", stage, " ")
    print "id,death,age,stage" >a
    print "id,death,stage,age" >b
    for (i = 1; i <= 60; i++) print "a" i, i % 2, 40 + i % 17, stage[i % 3 + 1] >a
    for (i = 1; i <= 30; i++) print "b" i, i % 2, i == 7 ? "" : stage[i % 4 + 2], 41 + i % 13 >b
}'
ini() { # FOLDER CATEGORIES [COLUMNS]
    printf '[cohort]\nlabels = t.csv\nid = id\n[task death]\nkind = binary\nlabel = death\n[modality clinical]\nkind = table\nfile = t.csv\ncolumns = %s\ncategorical = %s\n' \
        "${3:-age, stage}" "$2" >"$tmp/$1/cohort.ini"
    must import "$tmp/$1/cohort.ini" -o "$tmp/$1.h5" --quiet
}
ini a stage
must train "$tmp/a.h5" --modality clinical --task death -o "$tmp/m.h5" --train 0.7 $quick

ini b stage:I\|II\|III
must predict "$tmp/m.h5" "$tmp/b.h5" -o "$tmp/want.tsv"
test_that "a cohort with the categories of training is predicted without a word" silent
ini b stage
run predict "$tmp/m.h5" "$tmp/b.h5" -o "$tmp/got.tsv"
test_that "a cohort with categories of its own is predicted" exits 0
test_that "as if it had been imported with those of training" cmp -s "$tmp/want.tsv" "$tmp/got.tsv"
test_that "an unknown category is told with its patients" says '8 patients have `IV` as stage, which the model has not learnt'
test_that "so is the other" says '6 patients have `V` as stage'
run evaluate "$tmp/m.h5" "$tmp/b.h5" --on all --bootstrap 0
test_that "evaluate takes the cohort" exits 0
test_that "and tells the same" says '8 patients have `IV` as stage'
run evaluate "$tmp/m.h5" "$tmp/b.h5" --on all --bootstrap 0 --json
test_that "its JSON has them, too" prints '"unknown_categories": [{"modality": "clinical", "column": "stage", "category": "IV", "n": 8}, {'
test_that "with their number" prints '"n_unknown_categories": 2,'
run evaluate "$tmp/m.h5" "$tmp/a.h5" --on all --bootstrap 0 --json
test_that "a cohort without unknown ones has an empty list" prints '"unknown_categories": [], "n_unknown_categories": 0, "ignored_columns": []}'

# A fuse trains on the tokens that a cohort with the categories of training would have.
must train "$tmp/a.h5" --modality clinical --task death -o "$tmp/m2.h5" --train 0.7 $quick --seed 5
ini b stage:I\|II\|III
must fuse "$tmp/b.h5" "$tmp/m.h5" "$tmp/m2.h5" -o "$tmp/f.h5" --train 0.7 --epochs 2 --threads 1 --quiet
must predict "$tmp/f.h5" "$tmp/b.h5" -o "$tmp/want.tsv"
ini b stage
run fuse "$tmp/b.h5" "$tmp/m.h5" "$tmp/m2.h5" -o "$tmp/f.h5" --train 0.7 --epochs 2 --threads 1 --quiet
test_that "blocks are fused on a cohort with categories of its own" exits 0
must predict "$tmp/f.h5" "$tmp/b.h5" -o "$tmp/got.tsv"
test_that "as if it had been imported with those of training (fuse)" cmp -s "$tmp/want.tsv" "$tmp/got.tsv"

# A state of PyTorch has no features: they are those of the cohort, and so are their categories.
must train "$tmp/a.h5" -m clinical -t death -o "$tmp/up.h5" --preset upstream --encoder snn --encoder-width 8 --latent 4x4 \
    --epochs 1 --scaling none --impute zero --threads 1 --quiet
must convert "$tmp/up.h5" -o "$tmp/up.safetensors" -q
must convert "$tmp/up.safetensors" -o "$tmp/back.h5" -q
test_that "categories come back from safetensors to the bit" cmp -s "$tmp/up.h5" "$tmp/back.h5"
run predict "$tmp/back.h5" "$tmp/b.h5" -o "$tmp/want.tsv"
test_that "and are matched" says '8 patients have `IV` as stage'
sed 's/"mmlego\.model":/"other.models":/' "$tmp/up.safetensors" >"$tmp/state.safetensors"
must convert "$tmp/state.safetensors" -o "$tmp/state.h5" -m clinical -t death --cohort "$tmp/a.h5" -q
run predict "$tmp/state.h5" "$tmp/b.h5" -o "$tmp/got.tsv"
test_that "a state of PyTorch takes them from its cohort" says '8 patients have `IV` as stage'
test_that "and predicts what the model did that it comes from" cmp -s "$tmp/want.tsv" "$tmp/got.tsv"

printf 'id,death,stage,age\nb1,1,,50\nb2,0,,60\n' >"$tmp/b/t.csv"
ini b stage
test_that "patients of whom no category is known at all are predicted" works predict "$tmp/m.h5" "$tmp/b.h5"

# Columns by name: another order, one more, one that is missing.
awk 'BEGIN { print "id,death,stage,age,bmi,sex"; for (i = 1; i <= 20; i++) print "b" i "," i % 2 "," (i % 3 ? "I" : "II") "," 50 + i ",2" i "," (i % 2 ? "f" : "m") }' >"$tmp/b/t.csv"
ini b stage "age, stage"
must predict "$tmp/m.h5" "$tmp/b.h5" -o "$tmp/want.tsv"
must predict "$tmp/f.h5" "$tmp/b.h5" -o "$tmp/want-fused.tsv"
must fuse "$tmp/b.h5" "$tmp/m.h5" "$tmp/m2.h5" -o "$tmp/g.h5" --train 0.7 --epochs 2 --threads 1 --quiet
must predict "$tmp/g.h5" "$tmp/b.h5" -o "$tmp/want-new.tsv"
ini b "stage, sex" "bmi, sex, stage, age"
run predict "$tmp/m.h5" "$tmp/b.h5" -o "$tmp/got.tsv"
test_that "columns are found by name" exits 0
test_that "as if the cohort had been imported with those of training" cmp -s "$tmp/want.tsv" "$tmp/got.tsv"
test_that "those that are not of training are told" says 'modality clinical: the model has not been trained on `bmi`, `sex`: ignored'
must predict "$tmp/f.h5" "$tmp/b.h5" -o "$tmp/got.tsv"
test_that "a fused model finds them, too" cmp -s "$tmp/want-fused.tsv" "$tmp/got.tsv"
run evaluate "$tmp/m.h5" "$tmp/b.h5" --on all --bootstrap 0 --json
test_that "evaluate tells them in its JSON" prints '"ignored_columns": [{"modality": "clinical", "column": "bmi"}, {"modality": "clinical", "column": "sex"}]}'
run explain "$tmp/m.h5" "$tmp/b.h5" --what gradients --on all -o "$tmp/explained"
test_that "explain tells them" says 'trained on `bmi`, `sex`: ignored'
test_that "and explains what the model reads" [ "$(cut -f 3 "$tmp/explained" | sort -u | grep -c -e age -e stage -e bmi -e sex)" -eq 4 ]
run fuse "$tmp/b.h5" "$tmp/m.h5" "$tmp/m2.h5" -o "$tmp/g.h5" --train 0.7 --epochs 2 --threads 1
test_that "fuse tells them" says 'trained on `bmi`, `sex`: ignored'
must predict "$tmp/g.h5" "$tmp/b.h5" -o "$tmp/got.tsv"
test_that "and learns from the same" cmp -s "$tmp/want-new.tsv" "$tmp/got.tsv"
ini b stage "bmi, stage"
test_that "a column that is missing is named" fails 3 'the feature `age` of training is missing (training had no `bmi`, which is there); import the cohort again with it' predict "$tmp/m.h5" "$tmp/b.h5"
test_that "for a fuse, too" fails 3 'the feature `age` of training is missing' fuse "$tmp/b.h5" "$tmp/m.h5" "$tmp/m2.h5" -o "$tmp/no.h5" --quiet
exit "$status"
