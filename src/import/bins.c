/* bins.c - see bins.h. Each cell keeps what every aggregate needs, so that who reads it may choose by channel. */
#include "import/bins.h"

#include <math.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

const char *const mmli_aggregate_names[MMLI_N_AGGREGATES] = {
    [MMLI_LAST] = "last", [MMLI_FIRST] = "first", [MMLI_MEAN] = "mean", [MMLI_MIN] = "min",
    [MMLI_MAX] = "max",   [MMLI_SUM] = "sum",     [MMLI_COUNT] = "count",
};

typedef struct mmli_bin_cell {
    size_t n;
    double sum, least, most;
    double first, first_time, last, last_time;
} bin_cell;

mml_status mmli_bins_make(mmli_bins *b, size_t steps, size_t channels)
{
    size_t n;

    *b = (mmli_bins){.steps = steps, .channels = channels};
    if (!mmli_mul_size(&n, steps, channels))
        return mmli_fail(MML_E_SHAPE, "%zu steps of %zu channels are too many", steps, channels);
    return mmli_calloc(&b->cells, n, sizeof *b->cells);
}

void mmli_bins_free(mmli_bins *b)
{
    mmli_free(b->cells);
    *b = (mmli_bins){0};
}

void mmli_bins_clear(mmli_bins *b)
{
    memset(b->cells, 0, b->steps * b->channels * sizeof *b->cells);
}

void mmli_bins_add(mmli_bins *b, size_t step, size_t channel, double time, double value)
{
    bin_cell *c = &b->cells[step * b->channels + channel];

    if (c->n == 0)
        *c = (bin_cell){.least = value, .most = value, .first = value, .first_time = time, .last = value, .last_time = time};
    c->n++;
    c->sum += value;
    c->least = fmin(c->least, value);
    c->most = fmax(c->most, value);
    if (time < c->first_time) {
        c->first = value;
        c->first_time = time;
    }
    if (time >= c->last_time) {
        c->last = value;
        c->last_time = time;
    }
}

double mmli_bins_get(const mmli_bins *b, size_t step, size_t channel, mmli_aggregate how)
{
    const bin_cell *c = &b->cells[step * b->channels + channel];

    if (c->n == 0)
        return NAN;
    switch (how) {
    case MMLI_FIRST: return c->first;
    case MMLI_MEAN: return c->sum / (double)c->n;
    case MMLI_MIN: return c->least;
    case MMLI_MAX: return c->most;
    case MMLI_SUM: return c->sum;
    case MMLI_COUNT: return (double)c->n;
    case MMLI_LAST:
    case MMLI_N_AGGREGATES: break;
    }
    return c->last;
}

bool mmli_parse_clock(double *seconds, const char *s, size_t n)
{
    static const size_t most[3] = {1000000, 59, 59};
    size_t parts[3] = {0}, k = 0;

    mmli_trim(&s, &n);
    for (const char *end = s + n; k < 3; k++) {
        const char *colon = memchr(s, ':', (size_t)(end - s)), *stop = colon != NULL ? colon : end;

        if ((k > 0 && stop - s != 2) || !mmli_parse_size(&parts[k], s, (size_t)(stop - s), most[k]))
            return false;
        if (colon == NULL)
            break;
        s = colon + 1;
    }
    if (k != 1 && k != 2)
        return false;
    *seconds = (double)(parts[0] * 3600 + parts[1] * 60 + parts[2]);
    return true;
}
