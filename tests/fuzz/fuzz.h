/* fuzz.h - what a fuzz target and its drivers agree on.
 *
 * Every reader of files has a target: LLVMFuzzerTestOneInput() gives it the bytes as a file and aborts when a promise
 * is broken. `make check` links the targets with driver.c, which runs the stored seeds and a fixed set of mutations
 * of each. To fuzz for real (clang):
 *
 *     ../../configure CC=clang --disable-shared CFLAGS="-g -O1 -fsanitize=address,undefined,fuzzer-no-link"
 *     make libmmlego_core.la
 *     clang -g -fsanitize=fuzzer,address,undefined -fopenmp -I. -I../.. -I../../src -I../../include \
 *         -isystem /usr/include/hdf5/serial ../../tests/fuzz/fuzz_csv.c .libs/libmmlego_core.a -lhdf5_serial -lz -lzip -ljansson \
 *         -linih -lcsv -llzf -ljpeg -lpng -lopenblas -lfftw3f -lmvec -lm -o fuzz_csv
 *     export TMPDIR=/dev/shm ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=2000
 *     export LSAN_OPTIONS=suppressions=../../tests/support/lsan.supp
 *     ./fuzz_csv -max_len=65536 -malloc_limit_mb=100000 CORPUS ../../tests/fuzz/seeds/csv
 *
 * A libhdf5 of 1.10 that is built the same way (its configure with CC=clang, these CFLAGS and --disable-shared --disable-hl; H5Tconv.c takes
 * half an hour unless it is compiled with -O0) and linked instead sees what HDF5 does with the bytes; with H5F_get_checksums() giving
 * the stored checksum for the computed one, damage also gets past the checksums of the newer formats.
 *
 * HDF5 asks for up to 4 GiB at once when a damaged header says so: it gets NULL, which it survives.
 */
#ifndef MMLT_FUZZ_H
#define MMLT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "mmlego/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Name of the target: of its folder of seeds. */
extern const char mmlt_fuzz_name[];

/* A promise that is broken: says so and aborts. */
#define MMLT_PROMISE(cond)                                                                         \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: broken: %s (last error: %s)\n", __FILE__, __LINE__, #cond,     \
                    mml_last_error());                                                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
