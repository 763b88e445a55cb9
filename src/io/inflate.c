/* inflate.c - limits of unpacking. */
#include "io/inflate.h"

#include "util/error.h"

mml_status mmli_inflate_check(const char *path, uint64_t packed, uint64_t inflated)
{
    mml_status st = MML_OK;

    if (inflated <= MMLI_INFLATE_FREE)
        goto out;
    MML_CHECK(inflated <= MMLI_INFLATE_MOST, MML_E_FORMAT,
              "%s: unpacks to more than %llu GiB, the most that is read from a compressed file; unpack it first", path,
              (unsigned long long)(MMLI_INFLATE_MOST >> 30));
    MML_CHECK(inflated / MMLI_INFLATE_RATIO <= packed, MML_E_FORMAT,
              "%s: %llu bytes unpack to %llu or more: beyond 1 GiB at most %llu to 1 is read, a file packed more tightly may "
              "be made to fill the disk; if it is good, unpack it first",
              path, (unsigned long long)packed, (unsigned long long)inflated, (unsigned long long)MMLI_INFLATE_RATIO);
out:
    return st;
}
