# shellcheck shell=sh disable=SC2034 # variables are used by the scripts
# lib.sh - what the scripts of tests/cli share: one line per test, and a small cohort made on the spot.

: "${MMLT_MMLEGO:=./mmlego}"
: "${MMLT_SRCDIR:=.}"
if ! [ -x "$MMLT_MMLEGO" ]; then
    echo "not ok - the tool $MMLT_MMLEGO is there"
    exit 1
fi
status=0
tmp=$(mktemp -d) || exit 99
trap 'chmod -R u+w "$tmp" 2>/dev/null; rm -rf "$tmp"' EXIT

# run WORD...: the tool; its exit status in $code, its output in $tmp/out and $tmp/err.
run() {
    "$MMLT_MMLEGO" "$@" >"$tmp/out" 2>"$tmp/err"
    code=$?
}

# what CONDITION...: one test, named by a sentence.
test_that() {
    sentence=$1
    shift
    if "$@"; then
        echo "ok - $sentence"
    else
        echo "not ok - $sentence"
        echo "#   failed: $*"
        [ -f "$tmp/out" ] && sed -n '1,12s/^/#   stdout: /p' "$tmp/out"
        [ -f "$tmp/err" ] && sed -n '1,12s/^/#   stderr: /p' "$tmp/err"
        status=1
    fi
}

# must WORD...: a step that later tests stand on.
must() {
    run "$@"
    if [ "$code" -ne 0 ]; then
        echo "not ok - mmlego $*"
        sed 's/^/#   /' "$tmp/err"
        exit 1
    fi
}

exits() { [ "$code" -eq "$1" ]; }
says() { grep -qF -e "$1" "$tmp/err"; }      # on stderr
prints() { grep -qF -e "$1" "$tmp/out"; }    # on stdout
silent() { ! [ -s "$tmp/err" ]; }
prints_nothing() { ! [ -s "$tmp/out" ]; }
# fails CODE TEXT WORD...: exit status and a message, nothing on stdout.
fails() {
    want=$1
    text=$2
    shift 2
    run "$@"
    exits "$want" && says "$text" && prints_nothing
}
works() {
    run "$@"
    exits 0
}
no_rest() { # of a temporary file in the folder
    ! find "$1" -name '*.*.??????' -o -name '*.tmp*' -o -name '.*.?*' -type f | grep .
}

# A cohort of 120 patients: labs (4 features, all have them), genes (6 features, two of three have them), a
# binary task, a task of three classes, survival and a regression, sites a and b. Fixed numbers, with signal.
make_tables() { # FOLDER
    awk -v folder="$1" '
        function noise() { seed = (seed * 16807) % 2147483647; return seed / 2147483647 - 0.5 }
        BEGIN {
            seed = 12345
            labels = folder "/labels.csv"; labs = folder "/labs.csv"; genes = folder "/genes.csv"
            print "id,site,death,grade,days,died,weight" >labels
            print "id,sodium,lactate,age,ph" >labs
            print "id,g1,g2,g3,g4,g5,g6" >genes
            for (i = 1; i <= 120; i++) {
                x = 2 * noise(); y = 2 * noise(); risk = x + y + 0.5 * noise()
                id = sprintf("p%03d", i)
                site = i % 3 == 0 ? "b" : "a"; death = risk > 0 ? "yes" : "no"; died = noise() < 0.2 ? 1 : 0
                grade = risk < -0.4 ? "low" : risk < 0.4 ? "mid" : "high"; weight = 70 + 10 * risk
                printf "%s,%s,%s,%s,%.3f,%d,%.3f\n", id, site, death, grade, 100 * exp(-risk) + 1, died, weight >labels
                lactate = i % 7 == 0 ? "" : sprintf("%.3f", x + noise())
                printf "%s,%.3f,%s,%.3f,%.3f\n", id, x, lactate, noise(), noise() >labs
                if (i % 3 != 1 || i > 90)
                    printf "%s,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f\n", id, y, y + noise(), noise(), noise(), noise(),
                        noise() >genes
            }
        }'
    cat >"$1/cohort.ini" <<'INI'
[cohort]
labels = labels.csv
id = id
columns = site

[task death]
kind = binary
label = death

[task grade]
kind = multiclass
label = grade

[task survival]
kind = survival
time = days
event = died

[task weight]
kind = regression
label = weight

[modality labs]
kind = table
file = labs.csv
id = id

[modality genes]
kind = table
file = genes.csv
id = id
INI
}

# The cohort as $tmp/cohort.h5, the options of a quick training in $quick.
make_cohort() {
    make_tables "$tmp" || exit 99
    must import "$tmp/cohort.ini" -o "$tmp/cohort.h5" --quiet
}
quick="--latent 8x8 --epochs 5 --lr 3e-3 --batch 16 --encoder linear --encoder-width 8 --threads 2 --weight-folds 0 --quiet"

has_python() { command -v python3 >/dev/null 2>&1; }
