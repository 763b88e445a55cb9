#!/bin/sh
# bench.sh - mmlego bench: the list, a small case, JSON, and what is refused. Times are not looked at.
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"

TMPDIR=$tmp
export TMPDIR

# A neighbour that is left would keep the pipe open.
neighbours_end() {
    # shellcheck disable=SC2016,SC2317 # the inner shell expands them; test_that calls this function
    timeout 60 sh -c '"$1" bench table-predict-1 --busy --no-limits --seconds 0.01 --threads 2 | cat >"$2"' - "$MMLT_MMLEGO" \
        "$tmp/out"
}

run bench --list
test_that "bench --list ends well" exits 0
test_that "bench --list names a case with its group" prints "table-predict-1      main"
test_that "and those of a scaling study" prints "modalities-32        modalities"

run bench table-predict-1 --no-limits --seconds 0.01 --threads 2
test_that "a case runs" exits 0
test_that "and is one line of the table" grep -qE '^table-predict-1 +[0-9]+\.[0-9]{3} ' "$tmp/out"
test_that "and says nothing else" silent

run bench table-predict-1 fuse-predict-2 --no-limits --seconds 0.01 --threads 1 --json
test_that "bench --json ends well" exits 0
test_that "bench --json has both cases" [ "$(grep -c '"case": "' "$tmp/out")" -eq 2 ]
test_that "a warm prediction allocates nothing" [ "$(grep -c '"host_allocations": 0,' "$tmp/out")" -eq 2 ]
test_that "what was not measured is null" prints '"limits": null'

test_that "95 of 100 repeats are told" grep -q '"p95": [0-9]' "$tmp/out"

run bench start --no-limits --seconds 0.01 --threads 2
test_that "a process that starts and predicts is measured" exits 0
test_that "and is one line of the table" grep -qE '^start +[0-9]+\.[0-9]{3} ' "$tmp/out"
test_that "and says nothing else" silent
test_that "and leaves no file behind" [ -z "$(find "$tmp" -name 'mmlego-bench-*')" ]
test_that "what cannot be loaded is named" fails 1 "banana.h5" bench --load banana.h5

test_that "busy neighbours end with the program" neighbours_end
test_that "a case runs beside them" grep -q '^table-predict-1 ' "$tmp/out"

test_that "an unknown case is answered with the nearest" fails 2 "did you mean 'table-train-32'?" bench table-trian-32
test_that "a strange case is answered with where to look" fails 2 "see --list" bench banana
test_that "so is an unknown group" fails 2 "there is no group 'banana'" bench --group banana
test_that "no time is refused" fails 2 "--seconds" bench --seconds 0

exit $status
