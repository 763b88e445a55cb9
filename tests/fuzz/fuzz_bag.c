/* Fuzz target: features of a slide in HDF5; what opens is read to the last row, in pieces and whole, with the same bits. */
#include <string.h>

#include "formats/bag_h5.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "bag";

enum { READ_MOST = 16 << 20 }; /* bytes: a shape may be large and the file still valid */

static void use(mmli_bag *b)
{
    const size_t half = b->n / 2;
    float *whole, *pieces, *xy;

    MMLT_PROMISE(b->n == 0 || b->width > 0);
    if (b->n == 0 || b->n > READ_MOST / sizeof *whole / (b->width + 2))
        return;
    whole = malloc(b->n * b->width * sizeof *whole);
    pieces = malloc(b->n * b->width * sizeof *pieces);
    xy = malloc(b->n * 2 * sizeof *xy);
    MMLT_PROMISE(whole != NULL && pieces != NULL && xy != NULL);
    if (mmli_bag_read(whole, b->has_coords ? xy : NULL, 0, b->n, b) == MML_OK && !b->vector) {
        MMLT_PROMISE(mmli_bag_read(pieces, NULL, half, b->n - half, b) == MML_OK);
        MMLT_PROMISE(mmli_bag_read(pieces + (b->n - half) * b->width, NULL, 0, half, b) == MML_OK);
        MMLT_PROMISE(memcmp(pieces, whole + half * b->width, (b->n - half) * b->width * sizeof *whole) == 0);
        MMLT_PROMISE(memcmp(pieces + (b->n - half) * b->width, whole, half * b->width * sizeof *whole) == 0);
    }
    free(whole);
    free(pieces);
    free(xy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    mmli_bag bag = {0};
    bool looks, features;
    const mml_status st = mmli_bag_open(&bag, path);

    MMLT_PROMISE((st == MML_OK) == (bag.path != NULL));
    MMLT_PROMISE(st == MML_OK || strstr(mml_last_error(), path) != NULL || st == MML_E_NOMEM);
    if (st == MML_OK)
        use(&bag);
    mmli_bag_close(&bag);
    MMLT_PROMISE(mmli_bag_looks_like(&looks, &features, path) == MML_OK ? looks || !features : !looks);
    unlink(path);
    return 0;
}
