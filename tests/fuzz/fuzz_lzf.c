/* Fuzz target: chunks packed with LZF. The first four bytes are the stated size of the chunk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/h5lzf.h"
#include "tests/fuzz/fuzz.h"

const char mmlt_fuzz_name[] = "lzf";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    unsigned values[3] = {4, 0x105, 0};
    void *buffer;
    size_t size, got, sum = 0;

    if (n < 5)
        return 0;
    memcpy(&values[2], bytes, 4);
    size = n - 4;
    MMLT_PROMISE((buffer = H5allocate_memory(size, false)) != NULL);
    memcpy(buffer, bytes + 4, size);
    got = mmli_h5_lzf_unpack(H5Z_FLAG_REVERSE, 3, values, n - 4, &size, &buffer);
    MMLT_PROMISE(got <= size && (got > 0 || memcmp(buffer, bytes + 4, n - 4) == 0));
    for (size_t i = 0; i < got; i++) /* every byte is there */
        sum += ((unsigned char *)buffer)[i];
    MMLT_PROMISE(sum <= 255 * got);
    H5free_memory(buffer);
    return 0;
}
