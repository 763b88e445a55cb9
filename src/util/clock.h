/* clock.h - how long something took. */
#ifndef MMLI_UTIL_CLOCK_H
#define MMLI_UTIL_CLOCK_H

#include <time.h>

/* Seconds since some moment; never goes back. */
static inline double mmli_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
