# shellcheck shell=bash disable=SC2034 # variables are for the scripts that read this
# lib.sh - read by the other scripts: where the tree is, how packages are installed, how it is built.
# The caller has `set -euo pipefail`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${JOBS:-$(nproc)}

# Debian packages, by what needs them. configure names the same ones when something is missing.
packages_build=(gcc make autoconf automake libtool pkg-config libc6-dev
    libhdf5-dev libfftw3-dev libopenblas-openmp-dev zlib1g-dev libzip-dev libjansson-dev libinih-dev libcsv-dev liblzf-dev
    libjpeg62-turbo-dev libpng-dev)
packages_test=(check g++ locales)

say() { printf '%s\n' "$*" >&2; }
die() {
    say "${0##*/}: $*"
    exit 1
}

# Installs those of the named packages that are not there yet; asks nothing of the network when all are.
# Other systems than Debian: does nothing, configure says what is missing.
need_packages() {
    local missing=() name as_root=()
    command -v dpkg-query >/dev/null || return 0
    for name in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            die "needs root or sudo for: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -q >&2 || say "apt-get update failed; trying with the lists that are there"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
        "${missing[@]}" >&2 || die "apt-get install failed for: ${missing[*]}"
}

# ccache halves the second build where it is installed; nothing depends on it.
compiler() {
    if command -v ccache >/dev/null; then
        printf 'ccache %s' "$1"
    else
        printf '%s' "$1"
    fi
}

# Makes ./configure when it is missing or older than what it is made from.
make_configure() {
    if [ ! -x "$root/configure" ] || [ ! -f "$root/Makefile.in" ] ||
        [ -n "$(find "$root" -path "$root/build*" -prune -o \
            \( -name '*.ac' -o -name '*.am' -o -name local.mk -o -path "$root/m4/mml_*" \) \
            -newer "$root/Makefile.in" -print -quit)" ]; then
        (cd "$root" && autoreconf -i) >&2 || die "autoreconf failed"
        touch "$root/Makefile.in" # unchanged contents keep their date
    fi
}

# configure_in DIR [switch ...]: configures out of tree; again only when the switches or configure changed.
configure_in() {
    local dir=$1 stamp
    shift
    mkdir -p "$dir"
    stamp="$dir/.switches"
    if [ -f "$dir/Makefile" ] && [ "$dir/config.status" -nt "$root/configure" ] &&
        [ "$(cat "$stamp" 2>/dev/null)" = "$*" ]; then
        return 0
    fi
    (cd "$dir" && "$root/configure" "$@") >"$dir/configure.out" 2>&1 || {
        tail -n 20 "$dir/configure.out" >&2
        die "configure failed (all of it: $dir/configure.out)"
    }
    printf '%s' "$*" >"$stamp"
    sed -n '/^configure: *$/,$p' "$dir/configure.out" | sed 1d >&2
}
