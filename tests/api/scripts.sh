#!/bin/sh
# scripts.sh - shell scripts of the tree are clean for shellcheck; scripts/tally counts what it is given.
set -u
src=${MMLT_SRCDIR:-.}
status=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

if command -v shellcheck >/dev/null 2>&1; then
    for script in "$src"/scripts/* "$src"/tests/*/*.sh "$src"/bench/*.sh "$src"/.ci/run; do
        [ -f "$script" ] || continue
        head -n 1 "$script" | grep -qE '^#!.*sh|shellcheck shell' || continue
        if (cd "$src" && shellcheck -x "$script") >"$tmp/out" 2>&1; then
            echo "ok - shellcheck finds nothing in ${script#"$src"/}"
        else
            echo "not ok - shellcheck finds nothing in ${script#"$src"/}"
            sed 's/^/#   /' "$tmp/out"
            status=1
        fi
    done
else
    echo "skip - shellcheck (apt-get install shellcheck)"
fi

program() { # NAME RESULT LOG-TEXT
    printf ':test-result: %s\n' "$2" >"$tmp/b/$1.trs"
    printf '%b' "$3" >"$tmp/b/$1.log"
}
tallies() { # SENTENCE EXIT-STATUS LAST-LINE
    last=$("$src/scripts/tally" "$tmp/b" | tail -n 1)
    "$src/scripts/tally" "$tmp/b" >/dev/null
    got=$?
    if [ "$last" = "$3" ] && [ $got -eq "$2" ]; then
        echo "ok - tally: $1"
    else
        echo "not ok - tally: $1: '$last' with status $got, not '$3' with $2"
        status=1
    fi
    rm -rf "$tmp/b"
    begin
}
begin() { mkdir "$tmp/b" && touch "$tmp/b/Makefile"; }
begin

tallies "no test at all is a failure" 1 "0 passed, 1 failed"
program a PASS '100%: Checks: 7, Failures: 0, Errors: 0\n'
program b PASS 'ok - one\nok - two\nskip - three\n'
program c PASS 'a script that says nothing\n'
program d SKIP ''
tallies "Check's tests, lines and silent scripts add up" 0 "10 passed, 0 failed, 2 skipped"
program a FAIL '60%: Checks: 5, Failures: 1, Errors: 1\n'
program b FAIL 'ok - one\nnot ok - two\n'
tallies "failures are those that the programs name" 1 "4 passed, 3 failed"
program a FAIL '100%: Checks: 5, Failures: 0, Errors: 0\n'
program b ERROR ''
tallies "a program that ends badly without naming a test is one failure" 1 "5 passed, 2 failed"
program a PASS '50%: Checks: 2, Failures: 1, Errors: 0\n'
tallies "a failure counts even if the program ended with 0" 1 "1 passed, 1 failed"
program a SKIP 'skip - device: kernels (no driver (none at all))\nskip - device: golden (no driver (none at all))\n'
if "$src/scripts/tally" "$tmp/b" | grep -qxF 'tally: 2 device tests skipped: no driver (none at all)'; then
    echo "ok - tally: tests that want a GPU and have none are told"
else
    echo "not ok - tally: tests that want a GPU and have none are told"
    status=1
fi
exit $status
