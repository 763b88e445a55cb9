#!/bin/sh
# import.sh - files without an ini: inspected, suggested, imported, checked; what is not read is answered with how to convert it.
# shellcheck disable=SC2317 # functions are called by test_that
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"
cat >"$tmp/labels.csv" <<END
case_id,survival_months,censorship,age,sex
p1,3.5,0,50,m
p2,7,1,61,f
p3,2,0,,f
END
printf 'case_id\tTP53\tEGFR\np3\t1\t2\np1\t3\t4\nother\t5\t6\n' >"$tmp/rna.tsv"
printf 'case_id,slide_id,age,survival_months,censorship,A_rnaseq,A_mut\np1,s1.svs,50,3,0,0.5,1\np2,s2.svs,61,9,1,2,0\np3,s3.svs,40,7,1,1,0\n' \
    >"$tmp/wide.csv"
printf ',train,val\n0,p1,p2\n1,p3,\n' >"$tmp/splits.csv"
printf 'PAR1\0\0\0\0' >"$tmp/x.parquet"

run inspect "$tmp/labels.csv"
test_that "inspect of a table ends well" exits 0
for word in "id column:" "case_id (p1 to p3)" "survival_months" "whole number"; do
    test_that "inspect of a table shows $word" prints "$word"
done
run inspect "$tmp/labels.csv" --json
test_that "inspect --json of a table prints a JSON object" python3 -c 'import json, sys; json.load(open(sys.argv[1]))["columns"][3]["name"] == "age" or sys.exit(1)' "$tmp/out"

run inspect --init "$tmp/labels.csv" "$tmp/rna.tsv"
test_that "inspect --init ends well" exits 0
test_that "inspect --init finds the survival task" prints "censorship = censorship"
cp "$tmp/out" "$tmp/cohort.ini"
run import "$tmp/cohort.ini" -o "$tmp/c.h5"
test_that "what it prints is imported" exits 0
test_that "with the samples that both files have" says "modality rna (table): 2 of 3 samples"
run inspect --init "$tmp/rna.tsv" --as csv
test_that "--as names a format" prints "[modality rna]"
test_that "an unknown format is answered with the nearest" fails 2 "csv" import "$tmp/rna.tsv" --as cvs -o "$tmp/x.h5"

test_that "a list of ids alone is no cohort" fails 3 "nothing in it can be a feature" import "$tmp/splits.csv" -o "$tmp/x.h5"
run import "$tmp/wide.csv" --as mcat -o "$tmp/wide.h5"
test_that "--as mcat takes a wide table without an ini" exits 0
test_that "a suffix is a modality there" says "modality mut (table): 3 of 3 samples"
test_that "--as mcat refuses other tables with what they lack" fails 3 "it has no column slide_id" import "$tmp/labels.csv" --as mcat -o "$tmp/x.h5"
# The names of --help are those that there are: an unknown one is answered with all of them, safetensors (refused) among them.
run import --help
sed -n '/--as FORMAT/,/--dry-run/p' "$tmp/out" | sed -e '/--dry-run/d' -e 's/.*looking://' -e 's/--as FORMAT//' |
    tr -cs 'a-z0-9' '\n' | grep -v -x -e or -e ini -e what -e is -e where -e it -e cannot -e be -e told -e by -e '' | sort >"$tmp/listed"
run import "$tmp/rna.tsv" --as nothing-of-it -o "$tmp/x.h5"
sed 's/.*there are: //' "$tmp/err" | tr -cs 'a-z0-9' '\n' | grep -v -x -e safetensors -e '' | sort >"$tmp/known"
test_that "--help lists the formats that there are" cmp "$tmp/listed" "$tmp/known"

# One cell that is no number keeps a column from being a feature: that is told, and by --init why.
printf 'case_id,crp,na\np1,5,130\np2,<0.3,131\np3,7,140\np4,,139\n' >"$tmp/limit.csv"
run inspect --init "$tmp/limit.csv"
test_that "--init says why a column of numbers and a text is left out" prints "; crp has 2 numbers, and 1 other cell, for which it is left out"
run import "$tmp/limit.csv" -o "$tmp/limit.h5"
test_that "an import without an ini says which columns it leaves out" says "columns left out, as mmlego inspect --init suggests: crp"
run import "$tmp/rna.tsv" -o "$tmp/rna.h5"
test_that "and nothing of the kind where none is left out" eval '! says "columns left out"'
test_that "a table is imported without an ini" exits 0
test_that "import needs an output" fails 2 "-o FILE is needed" import "$tmp/rna.tsv"
test_that "several files are for --init" fails 2 "for --init" inspect "$tmp/rna.tsv" "$tmp/labels.csv"

printf 'case_id,x,y\np1,one,2\np2,3,two\n' >"$tmp/bad.csv"
printf '[cohort]\nlabels = labels.csv\nid = case_id\n[modality bad]\nkind = table\nfile = bad.csv\n' >"$tmp/bad.ini"
run import "$tmp/bad.ini" --dry-run
test_that "--dry-run ends with 3 where something is wrong" exits 3
test_that "and says the first" says '"one" is not a number'
test_that "and the second" says '"two" is not a number'
test_that "and how many" says "2 problems found"
run import "$tmp/cohort.ini" --dry-run
test_that "--dry-run of what is right ends well" exits 0
test_that "and says so" says "nothing is wrong; nothing was written"

test_that "a Parquet file is answered with what converts it" fails 3 "read_parquet" import "$tmp/x.parquet" -o "$tmp/x.h5"
test_that "by inspect too" fails 3 "read_parquet" inspect "$tmp/x.parquet"

# Images in folders: images/PATIENT/x.png, made here.
png() { # FILE GREY: 4 x 4 pixels
    python3 -c 'import struct, sys, zlib
def chunk(t, d): return struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d))
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)) +
    chunk(b"IDAT", zlib.compress((b"\0" + bytes([int(sys.argv[2])] * 4)) * 4)) + chunk(b"IEND", b""))' "$1" "$2"
}
if has_python; then
    mkdir -p "$tmp/images/p1/right" "$tmp/images/p3"
    png "$tmp/images/p1/right/x.png" 7
    png "$tmp/images/p3/x.png" 9
    printf '[cohort]\nlabels = labels.csv\nid = case_id\n[modality image]\nkind = image\nformat = images\nfile = images\npatch = 2\n' >"$tmp/images.ini"
    test_that "images in folders are not found by themselves" fails 3 "folders = sample" import "$tmp/images.ini" -o "$tmp/x.h5"
    echo 'folders = sample' >>"$tmp/images.ini"
    run import "$tmp/images.ini" -o "$tmp/images.h5"
    test_that "with folders = sample they are of the patients that the folders are named by" says "modality image (image): 2 of 3 samples, 8 tokens"
    run inspect --init "$tmp/images" --as images
    test_that "inspect --init says so of a folder of folders" prints "folders = sample"
else
    echo "skip - images in folders: no python3"
fi
exit "$status"
