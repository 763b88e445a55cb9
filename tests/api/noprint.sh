#!/bin/sh
# noprint.sh - the library never prints, ends the program or reads its terminal: no object of it refers to
# a function that would. Looks at the objects, so a call behind a macro is found too.
set -u
archive=${MMLT_BUILDDIR:-.}/.libs/libmmlego_core.a
if [ ! -f "$archive" ]; then
    echo "not ok - $archive is there to look at"
    exit 1
fi
tmp=$(mktemp) || exit 99
trap 'rm -f "$tmp"' EXIT
nm -A -u "$archive" 2>/dev/null >"$tmp"
[ -s "$tmp" ] || { echo "not ok - the objects of the library can be read"; exit 1; }

status=0
none() { # SENTENCE EXTENDED-REGEX
    if grep -E " U ($2)(@.*)?\$" "$tmp" | sed 's/^.*libmmlego_core.a:/#   /' | grep .; then
        echo "not ok - $1"
        status=1
    else
        echo "ok - $1"
    fi
}
none "the library does not print" '(__)?v?printf(_chk)?|puts|putchar|putc_unlocked|perror|psignal|stdout|stderr|error|warnx?|errx?'
none "the library does not end the program" 'exit|_exit|_Exit|quick_exit|abort|__assert_fail|raise|kill'
none "the library does not read the terminal" 'stdin|getchar|gets|scanf|__isoc99_scanf'
none "the library uses no call without a length or an error" 'strcpy|strcat|sprintf|vsprintf|atoi|atof|atol|strtok|rand|srand|setenv|putenv|setlocale'
exit $status
