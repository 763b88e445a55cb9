/* test_ahead.c - what is read ahead is what would have been read: the same bits, the same failures, at the same step. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/ahead.h"
#include "io/cohort.h"
#include "tests/unit/make_cohort.h"
#include "util/alloc.h"
#include "util/rng.h"

enum { N = 60, WIDTH = 7, MOST = 9 };

static const char *const names[] = {"bag", "table"};
static mmlt_cohort made;
static mml_cohort *cohort, *other; /* the same file, opened twice */
static mml_batch *want;
static size_t order[N];

static void make(void)
{
    float *bag = NULL, *place = NULL, table[N * 2];
    int64_t offsets[N + 1] = {0};
    size_t tokens;

    for (size_t i = 0; i < N; i++)
        offsets[i + 1] = offsets[i] + (int64_t)mmli_rng_below(5, i, MOST);
    tokens = (size_t)offsets[N];
    mmlt_assert_ok(mmli_calloc(&bag, tokens, WIDTH * sizeof *bag));
    mmlt_assert_ok(mmli_calloc(&place, tokens, 2 * sizeof *place));
    mmlt_normal(bag, tokens * WIDTH, 1);
    mmlt_uniform(place, tokens * 2, 2, 0, 1);
    mmlt_normal(table, N * 2, 3);
    mmlt_cohort_begin(&made, N, NULL);
    mmlt_cohort_modality(&made, "table", "table", table, NULL, 2, NULL, 0, NULL);
    mmlt_cohort_modality(&made, "bag", "bag", bag, offsets, WIDTH, place, 2, NULL);
    cohort = mmlt_cohort_open(&made);
    mmlt_assert_ok(mml_cohort_open(&other, made.path));
    mml_cohort_set_memory(cohort, 0);
    mmlt_assert_ok(mml_batch_new(&want, 0));
    mmli_rng_shuffle(4, order, N);
    mmli_free(bag);
    mmli_free(place);
}

static void drop(void)
{
    mml_batch_free(want);
    mml_cohort_close(cohort);
    mml_cohort_close(other);
    mmlt_cohort_remove(&made);
}

static void same_part(const mml_batch *got, const char *name)
{
    mml_tokens a, b;
    size_t n;

    mmlt_assert_ok(mml_batch_get(&a, got, name));
    mmlt_assert_ok(mml_batch_get(&b, want, name));
    n = (size_t)b.offsets[mml_batch_size(want)];
    ck_assert_uint_eq(a.width, b.width);
    ck_assert_uint_eq(a.n_axes, b.n_axes);
    mmlt_assert_same_bits(a.offsets, b.offsets, (mml_batch_size(want) + 1) * sizeof *a.offsets);
    mmlt_assert_same_bits(a.values, b.values, n * b.width * sizeof *a.values);
    if (n > 0 && b.n_axes > 0)
        mmlt_assert_same_bits(a.positions, b.positions, n * b.n_axes * sizeof *a.positions);
}

/* `got` is what the other handle reads for these samples. */
static void same(const mml_batch *got, const size_t *samples, size_t n)
{
    mmlt_assert_ok(mml_cohort_read(other, want, samples, n, names, 2));
    ck_assert_uint_eq(mml_batch_size(got), n);
    same_part(got, "bag");
    same_part(got, "table");
}

START_TEST(batches_come_in_order_and_with_the_bits_of_a_plain_reading)
{
    mmli_ahead *a;
    const mml_batch *got;

    mmlt_assert_ok(mmli_ahead_new(&a, cohort, names, 2));
    ck_assert(mmli_ahead_is_threaded(a));
    for (size_t epoch = 0; epoch < 20; epoch++) {
        const size_t batch = 1 + epoch % 13;

        for (size_t at = 0; at < N; at += batch) {
            const size_t n = N - at < batch ? N - at : batch, left = N - at - n;

            mmlt_assert_ok(mmli_ahead_read(&got, a, order + at, n, order + at + n, left < batch ? left : batch));
            same(got, order + at, n);
        }
        mmli_rng_shuffle(epoch, order, N); /* in place: what was asked for before is not looked at again */
    }
    mmli_ahead_free(a);
}
END_TEST

START_TEST(another_batch_than_the_one_announced_is_read_all_the_same)
{
    mmli_ahead *a;
    const mml_batch *got;

    mmlt_assert_ok(mmli_ahead_new(&a, cohort, names, 2));
    for (size_t i = 0; i + 6 < N; i++) {
        mmlt_assert_ok(mmli_ahead_read(&got, a, order + i, 3, order + i + 3, i % 3));
        same(got, order + i, 3);
    }
    mmlt_assert_ok(mmli_ahead_read(&got, a, NULL, 0, order, 2));
    ck_assert_uint_eq(mml_batch_size(got), 0);
    mmli_ahead_free(a);
}
END_TEST

START_TEST(a_batch_stays_as_it_is_while_the_next_one_is_read)
{
    mmli_ahead *a;
    const mml_batch *got;

    mmlt_assert_ok(mmli_ahead_new(&a, cohort, names, 2));
    for (size_t i = 0; i + 20 <= N; i += 10) {
        mmlt_assert_ok(mmli_ahead_read(&got, a, order + i, 10, order + i + 10, 10));
        for (int again = 0; again < 20; again++)
            same(got, order + i, 10);
    }
    mmli_ahead_free(a);
}
END_TEST

START_TEST(a_cohort_that_fits_into_memory_is_read_without_a_thread)
{
    mmli_ahead *a;
    const mml_batch *got;
    size_t table = N * 2 * sizeof(float);

    mmlt_assert_ok(mmli_ahead_new(&a, other, names, 2));
    ck_assert(!mmli_ahead_is_threaded(a));
    mmlt_assert_ok(mmli_ahead_read(&got, a, order, 5, order + 5, 5));
    same(got, order, 5);
    mmlt_assert_ok(mmli_ahead_read(&got, a, order + 5, 5, NULL, 0));
    same(got, order + 5, 5);
    mmli_ahead_free(a);
    mml_cohort_set_memory(cohort, table);
    mmlt_assert_ok(mmli_ahead_new(&a, cohort, names + 1, 1));
    ck_assert(!mmli_ahead_is_threaded(a));
    mmli_ahead_free(a);
    mmlt_assert_ok(mmli_ahead_new(&a, cohort, names, 2)); /* the bag does not fit */
    ck_assert(mmli_ahead_is_threaded(a));
    mmli_ahead_free(a);
    mmlt_assert_fails(mmli_ahead_new(&a, cohort, (const char *const[]){"bags"}, 1), MML_E_NOT_FOUND, "did you mean bag");
    ck_assert_ptr_null(a);
}
END_TEST

START_TEST(pieces_of_a_sample_are_its_tokens_one_after_the_other)
{
    mmli_ahead *a;
    const mml_batch *got;
    mml_tokens piece, whole;

    mmlt_assert_ok(mmli_ahead_new(&a, cohort, names, 2));
    for (size_t s = 0; s < N; s++) {
        size_t n;

        mmlt_assert_ok(mml_cohort_read(other, want, &s, 1, names, 1));
        mmlt_assert_ok(mml_batch_get(&whole, want, "bag"));
        n = (size_t)whole.offsets[1];
        for (size_t at = 0; at < n; at += 2) {
            const mmli_piece now = {.sample = s, .name = 0, .first = at, .count = n - at < 2 ? n - at : 2};
            const mmli_piece next = {.sample = s, .name = 0, .first = at + 2, .count = n - at < 4 ? n - at - now.count : 2};

            mmlt_assert_ok(mmli_ahead_read_piece(&got, a, &now, at + 2 < n ? &next : NULL));
            mmlt_assert_ok(mml_batch_get(&piece, got, "bag"));
            ck_assert_uint_eq(mml_batch_size(got), 1);
            ck_assert_uint_eq((size_t)piece.offsets[1], now.count);
            mmlt_assert_same_bits(piece.values, whole.values + at * WIDTH, now.count * WIDTH * sizeof(float));
            mmlt_assert_same_bits(piece.positions, whole.positions + at * 2, now.count * 2 * sizeof(float));
        }
        if (n > 0) {
            const mmli_piece beyond = {.sample = s, .name = 0, .first = 1, .count = n};

            mmlt_assert_fails(mmli_ahead_read_piece(&got, a, &beyond, NULL), MML_E_ARG, "more from 1 on");
            ck_assert_ptr_null(got);
        }
    }
    mmli_ahead_free(a);
}
END_TEST

/* The file loses its end while it is open: samples from `bad` on cannot be read. */
static size_t cut(void)
{
    const mmli_cohort_modality *m = &cohort->modalities[1];
    const size_t bad = N / 2;
    haddr_t at;

    ck_assert_str_eq(m->name, "bag");
    mmli_h5_lock();
    at = H5Dget_offset(m->axes_set); /* behind the values */
    mmli_h5_unlock();
    ck_assert_int_eq(truncate(made.path, (off_t)(at + (haddr_t)m->offsets[bad] * 2 * sizeof(float))), 0);
    return bad;
}

START_TEST(a_failure_comes_at_the_step_that_needs_the_batch_and_with_its_message)
{
    mmli_ahead *a;
    const mml_batch *got;
    size_t good[2] = {0, 1}, bad[1], none[1] = {N};

    mmlt_assert_ok(mmli_ahead_new(&a, cohort, names, 1));
    mmlt_assert_ok(mmli_ahead_read(&got, a, good, 2, NULL, 0)); /* the layout is known from here on */
    bad[0] = cut();
    while (cohort->modalities[1].offsets[bad[0] + 1] == cohort->modalities[1].offsets[bad[0]])
        bad[0]++;
    mmlt_assert_ok(mmli_ahead_read(&got, a, good + 1, 1, bad, 1));
    mmlt_assert_ok(mmli_ahead_read(&got, a, good, 1, bad, 1)); /* what was announced and not wanted fails in silence */
    mmlt_assert_fails(mmli_ahead_read(&got, a, bad, 1, good, 1), MML_E_IO, "bag could not be read: damaged file or disk");
    ck_assert_ptr_null(got);
    mmlt_assert_ok(mmli_ahead_read(&got, a, good, 1, none, 1));
    ck_assert_uint_eq(mml_batch_size(got), 1);
    mmlt_assert_fails(mmli_ahead_read(&got, a, none, 1, NULL, 0), MML_E_ARG, "sample 60 does not exist, there are 60");
    mmli_ahead_free(a);
}
END_TEST

START_TEST(it_can_be_ended_at_any_moment)
{
    for (size_t i = 0; i < 50; i++) {
        mmli_ahead *a;
        const mml_batch *got;

        mmlt_assert_ok(mmli_ahead_new(&a, cohort, names, 2));
        if (i % 3 != 0)
            mmlt_assert_ok(mmli_ahead_read(&got, a, order, 4, order + 4, i % 3 == 1 ? 40 : 0));
        mmli_ahead_free(a);
    }
    mmli_ahead_free(NULL);
}
END_TEST

START_TEST(the_owner_may_use_the_cohort_in_between)
{
    mmli_ahead *a;
    const mml_batch *got;
    mml_batch *mine;
    mml_tokens t;
    char *json = NULL;

    mmlt_assert_ok(mml_batch_new(&mine, 0));
    mmlt_assert_ok(mmli_ahead_new(&a, cohort, names, 2));
    for (size_t i = 0; i + 10 <= N; i += 5) {
        mmlt_assert_ok(mmli_ahead_read(&got, a, order + i, 5, order + i + 5, 5));
        mml_cohort_set_memory(cohort, i % 2 ? 0 : (size_t)1 << 20);
        mmlt_assert_ok(mml_cohort_read(cohort, mine, order, N, names, 2));
        mmlt_assert_ok(mml_batch_get(&t, mine, "bag"));
        mmlt_assert_ok(mml_cohort_describe(&json, cohort));
        mml_string_free(json);
        same(got, order + i, 5);
    }
    mml_batch_free(mine);
    mmli_ahead_free(a);
}
END_TEST

START_TEST(warm_steps_ask_for_no_memory)
{
    mmli_ahead *a;
    const mml_batch *got;
    uint64_t before = 0;

    mmlt_assert_ok(mmli_ahead_new(&a, cohort, names, 2));
    for (size_t epoch = 0; epoch < 5; epoch++) {
        before = epoch == 3 ? mmli_alloc_count() : before;
        for (size_t at = 0; at < N; at += 10)
            mmlt_assert_ok(mmli_ahead_read(&got, a, order + at, 10, order + at + 10, at + 20 <= N ? 10 : 0));
    }
    ck_assert_uint_eq(mmli_alloc_count(), before);
    mmli_ahead_free(a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ahead");
    TCase *tc = tcase_create("ahead");

    tcase_add_checked_fixture(tc, make, drop);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, batches_come_in_order_and_with_the_bits_of_a_plain_reading);
    tcase_add_test(tc, another_batch_than_the_one_announced_is_read_all_the_same);
    tcase_add_test(tc, a_batch_stays_as_it_is_while_the_next_one_is_read);
    tcase_add_test(tc, a_cohort_that_fits_into_memory_is_read_without_a_thread);
    tcase_add_test(tc, pieces_of_a_sample_are_its_tokens_one_after_the_other);
    tcase_add_test(tc, a_failure_comes_at_the_step_that_needs_the_batch_and_with_its_message);
    tcase_add_test(tc, it_can_be_ended_at_any_moment);
    tcase_add_test(tc, the_owner_may_use_the_cohort_in_between);
    tcase_add_test(tc, warm_steps_ask_for_no_memory);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
