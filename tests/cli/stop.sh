#!/bin/sh
# stop.sh - a signal ends a training run in order, with a checkpoint; --resume goes on as if nothing had been.
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
exit $status
