/* test_conformance.c - every kernel of kernels.def, on every backend of the build and on the hidden
 * one, against the reference; and the same bits for any number of threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ops/case.h"

static const char *const kernels[] = {
#define MML_KERNEL(kernel, args) #kernel,
#include "backends/kernels.def"
#undef MML_KERNEL
};

static mmli_device *open_reference(void)
{
    mmli_device *dv = NULL;

    mmlt_assert_ok(mmli_device_open(&dv, "reference", 1));
    return dv;
}

static bool is(int b, const char *name)
{
    return strcmp(mmlt_backend_name(b), name) == 0;
}

enum { MOST_TARGETS = 16 };

typedef struct target {
    mmli_device *dv;
    char name[64];
} target;

/* All backends but the reference; the CPU once for each vector width: what a processor with AVX-512
 * never runs by itself is what older ones run. (A width it lacks falls back to the next.) */
static size_t open_targets(target t[MOST_TARGETS])
{
    static const char *const widths[] = {"avx512", "avx2", "base"};
    size_t n = 0;

    for (int b = 0; b < mmlt_n_backends(); b++) {
        const size_t variants = is(b, "cpu") ? COUNT(widths) : is(b, "reference") ? 0 : 1;

        for (size_t v = 0; v < variants; v++, n++) {
            ck_assert_uint_lt(n, MOST_TARGETS);
            if (is(b, "cpu"))
                ck_assert_int_eq(setenv("MMLEGO_SIMD", widths[v], 1), 0);
            t[n].dv = mmlt_device(b, 2);
            snprintf(t[n].name, sizeof t[n].name, "%s%s%s", mmlt_backend_name(b), is(b, "cpu") ? " " : "",
                     is(b, "cpu") ? widths[v] : "");
        }
    }
    unsetenv("MMLEGO_SIMD");
    return n;
}

/* Every how many variants of a case are run: all, or with MMLT_EVERY=3 every third, another one first in the next case. */
static size_t every(void)
{
    const char *text = getenv("MMLT_EVERY");
    const long n = text ? strtol(text, NULL, 10) : 1;

    return n > 1 ? (size_t)n : 1;
}

static size_t first(const kernel_case *c, int of_case)
{
    return c->variants > every() ? (size_t)of_case % every() : 0;
}

/* _i runs over the cases. One device for all variants: what a backend keeps from call to call (plans,
 * scratch memory) meets other shapes. */
START_TEST(a_kernel_agrees_with_the_reference_on_every_backend)
{
    const kernel_case *c = case_at((size_t)_i);
    mmli_device *reference = open_reference();
    target t[MOST_TARGETS];
    const size_t n = open_targets(t);

    for (size_t i = first(c, _i); i < c->variants; i += every()) {
        run want, got;

        run_case(&want, c, i, reference);
        for (size_t k = 0; k < n; k++) {
            run_case(&got, c, i, t[k].dv);
            assert_runs_agree(&got, &want, c, i, t[k].name);
            run_free(&got);
        }
        run_free(&want);
    }
    for (size_t k = 0; k < n; k++)
        mmli_device_close(t[k].dv);
    mmli_device_close(reference);
}
END_TEST

/* _i runs over the cases. The reference has one thread only, so has the hidden backend. */
START_TEST(a_kernel_gives_the_same_bits_for_any_number_of_threads)
{
    static const int threads[] = {1, 2, 3, 8};
    const kernel_case *c = case_at((size_t)_i);

    for (int b = 0; b < mmlt_n_backends(); b++) {
        const size_t n = is(b, "cpu") ? COUNT(threads) : 2; /* a GPU has no threads of the host: once more */
        mmli_device *dv[COUNT(threads)];

        if (is(b, "reference") || is(b, "hidden"))
            continue;
        for (size_t t = 0; t < n; t++)
            dv[t] = mmlt_device(b, threads[t]);
        for (size_t i = first(c, _i); i < c->variants; i += every()) {
            run one, more;

            run_case(&one, c, i, dv[0]);
            for (size_t t = 1; t < n; t++) {
                char who[64];

                snprintf(who, sizeof who, "%d threads than with 1 on %s", threads[t], mmlt_backend_name(b));
                run_case(&more, c, i, dv[t]);
                assert_runs_equal(&more, &one, c, i, who);
                run_free(&more);
            }
            run_free(&one);
        }
        for (size_t t = 0; t < n; t++)
            mmli_device_close(dv[t]);
    }
}
END_TEST

START_TEST(every_kernel_of_the_list_has_a_case)
{
    bool seen[COUNT(kernels)] = {false};
    mmli_device *dv = open_reference();

    for (size_t n = 0; case_at(n); n++) {
        run r;

        run_case(&r, case_at(n), 0, dv);
        for (size_t i = 0; i < r.calls; i++)
            for (size_t k = 0; k < COUNT(kernels); k++)
                seen[k] = seen[k] || strcmp(r.called[i], kernels[k]) == 0;
        run_free(&r);
    }
    for (size_t k = 0; k < COUNT(kernels); k++)
        ck_assert_msg(seen[k], "no case of tests/ops calls `%s`", kernels[k]);
    mmli_device_close(dv);
}
END_TEST

/* A suite that cannot fail proves nothing: one bit of one result is flipped. */
START_TEST(comparison_sees_one_wrong_number)
{
    const mmlt_tol tol = MMLT_TOL_SUM;
    float want[100], got[100];
    size_t at = 0;

    mmlt_normal(want, 100, 1);
    memcpy(got, want, sizeof got);
    ck_assert(mmlt_distance(got, want, 100, tol, &at) <= 0);
    got[37] *= 1 + 1e-4f;
    ck_assert(mmlt_distance(got, want, 100, tol, &at) > 1);
    ck_assert_uint_eq(at, 37);
    got[37] = want[37];
    got[99] = -NAN;
    ck_assert(mmlt_distance(got, want, 100, tol, &at) > 1);
    ck_assert(mmlt_distance(want, got, 100, tol, &at) > 1);
    ck_assert_uint_eq(at, 99);
    want[99] = NAN;
    ck_assert(mmlt_distance(got, want, 100, tol, &at) <= 0);
    got[99] = INFINITY;
    ck_assert(mmlt_distance(got, want, 100, tol, &at) > 1);
    want[99] = -INFINITY;
    ck_assert(mmlt_distance(got, want, 100, tol, &at) > 1);
    want[99] = INFINITY;
    ck_assert(mmlt_distance(got, want, 100, tol, &at) <= 0);
}
END_TEST

/* Cases to run: all, or with MMLT_SMALL=1, for tools under which a kernel takes a hundred times as long, those before the large. */
static int n_wanted(void)
{
    size_t n = 0;

    if (!getenv("MMLT_SMALL"))
        return (int)n_cases();
    while (case_at(n) && strncmp(case_at(n)->name, "large ", 6) != 0)
        n++;
    return (int)n;
}

int main(void)
{
    Suite *suite = suite_create("conformance");
    TCase *tc = tcase_create("kernels"), *threads = tcase_create("threads"); /* CK_RUN_CASE takes one */

    tcase_set_timeout(tc, 60);
    tcase_set_timeout(threads, 60);
    tcase_add_loop_test(tc, a_kernel_agrees_with_the_reference_on_every_backend, 0, n_wanted());
    tcase_add_loop_test(threads, a_kernel_gives_the_same_bits_for_any_number_of_threads, 0, n_wanted());
    tcase_add_test(tc, every_kernel_of_the_list_has_a_case);
    tcase_add_test(tc, comparison_sees_one_wrong_number);
    suite_add_tcase(suite, tc);
    suite_add_tcase(suite, threads);
    return mmlt_main(suite);
}
