/* sort.c - sorting by key with a defined order of equals. */
#include "util/sort.h"

#include <stdlib.h>

#include "util/alloc.h"

typedef struct keyed {
    double key;
    size_t index;
} keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

mml_status mmli_argsort(size_t *order, const double *key, size_t n)
{
    keyed *rows = NULL;
    mml_status st;

    if (n == 0)
        return MML_OK;
    if ((st = mmli_calloc(&rows, n, sizeof *rows)) != MML_OK)
        return st;
    for (size_t i = 0; i < n; i++)
        rows[i] = (keyed){key[i], i};
    qsort(rows, n, sizeof *rows, by_key);
    for (size_t i = 0; i < n; i++)
        order[i] = rows[i].index;
    mmli_free(rows);
    return MML_OK;
}

void mmli_sort_doubles(double *x, size_t n)
{
    if (n > 1)
        qsort(x, n, sizeof *x, by_value);
}

double mmli_quantile(const double *sorted, size_t n, double q)
{
    const double h = (double)(n - 1) * q;
    const size_t i = (size_t)h, j = i + 1 < n ? i + 1 : n - 1;

    return sorted[i] + (h - (double)i) * (sorted[j] - sorted[i]);
}
