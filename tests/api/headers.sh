#!/bin/sh
# headers.sh - each public header compiles alone, twice over, strictly, as C99 with gcc and clang and as C++;
# all of them are installed, and mmlego.h brings all.
set -u
src=${MMLT_SRCDIR:-.}
status=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

ok() { echo "ok - $*"; }
bad() {
    echo "not ok - $*"
    status=1
}

compiles() { # NAME HEADER SOURCE-SUFFIX COMPILER FLAGS...
    name=$1 header=$2 suffix=$3
    shift 3
    printf '#include <mmlego/%s>\n#include <mmlego/%s>\nint mmlt_unit_is_not_empty = MML_OK;\n' "$header" "$header" >"$tmp/t.$suffix"
    if "$@" -Wall -Wextra -pedantic -Werror -Wundef -I"$src/include" -c "$tmp/t.$suffix" -o "$tmp/t.o" 2>"$tmp/err"; then
        ok "$header compiles alone with $name"
    else
        bad "$header compiles alone with $name"
        sed 's/^/#   /' "$tmp/err"
    fi
}

have() { command -v "$1" >/dev/null 2>&1; }
for tool in gcc:gcc clang:clang g++:g++ clang++:clang; do
    have "${tool%%:*}" || echo "skip - headers with ${tool%%:*} (apt-get install ${tool##*:})"
done

for path in "$src"/include/mmlego/*.h; do
    header=${path##*/}
    if have gcc; then compiles 'gcc as C99' "$header" c gcc -std=c99 -Wstrict-prototypes; fi
    if have clang; then compiles 'clang as C99' "$header" c clang -std=c99 -Wstrict-prototypes; fi
    if have g++; then compiles 'g++ as C++11' "$header" cc g++ -std=c++11; fi
    if have clang++; then compiles 'clang++ as C++11' "$header" cc clang++ -std=c++11; fi

    # A package unpacked from `make dist` has Makefile.am too.
    if grep -q "include/mmlego/$header\\b" "$src/Makefile.am"; then
        ok "$header is installed"
    else
        bad "$header is installed: not in mmlegoinclude_HEADERS of Makefile.am"
    fi
    grep -oE 'mml_status mml_[a-z0-9_]+\(' "$path" | sed 's/.* //; /^mml_last_status/d' >"$tmp/functions"
    while read -r function; do
        grep -qF " $function" "$src/tests/api/test_null.c" || bad "${function%(} of $header is given NULL by tests/api/test_null.c"
    done <"$tmp/functions"
    if [ "$header" = mmlego.h ] || grep -rqE "^#include [\"<]mmlego/${header}[\">]" "$src/include/mmlego/"; then
        ok "$header comes with the others"
    else
        bad "$header comes with the others: nothing in include/mmlego includes it"
    fi
done
exit $status
