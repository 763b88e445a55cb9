/* schedule.c - see schedule.h. */
#include "train/schedule.h"

#include <math.h>

double mmli_schedule_rate(const mml_train_options *o, uint64_t step, uint64_t total, double plateau_factor)
{
    const double pi = 3.14159265358979323846;
    uint64_t warm = o->warmup < total / 10 ? o->warmup : total / 10;
    double progress;

    if (step < warm)
        return o->learning_rate * (double)(step + 1) / (double)warm;
    switch (o->schedule) {
    case MML_SCHEDULE_COSINE:
        progress = total > warm ? (double)(step - warm) / (double)(total - warm) : 0;
        return o->learning_rate * 0.5 * (1 + cos(pi * fmin(progress, 1)));
    case MML_SCHEDULE_PLATEAU:
        return o->learning_rate * plateau_factor;
    case MML_SCHEDULE_CONSTANT:
    default:
        return o->learning_rate;
    }
}

void mmli_schedule_plateau(double *factor, double *best, size_t *bad, double score)
{
    if (score > *best) {
        *best = score;
        *bad = 0;
    } else if (++*bad >= 3) {
        *factor = fmax(*factor / 2, 1.0 / 64);
        *bad = 0;
    }
}
