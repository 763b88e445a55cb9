#!/bin/sh
# symbols.sh - what the shared library exports, what its headers declare and the committed list are the same.
# After a wanted change of the interface: tests/api/symbols.sh --update (in a built tree, MMLT_BUILDDIR set).
set -u
src=${MMLT_SRCDIR:-.}
build=${MMLT_BUILDDIR:-.}
list=$src/tests/api/symbols.txt
status=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
LC_ALL=C
export LC_ALL

library=$build/.libs/libmmlego.so
if [ ! -f "$library" ]; then
    echo "skip - exported symbols: no shared library in this build"
    exit 77
fi

nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$tmp/exported"
# Declared: preprocessor lines and comments away, statements one a line, the name before the first parenthesis.
cat "$src"/include/mmlego/*.h |
    sed -e '/^[[:space:]]*#/d' -e 's://.*$::' | tr '\n' ' ' | sed -e 's:/\*\([^*]\|\*\+[^*/]\)*\*\+/: :g' | tr ';{}' '[\n*]' |
    sed -nE 's/.*\bMML_API\b[^(]*[^A-Za-z0-9_]([A-Za-z_][A-Za-z0-9_]*)[[:space:]]*\(.*/\1/p' | sort -u >"$tmp/declared"

if [ "${1:-}" = --update ]; then
    cp "$tmp/exported" "$list"
    echo "$list: $(wc -l <"$list") symbols"
    exit 0
fi

same() { # SENTENCE FILE FILE
    if diff "$2" "$3" >"$tmp/diff"; then
        echo "ok - $1"
    else
        echo "not ok - $1"
        sed 's/^/#   /' "$tmp/diff"
        status=1
    fi
}

if grep -v '^mml_' "$tmp/exported" >"$tmp/foreign"; then
    echo "not ok - every exported name starts with mml_"
    sed 's/^/#   /' "$tmp/foreign"
    status=1
elif [ -s "$tmp/exported" ]; then
    echo "ok - every exported name starts with mml_"
else
    echo "not ok - the library exports something"
    status=1
fi
same "every declared function is exported, and the other way round (< declared, > exported)" "$tmp/declared" "$tmp/exported"
same "the exported names are those of tests/api/symbols.txt (< list, > exported)" "$list" "$tmp/exported"
exit $status
