/* summary.c - see summary.h. */
#include "explain/summary.h"

#include <math.h>
#include <string.h>

/* Mean, least, greatest and last of the measured values of channel j; how many they are does not depend on them. */
static void channel_back(float *dx, const float *dy, const float *x, size_t width, const float *raw, size_t width_in, size_t n,
                         size_t j)
{
    size_t count = 0, least = 0, most = 0, last = 0;

    for (size_t t = 0; t < n; t++) {
        if (isnan(raw[t * width_in + j]))
            continue;
        least = count == 0 || x[t * width + j] < x[least * width + j] ? t : least;
        most = count == 0 || x[t * width + j] > x[most * width + j] ? t : most;
        last = t;
        count++;
    }
    for (size_t t = 0; t < n; t++)
        if (!isnan(raw[t * width_in + j]))
            dx[t * width + j] = dy[j] / (float)count;
    if (count > 0) {
        dx[least * width + j] += dy[width_in + j];
        dx[most * width + j] += dy[2 * width_in + j];
        dx[last * width + j] += dy[3 * width_in + j];
    }
}

void mmli_summary_back(float *dx, const float *dy, mml_modality_kind kind, const float *x, size_t width, const float *raw,
                       size_t width_in, size_t n)
{
    memset(dx, 0, n * width * sizeof *dx);
    for (size_t t = 0; kind == MML_TABLE && t < n; t++)
        for (size_t j = 0; j < width; j++)
            dx[t * width + j] = dy[j] / (float)n;
    for (size_t j = 0; kind != MML_TABLE && j < width_in; j++)
        channel_back(dx, dy, x, width, raw, width_in, n, j);
}
