/* events.c - see events.h. A file that is sorted by sample, as most are, stays as it came; another is divided once: each
 * block, sorted by sample, goes in runs to the places that the counts say. */
#include "import/events.h"

#include <stdlib.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/spool.h"

enum { BLOCK = 1 << 16 /* events: 1.5 MiB */ };

mml_status mmli_events_open(mmli_events *e, const char *beside)
{
    mml_status st = MML_OK;

    *e = (mmli_events){.fd = -1, .beside = beside};
    MML_TRY(mmli_calloc(&e->block, BLOCK, sizeof *e->block));
    MML_TRY(mmli_spool_open(&e->fd, beside));
out:
    if (st != MML_OK)
        mmli_events_close(e);
    return st;
}

void mmli_events_close(mmli_events *e)
{
    if (e->block != NULL) /* it was opened */
        mmli_spool_close(e->fd);
    mmli_free(e->block);
    mmli_free(e->counts);
    mmli_free(e->starts);
    *e = (mmli_events){.fd = -1};
}

static mml_status flush(mmli_events *e)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_spool_write(e->fd, e->beside, e->written * sizeof *e->block, e->block, e->held * sizeof *e->block));
    e->written += e->held;
    e->held = 0;
out:
    return st;
}

/* Counts for samples up to n; new ones are zero. */
static mml_status count_to(mmli_events *e, size_t n)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_grow(&e->counts, &e->cap, n, sizeof *e->counts));
    for (; e->n_samples < n; e->n_samples++)
        e->counts[e->n_samples] = 0;
out:
    return st;
}

mml_status mmli_events_add(mmli_events *e, const mmli_event *event)
{
    mml_status st = MML_OK;

    if (event->sample >= e->n_samples)
        MML_TRY(count_to(e, (size_t)event->sample + 1));
    e->counts[event->sample]++;
    e->mixed = e->mixed || event->sample < e->last;
    e->last = event->sample;
    e->block[e->held++] = *event;
    if (e->held == BLOCK)
        MML_TRY(flush(e));
out:
    return st;
}

/* ---- division by sample ---------------------------------------------------------------------------------------------------- */

typedef struct place {
    uint32_t sample, at;
} place;

static int by_sample(const void *a, const void *b)
{
    const place *x = a, *y = b;

    if (x->sample != y->sample)
        return x->sample < y->sample ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* n events of a block to their places: next (n_samples) is where the next one of a sample goes. */
static mml_status divide_block(int to, const mmli_events *e, uint64_t *next, mmli_event *sorted, place *places, size_t n)
{
    mml_status st = MML_OK;
    size_t run;

    for (size_t i = 0; i < n; i++)
        places[i] = (place){e->block[i].sample, (uint32_t)i};
    qsort(places, n, sizeof *places, by_sample);
    for (size_t i = 0; i < n; i++)
        sorted[i] = e->block[places[i].at];
    for (size_t i = 0; i < n; i += run) {
        const size_t sample = sorted[i].sample;

        for (run = 1; i + run < n && sorted[i + run].sample == sample; run++)
            continue;
        MML_TRY(mmli_spool_write(to, e->beside, next[sample] * sizeof *sorted, sorted + i, run * sizeof *sorted));
        next[sample] += run;
    }
out:
    return st;
}

static mml_status divide(mmli_events *e)
{
    mml_status st = MML_OK;
    uint64_t *next = NULL;
    mmli_event *sorted = NULL;
    place *places = NULL;
    int to = -1;

    MML_TRY(mmli_calloc(&next, e->n_samples, sizeof *next));
    MML_TRY(mmli_calloc(&sorted, BLOCK, sizeof *sorted));
    MML_TRY(mmli_calloc(&places, BLOCK, sizeof *places));
    MML_TRY(mmli_spool_open(&to, e->beside));
    for (size_t i = 0; i < e->n_samples; i++)
        next[i] = e->starts[i];
    for (uint64_t at = 0, n; at < e->written; at += n) {
        n = e->written - at < BLOCK ? e->written - at : BLOCK;
        MML_TRY(mmli_spool_read(e->fd, e->beside, at * sizeof *e->block, e->block, (size_t)n * sizeof *e->block));
        MML_TRY(divide_block(to, e, next, sorted, places, (size_t)n));
    }
    mmli_spool_close(e->fd);
    e->fd = to;
    to = -1;
out:
    mmli_spool_close(to);
    mmli_free(next);
    mmli_free(sorted);
    mmli_free(places);
    return st;
}

mml_status mmli_events_finish(mmli_events *e, size_t n_samples)
{
    mml_status st = MML_OK;
    uint64_t at = 0;

    MML_TRY(flush(e));
    MML_TRY(count_to(e, n_samples));
    MML_TRY(mmli_calloc(&e->starts, e->n_samples, sizeof *e->starts));
    for (size_t i = 0; i < e->n_samples; i++) {
        e->starts[i] = at;
        at += e->counts[i];
    }
    if (e->mixed)
        MML_TRY(divide(e));
out:
    return st;
}

mml_status mmli_events_get(mmli_event *out, const mmli_events *e, size_t sample, size_t first, size_t n)
{
    return mmli_spool_read(e->fd, e->beside, (e->starts[sample] + first) * sizeof *out, out, n * sizeof *out);
}
