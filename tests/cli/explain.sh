#!/bin/sh
# explain.sh - tables of attention, modalities and features: what is in them, that sums are what they must be, messages.
# shellcheck disable=SC2317 # functions are called by test_that
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"

make_cohort
c=$tmp/cohort.h5
# shellcheck disable=SC2086 # words of options
for m in labs genes; do
    must train "$c" -m $m -t death --train site=a --test site=b $quick -o "$tmp/$m.h5"
done
must merge "$tmp/labs.h5" "$tmp/genes.h5" -o "$tmp/merged.h5"
m=$tmp/merged.h5

run explain "$m" "$c" -o "$tmp/all"
test_that "explain ends well" exits 0
test_that "explain prints nothing on stdout" prints_nothing
test_that "explain says what is explained and where it is" says "tables of 120 patients are in $tmp/all"
test_that "there is nothing else in the folder" \
    [ "$(cd "$tmp/all" && echo *)" = "attention.tsv features.svg features.tsv gradients-scores.tsv gradients.tsv modalities-summary.tsv modalities.svg modalities.tsv" ]

sum_to_one() { # weights of a patient, block and step
    awk -F '\t' 'NR > 1 { sum[$1 FS $2 FS $3] += $7 } END { for (k in sum) if (sum[k] < 0.9999 || sum[k] > 1.0001) { print k, sum[k]; bad = 1 } exit bad + !NR }' "$1"
}
test_that "weights of tokens sum to 1" sum_to_one "$tmp/all/attention.tsv"
test_that "a table is one token, its row" grep -qP '\tlabs\t1\trow\t1\t-\t1$' "$tmp/all/attention.tsv"
test_that "there is a line for each patient and modality" \
    [ "$(wc -l <"$tmp/all/modalities.tsv")" -eq 211 ]

# The score is the log odds that predict gives.
must predict "$m" "$c" -o "$tmp/predicted.tsv"
as_predicted() {
    awk -F '\t' 'NR == FNR { if (FNR > 1) odds[$1] = $4 - $3; next }
        FNR > 1 && ($4 - odds[$1] > 1e-4 || odds[$1] - $4 > 1e-4) { print; bad = 1 } END { exit bad }' \
        "$tmp/predicted.tsv" "$tmp/all/modalities.tsv"
}
test_that "the score is that of the prediction" as_predicted
alone_is_prior() { awk -F '\t' 'FNR > 1 { n[$1]++; prior[$1] += $11 } END { for (id in n) if ((n[id] == 1) != (prior[id] == 1)) exit 1 }' "$tmp/all/modalities.tsv"; }
test_that "what is left without the only modality is the prior" alone_is_prior
adds_up() { # sum of attributions = score - baseline + gap, and the gap is small
    awk -F '\t' 'NR == FNR { if (FNR > 1) sum[$1] += $5; next }
        FNR > 1 { d = sum[$1] - ($3 - $4) - $5; if (d > 1e-5 || d < -1e-5 || $5 > 0.02 || $5 < -0.02) { print; bad = 1 } } END { exit bad }' \
        "$tmp/all/gradients.tsv" "$tmp/all/gradients-scores.tsv"
}
test_that "attributions sum to the difference of scores" adds_up
sed 1d "$tmp/all/features.tsv" | cut -f 4 >"$tmp/sizes"
test_that "features come by falling size" sort -c -gr "$tmp/sizes"
must explain "$m" "$c" --what gradients --top 3 -o "$tmp/three/" -q
test_that "--top limits the features" [ "$(wc -l <"$tmp/three/features.tsv")" -eq 4 ]
test_that "--quiet says nothing" silent

must explain "$m" "$c" --sample p002 -o "$tmp/p002" -q
test_that "one patient has plots of each block" [ -s "$tmp/p002/gradients-labs.svg" -a -s "$tmp/p002/gradients-genes.svg" ]
whole() {
    for f in "$1"/*.svg; do
        if ! head -c 4 "$f" | grep -q '<svg' || ! tail -c 8 "$f" | grep -q '</svg>'; then
            echo "$f"
            return 1
        fi
    done
}
test_that "plots are whole" whole "$tmp/p002"
test_that "no temporary file is left" no_rest "$tmp/p002"

run explain "$m" "$c" --what modalities
test_that "one subject goes to stdout" prints "id	modality	class	score	without	alone	contribution"
cp "$tmp/out" "$tmp/one"
test_that "it is the same table" cmp -s "$tmp/one" "$tmp/all/modalities.tsv"
must explain "$m" "$c" --what modalities -o "$tmp/file.tsv"
test_that "one subject goes to a file" cmp -s "$tmp/file.tsv" "$tmp/all/modalities.tsv"
must explain "$m" "$c" --what modalities --threads 1 -o "$tmp/file.tsv"
test_that "threads do not change it" cmp -s "$tmp/file.tsv" "$tmp/all/modalities.tsv"
run explain "$m" "$c" --what gradients --per value --sample p001 -m labs
test_that "one patient and one modality can be chosen" [ "$(cut -f 1,2 "$tmp/out" | sed 1d | sort -u | tr '\t' ' ')" = "p001 labs" ]
test_that "a line a value names token and feature" prints "id	block	token	position	feature	part	attribution"
run explain "$m" "$c" --what gradients --per token --on site=b
test_that "a line a token has no feature" prints "id	block	token	position	attribution"

test_that "an unknown subject is answered with the nearest" fails 2 "did you mean gradients?" explain "$m" "$c" --what gradient
test_that "several subjects need a folder" fails 2 "--output must name a folder" explain "$m" "$c"
test_that "an unknown patient is a usage error" fails 2 "has no sample 'nobody'" explain "$m" "$c" --what modalities --sample nobody
test_that "an unknown class is a usage error" fails 2 "has no class \`maybe\`" explain "$m" "$c" --what modalities --class maybe
test_that "an unknown modality is a usage error" fails 2 "no modality lab" explain "$m" "$c" --what gradients -m lab
test_that "--sample and --on are one too many" fails 2 "one of them" explain "$m" "$c" --what modalities --sample p001 --on site=a
test_that "the output is none of the inputs" fails 2 "is one of the inputs" explain "$m" "$c" --what modalities -o "$c"
test_that "the folder must be makeable" fails 1 "cannot be made" explain "$m" "$c" -o "$tmp/none/there"

# Survival, classes, a baseline.
# shellcheck disable=SC2086
must train "$c" -m labs -t grade $quick -o "$tmp/grade.h5"
run explain "$tmp/grade.h5" "$c" --what modalities
test_that "of several classes the predicted one is explained" [ "$(sed 1d "$tmp/out" | cut -f 3 | sort -u | wc -l)" -gt 1 ]
run explain "$tmp/grade.h5" "$c" --what modalities --class "$(sed 1d "$tmp/out" | cut -f 3 | head -n 1)"
test_that "or the one that is named" [ "$(sed 1d "$tmp/out" | cut -f 3 | sort -u | wc -l)" -eq 1 ]
# shellcheck disable=SC2086
must train "$c" -m labs -t survival $quick -o "$tmp/survival.h5"
run explain "$tmp/survival.h5" "$c" --what modalities
test_that "survival has no classes" prints "id	modality	score	without	alone	contribution	prior"
exit $status
