/* Cohort files: what a file written by others says, and batches of its tokens however they are read. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/cohort.h"
#include "tests/unit/raw_cohort.h"
#include "util/alloc.h"
#include "util/rng.h"

static mml_cohort *open_written(void)
{
    mml_cohort *c;

    H5Fclose(mmlt_raw_cohort("c.h5"));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("c.h5")));
    return c;
}

START_TEST(a_cohort_says_what_was_written)
{
    mml_cohort *c = open_written();
    mml_modality_info m;
    mml_task_info t;
    mml_column_info column;

    ck_assert_uint_eq(mml_cohort_size(c), MMLT_RAW_N);
    ck_assert_str_eq(mml_cohort_path(c), mmlt_path("c.h5"));
    for (size_t i = 0; i < MMLT_RAW_N; i++)
        ck_assert_str_eq(mml_cohort_ids(c)[i], mmlt_raw_ids[i]);
    ck_assert_ptr_null(mml_cohort_groups(c));
    ck_assert_uint_eq(mml_cohort_n_modalities(c), 2);
    ck_assert_uint_eq(mml_cohort_n_tasks(c), 3);
    ck_assert_uint_eq(mml_cohort_n_columns(c), 1);
    mmlt_assert_ok(mml_cohort_modality(&m, c, "bag"));
    ck_assert(m.kind == MML_BAG && m.width == 2 && m.n_axes == 1 && m.n_tokens == 7 && m.n_present == 4);
    ck_assert_str_eq(m.features[1], "y");
    ck_assert_int_eq(m.offsets[4], 6);
    mmlt_assert_ok(mml_cohort_task(&t, c, "stage"));
    ck_assert(t.kind == MML_MULTICLASS && t.n_classes == 3 && t.event == NULL);
    ck_assert_str_eq(t.classes[2], "III");
    ck_assert_str_eq(t.unit, "");
    ck_assert(t.value[0] == 2 && t.value[3] == 1 && isnan(t.value[2]));
    mmlt_assert_ok(mml_cohort_task(&t, c, "os"));
    ck_assert(t.kind == MML_SURVIVAL && t.n_classes == 0 && t.value[0] == 1.5 && isnan(t.value[2]));
    ck_assert(t.event[0] == 1 && t.event[1] == 0 && t.event[2] == 0 && t.event[4] == 1);
    mmlt_assert_ok(mml_cohort_task(&t, c, "los"));
    ck_assert(t.kind == MML_REGRESSION && t.value[1] == -2);
    mmlt_assert_ok(mml_cohort_column(&column, c, "site"));
    ck_assert_str_eq(column.text[1], "B");
    ck_assert_str_eq(column.text[3], "");
    mml_cohort_close(c);
}
END_TEST

START_TEST(what_is_not_there_is_answered_with_what_is)
{
    mml_cohort *c = open_written();
    mml_modality_info m;
    mml_task_info t;
    mml_column_info column;

    mmlt_assert_fails(mml_cohort_modality(&m, c, "tabel"), MML_E_NOT_FOUND, "did you mean table?); there are: bag, table");
    mmlt_assert_fails(mml_cohort_task(&t, c, "death"), MML_E_NOT_FOUND, "no task death; there are: los, os, stage");
    mmlt_assert_fails(mml_cohort_column(&column, c, "set"), MML_E_NOT_FOUND, "site");
    mmlt_assert_fails(mml_cohort_modality_at(&m, c, 2), MML_E_ARG, "modality number 2");
    mmlt_assert_fails(mml_cohort_task_at(&t, c, 3), MML_E_ARG, "task number 3");
    mmlt_assert_fails(mml_cohort_column_at(&column, c, 1), MML_E_ARG, "column number 1");
    mmlt_assert_fails(mml_cohort_task(&t, c, NULL), MML_E_ARG, "NULL");
    mml_cohort_close(c);
    mml_cohort_close(NULL);
}
END_TEST

/* Read from memory (budget 0) or from the file, in any order, with repeats. */
START_TEST(tokens_are_those_of_the_samples_asked_for)
{
    static const char *const names[] = {"bag", "table"};
    const size_t samples[] = {4, 0, 1, 0, 3};
    mml_cohort *c = open_written();
    mml_batch *b;
    mml_tokens t;

    mml_cohort_set_memory(c, _i == 0 ? 0 : (size_t)1 << 20);
    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, samples, 5, names, 2));
    ck_assert_uint_eq(mml_batch_size(b), 5);
    mmlt_assert_ok(mml_batch_get(&t, b, "bag"));
    mmlt_assert_same_bits(t.offsets, ((int64_t[]){0, 1, 4, 4, 7, 9}), 6 * sizeof(int64_t));
    mmlt_assert_close(t.values, ((float[]){12, 13, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 8, 9, 10, NAN}), 18, MMLT_TOL_EXACT);
    mmlt_assert_close(t.positions, ((float[]){0, 0, 0.5f, 1, 0, 0.5f, 1, 0.25f, 0.75f}), 9, MMLT_TOL_EXACT);
    mmlt_assert_ok(mml_batch_get(&t, b, "table"));
    mmlt_assert_same_bits(t.offsets, ((int64_t[]){0, 1, 2, 3, 4, 4}), 6 * sizeof(int64_t));
    mmlt_assert_close(t.values, ((float[]){-3, -1, -2, -1}), 4, MMLT_TOL_EXACT);
    mmlt_assert_ok(mml_cohort_read(c, b, samples + 2, 1, names, 1)); /* sample 1 has no bag */
    mmlt_assert_ok(mml_batch_get(&t, b, "bag"));
    ck_assert(t.offsets[0] == 0 && t.offsets[1] == 0);
    mmlt_assert_fails(mml_batch_get(&t, b, "table"), MML_E_NOT_FOUND, "bag");
    mmlt_assert_ok(mml_cohort_read(c, b, NULL, 0, names, 2));
    ck_assert_uint_eq(mml_batch_size(b), 0);
    mmlt_assert_fails(mml_cohort_read(c, b, (size_t[]){0, 5}, 2, names, 1), MML_E_ARG, "sample 5 does not exist, there are 5");
    mmlt_assert_fails(mml_cohort_read(c, b, samples, 1, (const char *const[]){"bags"}, 1), MML_E_NOT_FOUND, "bag");
    ck_assert_uint_eq(mml_batch_size(b), 0);
    mml_batch_free(b);
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_smaller_memory_budget_gives_up_what_was_kept)
{
    static const char *const names[] = {"bag", "table"};
    mml_cohort *c = open_written();
    mml_batch *b;
    mml_tokens t;

    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, (size_t[]){0}, 1, names, 2));
    ck_assert_uint_eq(c->memory_used, 7 * 3 * sizeof(float) + 3 * sizeof(float));
    mml_cohort_set_memory(c, 20);
    ck_assert_uint_eq(c->memory_used, 3 * sizeof(float)); /* the table still fits */
    mmlt_assert_ok(mml_cohort_read(c, b, (size_t[]){4}, 1, names, 2));
    mmlt_assert_ok(mml_batch_get(&t, b, "bag"));
    ck_assert(t.values[0] == 12);
    ck_assert_uint_eq(c->memory_used, 3 * sizeof(float));
    mml_batch_free(b);
    mml_cohort_close(c);
}
END_TEST

/* A larger file in small chunks: reads that join, skip gaps and go beyond one buffer, against the cached ones. */
START_TEST(reading_by_hyperslab_equals_reading_from_memory)
{
    enum { SAMPLES = 3000, WIDTH = 33 };
    static const char *const names[] = {"m"};
    int64_t *offsets;
    float *values;
    char(*text)[8], **sample_ids;
    size_t order[SAMPLES];
    mml_cohort *slab, *kept;
    mml_batch *a, *b;
    mml_tokens ta, tb;
    hid_t file = H5Fcreate(mmlt_path("big.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), list, space, set;

    mmlt_assert_ok(mmli_calloc(&offsets, SAMPLES + 1, sizeof *offsets));
    mmlt_assert_ok(mmli_calloc(&text, SAMPLES, sizeof *text));
    mmlt_assert_ok(mmli_calloc(&sample_ids, SAMPLES, sizeof *sample_ids));
    for (size_t i = 0; i < SAMPLES; i++) {
        offsets[i + 1] = offsets[i] + (int64_t)mmli_rng_below(7, i, 60);
        snprintf(text[i], sizeof text[i], "s%zu", i);
        sample_ids[i] = text[i];
    }
    mmlt_assert_ok(mmli_calloc(&values, (size_t)offsets[SAMPLES], WIDTH * sizeof *values));
    mmlt_normal(values, (size_t)offsets[SAMPLES] * WIDTH, 1);
    mmlt_assert_ok(mmli_h5_set_format(file, "big.h5", MMLI_COHORT_FORMAT, 1));
    mmlt_h5_texts(file, "samples/id", (const char *const *)sample_ids, SAMPLES);
    mmlt_h5_array(file, "modalities/m/offsets", H5T_STD_I64LE, H5T_NATIVE_INT64, 1, (hsize_t[]){SAMPLES + 1}, offsets);
    for (size_t i = 0; i < WIDTH; i++)
        snprintf(text[i], sizeof text[i], "f%zu", i);
    mmlt_h5_texts(file, "modalities/m/features", (const char *const *)sample_ids, WIDTH);
    mmlt_raw_kind(file, "modalities/m", "series");
    space = H5Screate_simple(2, (hsize_t[]){(hsize_t)offsets[SAMPLES], WIDTH}, NULL);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 2, (hsize_t[]){100, WIDTH});
    H5Pset_deflate(list, 1);
    set = H5Dcreate2(file, "modalities/m/values", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(list);
    H5Fclose(file);
    mmlt_assert_ok(mml_cohort_open(&slab, mmlt_path("big.h5")));
    mmlt_assert_ok(mml_cohort_open(&kept, mmlt_path("big.h5")));
    mml_cohort_set_memory(slab, 0);
    mmlt_assert_ok(mml_batch_new(&a, 0));
    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmli_rng_shuffle(3, order, SAMPLES);
    for (size_t n = 1, at = 0; at < SAMPLES; at += n, n = n * 2 + 1) { /* 1, 3, 7, ... up to all that is left */
        n = at + n > SAMPLES ? SAMPLES - at : n;
        mmlt_assert_ok(mml_cohort_read(slab, a, order + at, n, names, 1));
        mmlt_assert_ok(mml_cohort_read(kept, b, order + at, n, names, 1));
        mmlt_assert_ok(mml_batch_get(&ta, a, "m"));
        mmlt_assert_ok(mml_batch_get(&tb, b, "m"));
        mmlt_assert_same_bits(ta.offsets, tb.offsets, (n + 1) * sizeof *ta.offsets);
        mmlt_assert_same_bits(ta.values, tb.values, (size_t)ta.offsets[n] * WIDTH * sizeof(float));
        for (size_t i = 0; i < n; i++)
            mmlt_assert_same_bits(ta.values + (size_t)ta.offsets[i] * WIDTH,
                                  values + (size_t)offsets[order[at + i]] * WIDTH,
                                  (size_t)(ta.offsets[i + 1] - ta.offsets[i]) * WIDTH * sizeof(float));
    }
    ck_assert_uint_eq(slab->memory_used, 0);
    ck_assert_uint_eq(kept->memory_used, (size_t)offsets[SAMPLES] * WIDTH * sizeof(float));
    mml_batch_free(a);
    mml_batch_free(b);
    mml_cohort_close(slab);
    mml_cohort_close(kept);
    mmli_free(offsets);
    mmli_free(values);
    mmli_free(text);
    mmli_free(sample_ids);
}
END_TEST

START_TEST(the_hash_is_that_of_the_file_or_of_its_labels)
{
    mml_cohort *c = open_written();
    uint64_t first, second;
    hid_t file;

    mmlt_assert_ok(mmli_cohort_hash(&first, c));
    mml_cohort_close(c);
    file = mmlt_raw_cohort("d.h5");
    H5Fclose(file);
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("d.h5")));
    mmlt_assert_ok(mmli_cohort_hash(&second, c));
    mml_cohort_close(c);
    ck_assert_uint_eq(first, second);
    file = mmlt_raw_cohort("e.h5");
    H5Ldelete(file, "tasks/los/value", H5P_DEFAULT);
    mmlt_h5_array(file, "tasks/los/value", H5T_STD_I16LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){MMLT_RAW_N}, (double[]){1, -2, 3, 4, 6});
    H5Fclose(file);
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("e.h5")));
    mmlt_assert_ok(mmli_cohort_hash(&second, c));
    mml_cohort_close(c);
    ck_assert_uint_ne(first, second);
    file = mmlt_raw_cohort("f.h5");
    mmlt_assert_ok(mmli_h5_set_u64(file, "f.h5", "data_hash", 42));
    H5Fclose(file);
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("f.h5")));
    mmlt_assert_ok(mmli_cohort_hash(&second, c));
    mml_cohort_close(c);
    ck_assert_uint_eq(second, 42);
}
END_TEST

static void *read_all(void *path)
{
    static const char *const names[] = {"bag"};
    const size_t samples[] = {0, 1, 2, 3, 4};
    mml_cohort *c = NULL;
    mml_batch *b = NULL;
    mml_tokens t;
    void *failed = path;

    for (int k = 0; k < 20; k++) {
        failed = path;
        if (mml_cohort_open(&c, path) == MML_OK && mml_batch_new(&b, 0) == MML_OK) {
            mml_cohort_set_memory(c, k % 2 == 0 ? 0 : 1000);
            if (mml_cohort_read(c, b, samples, 5, names, 1) == MML_OK && mml_batch_get(&t, b, "bag") == MML_OK &&
                t.offsets[5] == 7 && t.values[12] == 12)
                failed = NULL;
        }
        mml_batch_free(b);
        mml_cohort_close(c);
        if (failed != NULL)
            break;
    }
    return failed;
}

START_TEST(threads_may_have_a_cohort_each)
{
    pthread_t thread[4];
    char path[512];
    void *failed;

    H5Fclose(mmlt_raw_cohort("c.h5"));
    snprintf(path, sizeof path, "%s", mmlt_path("c.h5"));
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, read_all, path), 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_join(thread[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    static const char *const names[] = {"bag", "table"};
    mml_status st = MML_E_NOMEM;

    H5Fclose(mmlt_raw_cohort("c.h5"));
    for (uint64_t k = 1; st != MML_OK; k++) {
        mml_cohort *c = NULL;
        mml_batch *b = NULL;

        ck_assert_uint_lt(k, 1000);
        mmli_alloc_fail_at(k);
        st = mml_cohort_open(&c, mmlt_path("c.h5"));
        if (st == MML_OK)
            st = mml_batch_new(&b, 0);
        if (st == MML_OK)
            st = mml_cohort_read(c, b, (size_t[]){0, 3}, 2, names, 2);
        mmli_alloc_fail_at(0);
        ck_assert_msg(st == MML_OK || st == MML_E_NOMEM, "allocation %d: %s", (int)k, mml_last_error());
        mml_batch_free(b);
        mml_cohort_close(c);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cohort");
    TCase *tc = tcase_create("cohort");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_cohort_says_what_was_written);
    tcase_add_test(tc, what_is_not_there_is_answered_with_what_is);
    tcase_add_loop_test(tc, tokens_are_those_of_the_samples_asked_for, 0, 2);
    tcase_add_test(tc, a_smaller_memory_budget_gives_up_what_was_kept);
    tcase_add_test(tc, reading_by_hyperslab_equals_reading_from_memory);
    tcase_add_test(tc, the_hash_is_that_of_the_file_or_of_its_labels);
    tcase_add_test(tc, threads_may_have_a_cohort_each);
    tcase_add_test(tc, every_failed_allocation_is_reported);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
