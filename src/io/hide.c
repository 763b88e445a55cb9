/* hide.c - samples that are to be as if they lacked a modality. */
#include <string.h>

#include "io/cohort.h"
#include "util/alloc.h"
#include "util/error.h"

mml_status mmli_cohort_hide(mml_cohort *c, const char *modality, const uint8_t *hide)
{
    mml_status st = MML_OK;
    mmli_cohort_modality *m;
    int64_t *first = NULL, begin = 0, next = 0;
    size_t at;

    pthread_mutex_lock(&c->mutex);
    MML_TRY(mmli_cohort_find_modality(&at, c, modality));
    m = &c->modalities[at];
    if (m->first == NULL) {
        MML_TRY(mmli_calloc(&first, c->n, sizeof *first));
        memcpy(first, m->offsets, c->n * sizeof *first);
        m->first = first;
    }
    m->n_present = 0;
    for (size_t i = 0; i < c->n; i++) {
        const int64_t end = m->offsets[i + 1], count = hide[i] ? 0 : end - begin;

        begin = end;
        next += count;
        m->offsets[i + 1] = next;
        m->n_present += count > 0;
    }
out:
    pthread_mutex_unlock(&c->mutex);
    return st;
}
