/* mmlt.c - see mmlt.h. */
#include "tests/support/mmlt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/rng.h"

/* Error of one element in units of what is allowed; 0 when equal, both NaN included. */
static double distance(double got, double want, double allowed)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got) ? 0 : HUGE_VAL;
    if (got == want)
        return 0;
    if (isinf(got) || isinf(want) || allowed <= 0)
        return HUGE_VAL;
    return fabs(got - want) / allowed;
}

static double largest(const float *f, const double *d, size_t n)
{
    double most = 0;

    for (size_t i = 0; i < n; i++) {
        const double x = fabs(f ? (double)f[i] : d[i]);

        if (isfinite(x) && x > most)
            most = x;
    }
    return most;
}

double mmlt_distance(const float *got, const float *want, size_t n, mmlt_tol tol, size_t *at)
{
    const double most = largest(want, NULL, n);
    double worst = 0;

    for (size_t i = 0; i < n; i++) {
        const double d = distance((double)got[i], (double)want[i], tol.rel * fabs((double)want[i]) + tol.norm * most);

        if (d > worst) {
            worst = d;
            if (at)
                *at = i;
        }
    }
    return worst;
}

double mmlt_distance_d(const double *got, const double *want, size_t n, mmlt_tol tol, size_t *at)
{
    const double most = largest(NULL, want, n);
    double worst = 0;

    for (size_t i = 0; i < n; i++) {
        const double d = distance(got[i], want[i], tol.rel * fabs(want[i]) + tol.norm * most);

        if (d > worst) {
            worst = d;
            if (at)
                *at = i;
        }
    }
    return worst;
}

double mmlt_relative_error(const float *got, const float *want, size_t n)
{
    return mmlt_distance(got, want, n, (mmlt_tol){0, 1}, NULL);
}

void mmlt_assert_close_at(const char *file, int line, const char *what, const float *got, const float *want,
                          size_t n, mmlt_tol tol)
{
    size_t i = 0;
    const double d = mmlt_distance(got, want, n, tol, &i);

    if (d > 1)
        ck_abort_msg("%s:%d: %s[%zu of %zu] is %.9g, not %.9g (%.3g times what is allowed)", file, line, what, i, n,
                     (double)got[i], (double)want[i], d);
}

void mmlt_assert_close_d_at(const char *file, int line, const char *what, const double *got, const double *want,
                            size_t n, mmlt_tol tol)
{
    size_t i = 0;
    const double d = mmlt_distance_d(got, want, n, tol, &i);

    if (d > 1)
        ck_abort_msg("%s:%d: %s[%zu of %zu] is %.17g, not %.17g (%.3g times what is allowed)", file, line, what, i, n,
                     got[i], want[i], d);
}

void mmlt_assert_same_bits_at(const char *file, int line, const char *what, const void *got, const void *want,
                              size_t bytes)
{
    const unsigned char *a = got, *b = want;

    for (size_t i = 0; i < bytes; i++)
        if (a[i] != b[i])
            ck_abort_msg("%s:%d: %s differs at byte %zu of %zu (float %zu)", file, line, what, i, bytes,
                         i / sizeof(float));
}

void mmlt_assert_ok_at(const char *file, int line, const char *call, mml_status st)
{
    if (st != MML_OK)
        ck_abort_msg("%s:%d: %s failed (%s): %s", file, line, call, mml_status_name(st), mml_last_error());
}

void mmlt_assert_fails_at(const char *file, int line, const char *call, mml_status got, mml_status status,
                          const char *text)
{
    if (got != status)
        ck_abort_msg("%s:%d: %s gave `%s`, not `%s` (last error: %s)", file, line, call, mml_status_name(got),
                     mml_status_name(status), mml_last_error());
    if (mml_last_status() != status || mml_last_error()[0] == '\0' || !strstr(mml_last_error(), text))
        ck_abort_msg("%s:%d: %s left the message `%s`, which does not say `%s`", file, line, call, mml_last_error(),
                     text);
}

void mmlt_normal(float *x, size_t n, uint64_t key)
{
    for (size_t i = 0; i < n; i++)
        x[i] = mmli_rng_normal(key, i);
}

void mmlt_uniform(float *x, size_t n, uint64_t key, float low, float high)
{
    uint32_t word[4] = {0};

    for (size_t i = 0; i < n; i++) { /* mmli_rng_uniform(key, i), with one call for four numbers */
        if (i % 4 == 0)
            mmli_philox(word, key, i / 4);
        x[i] = low + (high - low) * ((float)(word[i % 4] >> 8) * 0x1p-24f);
    }
}

/* The one device that tests run on, when the environment names one. */
static const char *only(void)
{
    const char *device = getenv("MMLT_DEVICE");

    return device && *device ? device : NULL;
}

int mmlt_n_backends(void)
{
    int n = 0;

    if (only())
        return 1;
    while (mmli_backend_at((size_t)n))
        n++;
    return n + 1;
}

static const mmli_backend *table(int i)
{
    const mmli_backend *be;

    ck_assert_int_ge(i, 0);
    ck_assert_int_lt(i, mmlt_n_backends());
    be = mmli_backend_at((size_t)i);
    return be ? be : &mmlt_backend_hidden;
}

const char *mmlt_backend_name(int i)
{
    return only() ? only() : table(i)->name;
}

mmli_device *mmlt_device(int i, int threads)
{
    mmli_device *dv = NULL;

    mmlt_assert_ok(only() ? mmli_device_open(&dv, only(), threads) : mmli_device_open_table(&dv, table(i), threads));
    return dv;
}

mmli_mem *mmlt_upload(mmli_device *dv, const void *data, size_t bytes)
{
    mmli_mem *mem = NULL;

    mmlt_assert_ok(dv->k.alloc(dv, &mem, bytes));
    mmlt_assert_ok(dv->k.upload(dv, mem, data, bytes));
    return mem;
}

void mmlt_download(void *data, mmli_device *dv, const mmli_mem *mem, size_t bytes)
{
    mmlt_assert_ok(dv->k.download(dv, data, mem, bytes));
}

bool mmlt_fast(const char *left_out)
{
    if (getenv("MMLT_FAST") == NULL)
        return false;
    printf("skip - %s (MMLT_FAST)\n", left_out);
    fflush(stdout); /* what is still in the buffer when a test forks is printed twice */
    return true;
}

int mmlt_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
