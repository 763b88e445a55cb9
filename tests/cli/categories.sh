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

printf 'id,death,stage,age\nb1,1,,50\nb2,0,,60\n' >"$tmp/b/t.csv"
ini b stage
test_that "patients of whom no category is known at all are predicted" works predict "$tmp/m.h5" "$tmp/b.h5"
printf 'id,death,stage,age,bmi\nb1,1,I,50,20\nb2,0,II,60,21\n' >"$tmp/b/t.csv"
ini b stage "age, bmi, stage"
test_that "a feature that is no category must be one of training" fails 3 'feature 2, `bmi`, was not there in training' predict "$tmp/m.h5" "$tmp/b.h5"
exit "$status"
