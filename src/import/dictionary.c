/* dictionary.c - see dictionary.h. */
#include "import/dictionary.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

enum { FIRST_SLOTS = 64 };

/* FNV-1a. */
static uint64_t hash(const char *text, size_t n)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h ^ h >> 32;
}

/* The slot of the text, or the free one where it belongs. */
static size_t slot_of(const mmli_dictionary *d, const char *text, size_t n)
{
    size_t at = (size_t)hash(text, n) & (d->n_slots - 1);

    while (d->slots[at] != 0) {
        const char *other = d->texts[d->slots[at] - 1];

        if (strncmp(other, text, n) == 0 && other[n] == '\0')
            break;
        at = (at + 1) & (d->n_slots - 1);
    }
    return at;
}

/* At most half of the slots are taken. */
static mml_status make_room(mmli_dictionary *d)
{
    mml_status st = MML_OK;
    size_t *old = d->slots, n;

    if (d->n_slots > 0 && d->n < d->n_slots / 2)
        return MML_OK;
    n = d->n_slots > 0 ? d->n_slots * 2 : FIRST_SLOTS;
    d->slots = NULL;
    MML_TRY(mmli_calloc(&d->slots, n, sizeof *d->slots));
    d->n_slots = n;
    for (size_t i = 0; i < d->n; i++)
        d->slots[slot_of(d, d->texts[i], strlen(d->texts[i]))] = i + 1;
    mmli_free(old);
    return MML_OK;
out:
    d->slots = old;
    return st;
}

mml_status mmli_dictionary_number(size_t *out, mmli_dictionary *d, const char *text, size_t n)
{
    mml_status st = MML_OK;
    size_t at;

    MML_TRY(make_room(d));
    at = slot_of(d, text, n);
    if (d->slots[at] == 0) {
        MML_TRY(mmli_grow(&d->texts, &d->cap, d->n + 1, sizeof *d->texts));
        MML_TRY(mmli_calloc(&d->texts[d->n], n + 1, 1));
        memcpy(d->texts[d->n], text, n);
        d->slots[at] = ++d->n;
    }
    *out = d->slots[at] - 1;
out:
    return st;
}

void mmli_dictionary_free(mmli_dictionary *d)
{
    for (size_t i = 0; i < d->n; i++)
        mmli_free(d->texts[i]);
    mmli_free(d->texts);
    mmli_free(d->slots);
    *d = (mmli_dictionary){0};
}
