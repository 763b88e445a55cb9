/* Import of HDF5 arrays: steps, summaries, patches and instances, value by value. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/cohort.h"
#include "tests/unit/import_help.h"
#include "util/alloc.h"

#define HEAD "[cohort]\nlabels = l.csv\nid = id\n[modality m]\nfile = m.h5\nid = ids\ndataset = values\n"

static hid_t file;

static void make(void)
{
    mmlt_folder_make();
    mmlt_write("l.csv", "id\na\nb\nc\nd\n");
    file = H5Fcreate(mmlt_path("m.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

/* Three stays of four hours, two channels, in another order than the labels; one is not known there. */
static void write_series(void)
{
    const float x[3][4][2] = {{{1, NAN}, {NAN, NAN}, {3, 30}, {2, NAN}}, /* c */
                              {{NAN, NAN}, {NAN, NAN}, {NAN, NAN}, {NAN, NAN}}, /* a */
                              {{9, 9}, {9, 9}, {9, 9}, {9, 9}}};                /* zz */

    mmlt_h5_array(file, "values", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 3, (hsize_t[]){3, 4, 2}, x);
    mmlt_h5_texts(file, "ids", (const char *const[]){"c", "a", "zz"}, 3);
    mmlt_h5_texts(file, "names", (const char *const[]){"HR", "Temp"}, 2);
    H5Fclose(file);
}

START_TEST(a_series_is_a_token_for_every_measured_step)
{
    mml_cohort *c;
    mml_modality_info m;

    write_series();
    c = mmlt_imported(HEAD "kind = series\nchannels = names\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    ck_assert(m.kind == MML_SERIES && m.width == 2 && m.n_axes == 1 && m.n_present == 1);
    ck_assert_str_eq(m.features[1], "Temp");
    mmlt_assert_same_bits(m.offsets, ((int64_t[]){0, 0, 0, 3, 3}), 5 * sizeof(int64_t));
    mmlt_assert_tokens(c, "m", (float[]){1, NAN, 3, 30, 2, NAN}, (float[]){0, (float)(2.0 / 3), 1});
    mml_cohort_close(c);
}
END_TEST

START_TEST(float16_stays_float16_unless_it_is_changed)
{
    hid_t half = H5Tcopy(H5T_IEEE_F32LE), type;
    const float x[4] = {1.5f, NAN, 65504.0f, 6.103515625e-05f};
    mml_cohort *c;

    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    mmlt_h5_array(file, "values", half, H5T_NATIVE_FLOAT, 2, (hsize_t[]){2, 2}, x);
    mmlt_h5_texts(file, "ids", (const char *const[]){"a", "b"}, 2);
    H5Fclose(file);
    for (int changed = 0; changed < 2; changed++) {
        c = mmlt_imported(changed ? HEAD "kind = table\ntransform = log1p\n" : HEAD "kind = table\n");
        type = H5Dget_type(c->modalities[0].values_set);
        ck_assert_uint_eq(H5Tget_size(type), changed ? 4 : 2);
        H5Tclose(type);
        if (!changed)
            mmlt_assert_tokens(c, "m", x, NULL);
        mml_cohort_close(c);
    }
    H5Tclose(half);
}
END_TEST

START_TEST(float16_is_kept_where_it_is_asked_for_and_what_it_cannot_hold_is_refused)
{
    /* 1 + 2^-11 lies in the middle of two: the even one is 1. */
    const float x[4] = {1.00048828125f, NAN, -65519.0f, 0.1f}, want[4] = {1.0f, NAN, -65504.0f, 0.0999755859375f};
    const float large[4] = {0, 1, 2, 65520.0f};
    mml_cohort *c;
    hid_t type;

    mmlt_h5_array(file, "values", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){2, 2}, x);
    mmlt_h5_array(file, "large", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){2, 2}, large);
    mmlt_h5_texts(file, "ids", (const char *const[]){"a", "b"}, 2);
    H5Fclose(file);
    c = mmlt_imported(HEAD "kind = table\nfloat16 = yes\n");
    type = H5Dget_type(c->modalities[0].values_set);
    ck_assert_uint_eq(H5Tget_size(type), 2);
    H5Tclose(type);
    mmlt_assert_tokens(c, "m", want, NULL);
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nfile = m.h5\nid = ids\ndataset = large\n"
                             "kind = table\nfloat16 = yes\n", MML_E_DATA,
                             "modality m: sample b, c1: 65520 is too large for float16 (65504 at most)");
}
END_TEST

START_TEST(a_sample_may_be_larger_than_what_is_in_memory_at_once)
{
    enum { T = 5000, F = 700 }; /* 14 MB a sample; a block is 8 MiB */
    float *x = malloc(sizeof(float) * 2 * T * F);
    mml_cohort *c;

    for (size_t i = 0; i < (size_t)2 * T * F; i++)
        x[i] = (float)(i % 8191) + (i < (size_t)T * F ? 10000.0f : 0.0f);
    mmlt_h5_array(file, "values", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 3, (hsize_t[]){2, T, F}, x);
    mmlt_h5_texts(file, "ids", (const char *const[]){"c", "a"}, 2);
    H5Fclose(file);
    c = mmlt_imported(HEAD "kind = bag\nformat = hdf5\n");
    for (size_t i = 0; i < (size_t)T * F; i++) { /* a comes first */
        const float kept = x[i];

        x[i] = x[(size_t)T * F + i];
        x[(size_t)T * F + i] = kept;
    }
    mmlt_assert_tokens(c, "m", x, NULL);
    mml_cohort_close(c);
    free(x);
}
END_TEST

START_TEST(a_range_of_steps_counts_positions_within_itself)
{
    mml_cohort *c;

    write_series();
    c = mmlt_imported(HEAD "kind = series\nsteps = 1:3\n");
    mmlt_assert_tokens(c, "m", (float[]){3, 30}, (float[]){1});
    mml_cohort_close(c);
    c = mmlt_imported(HEAD "kind = series\nsteps = :1\n"); /* one step: position 0 */
    mmlt_assert_tokens(c, "m", (float[]){1, NAN}, (float[]){0});
    mml_cohort_close(c);
    c = mmlt_imported(HEAD "kind = series\nsteps = 3:\n");
    mmlt_assert_tokens(c, "m", (float[]){2, NAN}, (float[]){0});
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_summary_is_one_token_of_six_numbers_a_channel)
{
    mml_cohort *c;
    mml_modality_info m;

    write_series();
    c = mmlt_imported(HEAD "kind = series\ntokens = summary\nchannels = names\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    ck_assert_int_eq(m.kind, MML_TABLE); /* models choose their defaults by it */
    ck_assert_uint_eq(m.width, 12);
    ck_assert_uint_eq(m.n_axes, 0);
    ck_assert_uint_eq(m.n_tokens, 1);
    ck_assert_str_eq(m.features[0], "HR.mean");
    ck_assert_str_eq(m.features[11], "Temp.count");
    mmlt_assert_tokens(c, "m", (float[]){2, 1, 3, 2, 1, 3, 30, 30, 30, 30, 30, 1}, NULL);
    mml_cohort_close(c);
    c = mmlt_imported(HEAD "kind = series\ntokens = summary\nchannels = names\nsteps = 0:2\n");
    mmlt_assert_tokens(c, "m", (float[]){1, 1, 1, 1, 1, 1, NAN, NAN, NAN, NAN, NAN, 0}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(channels_are_chosen_as_columns_are)
{
    mml_cohort *c;
    mml_modality_info m;

    write_series();
    c = mmlt_imported(HEAD "kind = series\nchannels = names\ncolumns = -HR\n");
    mmlt_assert_tokens(c, "m", (float[]){30}, (float[]){(float)(2.0 / 3)}); /* steps without Temp are no tokens */
    mml_cohort_close(c);
    c = mmlt_imported(HEAD "kind = series\ncolumns = c0\ntokens = summary\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    ck_assert_str_eq(m.features[0], "c0.mean");
    ck_assert_uint_eq(m.width, 6);
    mml_cohort_close(c);
}
END_TEST

START_TEST(an_image_is_patches_with_channels_innermost)
{
    uint8_t x[2][4][6][2];
    float want[3 * 2 * 8], places[6 * 2];
    mml_cohort *c;
    mml_modality_info m;
    size_t at = 0;

    for (size_t i = 0; i < sizeof x; i++)
        ((uint8_t *)x)[i] = (uint8_t)(i % 251);
    mmlt_h5_array(file, "values", H5T_STD_U8LE, H5T_NATIVE_UINT8, 4, (hsize_t[]){2, 4, 6, 2}, x);
    mmlt_h5_array(file, "ids", H5T_STD_I32LE, H5T_NATIVE_INT, 1, (hsize_t[]){2}, (int[]){7, -3}); /* integers are ids too */
    H5Fclose(file);
    mmlt_write("l.csv", "id\n-3\n8\n");
    c = mmlt_imported(HEAD "kind = image\npatch = 2\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    ck_assert(m.kind == MML_IMAGE && m.width == 8 && m.n_axes == 2 && m.n_tokens == 6 && m.n_present == 1);
    ck_assert_str_eq(m.features[0], "y0.x0.c0");
    ck_assert_str_eq(m.features[7], "y1.x1.c1");
    for (size_t top = 0; top < 4; top += 2)
        for (size_t left = 0; left < 6; left += 2) {
            places[at / 4] = ((float)top + 1) / 4;
            places[at / 4 + 1] = (float)(((double)left + 1) / 6);
            for (size_t y = top; y < top + 2; y++)
                for (size_t xx = left; xx < left + 2; xx++)
                    for (size_t k = 0; k < 2; k++)
                        want[at++] = (float)x[1][y][xx][k] * (1.0f / 255.0f);
        }
    mmlt_assert_tokens(c, "m", want, places);
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_grey_float_image_is_not_scaled_and_empty_patches_are_none)
{
    const float x[1][2][4] = {{{1, 2, NAN, NAN}, {3, 4, NAN, NAN}}};
    mml_cohort *c;

    mmlt_h5_array(file, "values", H5T_IEEE_F64LE, H5T_NATIVE_FLOAT, 3, (hsize_t[]){1, 2, 4}, x);
    mmlt_h5_texts(file, "ids", (const char *const[]){"b"}, 1);
    H5Fclose(file);
    c = mmlt_imported(HEAD "kind = image\npatch = 2\n");
    mmlt_assert_tokens(c, "m", (float[]){1, 2, 3, 4}, (float[]){0.5f, 0.25f});
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_bag_may_be_padded_or_long)
{
    const float padded[2][3][1] = {{{1}, {2}, {NAN}}, {{3}, {NAN}, {NAN}}}, rows[4][1] = {{1}, {2}, {3}, {4}};
    mml_cohort *c;
    mml_modality_info m;

    mmlt_h5_array(file, "values", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 3, (hsize_t[]){2, 3, 1}, padded);
    mmlt_h5_texts(file, "ids", (const char *const[]){"d", "a"}, 2);
    mmlt_h5_array(file, "long", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){4, 1}, rows);
    mmlt_h5_texts(file, "owner", (const char *const[]){"d", "a", "d", "b"}, 4);
    H5Fclose(file);
    c = mmlt_imported(HEAD "kind = bag\n[modality n]\nkind = bag\nfile = m.h5\ndataset = long\nid = owner\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    mmlt_assert_same_bits(m.offsets, ((int64_t[]){0, 1, 1, 1, 3}), 5 * sizeof(int64_t));
    mmlt_assert_tokens(c, "m", (float[]){3, 1, 2}, NULL);
    mmlt_assert_ok(mml_cohort_modality(&m, c, "n"));
    mmlt_assert_same_bits(m.offsets, ((int64_t[]){0, 1, 2, 2, 4}), 5 * sizeof(int64_t));
    mmlt_assert_tokens(c, "n", (float[]){2, 4, 1, 3}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_table_may_be_an_array)
{
    const double x[2][2] = {{1, 2}, {NAN, NAN}};
    mml_cohort *c;
    mml_modality_info m;

    mmlt_h5_array(file, "values", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2, (hsize_t[]){2, 2}, x);
    mmlt_h5_texts(file, "ids", (const char *const[]){"d", "a"}, 2);
    H5Fclose(file);
    c = mmlt_imported(HEAD "kind = table\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "m"));
    ck_assert(m.kind == MML_TABLE && m.n_present == 1);
    mmlt_assert_tokens(c, "m", (float[]){1, 2}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(ids_of_64_bits_keep_all_their_digits)
{
    const uint64_t numbers[2] = {UINT64_MAX, UINT64_C(9223372036854775808)}; /* both more than a signed number holds */
    const double x[2][1] = {{1}, {2}};
    char *report;
    mml_cohort *c;

    mmlt_h5_array(file, "values", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2, (hsize_t[]){2, 1}, x);
    mmlt_h5_array(file, "ids", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, (hsize_t[]){2}, numbers);
    H5Fclose(file);
    mmlt_write("cohort.ini", "[cohort]\n[modality m]\nfile = m.h5\ndataset = values\nid = ids\nkind = table\n");
    mmlt_assert_ok(mml_import(mmlt_path("cohort.ini"), mmlt_path("out.h5"), &report, NULL, NULL));
    mml_string_free(report);
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    ck_assert_str_eq(mml_cohort_ids(c)[0], "18446744073709551615");
    ck_assert_str_eq(mml_cohort_ids(c)[1], "9223372036854775808");
    mml_cohort_close(c);
}
END_TEST

/* More rows than one block of memory, in an order that jumps: the streamed result against the array. */
START_TEST(a_large_array_is_streamed_in_any_order)
{
    enum { ROWS = 700, STEPS = 40, CHANNELS = 90 }; /* 14 KB a row, 10 MB */
    float *x, *want, *places;
    char(*text)[8], **names, *labels;
    size_t n = 0, len = 0;
    mml_cohort *c;

    mmlt_assert_ok(mmli_calloc(&x, (size_t)ROWS * STEPS * CHANNELS, sizeof *x));
    mmlt_assert_ok(mmli_calloc(&want, (size_t)ROWS * STEPS * CHANNELS, sizeof *want));
    mmlt_assert_ok(mmli_calloc(&places, (size_t)ROWS * STEPS, sizeof *places));
    mmlt_assert_ok(mmli_calloc(&text, ROWS, sizeof *text));
    mmlt_assert_ok(mmli_calloc(&names, ROWS, sizeof *names));
    mmlt_assert_ok(mmli_calloc(&labels, ROWS, sizeof *text));
    mmlt_normal(x, (size_t)ROWS * STEPS * CHANNELS, 1);
    for (size_t i = 0; i < ROWS; i++) {
        snprintf(text[i], sizeof text[i], "s%zu", i);
        names[i] = text[i];
    }
    len += (size_t)sprintf(labels, "id\n");
    for (size_t i = 0; i < ROWS; i++) {
        const size_t r = i * 331 % ROWS; /* 331 and 700 have no common divisor: every row once */

        len += (size_t)sprintf(labels + len, "s%zu\n", r);
        memcpy(want + n * CHANNELS, x + r * STEPS * CHANNELS, STEPS * CHANNELS * sizeof *x);
        for (size_t t = 0; t < STEPS; t++)
            places[n++] = (float)((double)t / (STEPS - 1));
    }
    mmlt_h5_array(file, "values", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 3, (hsize_t[]){ROWS, STEPS, CHANNELS}, x);
    mmlt_h5_texts(file, "ids", (const char *const *)names, ROWS);
    H5Fclose(file);
    mmlt_write("l.csv", labels);
    c = mmlt_imported(HEAD "kind = series\n");
    mmlt_assert_tokens(c, "m", want, places);
    mml_cohort_close(c);
    mmli_free(x);
    mmli_free(want);
    mmli_free(places);
    mmli_free(text);
    mmli_free(names);
    mmli_free(labels);
}
END_TEST

static int calls, stop_after;

static int watch(void *user, const char *what, uint64_t done, uint64_t total)
{
    ck_assert_ptr_eq(user, &calls);
    ck_assert_str_eq(what, "m");
    ck_assert(done <= total);
    return ++calls == stop_after;
}

START_TEST(progress_is_told_and_can_stop_the_import)
{
    write_series();
    mmlt_write("cohort.ini", HEAD "kind = series\n");
    mmlt_assert_ok(mml_import(mmlt_path("cohort.ini"), mmlt_path("out.h5"), NULL, watch, &calls));
    ck_assert_int_ge(calls, 3);
    remove(mmlt_path("out.h5"));
    calls = 0;
    stop_after = 2;
    mmlt_assert_fails(mml_import(mmlt_path("cohort.ini"), mmlt_path("out.h5"), NULL, watch, &calls), MML_E_STOPPED, "stopped");
    ck_assert_uint_eq(mmlt_folder_files(), 3); /* l.csv, m.h5, cohort.ini */
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    mml_status st = MML_E_NOMEM;
    char *report = NULL;

    write_series();
    mmlt_write("t.csv", "id,x,w\na,1,2\nb,3,\n");
    mmlt_write("l.csv", "id,y,t,e,g\na,0,1,1,p\nb,1,2,0,p\nc,0,2,0,q\nd,1,1,1,q\n");
    mmlt_write("cohort.ini", "[cohort]\nlabels = l.csv\nid = id\ngroup = g\ncolumns = g\n[task y]\nkind = binary\nlabel = y\n"
                             "[task os]\nkind = survival\ntime = t\nevent = e\n[modality m]\nkind = series\nfile = m.h5\n"
                             "id = ids\ndataset = values\nchannels = names\n[modality t]\nkind = table\nfile = t.csv\n"
                             "columns = all, -x\n");
    for (uint64_t k = 1; st != MML_OK; k++) {
        ck_assert_uint_lt(k, 2000);
        mmli_alloc_fail_at(k);
        st = mml_import(mmlt_path("cohort.ini"), mmlt_path("out.h5"), &report, NULL, NULL);
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "allocation %d: %s", (int)k, mml_last_error());
        if (st != MML_OK)
            ck_assert_uint_le(mmlt_folder_files(), 5); /* the last allocation is that of the report: the file is whole */
    }
    mml_string_free(report);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import arrays");
    TCase *tc = tcase_create("arrays");

    tcase_add_checked_fixture(tc, make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_series_is_a_token_for_every_measured_step);
    tcase_add_test(tc, float16_stays_float16_unless_it_is_changed);
    tcase_add_test(tc, float16_is_kept_where_it_is_asked_for_and_what_it_cannot_hold_is_refused);
    tcase_add_test(tc, a_sample_may_be_larger_than_what_is_in_memory_at_once);
    tcase_add_test(tc, a_range_of_steps_counts_positions_within_itself);
    tcase_add_test(tc, a_summary_is_one_token_of_six_numbers_a_channel);
    tcase_add_test(tc, channels_are_chosen_as_columns_are);
    tcase_add_test(tc, an_image_is_patches_with_channels_innermost);
    tcase_add_test(tc, a_grey_float_image_is_not_scaled_and_empty_patches_are_none);
    tcase_add_test(tc, a_bag_may_be_padded_or_long);
    tcase_add_test(tc, a_table_may_be_an_array);
    tcase_add_test(tc, ids_of_64_bits_keep_all_their_digits);
    tcase_add_test(tc, a_large_array_is_streamed_in_any_order);
    tcase_add_test(tc, progress_is_told_and_can_stop_the_import);
    tcase_add_test(tc, every_failed_allocation_is_reported);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
