#!/bin/sh
# faults.sh - a call of the system fails in the middle of a command: one message, the exit status for a failure, the old output as it was and
# nothing beside it; or all went well, and then the output is the right one. A few dozen points; faults.c, preloaded, makes them fail.
# shellcheck disable=SC2317 # functions are called by test_that
# shellcheck disable=SC2086 # $quick is several words
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"
if [ -n "${MMLT_SANITIZERS:-}" ]; then
    echo "skip - failing calls (sanitizers replace the allocator themselves)"
    exit 77
fi
if ! ${MMLT_CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -shared -fPIC "$MMLT_SRCDIR/tests/cli/faults.c" -o "$tmp/faults.so" -ldl 2>"$tmp/err"; then
    echo "skip - failing calls (faults.c does not build here)"
    exit 77
fi
ENOENT=2 EIO=5 EAGAIN=11 ENOMEM=12 EMFILE=24 ENOSPC=28
MMLEGO_REEXEC=OMP_WAIT_POLICY # the tool would start itself again, and calls be counted anew
OMP_WAIT_POLICY=passive
TMPDIR=$tmp/t
export MMLEGO_REEXEC OMP_WAIT_POLICY TMPDIR
mkdir "$TMPDIR"

# faulty CALL:N:ERRNO FILE WORD...: the tool with that fault (in FILE only, unless it is -).
faulty() {
    fault=$1
    match=$2
    shift 2
    [ "$match" = - ] && match=
    rm -f "$tmp/said"
    LD_PRELOAD=$tmp/faults.so FAULT=$fault FAULT_FILE=$match FAULT_SAID=$tmp/said "$MMLT_MMLEGO" "$@" >"$tmp/out" 2>"$tmp/err"
    code=$?
}
faulty alloc:1:$ENOMEM - version
if ! [ -e "$tmp/said" ]; then
    echo "skip - failing calls (nothing can be preloaded into this tool)"
    exit 77
fi

mkdir "$tmp/o"
old=$tmp/o/old
one_message() { [ "$(grep -c . "$tmp/err")" -eq 1 ] && grep -q '^mmlego [a-z]*: .\{10\}' "$tmp/err" && ! grep -q '(null)' "$tmp/err"; }
nothing_beside() { [ "$(find "$tmp/o" "$TMPDIR" -type f | wc -l)" -eq 1 ]; }
# what a command must have done: nothing but say so, or all of it, if the fault did not matter
in_order() {
    if [ "$code" -eq 0 ]; then
        cmp -s "$old" "$tmp/right" && nothing_beside
    else
        exits 1 && one_message && [ "$(cat "$old")" = old ] && nothing_beside
    fi
}
stands() { # FAULT FILE WORD...
    printf 'old\n' >"$old"
    faulty "$@"
    [ -e "$tmp/said" ] && in_order
}
fails_with() { # TEXT FAULT FILE WORD...
    text=$1
    shift
    stands "$@" && exits 1 && says "$text"
}

make_cohort
cohort=$tmp/cohort.h5
must train "$cohort" -m labs -t death -o "$tmp/labs.h5" $quick
must train "$cohort" -m genes -t death -o "$tmp/genes.h5" $quick
seeds=$MMLT_SRCDIR/tests/fuzz/seeds

# every COMMAND...: sampled allocations of it.
every() {
    must "$@" -o "$tmp/right"
    for n in 2 5 6 13 15 17 50 120; do
        test_that "allocation $n of $1 fails in order" stands alloc:$n:$ENOMEM - "$@" -o "$old"
    done
}
every import "$seeds/anndata/sparse.h5ad"
for n in 5 40 85; do
    test_that "read $n of an AnnData file that the disk does not give is no damage" fails_with "sparse.h5ad: could not be read: Input/output error" \
        read:$n:$EIO sparse.h5ad import "$seeds/anndata/sparse.h5ad" -o "$old"
done
every predict "$tmp/labs.h5" "$cohort" --threads 1
every export "$cohort" -m labs -q

must merge "$tmp/labs.h5" "$tmp/genes.h5" -o "$tmp/right" -q
merge="merge $tmp/labs.h5 $tmp/genes.h5 -q -o $old"
for n in 2 10 30 60 90 120; do
    test_that "read $n of a model that the disk does not give is no damage" fails_with "labs.h5: could not be read: Input/output error" \
        read:$n:$EIO labs.h5 $merge
done
test_that "a model that was read is closed whatever the system says" stands close:1:$EIO labs.h5 $merge
test_that "and the rest goes well" exits 0
for n in 1 7 40; do
    test_that "write $n without room is told" fails_with "make room and run this again" write:$n:$ENOSPC "/o/" $merge
done
test_that "a flush that fails is told" fails_with "$old: could not be written to the disk: Input/output error" sync:1:$EIO "/o/" $merge
test_that "a rename that fails is told" fails_with "$old: could not be replaced" rename:1:$ENOENT "/o/" $merge
must predict "$tmp/labs.h5" "$cohort" -o "$tmp/right"
for n in 2 20 60; do
    test_that "read $n of a cohort that the disk does not give is told" fails_with "cohort.h5: could not be read: Input/output error" \
        read:$n:$EIO cohort.h5 predict "$tmp/labs.h5" "$cohort" -o "$old"
done

study=$tmp/study
compare="compare $cohort -t death -m labs -s linear --folds 2 --fold 0 -j 1 -q -o $study"
faulty fork:1:$EAGAIN - $compare
test_that "without a process for a job a comparison fails" exits 1
test_that "in one message" one_message
test_that "with the reason" says "no process can be made: Resource temporarily unavailable"
record=$study/jobs/linear@labs.0.json
faulty open:1:$EMFILE linear@labs.0.json $compare
test_that "a record that cannot be opened is a failure" exits 1
test_that "in one message" one_message
test_that "with the reason" says "$record: cannot be opened: Too many open files"
test_that "the record itself is a good one, and stays" grep -q '"status": "ok"' "$record"
cp "$record" "$tmp/record"
test_that "the command goes on from there" works $compare
test_that "and runs nothing twice" cmp -s "$record" "$tmp/record"
exit $status
