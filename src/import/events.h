/* events.h - measurements of many samples, in any order, put aside in a temporary file and got back sample by sample in the
 * order in which they came. In memory is a number a sample, and a block. */
#ifndef MMLI_IMPORT_EVENTS_H
#define MMLI_IMPORT_EVENTS_H

#include <stdbool.h>

#include "mmlego/base.h"

typedef struct mmli_event {
    double time, value;
    uint32_t sample, channel;
} mmli_event;

typedef struct mmli_events {
    int fd;             /* of util/spool.h */
    const char *beside; /* lent */
    mmli_event *block;
    size_t held;        /* in the block, not in the file yet */
    uint64_t written;
    size_t *counts;     /* (n_samples) */
    uint64_t *starts;   /* (n_samples) after finish: the first event of a sample */
    size_t n_samples, cap;
    uint32_t last;
    bool mixed;         /* events of an earlier sample came later */
} mmli_events;

/* beside: the output. mmli_events_close() is fine for {0}. */
mml_status mmli_events_open(mmli_events *out, const char *beside);
void mmli_events_close(mmli_events *events);
/* Samples are numbers, small ones. */
mml_status mmli_events_add(mmli_events *events, const mmli_event *event);
/* Between the last add and the first get. n_samples: also of those without any event. */
mml_status mmli_events_finish(mmli_events *events, size_t n_samples);
/* Events first .. first+n-1 of a sample. */
mml_status mmli_events_get(mmli_event *out, const mmli_events *events, size_t sample, size_t first, size_t n);

#endif
