#!/bin/sh
# man.sh - the manual pages and the completion in the tree are what the option tables say: `make man`.
# shellcheck disable=SC2317 # functions are called by test_that
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"

"$MMLT_SRCDIR/doc/man/update" "$MMLT_MMLEGO" "$tmp/new" 2>"$tmp/err"
code=$?
test_that "the pages can be written" exits 0
for page in "$tmp"/new/doc/man/*.1; do
    name=$(basename "$page")
    test_that "doc/man/$name is up to date (else: make man)" diff "$MMLT_SRCDIR/doc/man/$name" "$page"
done
no_more() {
    for page in "$MMLT_SRCDIR"/doc/man/*.1; do
        [ -f "$tmp/new/doc/man/$(basename "$page")" ] || return 1
    done
}
test_that "there is no page without a command" no_more
one_each() { [ "$(find "$tmp/new/doc/man" -name '*.1' | wc -l)" -eq "$(($("$MMLT_MMLEGO" --help | sed -n '/^Commands:/,/^$/p' | grep -c '^  [a-z]') + 1))" ]; }
test_that "every command has a page" one_each
test_that "the completion is up to date (else: make man)" \
    diff "$MMLT_SRCDIR/src/cli/completion/mmlego" "$tmp/new/src/cli/completion/mmlego"

# Every option of the help is in the page: both come from one table, this looks at what becomes of it.
in_page() {
    "$MMLT_MMLEGO" "$1" --help | grep -oE -- '^ {2,6}(-[a-z], )?--(\[no-\])?[a-z0-9-]+' | sed -E 's/^ +//' |
        sed 's/-/\\-/g' >"$tmp/options"
    [ -s "$tmp/options" ] || return 1
    while IFS= read -r option; do
        grep -qF -e ".B $option" "$tmp/new/doc/man/mmlego-$1.1" || return 1
    done <"$tmp/options"
}
for command in import inspect train merge fuse predict evaluate explain compare convert export bench version help; do
    test_that "every option of $command is in its page" in_page "$command"
done

if command -v groff >/dev/null 2>&1; then
    clean() { ! groff -man -ww -Tascii -z "$1" 2>&1 | grep .; }
    for page in "$tmp"/new/doc/man/*.1; do
        test_that "groff finds nothing in $(basename "$page")" clean "$page"
    done
fi
if command -v bash >/dev/null 2>&1; then
    complete_words() { # WORD... : what the completion offers for the last
        bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mmlego; printf "%s\n" "${COMPREPLY[@]}"' \
            bash "$tmp/new/src/cli/completion/mmlego" "$@"
    }
    test_that "the completion knows the commands" [ "$(complete_words mmlego tr)" = train ]
    test_that "the completion knows the options" [ "$(complete_words mmlego train --epo)" = --epochs ]
    test_that "the completion knows the choices" [ "$(complete_words mmlego merge --scale p)" = pooled ]
fi
exit $status
