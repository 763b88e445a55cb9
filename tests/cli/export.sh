#!/bin/sh
# export.sh - parts of a cohort as CSV and NumPy arrays: what is in them, and that they come back the same.
# shellcheck disable=SC2317 # functions are called by test_that
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"

make_cohort
c=$tmp/cohort.h5
run export "$c" -o "$tmp/labels.csv"
test_that "export of labels ends well" exits 0
test_that "export prints nothing on stdout" prints_nothing
test_that "export says where it is" says "labels of 120 patients written to $tmp/labels.csv"
test_that "labels have the columns and tasks of the cohort" \
    [ "$(head -n 1 "$tmp/labels.csv")" = "id,site,death,grade,survival.time,survival.event,weight" ]
test_that "there is a line a patient" [ "$(wc -l <"$tmp/labels.csv")" -eq 121 ]
run export "$c" -m genes -o "$tmp/g.csv" -q
test_that "--quiet says nothing" silent
test_that "a table has a line for each patient who has it" [ "$(wc -l <"$tmp/g.csv")" -eq 91 ]

# There and back: the exported tables imported again are the same cohort.
must export "$c" -m labs -o "$tmp/l.csv" -q
cat >"$tmp/again.ini" <<'INI'
[cohort]
labels = labels.csv
id = id
columns = site
[task death]
kind = binary
label = death
[task grade]
kind = multiclass
label = grade
[task survival]
kind = survival
time = survival.time
event = survival.event
[task weight]
kind = regression
label = weight
[modality labs]
kind = table
file = l.csv
[modality genes]
kind = table
file = g.csv
INI
must import "$tmp/again.ini" -o "$tmp/again.h5" -q
test_that "exported tables imported again are the same cohort" cmp -s "$c" "$tmp/again.h5"

run export "$c" -m genes -o "$tmp/g.npy"
test_that "an output that ends in .npy is an array" exits 0
test_that "of all patients" grep -qa "'descr': '<f4', 'fortran_order': False, 'shape': (120, 6,)" "$tmp/g.npy"
test_that "with its numbers" [ "$(wc -c <"$tmp/g.npy")" -eq $((128 + 120 * 6 * 4)) ]
must export "$c" -t survival -o "$tmp/y.npy" -q
test_that "survival is records of event and time" grep -qa "\[('event', '|b1'), ('time', '<f8')\]" "$tmp/y.npy"
must export "$c" -m labs --part offsets -o "$tmp/o.npy" -q
test_that "offsets are one more than patients" grep -qa "'<i8', 'fortran_order': False, 'shape': (121,)" "$tmp/o.npy"
numpy() { python3 -c "import numpy" 2>/dev/null; }
if numpy; then
    test_that "NumPy reads what is exported" python3 -c '
import numpy as np, sys
y, g = np.load(sys.argv[1]), np.load(sys.argv[2])
assert y.dtype.names == ("event", "time") and len(y) == 120 and (y["time"] > 0).all()
assert np.isnan(g).all(axis=1).sum() == 30' "$tmp/y.npy" "$tmp/g.npy"
fi

mkdir "$tmp/here"
( cd "$tmp/here" && TMPDIR=$tmp/here "$MMLT_MMLEGO" export "$c" -o - >"$tmp/out" 2>"$tmp/err" )
code=$?
test_that "-o - is standard output" cmp -s "$tmp/out" "$tmp/labels.csv"
test_that "and says so" says "labels of 120 patients written to standard output"
test_that "and leaves no file" [ -z "$(ls -A "$tmp/here")" ]
run export "$c" -m genes --format npy -o - -q
test_that "of an array, too" cmp -s "$tmp/out" "$tmp/g.npy"
test_that "a failure prints nothing" fails 2 "did you mean labs?" export "$c" -m lab -o -
if [ -w /dev/full ]; then
    TMPDIR=$tmp/here "$MMLT_MMLEGO" export "$c" -o - >/dev/full 2>"$tmp/err"
    code=$?
    test_that "standard output that is full is a failure" exits 1
    test_that "with the reason, and no other message" grep -qx "mmlego export: standard output could not be written: No space left on device" "$tmp/err"
    test_that "in one line" [ "$(wc -l <"$tmp/err")" -eq 1 ]
    test_that "and leaves no file either" [ -z "$(ls -A "$tmp/here")" ]
fi

test_that "a modality that is not there is named" fails 2 "did you mean labs?" export "$c" -m lab -o "$tmp/no.csv"
test_that "a task that is not there is named" fails 2 "did you mean death?" export "$c" -t deth -o "$tmp/no.csv"
test_that "an array of labels is of one task" fails 2 "name it" export "$c" -o "$tmp/no.npy"
test_that "a table has no positions" fails 2 "has no positions" export "$c" -m labs --part positions -o "$tmp/no.npy"
test_that "modality and task go one at a time" fails 2 "one at a time" export "$c" -m labs -t death -o "$tmp/no.csv"
test_that "a failure leaves nothing behind" [ ! -e "$tmp/no.csv" ] && [ ! -e "$tmp/no.npy" ]
test_that "the output may not be the input" fails 2 "one of the inputs" export "$c" -o "$c"
exit $status
