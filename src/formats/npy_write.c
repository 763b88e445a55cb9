/* npy_write.c - see npy_write.h. */
#include "formats/npy_write.h"

#include <string.h>

#include "formats/number.h"
#include "util/error.h"
#include "util/text.h"

mml_status mmli_npy_put_header(mmli_output *o, const char *descr, int rank, const size_t *dims)
{
    mml_status st = MML_OK;
    mmli_buf b = {0};
    size_t header;

    MML_TRY(mmli_buf_add(&b, "\x93NUMPY\1\0..", 10));
    MML_TRY(mmli_buf_printf(&b, "{'descr': %s, 'fortran_order': False, 'shape': (", descr));
    for (int i = 0; i < rank; i++)
        MML_TRY(mmli_buf_printf(&b, "%zu,%s", dims[i], i + 1 < rank ? " " : ""));
    MML_TRY(mmli_buf_puts(&b, "), }"));
    while (b.len % 64 != 63) /* the data begin at a multiple of 64 */
        MML_TRY(mmli_buf_puts(&b, " "));
    MML_TRY(mmli_buf_puts(&b, "\n"));
    header = b.len - 10;
    b.text[8] = (char)(header & 255);
    b.text[9] = (char)(header >> 8);
    MML_TRY(mmli_output_put(o, b.text, b.len));
out:
    mmli_buf_free(&b);
    return st;
}

mml_status mmli_npy_put_floats(mmli_output *o, const float *x, size_t n)
{
    mml_status st = MML_OK;
    char bytes[4096];

    for (size_t done = 0; done < n;) {
        const size_t now = n - done < sizeof bytes / 4 ? n - done : sizeof bytes / 4;

        mmli_number_put_floats(bytes, x + done, now);
        MML_TRY(mmli_output_put(o, bytes, now * 4));
        done += now;
    }
out:
    return st;
}

static mml_status put64(mmli_output *o, uint64_t bits)
{
    unsigned char bytes[8];

    for (int k = 0; k < 8; k++)
        bytes[k] = (unsigned char)(bits >> 8 * k);
    return mmli_output_put(o, bytes, 8);
}

mml_status mmli_npy_put_int64(mmli_output *o, const int64_t *x, size_t n)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < n; i++)
        MML_TRY(put64(o, (uint64_t)x[i]));
out:
    return st;
}

mml_status mmli_npy_put_double(mmli_output *o, double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return put64(o, bits);
}
