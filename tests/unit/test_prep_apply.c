/* test_prep_apply.c - raw tokens into what an encoder reads. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/prep.h"
#include "data/prep_inside.h"
#include "tests/support/mmlt.h"
#include "util/alloc.h"
#include "util/rng.h"

/* A prep of `width` columns named f0, f1, ...: center 10 f, scale 2, fill 10 f + 1. */
static mmli_prep *make_prep(size_t width, size_t n_axes, const mml_prep_options *o)
{
    char names[32][8];
    const char *features[32];
    mmli_prep *p = NULL;

    ck_assert_uint_le(width, 32);
    mmlt_assert_ok(mmli_prep_new(&p, width, n_axes, o));
    for (size_t f = 0; f < width; f++) {
        snprintf(names[f], sizeof names[f], "f%zu", f);
        features[f] = names[f];
        p->center[f] = 10.0f * (float)f;
        p->scale_inv[f] = 2;
        p->fill[f] = p->center[f] + 1;
        p->indicator[f] = o->indicators == MML_INDICATE_MASK || (o->indicators == MML_INDICATE_MISSING && f % 2 == 1);
    }
    mmlt_assert_ok(mmli_prep_set_features(p, features));
    mmlt_assert_ok(mmli_prep_set_width(p));
    return p;
}

static mml_tokens make_tokens(const float *values, const int64_t *offsets, size_t width)
{
    return (mml_tokens){.name = "m", .values = values, .offsets = offsets, .width = width};
}

START_TEST(values_are_filled_scaled_and_clipped)
{
    const mml_prep_options o = {.clip = 5};
    const float x[] = {1, 10, NAN, 1000, -1000, NAN};
    const float want[] = {2, 0, 2, 5, -5, 2};
    const int64_t offsets[] = {0, 3};
    mmli_prep *p = make_prep(2, 0, &o);
    const mml_tokens t = make_tokens(x, offsets, 2);
    float y[6];

    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 1));
    mmlt_assert_close(y, want, 6, MMLT_TOL_EXACT);
    p->o.clip = 0;
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 1));
    ck_assert_float_eq(y[3], 1980);
    mmli_prep_free(p);
}
END_TEST

START_TEST(unscaled_values_are_not_clipped)
{
    const mml_prep_options o = {.scaling = MML_SCALE_NONE, .clip = 5};
    const float x[] = {100, -100};
    const int64_t offsets[] = {0, 1};
    mmli_prep *p = make_prep(2, 0, &o);
    const mml_tokens t = make_tokens(x, offsets, 2);
    float y[2];

    p->center[1] = 0;
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 1));
    ck_assert(y[0] == 200 && y[1] == -200);
    mmli_prep_free(p);
}
END_TEST

START_TEST(column_without_scale_is_zero_whatever_it_holds)
{
    const mml_prep_options o = {.imputation = _i ? MML_IMPUTE_LOCF : MML_IMPUTE_MEDIAN};
    const float x[] = {FLT_MAX, -FLT_MAX, NAN, 3};
    const int64_t offsets[] = {0, 4};
    mmli_prep *p = make_prep(1, 0, &o);
    const mml_tokens t = make_tokens(x, offsets, 1);
    const float zero[4] = {0};
    float y[4];

    p->center[0] = -FLT_MAX; /* x - center overflows, and infinity times 0 is no number */
    p->scale_inv[0] = 0;
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 1));
    mmlt_assert_close(y, zero, 4, MMLT_TOL_EXACT);
    mmli_prep_free(p);
}
END_TEST

START_TEST(any_finite_input_gives_finite_tokens)
{
    const mml_prep_options o = {.clip = _i ? 3 : 0};
    const float x[] = {FLT_MAX, -FLT_MAX, FLT_MIN, NAN};
    const int64_t offsets[] = {0, 4};
    mmli_prep *p = make_prep(1, 0, &o);
    const mml_tokens t = make_tokens(x, offsets, 1);
    float y[4];

    p->scale_inv[0] = 1e30f;
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 1));
    for (size_t i = 0; i < 4; i++)
        ck_assert(isfinite(y[i]));
    ck_assert(y[0] > 0 && y[1] < 0);
    mmli_prep_free(p);
}
END_TEST

START_TEST(last_value_is_carried_forward_within_the_sample_only)
{
    const mml_prep_options o = {.imputation = MML_IMPUTE_LOCF, .clip = 50};
    const float x[] = {NAN, 12, 3, NAN, NAN, 99, 4, NAN, /* sample 0 */
                       NAN, NAN, 7, NAN};                /* sample 2; sample 1 is empty */
    const float raw[] = {1, 12, 3, 12, 3, 99, 4, 99, 1, 11, 7, 11}; /* 1 and 11: the fill of training */
    const int64_t offsets[] = {0, 4, 4, 6};
    mmli_prep *p = make_prep(2, 0, &o);
    const mml_tokens t = make_tokens(x, offsets, 2);
    float y[12], want[12];

    for (size_t i = 0; i < 12; i++)
        want[i] = fminf((raw[i] - p->center[i % 2]) * 2, 50); /* 99: clipped, and carried clipped */
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 3));
    mmlt_assert_close(y, want, 12, MMLT_TOL_EXACT);
    mmli_prep_free(p);
}
END_TEST

START_TEST(indicators_follow_the_values)
{
    mml_prep_options o = {.indicators = MML_INDICATE_MASK, .imputation = MML_IMPUTE_LOCF};
    const float x[] = {1, NAN, 20, NAN, 10, NAN};
    const float mask[] = {2, 2, 0, 1, 0, 1, 2, 0, 0, 0, 1, 0};
    const float missing[] = {2, 2, 0, 1, 2, 0, 0, 0};
    const int64_t offsets[] = {0, 2};
    mmli_prep *p = make_prep(3, 0, &o);
    const mml_tokens t = make_tokens(x, offsets, 3);
    float y[12];

    ck_assert_uint_eq(p->width_out, 6);
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 1));
    mmlt_assert_close(y, mask, 12, MMLT_TOL_EXACT); /* a carried value was not measured */
    mmli_prep_free(p);
    o.indicators = MML_INDICATE_MISSING;
    p = make_prep(3, 0, &o); /* for column 1 */
    ck_assert_uint_eq(p->width_out, 4);
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 1));
    mmlt_assert_close(y, missing, 8, MMLT_TOL_EXACT);
    mmli_prep_free(p);
}
END_TEST

/* ---- positions ------------------------------------------------------------------------------------------------------- */

static const double pi = 3.14159265358979323846;

/* Fourier features by their definition. */
static size_t want_position(float *want, double p, unsigned bands)
{
    size_t n = 0;

    for (unsigned k = 1; k <= bands; k++) {
        want[n++] = (float)sin(pi * k * p);
        want[n++] = (float)cos(pi * k * p);
    }
    want[n++] = (float)p;
    return n;
}

START_TEST(token_without_position_is_placed_by_its_number)
{
    enum { BANDS = 3, OUT = 1 + 2 * BANDS + 1 };
    const mml_prep_options o = {.position_bands = BANDS};
    const float x[] = {0, 0, 0, 0, 0, 0};
    const int64_t offsets[] = {0, 1, 1, 6}; /* 1, 0 and 5 tokens */
    const double places[] = {0, 0, 0.25, 0.5, 0.75, 1};
    mmli_prep *p = make_prep(1, 0, &o);
    const mml_tokens t = make_tokens(x, offsets, 1);
    float y[6 * OUT], want[OUT];

    ck_assert_uint_eq(p->width_out, OUT);
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 3));
    for (size_t r = 0; r < 6; r++) {
        want[0] = 0;
        ck_assert_uint_eq(want_position(want + 1, places[r], BANDS), OUT - 1);
        mmlt_assert_close(y + r * OUT, want, OUT, MMLT_TOL_ROUND);
    }
    mmli_prep_free(p);
}
END_TEST

START_TEST(every_axis_of_a_position_has_its_own_waves)
{
    enum { BANDS = 2, AXES = 2, OUT = 2 + AXES * (2 * BANDS + 1) };
    const mml_prep_options o = {.position_bands = BANDS, .indicators = MML_INDICATE_MASK};
    const float x[] = {1, NAN}, positions[] = {0.1f, 0.9f, 0.3f, 0.7f};
    const int64_t offsets[] = {0, 2};
    mmli_prep *p = make_prep(1, AXES, &o);
    mml_tokens t = make_tokens(x, offsets, 1);
    float y[2 * OUT], want[OUT];

    t.positions = positions;
    t.n_axes = AXES;
    ck_assert_uint_eq(p->width_out, OUT);
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 1));
    for (size_t r = 0; r < 2; r++) {
        size_t n = 2;

        want[0] = 2;
        want[1] = r == 0;
        for (size_t a = 0; a < AXES; a++)
            n += want_position(want + n, (double)positions[r * AXES + a], BANDS);
        mmlt_assert_close(y + r * OUT, want, OUT, MMLT_TOL_ROUND);
    }
    mmli_prep_free(p);
}
END_TEST

START_TEST(positions_are_ignored_when_none_are_wanted)
{
    const mml_prep_options o = {.position_bands = 0};
    const float x[] = {1}, positions[] = {NAN};
    const int64_t offsets[] = {0, 1};
    mmli_prep *p = make_prep(1, 2, &o);
    mml_tokens t = make_tokens(x, offsets, 1);
    float y[1];

    t.positions = positions;
    t.n_axes = 1;
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 1));
    ck_assert_float_eq(y[0], 2);
    mmli_prep_free(p);
}
END_TEST

/* ---- failures and promises ------------------------------------------------------------------------------------------ */

START_TEST(other_widths_are_refused_with_both_numbers)
{
    const mml_prep_options o = {.position_bands = 1};
    const float x[6] = {0}, positions[6] = {0};
    const int64_t offsets[] = {0, 2};
    mmli_prep *p = make_prep(3, 1, &o);
    mml_tokens t = make_tokens(x, offsets, 2);
    float y[64];

    mmlt_assert_fails(mmli_prep_apply(y, p, &t, 1), MML_E_SHAPE, "modality m: tokens have 2 values, in training they had 3");
    t.width = 3;
    mmlt_assert_fails(mmli_prep_apply(y, p, &t, 1), MML_E_SHAPE, "positions have 0 axes, in training they had 1");
    t.positions = positions;
    t.n_axes = 2;
    mmlt_assert_fails(mmli_prep_apply(y, p, &t, 1), MML_E_SHAPE, "positions have 2 axes, in training they had 1");
    t.n_axes = 1;
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 1));
    mmli_prep_free(p);
}
END_TEST

START_TEST(infinity_is_refused_with_sample_token_and_feature)
{
    const mml_prep_options o = {.position_bands = 1, .clip = 5};
    const int64_t offsets[] = {0, 1, 1, 4};
    float x[12], positions[4] = {0, 0.5f, 0.5f, 1}, y[4 * 6];
    mmli_prep *p = make_prep(3, 1, &o), *bare = NULL;
    mml_tokens t = make_tokens(x, offsets, 3);

    memset(x, 0, sizeof x);
    t.positions = positions;
    t.n_axes = 1;
    for (size_t i = 0; i < 12; i++) {
        x[i] = i % 2 ? INFINITY : -INFINITY;
        mmlt_assert_fails(mmli_prep_apply(y, p, &t, 3), MML_E_DATA, "is infinite");
        x[i] = 0;
    }
    x[7] = INFINITY;
    mmlt_assert_fails(mmli_prep_apply(y, p, &t, 3), MML_E_DATA,
                      "modality m: sample 3 of the batch, token 2: feature `f1` is infinite");
    mmlt_assert_ok(mmli_prep_identity(&bare, 3));
    mmlt_assert_fails(mmli_prep_apply(y, bare, &t, 3), MML_E_DATA, "sample 3 of the batch, token 2: value 2 is infinite");
    x[7] = 0;
    positions[3] = NAN;
    mmlt_assert_fails(mmli_prep_apply(y, p, &t, 3), MML_E_DATA, "sample 3 of the batch, token 3: position 1");
    positions[3] = 0;
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 3));
    mmli_prep_free(bare);
    mmli_prep_free(p);
}
END_TEST

START_TEST(identity_hands_on_every_bit)
{
    const float x[] = {1.25f, -FLT_MAX, 1e-45f, NAN};
    const float want[] = {1.25f, -FLT_MAX, 1e-45f, 0};
    const int64_t offsets[] = {0, 2};
    mmli_prep *p = NULL;
    const mml_tokens t = make_tokens(x, offsets, 2);
    float y[4];

    mmlt_assert_ok(mmli_prep_identity(&p, 2));
    ck_assert_uint_eq(p->width_out, 2);
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, 1));
    mmlt_assert_same_bits(y, want, sizeof want);
    mmli_prep_free(p);
}
END_TEST

enum { SAMPLES = 50, WIDTH = 19 };

/* Everything at once, on samples of 0 to 6 tokens. */
static mmli_prep *full_prep(float *x, int64_t *offsets, mml_tokens *t)
{
    const mml_prep_options o = {.clip = 2, .imputation = MML_IMPUTE_LOCF, .indicators = MML_INDICATE_MISSING,
                                .position_bands = 2};
    const uint64_t key = mmli_rng_key(6, "apply", 0);

    offsets[0] = 0;
    for (size_t i = 0; i < SAMPLES; i++)
        offsets[i + 1] = offsets[i] + (int64_t)mmli_rng_below(key, i, 7);
    mmlt_normal(x, (size_t)offsets[SAMPLES] * WIDTH, key);
    for (size_t i = 0; i < (size_t)offsets[SAMPLES] * WIDTH; i++)
        x[i] = i % 3 == 0 ? NAN : x[i];
    *t = make_tokens(x, offsets, WIDTH);
    return make_prep(WIDTH, 0, &o);
}

START_TEST(sample_does_not_depend_on_the_others_of_its_batch)
{
    static float x[SAMPLES * 7 * WIDTH], all[SAMPLES * 7 * 64], one[7 * 64];
    int64_t offsets[SAMPLES + 1];
    mml_tokens t;
    mmli_prep *p = full_prep(x, offsets, &t);

    mmlt_assert_ok(mmli_prep_apply(all, p, &t, SAMPLES));
    for (size_t i = 0; i < SAMPLES; i++) {
        const size_t n = (size_t)(offsets[i + 1] - offsets[i]);
        const int64_t own[] = {0, (int64_t)n};
        const mml_tokens alone = make_tokens(x + (size_t)offsets[i] * WIDTH, own, WIDTH);

        mmlt_assert_ok(mmli_prep_apply(one, p, &alone, 1));
        mmlt_assert_same_bits(one, all + (size_t)offsets[i] * p->width_out, n * p->width_out * sizeof *one);
    }
    mmli_prep_free(p);
}
END_TEST

/* _i + 1 tokens at a time; the sample goes on where the part before ended, values carried forward and positions included. */
START_TEST(parts_of_a_sample_give_the_bits_of_the_whole)
{
    static float x[SAMPLES * 7 * WIDTH], all[SAMPLES * 7 * 64], part[SAMPLES * 7 * 64];
    int64_t offsets[SAMPLES + 1];
    mml_tokens t;
    mmli_prep *p = full_prep(x, offsets, &t);
    const size_t total = (size_t)offsets[SAMPLES], each = (size_t)_i + 1, width = p->width_out;
    const int64_t one[] = {0, (int64_t)total};

    t.offsets = one;
    mmlt_assert_ok(mmli_prep_apply(all, p, &t, 1));
    for (size_t first = 0; first < total; first += each) {
        const size_t n = total - first < each ? total - first : each;
        const int64_t own[] = {0, (int64_t)n};
        const mml_tokens some = make_tokens(x + first * WIDTH, own, WIDTH);

        mmlt_assert_ok(mmli_prep_apply_part(part + first * width, p, &some, first, total,
                                            first > 0 ? part + (first - 1) * width : NULL));
    }
    mmlt_assert_same_bits(part, all, total * width * sizeof *all);
    mmli_prep_free(p);
}
END_TEST

START_TEST(eight_threads_may_share_a_prep)
{
    static float x[SAMPLES * 7 * WIDTH], want[SAMPLES * 7 * 64], got[8][SAMPLES * 7 * 64];
    int64_t offsets[SAMPLES + 1];
    mml_tokens t;
    mmli_prep *p = full_prep(x, offsets, &t);
    const size_t bytes = (size_t)offsets[SAMPLES] * p->width_out * sizeof(float);
    mml_status status[8];

    mmlt_assert_ok(mmli_prep_apply(want, p, &t, SAMPLES));
#pragma omp parallel for num_threads(8) schedule(static, 1)
    for (int i = 0; i < 8; i++)
        status[i] = mmli_prep_apply(got[i], p, &t, SAMPLES);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(status[i], MML_OK);
        mmlt_assert_same_bits(got[i], want, bytes);
    }
    mmli_prep_free(p);
}
END_TEST

START_TEST(nothing_is_allocated)
{
    static float x[SAMPLES * 7 * WIDTH], y[SAMPLES * 7 * 64];
    int64_t offsets[SAMPLES + 1];
    mml_tokens t;
    mmli_prep *p = full_prep(x, offsets, &t);

    mmli_alloc_fail_at(1);
    mmlt_assert_ok(mmli_prep_apply(y, p, &t, SAMPLES));
    ck_assert_uint_eq(mmli_alloc_count(), 0);
    mmli_alloc_fail_at(0);
    mmli_prep_free(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data/prep_apply");
    TCase *tc = tcase_create("values"), *place = tcase_create("positions"), *rest = tcase_create("promises");

    tcase_add_test(tc, values_are_filled_scaled_and_clipped);
    tcase_add_test(tc, unscaled_values_are_not_clipped);
    tcase_add_loop_test(tc, column_without_scale_is_zero_whatever_it_holds, 0, 2);
    tcase_add_loop_test(tc, any_finite_input_gives_finite_tokens, 0, 2);
    tcase_add_test(tc, last_value_is_carried_forward_within_the_sample_only);
    tcase_add_test(tc, indicators_follow_the_values);
    tcase_add_test(place, token_without_position_is_placed_by_its_number);
    tcase_add_test(place, every_axis_of_a_position_has_its_own_waves);
    tcase_add_test(place, positions_are_ignored_when_none_are_wanted);
    tcase_add_test(rest, other_widths_are_refused_with_both_numbers);
    tcase_add_test(rest, infinity_is_refused_with_sample_token_and_feature);
    tcase_add_test(rest, identity_hands_on_every_bit);
    tcase_add_test(rest, sample_does_not_depend_on_the_others_of_its_batch);
    tcase_add_loop_test(rest, parts_of_a_sample_give_the_bits_of_the_whole, 0, 5);
    tcase_add_test(rest, eight_threads_may_share_a_prep);
    tcase_add_test(rest, nothing_is_allocated);
    suite_add_tcase(suite, tc);
    suite_add_tcase(suite, place);
    suite_add_tcase(suite, rest);
    return mmlt_main(suite);
}
