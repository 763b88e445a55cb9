#!/bin/sh
# stop.sh - a signal ends a training run in order, with a checkpoint; --resume goes on as if nothing had been. Other commands leave no
# half file behind.
# shellcheck disable=SC2317 # functions are called by test_that
# shellcheck disable=SC2086 # $quick is several words
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"
make_cohort
cohort=$tmp/cohort.h5
long="--epochs 400 --patience 0"

# stopped SIGNAL WORD...: the tool in the background, sent SIGNAL once its log has five epochs.
stopped() {
    signal=$1
    shift
    : >"$tmp/stop.log"
    # A shell has background jobs ignore SIGINT, which the tool respects: env gives it back.
    env --default-signal=INT "$MMLT_MMLEGO" "$@" --log "$tmp/stop.log" >"$tmp/out" 2>"$tmp/err" &
    pid=$!
    tries=0
    while [ "$(wc -l <"$tmp/stop.log")" -lt 6 ] && kill -0 $pid 2>/dev/null && [ $tries -lt 1200 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    kill -s "$signal" $pid
    wait $pid
    code=$?
}
train="train $cohort -m labs -t death $quick $long"

must $train -o "$tmp/whole.h5" --log "$tmp/whole.log" --checkpoint "$tmp/whole.ck"
must predict "$tmp/whole.h5" "$cohort" -o "$tmp/whole.tsv"

stopped TERM $train -o "$tmp/broken.h5" --checkpoint "$tmp/broken.ck"
test_that "SIGTERM ends training with 143" exits 143
test_that "there is no model yet" [ ! -e "$tmp/broken.h5" ]
test_that "there is a checkpoint" [ -s "$tmp/broken.ck" ]
test_that "the message says how to go on" says "Repeat the command with --resume to go on."
lines=$(wc -l <"$tmp/stop.log")
test_that "it stopped before the end" [ "$lines" -lt 401 ]
cp "$tmp/stop.log" "$tmp/broken.log"
run $train -o "$tmp/broken.h5" --checkpoint "$tmp/broken.ck" --resume --log "$tmp/broken.log"
test_that "--resume ends well" exits 0
must predict "$tmp/broken.h5" "$cohort" -o "$tmp/broken.tsv"
test_that "the model is that of the run without a break, bit for bit" cmp -s "$tmp/whole.tsv" "$tmp/broken.tsv"
cut -f 1-6,8 "$tmp/whole.log" >"$tmp/a"
cut -f 1-6,8 "$tmp/broken.log" >"$tmp/b"
test_that "the log is that of the run without a break" cmp -s "$tmp/a" "$tmp/b"

stopped INT $train -o "$tmp/int.h5" --checkpoint "$tmp/int.ck"
test_that "SIGINT ends training with 130" exits 130
stopped TERM $train -o "$tmp/none.h5"
test_that "without a checkpoint SIGTERM ends training too" exits 143
test_that "and it is said that nothing is kept" says "nothing is kept"

run $train -o "$tmp/x.h5" --checkpoint "$tmp/fresh.ck" --resume --epochs 2
test_that "--resume without a checkpoint yet begins" exits 0
printf 'rubbish' >"$tmp/rubbish.ck"
test_that "a checkpoint that is none is refused" fails 3 "rubbish.ck" $train -o "$tmp/x.h5" --checkpoint "$tmp/rubbish.ck" --resume

must train "$cohort" -m genes -t death -o "$tmp/genes.h5" $quick
stopped TERM fuse "$cohort" "$tmp/whole.h5" "$tmp/genes.h5" -o "$tmp/fused.h5" -q $long --checkpoint "$tmp/fuse.ck"
test_that "SIGTERM ends a fuse with 143" exits 143
run fuse "$cohort" "$tmp/whole.h5" "$tmp/genes.h5" -o "$tmp/fused.h5" -q $long --checkpoint "$tmp/fuse.ck" --resume
test_that "a fuse can be gone on with" exits 0

# interrupted FOLDER WORD...: the tool in the background, sent SIGINT as soon as there is something in FOLDER. It is halted meanwhile:
# it has not ended when the signal comes.
interrupted() {
    folder=$1
    shift
    env --default-signal=INT "$MMLT_MMLEGO" "$@" >"$tmp/out" 2>"$tmp/err" &
    pid=$!
    while [ -z "$(ls -A "$folder")" ] && kill -0 $pid 2>/dev/null; do
        :
    done
    kill -s STOP $pid
    kill -s INT $pid
    kill -s CONT $pid
    wait $pid
    code=$?
}
is_empty() { [ -z "$(ls -A "$1")" ]; }
mkdir "$tmp/made"
awk 'BEGIN {
    srand(1)
    for (i = 0; i <= 20000; i++) {
        printf "%s", i == 0 ? "id" : "p" i
        for (j = 1; j <= 25; j++)
            printf ",%s", i == 0 ? "x" j : rand()
        print ""
    }
}' >"$tmp/long.csv"
must import "$tmp/long.csv" -o "$tmp/long.h5"
interrupted "$tmp/made" export "$tmp/long.h5" -m long -o "$tmp/made/long.csv"
test_that "SIGINT ends an export with 130" exits 130
test_that "and leaves no file" is_empty "$tmp/made"
test_that "and says so" says "nothing was written"
export TMPDIR="$tmp/made"
interrupted "$tmp/made" export "$tmp/long.h5" -m long -o -
test_that "SIGINT ends an export to standard output, too" exits 130
test_that "which leaves no temporary file" is_empty "$tmp/made"
test_that "and has printed nothing" prints_nothing
interrupted "$tmp/made" bench start --no-limits --seconds 60
test_that "SIGINT ends the bench of a start" exits 130
test_that "which leaves no model" is_empty "$tmp/made"
exit $status
