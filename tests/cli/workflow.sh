#!/bin/sh
# workflow.sh - the main job from tables to a table of predictions: what each command writes, where, and how.
# shellcheck disable=SC2317 # functions are called by test_that
# shellcheck disable=SC2086,SC2016 # $quick is several words; conditions are of awk
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"

json() { # EXPRESSION over the parsed stdout `d`
    has_python || return 0
    python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(0 if eval(sys.argv[2]) else 1)' "$tmp/out" "$1"
}
columns() { head -n 1 "$1" | tr '\t' '\n'; }
# every LINE-CONDITION FILE: an awk condition on the fields of every line after the first.
every() { awk -F '\t' 'NR > 1 && !('"$1"') { bad = 1; print "line " NR ": " $0 } END { exit bad || NR < 2 }' "$2"; }
differ() { ! cmp -s "$1" "$2"; }
has_error() { [ -s "$tmp/err" ]; }

# ---- import, inspect
make_tables "$tmp"
run import "$tmp/cohort.ini" -o "$tmp/cohort.h5"
test_that "import ends well" exits 0
test_that "import prints nothing on stdout" prints_nothing
test_that "import reports the modalities on stderr" says genes
test_that "import says where the cohort is" says "cohort written to $tmp/cohort.h5"
cp "$tmp/cohort.h5" "$tmp/first.h5"
run import "$tmp/cohort.ini" -o "$tmp/cohort.h5" -q
test_that "import --quiet says nothing" silent
run inspect "$tmp/cohort.h5"
test_that "inspect shows a cohort" exits 0
for word in labs genes death survival "site: a: 80, b: 40" "no: " "lactate 14.2%" 120; do
    test_that "inspect shows $word" prints "$word"
done
test_that "inspect says nothing on stderr" silent
run inspect "$tmp/cohort.h5" --json
test_that "inspect --json prints a JSON object" json 'isinstance(d, dict)'
test_that "inspect --json says nothing on stderr" silent

# ---- train
labs=$tmp/labs.h5
genes=$tmp/genes.h5
run train "$tmp/cohort.h5" -m labs -t death -o "$labs" --latent 8x8 --epochs 3 --batch 16 --threads 2 --log "$tmp/log.tsv"
test_that "train ends well" exits 0
test_that "train prints nothing on stdout" prints_nothing
test_that "train says a line an epoch when stderr is no terminal" [ "$(grep -c '^epoch [123]/3  train loss ' "$tmp/err")" -eq 3 ]
test_that "train has no progress bar when stderr is no terminal" [ "$(grep -c "$(printf '\r')" "$tmp/err")" -eq 0 ]
test_that "train says the validation score" says "validation score 0."
test_that "on few patients it says the folds of a cross-validation" says "cross-validation, fold 5 of 5"
test_that "and what came of it" grep -qE '^cross-validation, 5 folds: mean score 0\.[0-9]{4}$' "$tmp/err"
test_that "train says where the model is" says "model written to $labs"
test_that "the log has its columns" \
    [ "$(head -n 1 "$tmp/log.tsv")" = "$(printf 'epoch\ttrain_loss\tvalid_loss\tvalid_score\tlr\tgrad_norm\tseconds\tbest')" ]
test_that "the log has a line an epoch" [ "$(wc -l <"$tmp/log.tsv")" -eq 4 ]
test_that "the log has whole lines" every 'NF == 8 && $1 == NR - 1 && $2 > 0 && $3 > 0 && ($8 == 0 || $8 == 1)' "$tmp/log.tsv"
cp "$tmp/log.tsv" "$tmp/log1.tsv"
if command -v script >/dev/null 2>&1; then
    TERM=xterm script -qec "'$MMLT_MMLEGO' train '$tmp/cohort.h5' -m labs -t death -o '$tmp/x.h5' --latent 8x8 --epochs 3" \
        "$tmp/terminal" >/dev/null 2>&1 </dev/null
    test_that "on a terminal there is a progress bar" grep -qE 'epoch 1/3 \[[#.]{20}\] step [0-9]+/[0-9]+' "$tmp/terminal"
    test_that "and no line an epoch" [ "$(grep -c 'train loss' "$tmp/terminal")" -eq 0 ]
fi
works train "$tmp/cohort.h5" -m labs -t death -o "$labs" --latent 8x8 --epochs 3 --batch 16 --log "$tmp/log.tsv" -q
test_that "train --quiet says nothing" silent
same_log() { cut -f 1-6,8 "$1" >"$tmp/a" && cut -f 1-6,8 "$2" >"$tmp/b" && cmp -s "$tmp/a" "$tmp/b"; }
test_that "the same training again gives the same log, with any threads" same_log "$tmp/log.tsv" "$tmp/log1.tsv"
must train "$tmp/cohort.h5" -m genes -t death -o "$genes" $quick
run inspect "$labs"
test_that "inspect shows a model" exits 0
for word in "model:      block" labs death 8x8 "median" "split:"; do
    test_that "inspect of a model shows $word" prints "$word"
done
run inspect "$labs" --json
test_that "inspect --json of a model prints a JSON object" json 'isinstance(d, dict)'

for folds in 0 3; do
    must train "$tmp/cohort.h5" -m labs -t death -o "$tmp/o.h5" $quick --weight-folds $folds
    run inspect "$tmp/o.h5" --json
    test_that "--weight-folds $folds is what is done" \
        json "[d['blocks'][0]['provenance'][k] for k in ('cross_folds',)] == [$folds] and (d['blocks'][0]['provenance']['cross_score'] is None) == ($folds == 0)"
done
test_that "one fold is none" fails 2 "weight folds must be 2 to 1000" train "$tmp/cohort.h5" -m labs -t death -o "$tmp/o.h5" $quick --weight-folds 1

# Options of the user override the preset, and only those.
must train "$tmp/cohort.h5" -m labs -t death -o "$tmp/o.h5" $quick --dropout 0.125 --impute zero --indicators missing
run inspect "$tmp/o.h5" --json
test_that "an option that was given is in the model" grep -qE '"dropout": ?0\.125' "$tmp/out"
test_that "an option that was not given has its default" grep -qE '"heads": ?4' "$tmp/out"
test_that "options of preprocessing are in the model" grep -q '"zero"' "$tmp/out"

# ---- predict
run predict "$labs" "$tmp/cohort.h5"
test_that "predict ends well" exits 0
test_that "predict says nothing on stderr" silent
cp "$tmp/out" "$tmp/p.tsv"
test_that "predict prints one line a patient" [ "$(wc -l <"$tmp/p.tsv")" -eq 121 ]
test_that "predict names its columns" \
    [ "$(columns "$tmp/p.tsv" | tr '\n' ' ')" = "id modalities logit_no logit_yes probability_no probability_yes prior " ]
test_that "predict keeps the order of the cohort" every '$1 == sprintf("p%03d", NR - 1)' "$tmp/p.tsv"
test_that "predict says which modality was used" every '$2 == "labs"' "$tmp/p.tsv"
test_that "probabilities are those of the logits" \
    every '($6 - 1 / (1 + exp($3 - $4))) ^ 2 < 1e-10 && ($5 + $6 - 1) ^ 2 < 1e-10' "$tmp/p.tsv"
test_that "nobody gets the prior when all have the modality" every '$7 == 0' "$tmp/p.tsv"
works predict "$labs" "$tmp/cohort.h5" -o "$tmp/q.tsv" --threads 3
test_that "predict -o FILE prints nothing on stdout" prints_nothing
test_that "predict -o FILE gives the same bytes, with any threads" cmp -s "$tmp/p.tsv" "$tmp/q.tsv"
run predict "$labs" "$tmp/cohort.h5" -o -
test_that "predict -o - is stdout" cmp -s "$tmp/out" "$tmp/p.tsv"
run predict "$labs" "$tmp/cohort.h5" --on site=b
test_that "predict --on takes a condition" [ "$(wc -l <"$tmp/out")" -eq 41 ]
cp "$tmp/out" "$tmp/q.tsv"
test_that "the lines are those of the same patients" every 'sprintf("p%03d", 3 * (NR - 1)) == $1' "$tmp/q.tsv"
total=0
for part in train valid test; do
    run predict "$labs" "$tmp/cohort.h5" --on $part
    total=$((total + $(wc -l <"$tmp/out") - 1))
done
test_that "the parts train, valid and test make up the cohort" [ $total -eq 120 ]
run predict "$genes" "$tmp/cohort.h5" -o "$tmp/g.tsv"
test_that "patients without the modality get the prior, and it is said" says "30 of 120 patients have none of the modalities"
test_that "the prior is marked" every '($2 == "-") == ($7 == 1)' "$tmp/g.tsv"
one_prior() { [ "$(awk -F '\t' '$7 == 1 { print $5, $6 }' "$tmp/g.tsv" | sort -u | wc -l)" -eq 1 ]; }
test_that "the prior is the same for all" one_prior

awk '/^\[/ { task = /^\[task/ } !task' "$tmp/cohort.ini" >"$tmp/new.ini"
must import "$tmp/new.ini" -o "$tmp/new.h5" -q
run predict "$labs" "$tmp/new.h5"
test_that "patients without any label are predicted alike" cmp -s "$tmp/out" "$tmp/p.tsv"

# ---- merge
run merge "$labs" "$genes" -o "$tmp/merged.h5"
test_that "merge ends well" exits 0
test_that "merge prints nothing on stdout" prints_nothing
test_that "merge says what was merged" grep -qE "^2 blocks merged for task death, weights labs [01][.0-9]*, genes [01][.0-9]*\$" "$tmp/err"
run predict "$tmp/merged.h5" "$tmp/cohort.h5" -o "$tmp/m.tsv"
test_that "the merged model uses what there is" \
    [ "$(cut -f 2 "$tmp/m.tsv" | sort | uniq -c | awk '{ print $1 $2 }' | tr '\n' ' ')" = "30labs 90labs,genes 1modalities " ]
alone() { # patients with labs only: the labs block's own prediction, bit for bit
    awk -F '\t' '$2 == "labs"' "$tmp/m.tsv" | cut -f 1,3-7 >"$tmp/a"
    awk -F '\t' 'NR == FNR { wanted[$1] = 1; next } $1 in wanted' "$tmp/a" "$tmp/p.tsv" | cut -f 1,3-7 >"$tmp/b"
    [ -s "$tmp/a" ] && cmp -s "$tmp/a" "$tmp/b"
}
test_that "with one modality only the merged model is its block" alone
must merge "$labs" "$genes" --weights 1,0 -o "$tmp/w.h5" -q
must predict "$tmp/w.h5" "$tmp/cohort.h5" -o "$tmp/w.tsv"
test_that "--weights of numbers change the merge" differ "$tmp/m.tsv" "$tmp/w.tsv"
for words in "--weights equal" "--weights validation" "--weights search --cohort $tmp/cohort.h5" \
    "--weights correlated --cohort $tmp/cohort.h5" "--preset paper" "--preset upstream" "--aggregation product" \
    "--aggregation sum --scale layernorm" "--head ensemble" "--head linear --scale raw" \
    "--aggregation harmonic --phase arithmetic"; do
    shown=$(echo "$words" | sed "s|$tmp/||")
    test_that "merge works with $shown" works merge "$labs" "$genes" $words -o "$tmp/x.h5"
done
run merge "$labs" "$genes" --weights 3,1 -o "$tmp/w.h5"
test_that "weights are said with sum 1" says "weights labs 0.75, genes 0.25"
must train "$tmp/cohort.h5" -m labs -t death -o "$tmp/labs2.h5" $quick --seed 1
run merge "$tmp/merged.h5" "$tmp/labs2.h5" -o "$tmp/merged.h5"
test_that "a block can be added to a merged model, in place" says "3 blocks merged"

run inspect "$tmp/merged.h5"
test_that "inspect of a merged model shows its blocks" [ "$(grep -c '^block ' "$tmp/out")" -eq 3 ]
narrow() { ! grep -E '^.{120}' "$tmp/out"; }
test_that "inspect has no endless lines" narrow

# ---- fuse
run fuse "$tmp/cohort.h5" "$labs" "$genes" -o "$tmp/fused.h5" --batch 16
test_that "fuse ends well" exits 0
test_that "fuse prints nothing on stdout" prints_nothing
test_that "fuse trains for two epochs" says "epoch 2/2"
test_that "fuse divides the cohort as it was divided for the blocks" says "cohort divided as for the blocks: 70/15/15, split seed 0"
test_that "fuse says where the model is" says "model written to $tmp/fused.h5"
for words in "--mode weave" "--freeze blocks" "--freeze encoders --order given" "--modality-dropout 0.5" "--preset paper"; do
    test_that "fuse works with $words" works fuse "$tmp/cohort.h5" "$labs" "$genes" -o "$tmp/x.h5" $words --epochs 1 -q
done
must predict "$tmp/fused.h5" "$tmp/cohort.h5" -o "$tmp/f.tsv"
test_that "the fused model predicts everybody" every '$6 > 0 && $6 < 1 && $7 == 0' "$tmp/f.tsv"

# ---- evaluate
run evaluate "$tmp/fused.h5" "$tmp/cohort.h5" --bootstrap 200
test_that "evaluate ends well" exits 0
test_that "evaluate says nothing on stderr when nothing leaks" silent
test_that "evaluate prints the AUC with its interval" grep -qE '^auc +[01]\.[0-9]{4}   [01]\.[0-9]{4} to [01]\.[0-9]{4}$' "$tmp/out"
test_that "evaluate says on how many patients" grep -qE '^task death, [0-9]+ patients, [0-9]+ of class yes' "$tmp/out"
run evaluate "$tmp/fused.h5" "$tmp/cohort.h5" --json --bootstrap 200
test_that "evaluate --json has metrics, what they are of, and nothing else" json 'list(d) == ["metrics", "task", "n", "n_events", "n_unlabelled", "n_prior", "n_leaked", "unknown_categories", "n_unknown_categories", "ignored_columns"] and "auc" in d["metrics"]'
test_that "every metric has a value and its limits" \
    json 'all(list(m) == ["value", "low", "high"] for m in d["metrics"].values())'
test_that "limits are on both sides of the AUC" \
    json '0 <= d["metrics"]["auc"]["low"] <= d["metrics"]["auc"]["value"] <= d["metrics"]["auc"]["high"] <= 1'
cp "$tmp/out" "$tmp/e.json"
run evaluate "$tmp/fused.h5" "$tmp/cohort.h5" --json --bootstrap 200 --threads 3
test_that "evaluate gives the same bytes, with any threads" cmp -s "$tmp/out" "$tmp/e.json"
run evaluate "$tmp/fused.h5" "$tmp/cohort.h5" --json --bootstrap 0
test_that "without bootstrap the limits are null" json 'd["metrics"]["auc"]["low"] is None and d["metrics"]["auc"]["high"] is None'
run evaluate "$tmp/fused.h5" "$tmp/cohort.h5" --on all
test_that "evaluation on training patients works" exits 0
test_that "evaluation on training patients is warned of, on stderr" says "were in the training part of a block of this model"
test_that "evaluation on training patients prints metrics all the same" prints "auc"
run evaluate "$tmp/fused.h5" "$tmp/cohort.h5" --on all --json --bootstrap 0
test_that "evaluate --json says which task it is, and how many patients, positives and training patients" \
    json 'd["task"] == "death" and d["n"] == 120 and 0 < d["n_events"] < 120 and d["n_unlabelled"] == 0 and d["n_prior"] == 0 and 60 < d["n_leaked"] < 120'
run evaluate "$tmp/fused.h5" "$tmp/cohort.h5" --on all --strict
test_that "evaluate --strict refuses" exits 1
test_that "evaluate --strict prints nothing" prints_nothing
run evaluate "$tmp/fused.h5" "$tmp/cohort.h5" --strict
test_that "evaluate --strict is fine with the test part" exits 0

# ---- the other tasks
must train "$tmp/cohort.h5" -m labs -t survival -o "$tmp/s1.h5" $quick --loss nll --bins 3
must train "$tmp/cohort.h5" -m genes -t survival -o "$tmp/s2.h5" $quick --loss nll --bins 3
must merge "$tmp/s1.h5" "$tmp/s2.h5" -o "$tmp/s.h5"
must predict "$tmp/s.h5" "$tmp/cohort.h5" -o "$tmp/s.tsv"
test_that "survival has logits, hazards, survival and risk" [ "$(columns "$tmp/s.tsv" | tr '\n' ' ')" = \
    "id modalities logit_1 logit_2 logit_3 hazard_1 hazard_2 hazard_3 survival_1 survival_2 survival_3 risk prior " ]
test_that "hazards are those of the logits" every '($6 - 1 / (1 + exp(-$3))) ^ 2 < 1e-10' "$tmp/s.tsv"
test_that "survival falls, and is the product of what is left" \
    every '$9 >= $10 && $10 >= $11 && ($11 - (1 - $6) * (1 - $7) * (1 - $8)) ^ 2 < 1e-10' "$tmp/s.tsv"
test_that "risk is the sum of survival, negative" every '($12 + $9 + $10 + $11) ^ 2 < 1e-10' "$tmp/s.tsv"
run evaluate "$tmp/s.h5" "$tmp/cohort.h5" --json --bootstrap 50
test_that "survival is judged by the c-index" json '"cindex" in d["metrics"]'
must train "$tmp/cohort.h5" -m labs -t survival -o "$tmp/cox.h5" $quick --loss cox
must predict "$tmp/cox.h5" "$tmp/cohort.h5" -o "$tmp/cox.tsv"
test_that "a Cox model has a logit, a relative risk and a risk" \
    [ "$(columns "$tmp/cox.tsv" | tr '\n' ' ')" = "id modalities logit relative_risk risk prior " ]
test_that "every line of a Cox model has all columns, and they agree" \
    every 'NF == 6 && ($4 / exp($3) - 1) ^ 2 < 1e-10 && ($5 - $3) ^ 2 < 1e-10 && $6 == 0' "$tmp/cox.tsv"
must train "$tmp/cohort.h5" -m labs -t grade -o "$tmp/c.h5" $quick --class-weights balanced
must predict "$tmp/c.h5" "$tmp/cohort.h5" -o "$tmp/c.tsv"
test_that "classes have their names" [ "$(columns "$tmp/c.tsv" | sed -n 3,8p | tr '\n' ' ')" = \
    "logit_high logit_low logit_mid probability_high probability_low probability_mid " ]
run evaluate "$tmp/c.h5" "$tmp/cohort.h5" --bootstrap 50
test_that "several classes can be evaluated" prints "task grade"
must train "$tmp/cohort.h5" -m labs -t weight -o "$tmp/r.h5" $quick
must predict "$tmp/r.h5" "$tmp/cohort.h5" -o "$tmp/r.tsv"
test_that "regression has a logit and a value" [ "$(columns "$tmp/r.tsv" | tr '\n' ' ')" = "id modalities logit value prior " ]
test_that "values are in the unit of the labels" every '$4 > 30 && $4 < 110' "$tmp/r.tsv"
run evaluate "$tmp/r.h5" "$tmp/cohort.h5" --bootstrap 50
test_that "regression can be evaluated" prints "task weight"

# ---- the variants of a block
for words in "--encoder none" "--encoder snn" "--encoder abmil" "--encoder selfattn" "--encoder embedding" \
    "--preset paper --latent 8x8" "--preset upstream --latent 8x8" "--domain spatial" "--transform 1d" "--imaginary drop" \
    "--share-steps --steps 2" "--normalise-latent --context-dft" "--head free" "--scaling robust --clip 3" \
    "--indicators mask" "--schedule constant --warmup 0" "--schedule plateau" "--l1 0.001 --grad-clip 0" \
    "--train site=a --test site=b" "--train 0.6 --valid 0.2" "--fold 3 --split-seed 7" "--device reference"; do
    test_that "train works with $words" works train "$tmp/cohort.h5" -m labs -t death -o "$tmp/x.h5" --latent 8x8 --epochs 1 -q $words
done
exit $status
