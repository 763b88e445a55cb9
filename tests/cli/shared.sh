#!/bin/sh
# shared.sh - every file of ../shared/data (MMLEGO_SHARED names another ../shared) is imported by one command, or refused with a
# reason: shared.list says how, and what is said of it.
# shellcheck disable=SC2086 # lists of files
# shellcheck disable=SC2317 # functions are called by test_that
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"
data=${MMLEGO_SHARED:-${MMLT_SRCDIR:-.}/../shared}/data
if ! [ -d "$data" ]; then
    echo "skip - the data sets of ../shared/data are not there (MMLEGO_SHARED)"
    exit 77
fi
data=$(cd "$data" && pwd)
list=$MMLT_SRCDIR/tests/cli/shared.list

# ini NAME FOLDER: the committed file with that folder.
with_folder() { sed "s|^folder = .*|folder = $data/$2|" "$MMLT_SRCDIR/data/cohorts/$1.ini"; }
says_all() {
    rest=$1
    while [ -n "$rest" ]; do
        words=${rest%%; *}
        case $words in
        "samples: "*) grep -qx -e "$words" "$tmp/err" ;;
        *) says "$words" ;;
        esac || { echo "#   does not say: $words" && return 1; }
        case $rest in
        *"; "*) rest=${rest#*; } ;;
        *) rest= ;;
        esac
    done
}
as_listed() { exits "$1" && says_all "$2"; }

grep -v -e '^#' -e '^$' "$list" >"$tmp/rows"
while IFS='|' read -r files how want words; do
    set -- $how
    first=${files%% *}
    want=${want# }
    if [ -n "${MMLT_FAST:-}" ]; then
        case $first in
        physionet2012/* | ham10000_melanoma_64* | covid_cxr* | *blca* | *brca*)
            echo "skip - $first: $how is large, or much like others (MMLT_FAST)"
            continue
            ;;
        esac
    fi
    case $1 in
    direct) run import "$data/$first" -o "$tmp/c.h5" ;;
    ini) with_folder "$2" "$3" >"$tmp/c.ini" && run import "$tmp/c.ini" -o "$tmp/c.h5" ;;
    random) with_folder "$2" "$3" | sed 's|splits/5foldcv|splits_random|g' >"$tmp/c.ini" && run import "$tmp/c.ini" -o "$tmp/c.h5" ;;
    esac
    test_that "$first: $how is as listed" as_listed "${want% }" "${words# }"
done <"$tmp/rows"

# A file that no row stands for is a gap.
cut -d'|' -f1 "$tmp/rows" | tr ' ' '\n' | grep . | sort -u >"$tmp/listed"
(cd "$data" && find . -type f ! -name README.md | sed 's|^\./||') | sort >"$tmp/files"
awk 'NR == FNR { listed[$0]; next } { path = $0; while (!(path in listed) && sub("/[^/]*$", "", path)) { } if (!(path in listed)) print }' \
    "$tmp/listed" "$tmp/files" >"$tmp/missed"
cp "$tmp/missed" "$tmp/out"
test_that "every file there is in the list" [ ! -s "$tmp/missed" ]
test_that "and there are some" [ -s "$tmp/files" ]

with_folder tcga_porpoise_kirp tcga_porpoise >"$tmp/c.ini"
printf '\n[modality cnv]\nkind = table\nfile = datasets_csv_mutsig/tcga_kirp_all_clean.csv.zip\ncolumns = *_cnv\n' >>"$tmp/c.ini"
test_that "copy numbers, which KIRP has not, are answered with what there is" fails 2 "AAK1_rnaseq" import "$tmp/c.ini" -o "$tmp/x.h5"
exit "$status"
