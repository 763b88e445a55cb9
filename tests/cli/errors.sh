#!/bin/sh
# errors.sh - what is wrong is named, with where and what to do; the exit status tells usage, data and failure apart.
# shellcheck disable=SC2317 # functions are called by test_that
# shellcheck disable=SC2086,SC2016 # $quick is several words; messages have backquotes
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"
make_cohort
cohort=$tmp/cohort.h5
must train "$cohort" -m labs -t death -o "$tmp/labs.h5" $quick --train site=a --test site=b
must train "$cohort" -m genes -t death -o "$tmp/genes.h5" $quick
must train "$cohort" -m labs -t survival -o "$tmp/survival.h5" $quick
must train "$cohort" -m labs -t death -o "$tmp/wide.h5" $quick --latent 16x16
train="train $cohort -m labs -t death -o $tmp/x.h5 --epochs 1"

# ---- usage: 2
test_that "an unknown modality is answered with the nearest" fails 2 "labs" train "$cohort" -m labz -t death -o "$tmp/x.h5"
test_that "an unknown task is answered with the nearest" fails 2 "death" train "$cohort" -m labs -t deth -o "$tmp/x.h5"
test_that "an unknown column is answered with what there is" fails 2 "site" $train --train sit=a
test_that "a value that nobody has is named" fails 2 "z" $train --train site=z
test_that "--fold and --train exclude each other" fails 2 "--fold and --train exclude each other" $train --fold 1 --train site=a
test_that "--valid needs --train" fails 2 "--valid and --test need --train" $train --valid site=b
test_that "--valid and --valid-fraction exclude each other" fails 2 "exclude each other" $train --train 0.5 --valid 0.2 --valid-fraction 0.1
test_that "--resume needs --checkpoint" fails 2 "--resume needs --checkpoint FILE" $train --resume
test_that "--loss is for survival" fails 2 "--loss is for survival tasks; 'death' is not one" $train --loss cox
test_that "--bins is for survival" fails 2 "--bins is for survival tasks" $train --bins 5
test_that "--class-weights is for classes" fails 2 "--class-weights is for tasks with classes" train "$cohort" -m labs -t survival -o "$tmp/x.h5" --class-weights balanced
test_that "a fuse does not write over a block" fails 2 "is one of the inputs" fuse "$cohort" "$tmp/labs.h5" "$tmp/genes.h5" --fold 0 -o "$tmp/genes.h5"
test_that "nor its checkpoint" fails 2 "is one of the inputs" fuse "$cohort" "$tmp/labs.h5" "$tmp/genes.h5" --fold 0 -o "$tmp/x.h5" --checkpoint "$tmp/genes.h5"
test_that "--domain and --transform must agree" fails 2 "exclude each other" $train --domain spatial --transform 2d
test_that "--domain frequency is not --transform spatial" fails 2 "exclude each other" $train --domain frequency --transform spatial
test_that "an unknown device is named" fails 1 "banana" $train --device banana
test_that "the output is not the cohort" fails 2 "is one of the inputs" train "$cohort" -m labs -t death -o "$cohort"
test_that "the checkpoint is not the output" fails 2 "the same file" $train --checkpoint "$tmp/x.h5"
test_that "nor by another spelling of its name" fails 2 "--checkpoint and --output are the same file" $train --checkpoint "$tmp/./x.h5"
test_that "the log is not the output" fails 2 "--log and --output are the same file" $train --log "$tmp/x.h5"
test_that "the log is not the checkpoint" fails 2 "--log and --checkpoint are the same file" $train --log "$tmp/../${tmp##*/}/x.ck" --checkpoint "$tmp/x.ck"
test_that "the log is not the cohort" fails 2 "is one of the inputs" $train --log "$cohort"
test_that "the cohort was left alone" works inspect "$cohort"
test_that "the output of predict is not the model" fails 2 "is one of the inputs" predict "$tmp/labs.h5" "$cohort" -o "$tmp/labs.h5"
test_that "... by merge, too" fails 1 "banana" merge "$tmp/labs.h5" "$tmp/genes.h5" --device banana -o "$tmp/banana.h5"
test_that "a model cannot go to a device" fails 2 "not a regular file" merge "$tmp/labs.h5" "$tmp/genes.h5" -o /dev/null
for words in "import $tmp/cohort.ini" "train $cohort -m labs -t death" "merge $tmp/labs.h5" "fuse $cohort $tmp/labs.h5" "convert $tmp/labs.h5" \
    "compare $cohort -t death" "compare --collect $tmp"; do
    test_that "${words%% *} does not write to standard output, nor a file named -" fails 2 "in place of -" $words -o -
done
test_that "nor does a log go there" fails 2 "in place of -" $train --log -
test_that "no file named - was made" [ ! -e - ]
test_that "a block is merged once" fails 2 "are the same: each block is given once" merge "$tmp/labs.h5" "$tmp/genes.h5" "$tmp/./labs.h5" -o "$tmp/x.h5"
ln -s labs.h5 "$tmp/again.h5"
test_that "nor is it fused twice, by another name" fails 2 "are the same: each block is given once" fuse "$cohort" "$tmp/labs.h5" "$tmp/again.h5" --fold 0 -o "$tmp/x.h5"
cp "$tmp/labs.h5" "$tmp/copy.h5"
test_that "nor is a copy of it" fails 2 "block labs of $tmp/copy.h5 is a copy of block labs of $tmp/labs.h5" merge "$tmp/labs.h5" "$tmp/genes.h5" "$tmp/copy.h5" -o "$tmp/x.h5"
must merge "$tmp/labs.h5" "$tmp/genes.h5" -o "$tmp/both.h5"
test_that "nor is it merged with a merge that has it" fails 2 "block genes of $tmp/genes.h5 is a copy of block genes of $tmp/both.h5" merge "$tmp/both.h5" "$tmp/genes.h5" -o "$tmp/x.h5"
test_that "nor fused" fails 2 "is a copy of block" fuse "$cohort" "$tmp/labs.h5" "$tmp/copy.h5" -o "$tmp/x.h5"
must train "$cohort" -m labs -t death -o "$tmp/labs2.h5" $quick --seed 2
run merge "$tmp/labs.h5" "$tmp/labs2.h5" -o "$tmp/two.h5"
test_that "two trainings on one modality are two blocks" exits 0
test_that "--weights has one number a block" fails 2 "--weights has 3 numbers for 2 blocks" merge "$tmp/labs.h5" "$tmp/genes.h5" --weights 1,2,3 -o "$tmp/x.h5"
test_that "--weights must not all be 0" fails 2 "" merge "$tmp/labs.h5" "$tmp/genes.h5" --weights 0,0 -o "$tmp/x.h5"
test_that "--weights search needs a cohort" fails 2 "--weights search needs --cohort FILE" merge "$tmp/labs.h5" "$tmp/genes.h5" --weights search -o "$tmp/x.h5"
test_that "--on of predict needs a part or a condition" fails 2 "--on must be" predict "$tmp/labs.h5" "$cohort" --on banana
test_that "--on of evaluate names the column that is not there" fails 2 "banana" evaluate "$tmp/labs.h5" "$cohort" --on banana=1
must train "$cohort" -m labs -t survival -o "$tmp/other.h5" $quick --latent 16x16
test_that "of different tasks and latents the task is told" fails 2 "one model was trained on the" merge "$tmp/labs.h5" "$tmp/other.h5" -o "$tmp/x.h5"
test_that "blocks of different tasks cannot be merged" fails 2 "survival" merge "$tmp/labs.h5" "$tmp/survival.h5" -o "$tmp/x.h5"
test_that "blocks of different divisions of one cohort need one to be said" fails 2 "different divisions of one cohort (train site=a" fuse "$cohort" "$tmp/labs.h5" "$tmp/genes.h5" -o "$tmp/x.h5"
test_that "with one it is used" works fuse "$cohort" "$tmp/labs.h5" "$tmp/genes.h5" -o "$tmp/y.h5" --epochs 1 --fold 0

# ---- bad data: 3
echo "hello" >"$tmp/hello.h5"
head -c 3000 "$cohort" >"$tmp/short.h5"
head -c 3000 "$tmp/labs.h5" >"$tmp/shortmodel.h5"
test_that "a cohort that is text is refused" fails 3 "hello.h5" train "$tmp/hello.h5" -m labs -t death -o "$tmp/x.h5"
test_that "a truncated cohort is refused" fails 3 "short.h5" train "$tmp/short.h5" -m labs -t death -o "$tmp/x.h5"
test_that "a model in place of a cohort is refused" fails 3 "labs.h5" train "$tmp/labs.h5" -m labs -t death -o "$tmp/x.h5"
test_that "a cohort in place of a model is refused" fails 3 "cohort.h5" predict "$cohort" "$tmp/labs.h5"
test_that "a truncated model is refused" fails 3 "shortmodel.h5" predict "$tmp/shortmodel.h5" "$cohort"
cp "$cohort" "$tmp/bit.h5"
printf '\377' | dd of="$tmp/bit.h5" bs=1 seek=100 conv=notrunc 2>/dev/null
test_that "a cohort with a wrong byte is refused" fails 3 "bit.h5" predict "$tmp/labs.h5" "$tmp/bit.h5"
test_that "in one line of ours, with none of HDF5's" [ "$(grep -c . "$tmp/err")" -eq 1 ]
test_that "inspect of neither a cohort nor a model says so" fails 3 "hello.h5" inspect "$tmp/hello.h5"
test_that "inspect of a truncated cohort says so" fails 3 "short.h5: is damaged, truncated" inspect "$tmp/short.h5"
test_that "inspect of a damaged file too, in one line" fails 3 "bit.h5" inspect "$tmp/bit.h5"
# A header whose checksum is wrong, in a part that inspect can do without: HDF5 says at the end that it has lost memory, if it may.
cp "$MMLT_SRCDIR/tests/fuzz/seeds/h5/v108.h5" "$tmp/part.h5"
printf '\365' | dd of="$tmp/part.h5" bs=1 seek=187 conv=notrunc 2>/dev/null
test_that "inspect shows what it can of a file that is damaged in part" works inspect "$tmp/part.h5"
test_that "without a word of HDF5's" silent
must train "$cohort" -m labs -t death -o "$tmp/stopped.h5" --checkpoint "$tmp/point.h5" $quick
test_that "inspect of a checkpoint says what it is" fails 3 "point.h5: is not an mmlego model, it is an mmlego checkpoint" inspect "$tmp/point.h5"
test_that "blocks of different latents cannot be merged" fails 3 "16" merge "$tmp/labs.h5" "$tmp/wide.h5" -o "$tmp/x.h5"

mkdir "$tmp/bad"
make_tables "$tmp/bad"
sed -i '5s/,[^,]*,/,twelve,/' "$tmp/bad/labs.csv"
test_that "a word in place of a number is named, with file and row" fails 3 "twelve" import "$tmp/bad/cohort.ini" -o "$tmp/x.h5"
test_that "the message names the file" says "labs.csv"
make_tables "$tmp/bad"
sed -i '5s/^p[0-9]*/p001/' "$tmp/bad/labels.csv"
test_that "an id that comes twice is named" fails 3 "p001" import "$tmp/bad/cohort.ini" -o "$tmp/x.h5"
make_tables "$tmp/bad"
sed -i 's/^kind = survival/kind = survivl/' "$tmp/bad/cohort.ini"
test_that "an unknown kind is answered with the nearest" fails 3 "survival" import "$tmp/bad/cohort.ini" -o "$tmp/x.h5"
make_tables "$tmp/bad"
sed -i 's/^id,sodium/id,natrium/' "$tmp/bad/labs.csv"
must import "$tmp/bad/cohort.ini" -o "$tmp/other.h5"
test_that "a feature of another name is refused, and both are named" fails 3 '`sodium` of training is missing (training had no `natrium`' predict "$tmp/labs.h5" "$tmp/other.h5"
sed -i 's/^\[modality labs\]/[modality lab]/; s/^\[modality genes\]/[modality gene]/' "$tmp/bad/cohort.ini"
must import "$tmp/bad/cohort.ini" -o "$tmp/other.h5"
test_that "a cohort without any modality of the model is refused" fails 3 "has none of the modalities of the model (labs); it has" predict "$tmp/labs.h5" "$tmp/other.h5"
test_that "and so by evaluate" fails 3 "has none of the modalities of the model" evaluate "$tmp/labs.h5" "$tmp/other.h5" --on all
sed -i 's/^\[task death\]/[task dead]/; s/^\[modality lab\]/[modality labs]/' "$tmp/bad/cohort.ini"
must import "$tmp/bad/cohort.ini" -o "$tmp/other.h5"
test_that "a cohort without the task of the model cannot be evaluated on" fails 3 "death" evaluate "$tmp/labs.h5" "$tmp/other.h5" --on all

# ---- failure: 1
test_that "a file that is not there is a failure" fails 1 "nowhere.h5" inspect "$tmp/nowhere.h5"
test_that "an ini that is not there is a failure" fails 1 "nowhere.ini" import "$tmp/nowhere.ini" -o "$tmp/x.h5"
test_that "an output in no folder is a failure, before any work" fails 1 "nowhere/x.h5" train "$cohort" -m labs -t death -o "$tmp/nowhere/x.h5"
test_that "no failed command has left its output" [ ! -e "$tmp/x.h5" ]
test_that "messages begin with the command" grep -q '^mmlego train: ' "$tmp/err"
exit $status
