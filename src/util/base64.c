/* base64.c - three bytes are four letters. */
#include "util/base64.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

mml_status mmli_base64_encode(char **out, const void *bytes, size_t n)
{
    const unsigned char *s = bytes;
    mml_status st;
    char *to;

    if ((st = mmli_calloc(out, (n / 3 + 1) * 4 + 1, 1)) != MML_OK)
        return st;
    to = *out;
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i;
        const uint32_t three = (uint32_t)s[i] << 16 | (left > 1 ? (uint32_t)s[i + 1] << 8 : 0) | (left > 2 ? s[i + 2] : 0u);

        *to++ = letters[three >> 18];
        *to++ = letters[three >> 12 & 63];
        *to++ = left > 1 ? letters[three >> 6 & 63] : '=';
        *to++ = left > 2 ? letters[three & 63] : '=';
    }
    return MML_OK;
}

mml_status mmli_base64_decode(unsigned char **out, size_t *n, const char *text)
{
    const size_t length = strlen(text);
    const size_t pad = length >= 2 && text[length - 1] == '=' ? (text[length - 2] == '=' ? 2 : 1) : 0;
    mml_status st = MML_OK;
    uint32_t four = 0;

    *n = 0;
    *out = NULL;
    MML_CHECK(length % 4 == 0, MML_E_FORMAT, "a text of base64 is damaged (its length)");
    MML_TRY(mmli_calloc(out, length / 4 * 3 + 1, 1));
    for (size_t i = 0; i < length; i++) {
        const char *at = text[i] == '=' && i >= length - pad ? letters : strchr(letters, text[i]);

        MML_CHECK(at != NULL, MML_E_FORMAT, "a text of base64 is damaged at letter %zu", i + 1);
        four = four << 6 | (uint32_t)(at - letters);
        if (i % 4 == 3)
            for (int k = 16; k >= 0; k -= 8)
                (*out)[(*n)++] = (unsigned char)(four >> k);
    }
    *n -= pad;
out:
    if (st != MML_OK) {
        mmli_free(*out);
        *out = NULL;
        *n = 0;
    }
    return st;
}
