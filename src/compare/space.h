/* space.h - what --tune may change in a system, and how far. */
#ifndef MMLI_COMPARE_SPACE_H
#define MMLI_COMPARE_SPACE_H

#include <jansson.h>

#include "compare/setup.h"
#include "compare/tpe.h"

enum { MMLI_SPACE_MOST = 8 };

typedef struct mmli_knob mmli_knob;

/* The dimensions of a system's search; n = 0: there is nothing to choose. */
typedef struct mmli_space {
    size_t n;
    mmli_dimension dimensions[MMLI_SPACE_MOST];
    const mmli_knob *knobs[MMLI_SPACE_MOST];
} mmli_space;

void mmli_space_make(mmli_space *out, const mmli_system *system, const mmli_setup *defaults);
/* Where the defaults lie: the first trial. x (n) */
void mmli_space_read(double *x, const mmli_space *space, const mmli_setup *setup);
void mmli_space_write(mmli_setup *setup, const mmli_space *space, const double *x);
/* {"learning_rate": 0.0003, ...} of a setup. New reference; NULL = no memory. */
json_t *mmli_space_json(const mmli_space *space, const mmli_setup *setup);

#endif
