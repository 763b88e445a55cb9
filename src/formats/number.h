/* number.h - numbers as other programs store them: any size, either byte order, at any address. */
#ifndef MMLI_FORMATS_NUMBER_H
#define MMLI_FORMATS_NUMBER_H

#include "mmlego/base.h"
#include <stdbool.h>

typedef enum mmli_number {
    MMLI_BOOL = 0, /* a byte; not 0 is 1 */
    MMLI_I8, MMLI_I16, MMLI_I32, MMLI_I64,
    MMLI_U8, MMLI_U16, MMLI_U32, MMLI_U64,
    MMLI_F16, MMLI_BF16, MMLI_F32, MMLI_F64 /* IEEE; BF16 is the upper half of a F32 */
} mmli_number;

/* Bytes of one. */
size_t mmli_number_size(mmli_number type);
bool mmli_number_whole(mmli_number type); /* all but the floating ones */

/* n numbers, `stride` bytes from one to the next, each rounded once (to nearest; a float64 beyond float32 is infinite). */
void mmli_number_floats(float *out, const void *from, size_t n, size_t stride, mmli_number type, bool big_endian);
void mmli_number_doubles(double *out, const void *from, size_t n, size_t stride, mmli_number type, bool big_endian);
/* Exactly; false (and *out as it was) for a floating one that is not whole and for what does not fit. */
bool mmli_number_int64(int64_t *out, const void *from, mmli_number type, bool big_endian);

/* Little-endian bytes of float32s, for writing. */
void mmli_number_put_floats(void *to, const float *values, size_t n);

#endif
