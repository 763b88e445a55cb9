#!/bin/sh
# convert.sh - models to safetensors files and back, and states of PyTorch that options say the rest of.
# shellcheck disable=SC2317 # functions are called by test_that
# shellcheck disable=SC2086 # $quick is several words
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"

make_cohort
must train "$tmp/cohort.h5" -m labs -t death -o "$tmp/labs.h5" $quick
must train "$tmp/cohort.h5" -m genes -t death -o "$tmp/genes.h5" $quick
must merge "$tmp/labs.h5" "$tmp/genes.h5" -o "$tmp/merged.h5"

for model in labs merged; do
    run convert "$tmp/$model.h5" -o "$tmp/$model.safetensors"
    test_that "a model becomes a safetensors file ($model)" exits 0
    test_that "and it is said where it is ($model)" says "written to $tmp/$model.safetensors as a safetensors file"
    test_that "nothing is on stdout ($model)" prints_nothing
    must convert "$tmp/$model.safetensors" -o "$tmp/back.h5" --quiet
    test_that "there and back is the same file ($model)" cmp -s "$tmp/$model.h5" "$tmp/back.h5"
done
run convert "$tmp/labs.safetensors" -o "$tmp/same.safetensors" --to safetensors -q
test_that "--to says what is written" cmp -s "$tmp/labs.safetensors" "$tmp/same.safetensors"
test_that "--quiet says nothing" silent

# A state without a word of ours: the metadata renamed, which leaves the length of the header as it is.
must train "$tmp/cohort.h5" -m labs -t death -o "$tmp/up.h5" --preset upstream --encoder snn --encoder-width 8 --latent 4x4 \
    --epochs 1 --scaling none --impute zero --threads 1 --quiet
must convert "$tmp/up.h5" -o "$tmp/up.safetensors" -q
sed 's/"mmlego\.model":/"other.models":/' "$tmp/up.safetensors" >"$tmp/state.safetensors"
test_that "what a state does not say is asked for" fails 2 "names of the modality and the task are needed" \
    convert "$tmp/state.safetensors" -o "$tmp/no.h5"
test_that "so is the kind of the task" fails 2 "is task death binary, multiclass, survival or regression?" \
    convert "$tmp/state.safetensors" -o "$tmp/no.h5" -m labs -t death
test_that "the number of classes must be that of the outputs" fails 3 "3 classes are named, the head has 2 outputs" \
    convert "$tmp/state.safetensors" -o "$tmp/no.h5" -m labs -t death --kind binary --classes a,b,c
test_that "a modality that the cohort lacks is named" fails 2 "did you mean labs?" \
    convert "$tmp/state.safetensors" -o "$tmp/no.h5" -m lab -t death --cohort "$tmp/cohort.h5"
test_that "a failure leaves nothing behind" [ ! -e "$tmp/no.h5" ]
must convert "$tmp/state.safetensors" -o "$tmp/state.h5" -m labs -t death --cohort "$tmp/cohort.h5" -q
must predict "$tmp/up.h5" "$tmp/cohort.h5" -o "$tmp/a.tsv"
must predict "$tmp/state.h5" "$tmp/cohort.h5" -o "$tmp/b.tsv"
test_that "a state of PyTorch predicts what the model did that it comes from" cmp -s "$tmp/a.tsv" "$tmp/b.tsv"
run inspect "$tmp/state.h5"
test_that "its features and classes are those of the cohort" prints "labs"

# A fuse of such blocks, without a word of ours.
must train "$tmp/cohort.h5" -m genes -t death -o "$tmp/up2.h5" --preset upstream --encoder snn --encoder-width 8 --latent 4x4 \
    --epochs 1 --scaling none --impute zero --threads 1 --quiet
must fuse "$tmp/cohort.h5" "$tmp/up.h5" "$tmp/up2.h5" --order given -o "$tmp/fused.h5" --preset upstream --epochs 1 --threads 1 --quiet
must convert "$tmp/fused.h5" -o "$tmp/fused.safetensors" -q
sed 's/"mmlego\.model":/"other.models":/' "$tmp/fused.safetensors" >"$tmp/joined.safetensors"
test_that "what a state of several blocks is of is asked for" fails 2 "say which it is (--as), or take one block of it (--block)" \
    convert "$tmp/joined.safetensors" -o "$tmp/no.h5" -m labs,genes -t death --cohort "$tmp/cohort.h5"
test_that "so are the modalities of all its blocks" fails 2 "has 2 blocks, and 1 modalities are named" \
    convert "$tmp/joined.safetensors" -o "$tmp/no.h5" --as fuse -m labs -t death --cohort "$tmp/cohort.h5"
must convert "$tmp/joined.safetensors" -o "$tmp/joined.h5" --as fuse -m labs,genes -t death --cohort "$tmp/cohort.h5" -q
must predict "$tmp/fused.h5" "$tmp/cohort.h5" -o "$tmp/a.tsv"
must predict "$tmp/joined.h5" "$tmp/cohort.h5" -o "$tmp/b.tsv"
test_that "the state of a fuse predicts what the model did that it comes from" cmp -s "$tmp/a.tsv" "$tmp/b.tsv"
must convert "$tmp/joined.safetensors" -o "$tmp/part.h5" --block 1 -m genes -t death --cohort "$tmp/cohort.h5"
test_that "a block is taken out of it" says "genes of task death"
test_that "a fuse is no merge whose latents are joined in a way that nobody said" fails 2 "does not say how the latents" \
    convert "$tmp/joined.safetensors" -o "$tmp/no.h5" --as merge -m labs,genes -t death --cohort "$tmp/cohort.h5"

printf 'PK\003\004........' >"$tmp/m.pt"
test_that "a file of torch.save gets the recipe" fails 3 "torch.load(FILE, weights_only=True)" convert "$tmp/m.pt" -o "$tmp/no.h5"
head -c 5000 "$tmp/labs.safetensors" >"$tmp/cut.safetensors"
test_that "a truncated file is refused" fails 3 "cut.safetensors" convert "$tmp/cut.safetensors" -o "$tmp/no.h5"
test_that "the output may not be the input" fails 2 "labs.h5" convert "$tmp/labs.h5" -o "$tmp/labs.h5"
exit $status
