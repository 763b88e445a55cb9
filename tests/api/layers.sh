#!/bin/sh
# layers.sh - data flows one way: a file includes public headers, its own folder and lower layers, never
# sideways or up, and the libraries of the numeric work are seen by backends/ only (HACKING.md, "Layers").
set -u
cd "${MMLT_SRCDIR:-.}" || exit 99

found=$(find src backends include -name '*.[ch]' -o -name '*.cu' -o -name '*.def' | sort)
[ -n "$found" ] || { echo "not ok - there are sources to look at"; exit 1; }

# One line an include: FILE LINE KIND(q = quotes, a = angle) HEADER
includes() {
    # shellcheck disable=SC2086 # one word a file, without blanks
    grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' $found /dev/null |
        sed -nE 's/^([^:]+):([0-9]+):[^"<]*"([^"]+)".*/\1 \2 q \3/p; s/^([^:]+):([0-9]+):[^"<]*<([^>]+)>.*/\1 \2 a \3/p'
}

includes | awk '
    BEGIN {
        n = split("util:0 backends:1 metrics:1 ops:2 nn:3 io:3 formats:4 import:5 data:6 lego:7 baselines:7 model:8 train:9 report:10 explain:11 compare:12 bench:13 cli:14", pair, " ")
        for (i = 1; i <= n; i++) { split(pair[i], kv, ":"); rank[kv[1]] = kv[2] }
    }
    function bad(rule, why) { broken[rule] = broken[rule] "\n#   " $1 ":" $2 ": " $4 ": " why }
    function layer_of(path, part) {
        split(path, part, "/")
        return part[1] == "src" ? part[2] : part[1]
    }
    {
        layer = layer_of($1)
        first = $4; sub(/\/.*/, "", first)
        if (layer == "include") {
            if ($3 == "q" && first != "mmlego") bad("public", "a public header shows nothing of the inside")
            if ($3 == "a" && $4 !~ /^(std[a-z]+|limits|inttypes)\.h$/) bad("public", "needs more than the C library")
            next
        }
        if (!(layer in rank)) { bad("layers", "unknown layer " layer); next }
        if ($4 ~ /^(cblas|openblas|blis|fftw3|kiss_fft|cuda|cublas|cufft|sleef|lapacke)/ && layer != "backends")
            bad("numeric", "only backends/ sees it")
        if ($4 ~ /^omp\.h$/ && layer != "backends" && layer != "util") bad("numeric", "threads are made in backends/ and util/")
        if (layer == "cli") {
            if (first != "mmlego" && ($3 == "q" && first != "cli")) bad("cli", "src/cli sees <mmlego/...> and its own files")
            next
        }
        if ($3 == "a") {
            if (first == "mmlego" && $4 ~ /\//) next
            if (first in rank && $4 ~ /\//) bad("layers", "files of the tree are included with quotes")
            next
        }
        if (first == "mmlego" || $4 == "config.h" || $4 == "kernels.def") next
        if ($4 !~ /\//) { bad("layers", "written as \"layer/name.h\""); next }
        if (!(first in rank)) { bad("layers", "no layer of that name"); next }
        if (layer == "report" && first !~ /^(report|util|metrics)$/) bad("layers", "report sees util and metrics only")
        if (first != layer && rank[first] + 0 >= rank[layer] + 0)
            bad("layers", layer " is not above " first)
    }
    END {
        text["layers"] = "a file includes its own folder and lower layers only"
        text["public"] = "public headers include each other and the C library only"
        text["numeric"] = "BLAS, FFT, CUDA and OpenMP headers are seen by backends/ only"
        text["cli"] = "the tool uses the public headers only"
        for (rule in text) {
            if (rule in broken) { print "not ok - " text[rule] broken[rule]; status = 1 }
            else print "ok - " text[rule]
        }
        exit status
    }'
