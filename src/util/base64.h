/* base64.h - bytes as text (RFC 4648, with padding), for what has to go into JSON. */
#ifndef MMLI_UTIL_BASE64_H
#define MMLI_UTIL_BASE64_H

#include "mmlego/base.h"

/* New text; mmli_free(). */
mml_status mmli_base64_encode(char **out, const void *bytes, size_t n);
/* New bytes; mmli_free(). MML_E_FORMAT: not base64 (message without a name: mmli_fail_prefix). */
mml_status mmli_base64_decode(unsigned char **out, size_t *n, const char *text);

#endif
