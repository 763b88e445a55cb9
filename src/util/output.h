/* output.h - a file written front to back as a C stream, which appears as a whole or not at all.
 *
 *     mmli_output o = {0};
 *
 *     MML_TRY(mmli_output_begin(&o, path));
 *     fputs("id\n", o.f);                               failures of the stream are found by the check or at the end
 *     MML_TRY(mmli_output_put(&o, bytes, n));
 * out:
 *     return mmli_output_end(&o, st);
 */
#ifndef MMLI_UTIL_OUTPUT_H
#define MMLI_UTIL_OUTPUT_H

#include <stdio.h>

#include "util/atomic.h"

typedef struct mmli_output {
    FILE *f;          /* NULL: not begun */
    const char *path; /* of the file there will be, lent: for messages */
    mmli_atomic *atomic;
} mmli_output;

/* As mmli_atomic_begin(); `o` is as if not begun after a failure. */
mml_status mmli_output_begin(mmli_output *o, const char *path);
mml_status mmli_output_put(mmli_output *o, const void *bytes, size_t n);
/* MML_E_IO with errno's reason if anything that was put into `f` so far did not get there. Called before much else is done
 * (each part of a long file): errno is still that of the stream, and work for a file that cannot be is not gone on with. */
mml_status mmli_output_check(const mmli_output *o);
/* Closes it; the file appears if `st`, of what was written, is MML_OK and all of it got there. `st`, or what went wrong here.
 * One that is not begun is fine. */
mml_status mmli_output_end(mmli_output *o, mml_status st);

#endif
