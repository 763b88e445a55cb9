#!/bin/sh
# install.sh - `make install` into an empty folder: the files are those of installed.txt, a program compiles
# against them with the flags of mmlego.pc and runs, `make uninstall` leaves no file behind.
set -u
src=${MMLT_SRCDIR:-.}
build=${MMLT_BUILDDIR:-.}
status=0
if [ -n "${MMLT_SANITIZERS:-}" ]; then
    echo "skip - install (sanitizers: not a build to install)"
    exit 77
fi
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
# A make of its own: not a job of the make that runs the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL

ok() { echo "ok - $*"; }
bad() {
    echo "not ok - $*"
    status=1
    return 1
}

make -C "$build" --no-print-directory install DESTDIR="$tmp/root" >"$tmp/log" 2>&1 || {
    sed 's/^/#   /' "$tmp/log"
    bad "make install works"
    exit 1
}
ok "make install works"

prefix=$(sed -n 's/^prefix=//p' "$build/mmlego.pc")
# The folder of libraries differs between systems, libmmlego.a depends on a switch.
(cd "$tmp/root$prefix" && find . ! -type d | sed -e 's:^\./::' -e 's:^lib[0-9]*/[^/]*-linux-gnu[^/]*/:lib/:' -e 's:^lib64/:lib/:' |
    grep -v -e 'libmmlego\.a$' -e '/mmlego-cuda\.so$' | LC_ALL=C sort) >"$tmp/files"
if diff "$src/tests/api/installed.txt" "$tmp/files" >"$tmp/diff"; then
    ok "the installed files are those of installed.txt"
else
    bad "the installed files are those of installed.txt (< list, > installed)"
    sed 's/^/#   /' "$tmp/diff"
fi

modules=$(find "$tmp/root" -path '*/libmmlego/mmlego-cuda.so' | wc -l)
if [ "$modules" -eq "$([ -n "${MMLT_CUDA_MODULE:-}" ] && echo 1 || echo 0)" ]; then
    ok "the module for GPUs is installed by a build that has one, and by no other"
else
    bad "the module for GPUs is installed by a build that has one, and by no other ($modules found)"
fi

cat >"$tmp/t.c" <<'C'
#include <mmlego/mmlego.h>
#include <stdio.h>
int main(void)
{
    return printf("%s\n", mml_version()) < 0;
}
C
libdir=$(dirname "$(find "$tmp/root" -name 'libmmlego.so' | head -n 1)")
PKG_CONFIG_SYSROOT_DIR=$tmp/root PKG_CONFIG_PATH=$libdir/pkgconfig PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 \
    PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config --cflags --libs mmlego >"$tmp/flags" 2>"$tmp/err" ||
    { bad "pkg-config finds mmlego"; sed 's/^/#   /' "$tmp/err"; }
# shellcheck disable=SC2086,SC2046 # words of a command line
if ${MMLT_CC:-cc} -std=c99 "$tmp/t.c" -o "$tmp/t" $(cat "$tmp/flags") 2>"$tmp/err" &&
    got=$(LD_LIBRARY_PATH=$libdir "$tmp/t" 2>>"$tmp/err"); then
    want=$(sed -n 's/^Version: //p' "$libdir/pkgconfig/mmlego.pc")
    if [ "$got" = "$want" ]; then
        ok "a program compiles with the flags of mmlego.pc, runs and sees version $want"
    else
        bad "a program sees the version of mmlego.pc ($want), not $got"
    fi
else
    bad "a program compiles with the flags of mmlego.pc and runs"
    sed 's/^/#   /' "$tmp/err"
fi

make -C "$build" --no-print-directory uninstall DESTDIR="$tmp/root" >"$tmp/log" 2>&1
left=$(find "$tmp/root" ! -type d)
if [ -z "$left" ]; then
    ok "make uninstall leaves no file behind"
else
    bad "make uninstall leaves no file behind"
    printf '%s\n' "$left" | sed 's/^/#   /'
fi
exit $status
