#!/bin/sh
# help.sh - help is complete, fits 80 columns and goes to stdout; what is not known is answered with the nearest name.
# shellcheck disable=SC2317 # functions are called by test_that
set -u
# shellcheck source=tests/cli/lib.sh
. "${MMLT_SRCDIR:-.}/tests/cli/lib.sh"

commands="import inspect train merge fuse predict evaluate explain compare convert export bench version help"

run --help
cp "$tmp/out" "$tmp/all"
test_that "mmlego --help ends well, on stdout" exits 0
test_that "mmlego --help says nothing on stderr" silent
cp "$tmp/all" "$tmp/out"
for command in $commands; do
    test_that "mmlego --help lists $command" grep -qE "^  $command  +[a-z]" "$tmp/all"
done
test_that "mmlego --help lists nothing else" [ "$(sed -n '/^Commands:/,/^$/p' "$tmp/all" | grep -c '^  [a-z]')" -eq 14 ]
for code_there in 0 1 2 3 130; do
    test_that "mmlego --help explains exit status $code_there" grep -qE "^  ${code_there}[ ,]" "$tmp/all"
done

narrow() { ! grep -nE '^.{80}' "$1"; }
same_words() { # every option of the completion is in the help, and the other way round
    sed -n "s/^        $1) words=\"\(.*\)\" ;;\$/\1/p" "$tmp/completion" | tr ' ' '\n' |
        sed -n 's/^--no-.*//; s/^--//p' | grep . | sort -u >"$tmp/a"
    grep -oE '^ {2,6}(-[a-z], )?--(\[no-\])?[a-z0-9-]+' "$tmp/help" | sed -E 's/.*--(\[no-\])?//' | sort -u >"$tmp/b"
    [ -s "$tmp/a" ] && diff "$tmp/a" "$tmp/b"
}
run help --completion
cp "$tmp/out" "$tmp/completion"
for command in $commands; do
    run "$command" --help
    cp "$tmp/out" "$tmp/help"
    test_that "mmlego $command --help ends well" exits 0
    test_that "mmlego $command --help says nothing on stderr" silent
    test_that "mmlego $command --help fits 80 columns" narrow "$tmp/help"
    test_that "mmlego $command --help begins with the usage" grep -q "^Usage: mmlego $command" "$tmp/help"
    test_that "mmlego $command --help and the completion have the same options" same_words "$command"
    run help "$command"
    test_that "mmlego help $command is mmlego $command --help" cmp -s "$tmp/out" "$tmp/help"
done
run train -m x --help
test_that "--help is shown whatever else is missing" exits 0

# What the issue asks train and merge to have: by name, so that a lost line of the table is noticed.
run train --help
for option in modality task system penalty width depth preset encoder latent steps heads head-width tau dropout transform domain imaginary \
    encoder-width encoder-layers encoder-dropout scaling clip impute indicators position-bands epochs batch lr \
    weight-decay encoder-decay schedule warmup grad-clip patience loss-share l1 class-weights loss alpha bins head seed threads \
    train valid test fold valid-fraction split-seed checkpoint resume log quiet device output selfattn-limit; do
    test_that "train has --$option" grep -qE -- "--(\[no-\])?$option( |\$)" "$tmp/out"
done
run compare --help
for option in task systems modality tune study seed output jobs collect report json quiet folds fold train valid test valid-fraction split-seed; do
    test_that "compare has --$option" grep -qE -- "--$option( |\$)" "$tmp/out"
done
run fuse --help
for option in mode freeze order modality-dropout head epochs lr train fold checkpoint resume seed output; do
    test_that "fuse has --$option" grep -qE -- "--$option( |\$)" "$tmp/out"
done
run merge --help
for option in weights scale aggregation phase head preset cohort seed output; do
    test_that "merge has --$option" grep -qE -- "--$option( |\$)" "$tmp/out"
done

run
test_that "mmlego alone is a usage error" exits 2
test_that "mmlego alone shows the help on stderr" says "Usage: mmlego COMMAND"
test_that "mmlego alone prints nothing" prints_nothing
test_that "an unknown command is answered with the nearest" fails 2 "did you mean 'train'?" trian
test_that "a strange command is not" fails 2 "there is no command 'banana'" banana
test_that "help of an unknown command too" fails 2 "did you mean 'merge'?" help mrege
test_that "an unknown option is answered with the nearest" fails 2 "mmlego train: unknown option --epcohs; did you mean --epochs?" train --epcohs 3
test_that "an unknown option says where to read" fails 2 "Try 'mmlego train --help'." train --banana
test_that "an unknown letter is a usage error" fails 2 "unknown option -Z" train -Z
test_that "an option before the command is a usage error" fails 2 "a command comes first" --json
test_that "an unknown choice is answered with the nearest" fails 2 "--encoder must be none, linear, snn, abmil, selfattn or embedding, not 'sn'; did you mean snn?" train --encoder sn
test_that "an option that must be there is named" fails 2 "--modality NAME is missing" train cohort.h5
test_that "an operand that must be there is named" fails 2 "MODEL COHORT are missing" predict
test_that "one of two operands is not enough" fails 2 "1 of the 2 operands given; needed: MODEL COHORT" evaluate x.h5
test_that "one operand too many is a usage error" fails 2 "'c' is one word too many" predict a b c
test_that "a command without operands takes none" fails 2 "takes options only" version now

run version
test_that "version prints one line" [ "$(wc -l <"$tmp/out")" -eq 1 ]
test_that "version is that of the tool" grep -qE '^mmlego [0-9]+\.[0-9]+\.[0-9]+$' "$tmp/out"
cp "$tmp/out" "$tmp/version"
run --version
test_that "--version is the same" cmp -s "$tmp/out" "$tmp/version"
run version --build
test_that "version --build begins with the version" grep -qxF "$(cat "$tmp/version")" "$tmp/out"
test_that "version --build says how it was built" grep -q '^compiler: ' "$tmp/out"
# Without the variable the tool may have to start itself again; it must do so once, and come to the same end.
(unset OPENBLAS_CORETYPE MMLEGO_REEXEC; "$MMLT_MMLEGO" version >"$tmp/out" 2>"$tmp/err")
test_that "version is the same when the tool chooses the kernels" cmp -s "$tmp/out" "$tmp/version"

if [ -w /dev/full ]; then
    for words in "--help" "version" "train --help" "help --man train"; do
        # shellcheck disable=SC2086 # words of a command line
        "$MMLT_MMLEGO" $words >/dev/full 2>"$tmp/err"
        code=$?
        test_that "mmlego $words into a full disk is a failure" exits 1
    done
fi
exit $status
