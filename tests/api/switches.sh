#!/bin/sh
# switches.sh - every switch of our own is explained by configure --help, and a wrong value is refused with a
# message that says what is right.
set -u
src=${MMLT_SRCDIR:-.}
status=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
if [ ! -x "$src/configure" ]; then
    echo "not ok - $src/configure is there"
    exit 1
fi

"$src/configure" --help >"$tmp/help" || { echo "not ok - configure --help works"; exit 1; }
for switch in --with-fft --with-blas --with-cuda --with-cuda-arch --with-vecmath --enable-sanitizers --enable-native --enable-coverage --enable-werror --with-threads; do
    if grep -q -- "^  $switch" "$tmp/help"; then
        echo "ok - configure --help explains $switch"
    else
        echo "not ok - configure --help explains $switch"
        status=1
    fi
done

refused() { # SWITCH TEXT-OF-THE-MESSAGE
    mkdir "$tmp/b" || exit 99
    if (cd "$tmp/b" && "$src/configure" CC="${MMLT_CC:-cc}" "$1") >"$tmp/out" 2>&1; then
        echo "not ok - configure refuses $1"
        status=1
    elif grep -q -- "$2" "$tmp/out"; then
        echo "ok - configure refuses $1 and says: $2"
    else
        echo "not ok - configure refuses $1 and says: $2"
        tail -n 3 "$tmp/out" | sed 's/^/#   /'
        status=1
    fi
    rm -rf "$tmp/b"
}
refused --with-cuda=/no/toolkit 'there is no /no/toolkit/bin/nvcc'
refused --with-threads=green 'openmp or pool'
refused --enable-sanitizers=memory 'not one of address,undefined'
if [ -n "${MMLT_FAST:-}" ]; then
    echo "skip - --with-fft and --with-blas, which are found late (MMLT_FAST)"
else
    refused --with-fft=mkl 'not one of fftw3 | kissfft'
    refused --with-blas=no-such-library 'the package that has it'
fi
exit $status
