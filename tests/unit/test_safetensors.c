/* safetensors files: tensors of all types, written and read to the bit, and nothing in a header believed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/safetensors.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"

static void put(const char *header, const void *data, size_t n)
{
    static char bytes[1 << 16];
    const size_t length = strlen(header);

    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(length >> 8 * i & 255);
    memcpy(bytes + 8, header, length);
    memcpy(bytes + 8 + length, data, n);
    mmlt_write_bytes("t.safetensors", bytes, 8 + length + n);
}

static mmli_tensors *opened(const char *header, const void *data, size_t n)
{
    mmli_tensors *t;

    put(header, data, n);
    mmlt_assert_ok(mmli_tensors_open(&t, mmlt_path("t.safetensors")));
    return t;
}

static void refuses(const char *header, const void *data, size_t n, const char *text)
{
    mmli_tensors *t;

    put(header, data, n);
    mmlt_assert_fails(mmli_tensors_open(&t, mmlt_path("t.safetensors")), MML_E_FORMAT, text);
    mmlt_assert_fails(mmli_tensors_open(&t, mmlt_path("t.safetensors")), MML_E_FORMAT, "t.safetensors: ");
    ck_assert_ptr_null(t);
}

START_TEST(every_type_that_is_read_has_its_value)
{
    static const struct {
        const char *type, *bytes;
        size_t n;
        double want;
    } cases[] = {
        {"BOOL", "\1", 1, 1},
        {"I8", "\x80", 1, -128},
        {"U8", "\xFE", 1, 254},
        {"I16", "\x01\x80", 2, -32767},
        {"U16", "\x01\x80", 2, 32769},
        {"I32", "\xFE\xFF\xFF\xFF", 4, -2},
        {"U32", "\xFE\xFF\xFF\xFF", 4, 4294967294.0},
        {"I64", "\0\0\0\0\0\0\0\x80", 8, -0x1p63},
        {"U64", "\0\0\0\0\0\0\0\x80", 8, 0x1p63},
        {"F16", "\x00\x3E", 2, 1.5},
        {"BF16", "\xC0\x3F", 2, 1.5},
        {"F32", "\xCD\xCC\xCC\x3D", 4, 0.1f},
        {"F64", "\x9A\x99\x99\x99\x99\x99\xB9\x3F", 8, 0.1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char header[128];
        mmli_tensors *t;
        double x = -1;
        float y = -1;

        snprintf(header, sizeof header, "{\"x\":{\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":[0,%zu]}}", cases[i].type,
                 cases[i].n);
        t = opened(header, cases[i].bytes, cases[i].n);
        mmlt_assert_ok(mmli_tensors_doubles(&x, t, &t->list[0], 0, 1));
        mmlt_assert_ok(mmli_tensors_floats(&y, t, &t->list[0], 0, 1));
        if (x != cases[i].want || y != (float)cases[i].want)
            ck_abort_msg("%s: %g and %g instead of %g", cases[i].type, x, (double)y, cases[i].want);
        ck_assert_str_eq(mmli_tensor_type_name(&t->list[0]), cases[i].type);
        mmli_tensors_close(t);
    }
}
END_TEST

START_TEST(a_type_that_is_not_read_is_named_when_its_numbers_are_wanted)
{
    mmli_tensors *t = opened("{\"x\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[0,2]},"
                             "\"y\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}", "\0\0\7", 3);
    float x[2];

    mmlt_assert_fails(mmli_tensors_floats(x, t, mmli_tensors_find(t, "x"), 0, 2), MML_E_FORMAT, "tensor x is of type F8_E4M3");
    mmlt_assert_ok(mmli_tensors_floats(x, t, mmli_tensors_find(t, "y"), 0, 1));
    ck_assert(x[0] == 7);
    ck_assert_ptr_null(mmli_tensors_find(t, "z"));
    mmlt_assert_fails(mmli_tensors_floats(x, t, mmli_tensors_find(t, "y"), 0, 2), MML_E_ARG, "elements 0 to 2 of 1");
    mmli_tensors_close(t);
}
END_TEST

START_TEST(scalars_empty_tensors_and_metadata_are_read)
{
    mmli_tensors *t = opened("{\"__metadata__\":{\"a\":\"b\"},\"s\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},"
                             "\"e\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[0,0]}}   ", "\3", 1);
    float x;

    ck_assert_uint_eq(t->n, 2);
    ck_assert_int_eq(mmli_tensors_find(t, "s")->rank, 0);
    mmlt_assert_ok(mmli_tensors_floats(&x, t, mmli_tensors_find(t, "s"), 0, 1));
    ck_assert(x == 3);
    ck_assert_uint_eq(mmli_tensors_find(t, "e")->count, 0);
    ck_assert_str_eq(mmli_tensors_metadata(t, "a"), "b");
    ck_assert_ptr_null(mmli_tensors_metadata(t, "b"));
    mmli_tensors_close(t);
    t = opened("{}", "", 0);
    ck_assert_uint_eq(t->n, 0);
    mmli_tensors_close(t);
}
END_TEST

START_TEST(shapes_offsets_and_file_must_agree)
{
#define X(shape, begin, end) "{\"x\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}}"
    refuses(X("[2]", "0", "4"), "12345678", 4, "tensor x: 2 numbers of type F32 do not fill the 4 bytes");
    refuses(X("[2]", "0", "8"), "12345678", 4, "tensor x ends beyond the file");
    refuses(X("[1]", "0", "4"), "12345678", 8, "4 bytes follow the last tensor");
    refuses(X("[1]", "4", "8"), "12345678", 8, "ends at 0: a hole");
    refuses(X("[1]", "4", "0"), "12345678", 8, "its data_offsets are not a range");
    refuses(X("[1]", "-4", "0"), "1234", 4, "its data_offsets are not a range");
    refuses(X("[1]", "0.0", "4.0"), "1234", 4, "its data_offsets are not a range");
    refuses(X("[-1]", "0", "4"), "1234", 4, "its shape is not one of sizes");
    refuses(X("[4294967296,4294967296]", "0", "4"), "1234", 4, "or too large");
    refuses(X("[4611686018427387905]", "0", "4"), "1234", 4, "do not fill");
    refuses(X("[1,1,1,1,1,1,1,1,1]", "0", "4"), "1234", 4, "9 dimensions; at most 8");
    refuses(X("[1]", "0", "18446744073709551616"), "1234", 4, "its header is damaged");
    refuses("{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"y\":{\"dtype\":\"F32\",\"shape\":[1],"
            "\"data_offsets\":[2,6]}}", "123456", 6, "tensor y begins at byte 2 of the data, the one before ends at 4: an overlap");
    refuses("{\"x\":{\"dtype\":\"F4\",\"shape\":[1],\"data_offsets\":[0,1]}}", "1", 1, "do not fill");
#undef X
}
END_TEST

START_TEST(headers_are_of_the_form_or_refused)
{
    char deep[200];
    mmli_tensors *t;

    refuses("", "12345678", 8, "header does not begin with {");
    refuses("[]", "", 0, "header does not begin with {");
    refuses(" {}", "", 0, "header does not begin with {");
    refuses("{", "00", 2, "header does not begin with {");
    refuses("{\"x\":1}", "", 0, "tensor x needs dtype, shape and data_offsets");
    refuses("{\"x\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"y\":1}}", "", 0, "and nothing else");
    refuses("{\"x\":{\"dtype\":\"F31\",\"shape\":[0],\"data_offsets\":[0,0]}}", "", 0, "unknown type F31");
    refuses("{\"__metadata__\":{\"a\":1}}", "", 0, "__metadata__: a is not a text");
    refuses("{\"__metadata__\":[]}", "", 0, "__metadata__ is not an object");
    refuses("{\"x\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},\"x\":{\"dtype\":\"F32\",\"shape\":[0],"
            "\"data_offsets\":[0,0]}}", "", 0, "duplicate");
    refuses("{\"\xFF\":1}", "", 0, "its header is damaged");
    memset(deep, '[', 100);
    memcpy(deep, "{\"x\":", 5);
    deep[100] = '\0';
    refuses(deep, "", 0, "nested more than 8 deep");
    mmlt_write_bytes("t.safetensors", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10);
    mmlt_assert_fails(mmli_tensors_open(&t, mmlt_path("t.safetensors")), MML_E_FORMAT, "is no safetensors file");
    mmlt_write_bytes("t.safetensors", "\x03\0\0\0\0\0\0\0{}", 10);
    mmlt_assert_fails(mmli_tensors_open(&t, mmlt_path("t.safetensors")), MML_E_FORMAT, "ends in its header");
    mmlt_write_bytes("t.safetensors", "PK\3\4\0\0\0\0{}", 10);
    mmlt_assert_fails(mmli_tensors_open(&t, mmlt_path("t.safetensors")), MML_E_FORMAT, "as torch.save writes them");
    mmlt_assert_fails(mmli_tensors_open(&t, mmlt_path("none")), MML_E_IO, "none: cannot be opened");
}
END_TEST

START_TEST(a_header_of_more_than_16_mib_takes_no_memory)
{
    mmli_tensors *t;

    mmlt_write_bytes("t.safetensors", "\1\0\0\1\0\0\0\0{\"", 10);
    ck_assert_int_eq(truncate(mmlt_path("t.safetensors"), 8 + (1 << 24) + 1), 0); /* of zeros that are not on the disk */
    mmlt_assert_fails(mmli_tensors_open(&t, mmlt_path("t.safetensors")), MML_E_FORMAT,
                      "t.safetensors: a header of 16777217 bytes; at most 16777216 are read");
}
END_TEST

/* ---- writing ------------------------------------------------------------------------------------------------------------- */

static mml_status fill(float *values, void *user, size_t i)
{
    const size_t *counts = user;

    for (size_t k = 0; k < counts[i]; k++)
        values[k] = k == 0 ? -0.0f : k == 1 ? INFINITY : (float)(i + 1) / (float)(k + 3);
    return MML_OK;
}

static mml_status broken(float *values, void *user, size_t i)
{
    (void)values;
    (void)user;
    (void)i;
    return MML_E_IO;
}

START_TEST(what_is_written_comes_back_to_the_bit)
{
    static const mmli_tensor_out out[] = {{"b.weight", 2, {200, 150}}, {"a", 0, {0}}, {"c", 1, {0}}, {"b.bias", 1, {3}}};
    static const size_t counts[] = {30000, 1, 0, 3};
    static float got[30000], want[30000];
    const char *key = "note \"x\"", *value = "l\xC3\xA4nge\n";
    mmli_tensors *t;

    mmlt_assert_ok(mmli_tensors_write(mmlt_path("t.safetensors"), out, 4, fill, (void *)(size_t)counts, &key, &value, 1));
    mmlt_assert_ok(mmli_tensors_open(&t, mmlt_path("t.safetensors")));
    ck_assert_uint_eq(t->n, 4);
    ck_assert_str_eq(mmli_tensors_metadata(t, key), value);
    for (size_t i = 0; i < 4; i++) {
        const mmli_tensor *x = mmli_tensors_find(t, out[i].name);

        ck_assert_int_eq(x->rank, out[i].rank);
        ck_assert_uint_eq(x->count, counts[i]);
        ck_assert_uint_eq(x->at % 4, 0);
        mmlt_assert_ok(mmli_tensors_floats(got, t, x, 0, x->count));
        mmlt_assert_ok(fill(want, (void *)(size_t)counts, i));
        ck_assert_int_eq(memcmp(got, want, x->count * sizeof *got), 0);
    }
    mmli_tensors_close(t);
}
END_TEST

START_TEST(a_writing_that_fails_leaves_the_old_file)
{
    static const mmli_tensor_out out[] = {{"a", 1, {1}}, {"a", 1, {1}}, {"\xFF", 1, {1}}};
    static const size_t counts[] = {1, 1, 1};

    mmlt_write("t.safetensors", "old");
    mmlt_assert_fails(mmli_tensors_write(mmlt_path("t.safetensors"), out, 2, fill, (void *)(size_t)counts, NULL, NULL, 0),
                      MML_E_ARG, "two tensors are called a");
    mmlt_assert_fails(mmli_tensors_write(mmlt_path("t.safetensors"), out + 2, 1, fill, (void *)(size_t)counts, NULL, NULL, 0),
                      MML_E_ARG, "not UTF-8");
    ck_assert_int_eq(mmli_tensors_write(mmlt_path("t.safetensors"), out, 1, broken, NULL, NULL, NULL, 0), MML_E_IO);
    ck_assert_uint_eq(mmlt_folder_files(), 1);
    {
        size_t n;
        char *text = mmlt_read(mmlt_path("t.safetensors"), &n);

        ck_assert_str_eq(text, "old");
        free(text);
    }
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    static const mmli_tensor_out out[] = {{"a", 1, {3}}};
    static const size_t counts[] = {3};
    const char *key = "k", *value = "v";
    mml_status st = MML_E_NOMEM;

    for (uint64_t k = 1; st != MML_OK; k++) {
        mmli_tensors *t = NULL;

        mmli_alloc_fail_at(k);
        st = mmli_tensors_write(mmlt_path("t.safetensors"), out, 1, fill, (void *)(size_t)counts, &key, &value, 1);
        if (st == MML_OK)
            st = mmli_tensors_open(&t, mmlt_path("t.safetensors"));
        mmli_alloc_fail_at(0);
        mmli_tensors_close(t);
        ck_assert(st == MML_OK || st == MML_E_NOMEM);
        ck_assert_uint_lt(k, 100);
    }
    ck_assert_uint_eq(mmlt_folder_files(), 1);
}
END_TEST

/* ---- files of others: ../shared/data/user_files ----------------------------------------------------------------------------- */

static void holds(const char *file, const char *name, const char *type, const double *want, size_t n, size_t count)
{
    char path[600];
    mmli_tensors *t;
    const mmli_tensor *x;
    double got[200];

    snprintf(path, sizeof path, "%s/user_files/%s", mmlt_shared(), file);
    mmlt_assert_ok(mmli_tensors_open(&t, path));
    ck_assert_ptr_nonnull(x = mmli_tensors_find(t, name));
    ck_assert_str_eq(mmli_tensor_type_name(x), type);
    ck_assert_uint_eq(x->count, count);
    mmlt_assert_ok(mmli_tensors_doubles(got, t, x, 0, count));
    for (size_t i = 0; i < n; i++)
        if (got[i] != want[i])
            ck_abort_msg("%s: %s: element %zu is %a, not %a", file, name, i, got[i], want[i]);
    mmli_tensors_close(t);
}

START_TEST(real_files_have_the_values_that_the_reference_reads)
{
    static const double steps[] = {-3, -2, -1, 0, 1, 2};
    double want[128];

    holds("safetensors/hf_b.safetensors", "b", "I8", steps, 6, 6);
    holds("safetensors/hf_f.safetensors", "f", "F32", steps, 6, 6);
    holds("safetensors/hf_d.safetensors", "d", "F64", steps, 6, 6);
    holds("safetensors/hf_upper_B.safetensors", "B", "U8", (double[]){253, 254, 255, 0, 1, 2}, 6, 6);
    holds("safetensors/hf_upper_I.safetensors", "I", "U32", (double[]){4294967293.0, 4294967294.0, 4294967295.0, 0, 1, 2}, 6, 6);
    holds("safetensors/rand.safetensors", "x", "F32", (double[]){-1.3487031f, -1.4622412f, 0.9513954f, 0.4458097f}, 4, 60);
    holds("safetensors/rand.safetensors", "y", "F32", (double[]){0.53675765f, 1.1705647f, -0.67447144f}, 3, 15);
    for (unsigned i = 0; i < 8; i++)
        for (unsigned j = 0; j < 16; j++)
            want[i * 16 + j] = (float)((131 * i + 17 * j) % 1000 / 500.0 - 1);
    holds("reference_writers/model.safetensors", "layers.0.0.weight", "F32", want, 128, 128);
    holds("reference_writers/model.safetensors", "bias", "F32", want, 8, 8);
    holds("reference_writers/model.safetensors", "scalar", "F32", (double[]){3.5}, 1, 1);
    holds("reference_writers/model.safetensors", "empty", "F32", want, 0, 0);
    holds("reference_writers/model.safetensors", "half", "F16", want, 0, 16);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("safetensors");
    TCase *good = tcase_create("tensors"), *bad = tcase_create("refused"), *real = tcase_create("files of others");

    tcase_add_checked_fixture(good, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_checked_fixture(bad, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(good, every_type_that_is_read_has_its_value);
    tcase_add_test(good, a_type_that_is_not_read_is_named_when_its_numbers_are_wanted);
    tcase_add_test(good, scalars_empty_tensors_and_metadata_are_read);
    tcase_add_test(good, what_is_written_comes_back_to_the_bit);
    tcase_add_test(bad, shapes_offsets_and_file_must_agree);
    tcase_add_test(bad, headers_are_of_the_form_or_refused);
    tcase_add_test(bad, a_header_of_more_than_16_mib_takes_no_memory);
    tcase_add_test(bad, a_writing_that_fails_leaves_the_old_file);
    tcase_add_test(bad, every_failed_allocation_is_reported);
    suite_add_tcase(s, good);
    suite_add_tcase(s, bad);
    if (mmlt_shared() != NULL)
        tcase_add_test(real, real_files_have_the_values_that_the_reference_reads);
    suite_add_tcase(s, real);
    return mmlt_main(s);
}
