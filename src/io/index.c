/* index.c - a hash table of texts, made once and only read. */
#include "io/index.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

static size_t start(const mmli_index *index, const char *text, size_t n)
{
    return (size_t)mmli_hash64(text, n, 0) & (index->n_slots - 1);
}

size_t mmli_index_find(const mmli_index *index, const char *text, size_t n)
{
    if (index->n_slots == 0)
        return SIZE_MAX;
    for (size_t s = start(index, text, n); index->slots[s] != 0; s = (s + 1) & (index->n_slots - 1)) {
        const char *there = index->texts[index->slots[s] - 1];

        if (strncmp(there, text, n) == 0 && there[n] == '\0')
            return index->slots[s] - 1;
    }
    return SIZE_MAX;
}

mml_status mmli_index_make(mmli_index *index, const char *const *texts, size_t n, size_t *first, size_t *second)
{
    mml_status st = MML_OK;
    size_t size = 16, s, was;

    *index = (mmli_index){.texts = texts};
    *first = *second = SIZE_MAX;
    while (size / 2 <= n) {
        MML_CHECK(size <= SIZE_MAX / 4, MML_E_NOMEM, "a list of %zu texts is too long for this machine", n);
        size *= 2;
    }
    MML_TRY(mmli_calloc(&index->slots, size, sizeof *index->slots));
    index->n_slots = size;
    for (size_t i = 0; i < n; i++) {
        const size_t length = strlen(texts[i]);

        if ((was = mmli_index_find(index, texts[i], length)) != SIZE_MAX) {
            if (*first == SIZE_MAX) {
                *first = was;
                *second = i;
            }
            continue;
        }
        s = start(index, texts[i], length);
        while (index->slots[s] != 0)
            s = (s + 1) & (size - 1);
        index->slots[s] = i + 1;
    }
out:
    return st;
}

void mmli_index_free(mmli_index *index)
{
    mmli_free(index->slots);
    *index = (mmli_index){0};
}
