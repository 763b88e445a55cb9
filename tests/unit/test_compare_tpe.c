/* test_compare_tpe.c - the search over settings: it finds what is better, within its limits, always the same way. */
#include <math.h>
#include <string.h>

#include "compare/tpe.h"
#include "tests/support/mmlt.h"

enum { DIMENSIONS = 3, TRIALS = 60, SEARCHES = 20 };

static const mmli_dimension space[DIMENSIONS] = {
    {.low = 1e-5, .high = 1e-1, .log = 1}, {.low = -2, .high = 6}, {.choices = 4}};

/* Best at 1e-3, 4 and choice 2. */
static double goodness(const double *x)
{
    const double a = log10(x[0]) + 3, b = (x[1] - 4) / 2;

    return -a * a - b * b - (x[2] == 2 ? 0 : 1);
}

typedef struct searched {
    double x[TRIALS * DIMENSIONS], score[TRIALS];
} searched;

static void search(searched *s, uint64_t seed, bool some_fail)
{
    for (size_t t = 0; t < TRIALS; t++) {
        double *x = s->x + t * DIMENSIONS;

        mmlt_assert_ok(mmli_tpe_next(x, space, DIMENSIONS, s->x, s->score, t, seed * 1000 + t));
        s->score[t] = some_fail && t % 3 == 1 ? (double)NAN : goodness(x);
    }
}

static double mean(const double *x, size_t from, size_t to)
{
    double sum = 0;

    for (size_t i = from; i < to; i++)
        sum += x[i];
    return sum / (double)(to - from);
}

START_TEST(later_trials_are_better_than_random_ones)
{
    double early = 0, late = 0;

    for (uint64_t seed = 0; seed < SEARCHES; seed++) {
        searched s;

        search(&s, seed, false);
        early += mean(s.score, 0, 5) / SEARCHES;
        late += mean(s.score, TRIALS - 20, TRIALS) / SEARCHES;
    }
    ck_assert_double_lt(early, -2); /* random: E a^2 + E b^2 + 3/4 is above 4 */
    ck_assert_double_gt(late, early / 4);
}
END_TEST

START_TEST(the_best_of_a_search_is_near_the_optimum)
{
    size_t near = 0;

    for (uint64_t seed = 0; seed < SEARCHES; seed++) {
        searched s;
        size_t best = 0;

        search(&s, seed, false);
        for (size_t t = 1; t < TRIALS; t++)
            best = s.score[t] > s.score[best] ? t : best;
        near += s.score[best] > -0.1; /* which needs the right choice */
    }
    ck_assert_uint_ge(near, SEARCHES * 3 / 4);
}
END_TEST

START_TEST(trials_stay_within_the_limits)
{
    for (uint64_t seed = 0; seed < SEARCHES; seed++) {
        searched s;

        search(&s, seed, true);
        for (size_t t = 0; t < TRIALS; t++) {
            const double *x = s.x + t * DIMENSIONS;

            ck_assert(x[0] >= 1e-5 * (1 - 1e-12) && x[0] <= 1e-1 * (1 + 1e-12));
            ck_assert(x[1] >= -2 && x[1] <= 6);
            ck_assert(x[2] == 0 || x[2] == 1 || x[2] == 2 || x[2] == 3);
        }
    }
}
END_TEST

START_TEST(trials_that_failed_are_learnt_from_as_the_worst)
{
    double late = 0;

    for (uint64_t seed = 0; seed < SEARCHES; seed++) {
        searched s;

        search(&s, seed, true);
        for (size_t t = TRIALS - 20; t < TRIALS; t++)
            late += goodness(s.x + t * DIMENSIONS) / (20 * SEARCHES);
    }
    ck_assert_double_gt(late, -2);
}
END_TEST

START_TEST(a_search_repeats_to_the_bit_and_another_seed_is_another_search)
{
    searched a, b;

    search(&a, 1, false);
    search(&b, 1, false);
    mmlt_assert_same_bits(a.x, b.x, sizeof a.x);
    search(&b, 2, false);
    ck_assert_int_ne(memcmp(a.x, b.x, sizeof a.x), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compare/tpe");
    TCase *tc = tcase_create("search");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, later_trials_are_better_than_random_ones);
    tcase_add_test(tc, the_best_of_a_search_is_near_the_optimum);
    tcase_add_test(tc, trials_stay_within_the_limits);
    tcase_add_test(tc, trials_that_failed_are_learnt_from_as_the_worst);
    tcase_add_test(tc, a_search_repeats_to_the_bit_and_another_seed_is_another_search);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
