/* test_mm.c - products of matrices in cache (backends/cpu/vec_gemm.h, vec_dots.h) and of one row with many, in every vector
 * width that this processor has. Every operand ends where its last row ends, in front of a page that may not be touched. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backends/cpu/vec.h"
#include "tests/support/mmlt.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const widths[] = {"avx512", "avx2", "base"};

static const mmli_vec *vec_at(int i)
{
    const mmli_vec *v;

    ck_assert_int_eq(setenv("MMLEGO_SIMD", widths[i], 1), 0);
    v = mmli_vec_choose();
    unsetenv("MMLEGO_SIMD");
    return v;
}

/* Memory in front of a page that faults; `x` are its last floats. */
enum { ROOM = 96 * 1024, AREAS = 4 };

typedef struct area {
    char *pages;
    size_t bytes;
} area;

static area area_new(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), body = ROOM * sizeof(float);
    area a = {.bytes = body + page};

    a.pages = mmap(NULL, a.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(a.pages, MAP_FAILED);
    ck_assert_int_eq(mprotect(a.pages + body, page, PROT_NONE), 0);
    return a;
}

static float *last_floats(const area *a, size_t n)
{
    if (n > ROOM) /* not ck_assert: each tells its parent that it passed, and there are 100 000 */
        ck_abort_msg("%zu numbers do not fit", n);
    return (float *)(void *)a->pages + (ROOM - n);
}

/* Floats from the first to the last of `rows` rows. */
static size_t span(size_t rows, size_t cols, size_t ld)
{
    return rows == 0 || cols == 0 ? 0 : (rows - 1) * ld + cols;
}

/* How a product is asked for: all of them with each shape. */
typedef struct form {
    bool transposed, bias, add;
    float alpha;
    size_t gap; /* between rows */
} form;

static const form forms[] = {
    {false, false, false, 1, 0}, {true, false, false, 1, 3}, {false, true, false, 1, 5},
    {false, false, true, -0.5f, 2}, {true, true, true, 3, 1},
};

typedef struct problem {
    mmli_mm p;
    float *a, *b, *c, *bias;
    size_t n_c;
    float *before; /* what c held */
} problem;

static area areas[AREAS];
static float before[ROOM];

static void set_up(void)
{
    for (size_t i = 0; i < AREAS; i++)
        areas[i] = area_new();
}

static void tear_down(void)
{
    for (size_t i = 0; i < AREAS; i++)
        munmap(areas[i].pages, areas[i].bytes);
}

static problem problem_of(size_t m, size_t n, size_t k, const form *f)
{
    const size_t wide = (f->transposed ? m : k) + f->gap;
    problem q = {.p = {.m = m, .n = n, .k = k, .a_row = f->transposed ? 1 : wide, .a_k = f->transposed ? wide : 1,
                       .ldb = n + f->gap, .ldc = n + f->gap, .alpha = f->alpha, .add = f->add},
                 .before = before};
    const size_t n_a = f->transposed ? span(k, m, wide) : span(m, k, wide), n_b = span(k, n, q.p.ldb);

    q.n_c = span(m, n, q.p.ldc);
    q.p.a = q.a = last_floats(&areas[0], n_a);
    q.p.b = q.b = last_floats(&areas[1], n_b);
    q.p.c = q.c = last_floats(&areas[2], q.n_c);
    q.bias = last_floats(&areas[3], n);
    q.p.bias = f->bias ? q.bias : NULL;
    mmlt_normal(q.a, n_a, 1);
    mmlt_normal(q.b, n_b, 2);
    mmlt_normal(q.bias, n, 3);
    mmlt_normal(q.c, q.n_c, 4);
    memcpy(before, q.c, q.n_c * sizeof *before);
    if (!f->add) /* it must not matter what was there */
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                q.c[i * q.p.ldc + j] = NAN;
    return q;
}

static double term(const problem *q, size_t i, size_t j, size_t l)
{
    return (double)q->p.a[i * q->p.a_row + l * q->p.a_k] * (double)q->p.b[l * q->p.ldb + j];
}

/* Against float64. A sum of k products of normal numbers is off by a few roundings of the sum of their magnitudes. */
static void check_values(const problem *q)
{
    const mmli_mm *p = &q->p;

    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->n; j++) {
            double sum = 0, size = 0, bound;

            for (size_t l = 0; l < p->k; l++) {
                sum += term(q, i, j, l);
                size += fabs(term(q, i, j, l));
            }
            sum *= (double)p->alpha;
            sum += p->bias ? (double)p->bias[j] : 0;
            sum += p->add ? (double)q->before[i * p->ldc + j] : 0;
            bound = 6e-8 * (fabs((double)p->alpha) * size * (2 + sqrt((double)p->k)) + 8);
            if (!(fabs((double)p->c[i * p->ldc + j] - sum) <= bound))
                ck_abort_msg("(%zu, %zu, %zu)[%zu, %zu]: %.9g, not %.9g", p->m, p->n, p->k, i, j,
                             (double)p->c[i * p->ldc + j], sum);
        }
}

static void check_gaps(const problem *q)
{
    for (size_t i = 0; i < q->n_c; i++)
        if (i % q->p.ldc >= q->p.n && q->p.c[i] != q->before[i])
            ck_abort_msg("(%zu, %zu, %zu) wrote behind row %zu", q->p.m, q->p.n, q->p.k, i / q->p.ldc);
}

static void check(const mmli_vec *v, size_t m, size_t n, size_t k)
{
    for (size_t f = 0; f < COUNT(forms); f++) {
        problem q = problem_of(m, n, k, &forms[f]);

        v->mm(&q.p);
        check_values(&q);
        check_gaps(&q);
    }
}

START_TEST(products_of_all_small_shapes_are_those_in_double_precision)
{
    static const size_t ms[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 17, 24, 25, 29};
    static const size_t ks[] = {0, 1, 2, 7, 33};
    const mmli_vec *v = vec_at(_i);

    for (size_t i = 0; i < COUNT(ms); i++)
        for (size_t n = 0; n <= 99; n += n < 40 ? 1 : 7)
            for (size_t l = 0; l < COUNT(ks); l++)
                check(v, ms[i], n, ks[l]);
}
END_TEST

START_TEST(products_of_tiles_are_those_in_double_precision)
{
    static const size_t shapes[][3] = {{48, 64, 64}, {64, 64, 48}, {224, 64, 64}, {64, 64, 224}, {48, 37, 64},
                                       {64, 37, 48}, {37, 64, 48}, {1, 256, 300}, {300, 1, 64},  {61, 143, 129}};
    const mmli_vec *v = vec_at(_i);

    for (size_t s = 0; s < COUNT(shapes); s++)
        check(v, shapes[s][0], shapes[s][1], shapes[s][2]);
}
END_TEST

/* So tiles may be cut anywhere. */
START_TEST(a_value_depends_on_its_row_and_its_column_alone)
{
    const mmli_vec *v = vec_at(_i);

    for (size_t f = 0; f < COUNT(forms); f++) {
        problem q = problem_of(31, 83, 57, &forms[f]);

        v->mm(&q.p);
        for (size_t i = 0; i < q.p.m; i++)
            for (size_t j = 0; j < q.p.n; j++) {
                float one = q.before[i * q.p.ldc + j];
                mmli_mm p = q.p;

                p.m = p.n = 1;
                p.a += i * p.a_row;
                p.b += j;
                p.bias = p.bias ? p.bias + j : NULL;
                p.c = &one;
                v->mm(&p);
                mmlt_assert_same_bits(&one, &q.p.c[i * q.p.ldc + j], sizeof one);
            }
    }
}
END_TEST

START_TEST(what_is_not_finite_stays_in_its_row_and_column)
{
    enum { M = 14, N = 39, K = 20, ROW = 5, COLUMN = 36 };
    const mmli_vec *v = vec_at(_i);
    problem q = problem_of(M, N, K, &forms[0]);

    q.a[ROW * K + 3] = NAN;
    q.b[3 * N + COLUMN] = INFINITY;
    v->mm(&q.p);
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < N; j++)
            ck_assert_int_eq(isfinite(q.p.c[i * N + j]) != 0, i != ROW && j != COLUMN);
}
END_TEST

/* C = A B^T [+ bias or + C] of rows with gaps: against float64, and each value alone, which shall have the same bits. */
static void check_dots(const mmli_vec *v, size_t m, size_t n, size_t k, size_t f)
{
    const size_t gap = forms[f].gap, ld = k + gap, ldc = n + gap;
    float *a = last_floats(&areas[0], span(m, k, ld)), *b = last_floats(&areas[1], span(n, k, ld));
    float *c = last_floats(&areas[2], span(m, n, ldc)), *bias = last_floats(&areas[3], n);
    const bool add = forms[f].add;
    mmli_mm p = {.m = m, .n = n, .k = k, .a = a, .a_row = ld, .a_k = 1, .b = b, .ldb = ld, .c = c, .ldc = ldc,
                 .bias = add ? NULL : bias, .alpha = 1, .add = add};

    mmlt_normal(a, span(m, k, ld), 1);
    mmlt_normal(b, span(n, k, ld), 2);
    mmlt_normal(bias, n, 3);
    mmlt_normal(c, span(m, n, ldc), 4);
    memcpy(before, c, span(m, n, ldc) * sizeof *c);
    v->mm_dots(&p);
    p.m = p.n = 1;
    for (size_t i = 0; i < span(m, n, ldc); i++) {
        const size_t row = i / ldc, column = i % ldc;
        double sum, size = 0;
        float one = before[i];

        if (column >= n) {
            mmlt_assert_same_bits(c + i, before + i, sizeof *c);
            continue;
        }
        sum = add ? (double)one : (double)bias[column];
        for (size_t l = 0; l < k; l++) {
            const double term = (double)a[row * ld + l] * (double)b[column * ld + l];

            sum += term;
            size += fabs(term);
        }
        if (!(fabs((double)c[i] - sum) <= 6e-8 * (size * (2 + sqrt((double)k)) + 8)))
            ck_abort_msg("(%zu, %zu, %zu)[%zu, %zu]: %.9g, not %.9g", m, n, k, row, column, (double)c[i], sum);
        p.a = a + row * ld;
        p.b = b + column * ld;
        p.bias = add ? NULL : bias + column;
        p.c = &one;
        v->mm_dots(&p);
        if (memcmp(&one, c + i, sizeof one) != 0)
            ck_abort_msg("(%zu, %zu, %zu)[%zu, %zu]: %.9g, alone %.9g", m, n, k, row, column, (double)c[i], (double)one);
    }
}

START_TEST(products_along_rows_are_those_in_double_precision_and_depend_on_their_rows_alone)
{
    static const size_t sides[] = {0, 1, 2, 3, 4, 5, 6, 7, 9, 13, 17}, ks[] = {0, 1, 7, 8, 15, 16, 17, 40, 129};
    const mmli_vec *v = vec_at(_i);

    for (size_t i = 0; v->mm_dots && i < COUNT(sides); i++)
        for (size_t j = 0; j < COUNT(sides); j++)
            for (size_t l = 0; l < COUNT(ks); l++)
                for (size_t f = 0; f < COUNT(forms); f++)
                    check_dots(v, sides[i], sides[j], ks[l], f);
}
END_TEST

/* Rows that end in front of a page that faults. Nine: where they are taken by four, one is left. */
START_TEST(rows_one_after_the_other_give_each_the_bits_that_four_give)
{
    static const size_t lengths[] = {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 255, 2189};
    enum { ROWS = 9 };
    const mmli_vec *v = vec_at(_i);

    for (size_t l = 0; l < COUNT(lengths); l++) {
        const size_t n = lengths[l];
        float *rows = last_floats(&areas[0], ROWS * n), *x = last_floats(&areas[1], n), got[ROWS], want[4];

        mmlt_normal(rows, ROWS * n, 5);
        mmlt_normal(x, n, 6);
        v->dots(got, x, rows, n, ROWS, n);
        for (size_t i = 0; i < ROWS; i++) {
            const float *const row[4] = {rows + i * n, rows, rows, rows};

            v->dot4(want, x, row, n);
            mmlt_assert_same_bits(got + i, want, sizeof *got);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("products in cache");
    TCase *tc = tcase_create("mm");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, products_of_all_small_shapes_are_those_in_double_precision, 0, COUNT(widths));
    tcase_add_loop_test(tc, products_of_tiles_are_those_in_double_precision, 0, COUNT(widths));
    tcase_add_loop_test(tc, a_value_depends_on_its_row_and_its_column_alone, 0, COUNT(widths));
    tcase_add_loop_test(tc, what_is_not_finite_stays_in_its_row_and_column, 0, COUNT(widths));
    tcase_add_loop_test(tc, products_along_rows_are_those_in_double_precision_and_depend_on_their_rows_alone, 0,
                        COUNT(widths));
    tcase_add_loop_test(tc, rows_one_after_the_other_give_each_the_bits_that_four_give, 0, COUNT(widths));
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
