/* image_resize.c - pixels to floats of another size: first along the rows, then along the columns. */
#include <string.h>

#include "formats/image.h"
#include "util/alloc.h"
#include "util/error.h"

/* What one new pixel is made of: `count` old ones from `first` on, with weights that sum to 1. */
typedef struct part {
    size_t first, count, at; /* at: its weights */
} part;

typedef struct axis {
    part *parts;    /* (to) */
    double *weights;
} axis;

static void axis_free(axis *a)
{
    mmli_free(a->parts);
    mmli_free(a->weights);
}

/* New pixel i covers [i, i + 1) from / to of the old ones. In whole numbers, so that what is covered fully weighs exactly as much as
 * its neighbours: in units of 1 / to of an old pixel, i covers [i from, (i + 1) from). */
static size_t cover(part *p, double *weights, size_t i, size_t from, size_t to)
{
    const size_t begin = i * from, end = begin + from;

    p->first = begin / to;
    p->count = (end + to - 1) / to - p->first;
    for (size_t k = 0; k < p->count; k++) {
        const size_t low = (p->first + k) * to, high = low + to;

        weights[k] = (double)((high < end ? high : end) - (low > begin ? low : begin)) / (double)from;
    }
    return p->count;
}

/* Between the centres of two old pixels; beyond the outermost centre its value. */
static size_t between(part *p, double *weights, size_t i, size_t from, size_t to)
{
    const double place = ((double)i + 0.5) * (double)from / (double)to - 0.5;

    p->first = place > 0 ? (size_t)place : 0;
    p->count = place > 0 && p->first + 1 < from ? 2 : 1;
    weights[0] = p->count == 2 ? 1.0 - (place - (double)p->first) : 1.0;
    if (p->count == 2)
        weights[1] = 1.0 - weights[0];
    return p->count;
}

static mml_status axis_make(axis *a, size_t from, size_t to)
{
    mml_status st = MML_OK;
    size_t n = 0;

    MML_TRY(mmli_calloc(&a->parts, to, sizeof *a->parts));
    MML_TRY(mmli_calloc(&a->weights, from + 2 * to, sizeof *a->weights)); /* neighbours share at most one old pixel */
    for (size_t i = 0; i < to; i++) {
        a->parts[i].at = n;
        n += to <= from ? cover(&a->parts[i], a->weights + n, i, from, to) : between(&a->parts[i], a->weights + n, i, from, to);
    }
out:
    return st;
}

/* One row (width, channels of the image) to (to width, channels), in units of the pixels. */
static void resize_row(float *out, size_t width, size_t channels, const axis *a, const uint16_t *row, size_t c)
{
    static const double luma[] = {0.299, 0.587, 0.114};

    for (size_t x = 0; x < width; x++) {
        const part *p = &a->parts[x];
        double sum[3] = {0};

        for (size_t k = 0; k < p->count; k++)
            for (size_t j = 0; j < c; j++)
                sum[j] += a->weights[p->at + k] * (double)row[(p->first + k) * c + j];
        if (channels == 1 && c == 3)
            sum[0] = luma[0] * sum[0] + luma[1] * sum[1] + luma[2] * sum[2];
        for (size_t j = 0; j < channels; j++)
            out[x * channels + j] = (float)sum[c == 1 ? 0 : j];
    }
}

static void resize_columns(float *out, size_t n, const part *p, const axis *a, const float *rows, double most)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;

        for (size_t k = 0; k < p->count; k++)
            sum += a->weights[p->at + k] * (double)rows[(p->first + k) * n + i];
        sum /= most;
        out[i] = (float)(sum < 1.0 ? sum : 1.0); /* weights may sum to a little more than 1 */
    }
}

mml_status mmli_image_resize(float *out, size_t height, size_t width, size_t channels, const mmli_image *image)
{
    mml_status st = MML_OK;
    axis across = {0}, down = {0};
    float *rows = NULL; /* (image height, width, channels) */
    size_t n;

    MML_CHECK(mmli_mul_size(&n, width, channels) && height > 0 && n > 0 && (channels == 1 || channels == 3) &&
              width <= MMLI_IMAGE_SIDE && height <= MMLI_IMAGE_SIDE, MML_E_ARG, "an image of %zu x %zu with %zu channels cannot be made",
              height, width, channels);
    MML_TRY(axis_make(&across, image->width, width));
    MML_TRY(axis_make(&down, image->height, height));
    MML_TRY(mmli_calloc(&rows, image->height, n * sizeof *rows));
    for (size_t y = 0; y < image->height; y++)
        resize_row(rows + y * n, width, channels, &across, image->pixels + y * image->width * image->channels, image->channels);
    for (size_t y = 0; y < height; y++)
        resize_columns(out + y * n, n, &down.parts[y], &down, rows, (double)image->most);
out:
    axis_free(&across);
    axis_free(&down);
    mmli_free(rows);
    return st;
}
