#!/bin/sh
# system.sh - train --system: other architectures in a file of their own, which predict and are evaluated like any model.
# shellcheck disable=SC2317 # functions are called by test_that
# shellcheck disable=SC2086 # $quick and the options of a system are several words
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"
make_cohort
cohort=$tmp/cohort.h5
both="train $cohort -m labs,genes -t death -o $tmp/x.h5"

while read -r name modalities options; do
    must train "$cohort" -m "$modalities" -t death --system "$name" -o "$tmp/$name.h5" --epochs 2 -q $options
    must inspect "$tmp/$name.h5"
    test_that "inspect says that the model is $name" prints "$name"
    run predict "$tmp/$name.h5" "$cohort" -o "$tmp/$name.tsv"
    test_that "$name predicts every patient" [ "$(wc -l <"$tmp/$name.tsv")" -eq 121 ]
    run evaluate "$tmp/$name.h5" "$cohort" --bootstrap 0
    test_that "$name is evaluated" prints "auc "
done <<EOF
snn labs --width 16 --dropout 0
late-concat labs,genes --width 8
healnet labs,genes --latent 8x8 --depth 1
EOF

must train "$cohort" -m labs,genes -t death --system linear --fold 0 --device cpu --threads 1 -o "$tmp/linear.h5" --log "$tmp/linear.log"
test_that "linear tells of each of 12 penalties" [ "$(wc -l <"$tmp/linear.log")" -eq 13 ]
must compare "$cohort" -t death -m labs,genes -s linear --folds 1 -j 1 -o "$tmp/comparison" -q
must predict "$tmp/linear.h5" "$cohort" -o "$tmp/a.tsv"
must predict "$tmp/comparison/models/linear.0.h5" "$cohort" -o "$tmp/b.tsv"
test_that "it is the model that compare trains" cmp -s "$tmp/a.tsv" "$tmp/b.tsv"
must train "$cohort" -m labs,genes -t survival --system linear --penalty 0.5 -o "$tmp/cox.h5" --log "$tmp/cox.log"
test_that "a penalty that is given is the only one" [ "$(wc -l <"$tmp/cox.log")" -eq 2 ]

test_that "an unknown system is answered with the nearest" fails 2 "did you mean healnet?" $both --system healnett
test_that "an option of blocks is refused" fails 2 "--encoder is not an option of --system snn" $both --system snn --encoder snn
test_that "an ablation is refused" fails 2 "--context-dft is not an option of --system mcat" $both --system mcat --context-dft
test_that "penalised regression has no epochs" fails 2 "--epochs is not an option of --system linear" $both --system linear --epochs 3
test_that "nor a checkpoint" fails 2 "--checkpoint is not an option" $both --system linear --checkpoint "$tmp/x.ck"
test_that "nor a latent" fails 2 "--latent is not an option of --system linear" $both --system linear --latent 8x8
test_that "a penalty is of penalised regression" fails 2 "--penalty is not an option of --system snn" $both --system snn --penalty 1
test_that "a penalty of a block is refused" fails 2 "--penalty is for other architectures" train "$cohort" -m labs -t death -o "$tmp/x.h5" --penalty 1
test_that "two modalities are too many for snn" fails 2 "snn reads one modality, not 2" $both --system snn
test_that "an unknown modality is named" fails 2 "genez" train "$cohort" -m labs,genez -t death -o "$tmp/x.h5" --system linear
test_that "a block reads one modality" fails 2 "labs,genes" $both
test_that "--loss is for survival here too" fails 2 "--loss is for survival tasks" $both --system late-concat --loss cox
test_that "such a model is not merged" fails 2 "is a baseline (linear)" merge "$tmp/linear.h5" "$tmp/snn.h5" -o "$tmp/x.h5"
test_that "nothing was written by what failed" [ ! -e "$tmp/x.h5" ]
exit $status
