/* input.h - the bytes of a user's file, or of one member of a zip, read by position and never past the end. */
#ifndef MMLI_FORMATS_INPUT_H
#define MMLI_FORMATS_INPUT_H

#include "mmlego/base.h"

#include "formats/zip.h"

typedef struct mmli_input mmli_input;

/* A plain file. MML_E_IO: cannot be opened, a folder, a device. */
mml_status mmli_input_open(mmli_input **out, const char *path);
/* Member `i` of an archive that outlives the input. */
mml_status mmli_input_member(mmli_input **out, mmli_zip *zip, size_t i);
void mmli_input_close(mmli_input *in);

/* What messages call it: "FILE", or "FILE: MEMBER". Lent. */
const char *mmli_input_name(const mmli_input *in);
uint64_t mmli_input_size(const mmli_input *in);
/* Bytes [at, at + n): exactly n of them. A compressed member is unpacked from its start when `at` lies behind what was
 * read last; ascending reads unpack once. MML_E_FORMAT: it ends before that; MML_E_IO. */
mml_status mmli_input_read(mmli_input *in, uint64_t at, void *to, size_t n);

#endif
