#!/bin/sh
# atomic.sh - an output appears whole or not at all: whatever goes wrong, the old file is still there, and no rest of a
# new one. A full disk is played by a limit on the size of files; a folder that cannot be written needs a user who is not root.
# shellcheck disable=SC2317 # functions are called by test_that
# shellcheck disable=SC2086 # $quick and $part are several words
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"
make_cohort
cohort=$tmp/cohort.h5
must train "$cohort" -m labs -t death -o "$tmp/labs.h5" $quick
must train "$cohort" -m genes -t death -o "$tmp/genes.h5" $quick

mkdir "$tmp/o"
old=$tmp/o/old
printf 'old\n' >"$tmp/kept"
renew() {
    rm -rf "$tmp/o"
    mkdir "$tmp/o"
    cp "$tmp/kept" "$old"
}
kept() { # the old file as it was, and nothing beside it
    cmp -s "$old" "$tmp/kept" && [ "$(find "$tmp/o" -type f | wc -l)" -eq 1 ]
}
# short WORD...: the tool on a disk with room for 1 KiB a file. (What a build for coverage counts would be cut off too, and
# spoil the counts of the other tests: it goes elsewhere.)
short() {
    (trap '' XFSZ; export GCOV_PREFIX="$tmp/gcov"; ulimit -f 2; exec "$MMLT_MMLEGO" "$@") >"$tmp/out" 2>"$tmp/err"
    code=$?
}
fails_and_keeps() { # WORD...
    renew
    short "$@"
    exits 1 && kept && has_message
}
has_message() { grep -q "^mmlego " "$tmp/err"; }

test_that "import without room keeps the old cohort" fails_and_keeps import "$tmp/cohort.ini" -o "$old"
test_that "train without room keeps the old model" fails_and_keeps train "$cohort" -m labs -t death -o "$old" $quick
test_that "merge without room keeps the old model" fails_and_keeps merge "$tmp/labs.h5" "$tmp/genes.h5" -o "$old"
test_that "fuse without room keeps the old model" fails_and_keeps fuse "$cohort" "$tmp/labs.h5" "$tmp/genes.h5" -o "$old" --epochs 1
test_that "predict without room keeps the old table" fails_and_keeps predict "$tmp/labs.h5" "$cohort" -o "$old"
test_that "the message names the file" says "$old"
for part in "" "-m genes" "-m genes --format npy"; do
    test_that "export $part without room keeps the old file" fails_and_keeps export "$cohort" $part -o "$old"
    test_that "with the file and the reason" says "$old: cannot be written: File too large"
done
test_that "convert without room keeps the old file" fails_and_keeps convert "$tmp/labs.h5" -o "$old"
test_that "with the file and the reason, too" says "$old: cannot be written: File too large"

short explain "$tmp/labs.h5" "$cohort" -o "$tmp/explained"
test_that "explain without room is a failure" exits 1
test_that "and leaves no folder" [ ! -e "$tmp/explained" ]
mkdir "$tmp/mine"
short explain "$tmp/labs.h5" "$cohort" -o "$tmp/mine"
test_that "but one that was there before" [ -d "$tmp/mine" ]
short explain "$tmp/labs.h5" "$cohort" -o "$tmp/part" --sample p001
test_that "or one with something in it" [ -s "$tmp/part/modalities.tsv" ]

must compare "$cohort" -t death --weight-folds 0 --folds 1 -s block -o "$tmp/study" -j 1 -q
rm "$tmp/study/compare.json"
short compare --collect "$tmp/study" -o "$tmp/other"
test_that "compare without room is a failure" exits 1
test_that "with the file and the reason" says "$tmp/other/compare.json: cannot be written: File too large"
renew
run predict "$tmp/genes.h5" "$tmp/labs.h5" -o "$old"
test_that "a command that fails early keeps the old file" kept
renew
run predict "$tmp/labs.h5" "$cohort" -o "$old"
test_that "a command that works replaces it" [ "$(head -n 1 "$old" | cut -f 1)" = id ]
test_that "and leaves nothing beside it" [ "$(find "$tmp/o" -type f | wc -l)" -eq 1 ]
chmod 640 "$old"
must predict "$tmp/labs.h5" "$cohort" -o "$old"
test_that "the new file has the permissions of the old" [ "$(stat -c %a "$old")" = 640 ]
(umask 027 && "$MMLT_MMLEGO" predict "$tmp/labs.h5" "$cohort" -o "$tmp/o/fresh" 2>"$tmp/err")
test_that "a fresh file has those of the umask" [ "$(stat -c %a "$tmp/o/fresh")" = 640 ]
ln -s old "$tmp/o/link"
must predict "$tmp/labs.h5" "$cohort" -o "$tmp/o/link"
test_that "a link stays a link" [ -L "$tmp/o/link" ]

if [ -w /dev/full ]; then
    for words in "predict $tmp/labs.h5 $cohort" "evaluate $tmp/labs.h5 $cohort --bootstrap 10" "inspect $cohort" "inspect $cohort --json"; do
        "$MMLT_MMLEGO" $words >/dev/full 2>"$tmp/err"
        code=$?
        test_that "${words%% *} into a full disk is a failure" exits 1
        test_that "${words%% *} says so" says "standard output could not be written"
    done
    run predict "$tmp/labs.h5" "$cohort" -o /dev/full
    test_that "predict -o /dev/full is a failure" exits 1
    test_that "and /dev/full is still a device" [ -c /dev/full ]
fi
"$MMLT_MMLEGO" version >&- 2>"$tmp/err"
code=$?
test_that "a closed stdout is a failure" exits 1

if [ "$(id -u)" -ne 0 ]; then
    renew
    chmod a-w "$tmp/o"
    run train "$cohort" -m labs -t death -o "$tmp/o/new.h5" $quick
    test_that "a folder that cannot be written is a failure" exits 1
    test_that "and is named before any work" says "$tmp/o/new.h5"
    chmod u+w "$tmp/o"
else
    echo "skip - a folder that cannot be written (root can write any)"
fi
exit $status
