/* NumPy arrays: every type and order, archives, and one clear message for what is damaged or not to be read. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "formats/npy.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"

/* A .npy of the version with this header (padded to 64 bytes as NumPy does) and data; its size. */
static size_t make(char *out, int version, const char *header, const void *data, size_t n)
{
    const size_t preamble = version == 1 ? 10 : 12, length = strlen(header), all = (preamble + length + 1 + 63) / 64 * 64;

    memcpy(out, "\x93NUMPY", 6);
    out[6] = (char)version;
    out[7] = 0;
    for (size_t i = 8; i < preamble; i++)
        out[i] = (char)((all - preamble) >> 8 * (i - 8) & 255);
    memset(out + preamble, ' ', all - preamble);
    memcpy(out + preamble, header, length);
    out[all - 1] = '\n';
    memcpy(out + all, data, n);
    return all + n;
}

static char file_bytes[4096];

static mml_status open_made(mmli_npy **out, int version, const char *header, const void *data, size_t n)
{
    mmlt_write_bytes("a.npy", file_bytes, make(file_bytes, version, header, data, n));
    return mmli_npy_open(out, mmlt_path("a.npy"));
}

static void refuses(const char *header, const void *data, size_t n, const char *text)
{
    mmli_npy *a;

    mmlt_assert_fails(open_made(&a, 1, header, data, n), MML_E_FORMAT, text);
    mmlt_assert_fails(open_made(&a, 1, header, data, n), MML_E_FORMAT, "a.npy: ");
    ck_assert_ptr_null(a);
}

static mmli_npy *made(int version, const char *header, const void *data, size_t n)
{
    mmli_npy *a;

    mmlt_assert_ok(open_made(&a, version, header, data, n));
    return a;
}

START_TEST(every_type_of_numbers_is_read_in_both_byte_orders)
{
    static const struct {
        const char *type, *bytes;
        size_t n;
        double want;
    } cases[] = {
        {"|b1", "\1", 1, 1},
        {"?", "\0", 1, 0},
        {"|i1", "\x80", 1, -128},
        {"|u1", "\xFE", 1, 254},
        {"<i2", "\x01\x80", 2, -32767},
        {">i2", "\x80\x01", 2, -32767},
        {"<u2", "\x01\x80", 2, 32769},
        {"<i4", "\xFE\xFF\xFF\xFF", 4, -2},
        {">u4", "\xFF\xFF\xFF\xFE", 4, 4294967294.0},
        {"<i8", "\x00\x00\x00\x00\x00\x00\x00\x80", 8, -0x1p63},
        {">i8", "\x00\x00\x00\x00\x00\x01\x00\x00", 8, 65536},
        {"<u8", "\x00\x00\x00\x00\x00\x00\x00\x80", 8, 0x1p63},
        {"<f2", "\x00\x3E", 2, 1.5},
        {"<f2", "\x01\x80", 2, -0x1p-24},
        {">f2", "\x7B\xFF", 2, 65504},
        {"<f4", "\xCD\xCC\xCC\x3D", 4, 0.1f},
        {">f4", "\x3D\xCC\xCC\xCD", 4, 0.1f},
        {"<f8", "\x9A\x99\x99\x99\x99\x99\xB9\x3F", 8, 0.1},
        {">f8", "\x3F\xB9\x99\x99\x99\x99\x99\x9A", 8, 0.1},
        {"=f8", "\x9A\x99\x99\x99\x99\x99\xB9\x3F", 8, 0.1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char header[128];
        mmli_npy *a;
        double x = -1;
        float y = -1;

        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (1,), }", cases[i].type);
        a = made(1, header, cases[i].bytes, cases[i].n);
        mmlt_assert_ok(mmli_npy_doubles(&x, a, 0, 0, 1));
        mmlt_assert_ok(mmli_npy_floats(&y, a, 0, 0, 1));
        if (x != cases[i].want || y != (float)cases[i].want)
            ck_abort_msg("%s: %g and %g instead of %g", cases[i].type, x, (double)y, cases[i].want);
        mmli_npy_close(a);
    }
}
END_TEST

START_TEST(halves_have_infinities_and_what_is_no_number)
{
    mmli_npy *a = made(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (4,), }", "\x00\x7C\x00\xFC\x01\x7E\x00\x80", 8);
    float x[4];

    mmlt_assert_ok(mmli_npy_floats(x, a, 0, 0, 4));
    ck_assert(x[0] == INFINITY && x[1] == -INFINITY && isnan(x[2]) && x[3] == 0 && signbit(x[3]));
    mmli_npy_close(a);
}
END_TEST

START_TEST(a_large_whole_number_is_rounded_once)
{
    /* 2^60 + 2^36 + 1 lies above the middle of two float32s; through a double it would fall on the middle, to the even. */
    const int64_t big = ((int64_t)1 << 60) + ((int64_t)1 << 36) + 1;
    mmli_npy *a = made(1, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", &big, 8);
    float x;
    char *text;

    mmlt_assert_ok(mmli_npy_floats(&x, a, 0, 0, 1));
    ck_assert(x == (float)big && x != (float)(double)big);
    mmlt_assert_ok(mmli_npy_texts(&text, a, 0, 0, 1));
    ck_assert_str_eq(text, "1152921573326323713");
    mmli_free(text);
    mmli_npy_close(a);
}
END_TEST

START_TEST(fortran_order_is_turned_into_the_order_of_the_indices)
{
    /* x[i][j][k] = 100 i + 10 j + k of shape (2, 3, 2), first index fastest. */
    unsigned char bytes[12];
    float x[12];
    size_t n = 0;
    mmli_npy *a;

    for (unsigned k = 0; k < 2; k++)
        for (unsigned j = 0; j < 3; j++)
            for (unsigned i = 0; i < 2; i++)
                bytes[n++] = (unsigned char)(100 * i + 10 * j + k);
    a = made(2, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }", bytes, 12);
    mmlt_assert_ok(mmli_npy_floats(x, a, 0, 0, 2));
    for (size_t i = 0; i < 12; i++)
        ck_assert(x[i] == (float)(100 * (i / 6) + 10 * (i / 2 % 3) + i % 2));
    mmlt_assert_ok(mmli_npy_floats(x, a, 0, 1, 1));
    for (size_t i = 0; i < 6; i++)
        ck_assert(x[i] == (float)(100 + 10 * (i / 2 % 3) + i % 2));
    mmlt_assert_fails(mmli_npy_floats(x, a, 0, 1, 2), MML_E_ARG, "rows 1 to 3 of 2");
    mmli_npy_close(a);
}
END_TEST

START_TEST(scalars_empty_arrays_and_headers_of_python_2_are_read)
{
    mmli_npy *a = made(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "\7", 1);
    float x;

    ck_assert_int_eq(a->rank, 0);
    ck_assert_uint_eq(mmli_npy_n_rows(a), 1);
    mmlt_assert_ok(mmli_npy_floats(&x, a, 0, 0, 1));
    ck_assert(x == 7);
    mmli_npy_close(a);
    a = made(3, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 64), }", "", 0);
    ck_assert_uint_eq(mmli_npy_n_rows(a), 0);
    ck_assert_uint_eq(a->row_values, 64);
    mmlt_assert_ok(mmli_npy_floats(&x, a, 0, 0, 0));
    mmli_npy_close(a);
    a = made(1, "{\"shape\": (2L, 1L), u'descr': '|i1', 'fortran_order': False}", "\1\2", 2);
    ck_assert_uint_eq(mmli_npy_n_rows(a), 2);
    mmli_npy_close(a);
}
END_TEST

START_TEST(fields_of_records_are_read_by_name)
{
    static const char data[] = "\1\0\0\0\0\0\0\xF0\x3F" "ab\0" "\0\0\0\0\0\0\0\0\x40" "c\0\0";
    mmli_npy *a = made(1, "{'descr': [('event', '?'), ('time', '<f8'), ('id', '|S3')], 'fortran_order': False, 'shape': (2,), }",
                       data, 24);
    double time[2];
    float event[2];
    char *ids[2], type[64];
    size_t at;

    ck_assert_uint_eq(a->record, 12);
    mmlt_assert_ok(mmli_npy_field_at(&at, a, "time"));
    mmlt_assert_ok(mmli_npy_doubles(time, a, at, 0, 2));
    ck_assert(time[0] == 1 && time[1] == 2);
    mmlt_assert_ok(mmli_npy_field_at(&at, a, "event"));
    mmlt_assert_ok(mmli_npy_floats(event, a, at, 0, 2));
    ck_assert(event[0] == 1 && event[1] == 0);
    mmlt_assert_ok(mmli_npy_field_at(&at, a, "id"));
    mmlt_assert_ok(mmli_npy_texts(ids, a, at, 0, 2));
    ck_assert_str_eq(ids[0], "ab");
    ck_assert_str_eq(ids[1], "c");
    mmli_free(ids[0]);
    mmli_free(ids[1]);
    ck_assert_str_eq(mmli_npy_type_name(type, &a->fields[at]), "text of 3 bytes");
    mmlt_assert_fails(mmli_npy_floats(event, a, at, 0, 2), MML_E_FORMAT, "is text of 3 bytes where numbers are needed");
    mmlt_assert_fails(mmli_npy_field_at(&at, a, "tme"), MML_E_NOT_FOUND, "no field tme");
    mmli_npy_close(a);
}
END_TEST

START_TEST(padding_between_fields_is_skipped)
{
    mmli_npy *a = made(1, "{'descr': [('a', '|i1'), ('', '|V3'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }",
                       "\5xxx\7\0\0\0", 8);
    float x;

    ck_assert_uint_eq(a->n_fields, 2);
    mmlt_assert_ok(mmli_npy_floats(&x, a, 1, 0, 1));
    ck_assert(x == 7);
    mmli_npy_close(a);
}
END_TEST

START_TEST(unicode_ids_become_utf_8)
{
    static const char data[] = "P\0\0\0\xFC\0\0\0\0\0\0\0" "\xAC\x20\0\0\0\xF6\x01\0\0\0\0\0" "\0\0\0\0\0\0\0\0\0\0\0\0";
    mmli_npy *a = made(1, "{'descr': '<U3', 'fortran_order': False, 'shape': (3,), }", data, 36);
    char *ids[3];

    mmlt_assert_ok(mmli_npy_texts(ids, a, 0, 0, 3));
    ck_assert_str_eq(ids[0], "P\xC3\xBC");
    ck_assert_str_eq(ids[1], "\xE2\x82\xAC\xF0\x9F\x98\x80");
    ck_assert_str_eq(ids[2], "");
    for (int i = 0; i < 3; i++)
        mmli_free(ids[i]);
    mmli_npy_close(a);
    a = made(1, "{'descr': '<U1', 'fortran_order': False, 'shape': (2,), }", "a\0\0\0\0\xD8\0\0", 8);
    mmlt_assert_fails(mmli_npy_texts(ids, a, 0, 0, 2), MML_E_DATA, "element 1 is no text of Unicode");
    ck_assert_ptr_null(ids[0]);
    mmli_npy_close(a);
    a = made(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "\0\0\0\x3F", 4);
    mmlt_assert_fails(mmli_npy_texts(ids, a, 0, 0, 1), MML_E_DATA, "element 0 is not a whole number");
    mmli_npy_close(a);
}
END_TEST

START_TEST(what_python_alone_can_read_is_refused_with_the_way_out)
{
    refuses("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "x", 1, "an object array, holds a Python pickle");
    refuses("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }", "x", 1, "field a, type '|O': an object array");
    refuses("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "12345678", 8, "save real and imaginary part");
    refuses("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (1,), }", "12345678", 8, "dates and durations");
    refuses("{'descr': '<f16', 'fortran_order': False, 'shape': (1,), }", "1234567812345678", 16, "'<f16': not a type");
    refuses("{'descr': [('a', [('b', '<f4')])], 'fortran_order': False, 'shape': (1,), }", "1234", 4, "a is a record itself");
    refuses("{'descr': [('a', '<f4', (2,))], 'fortran_order': False, 'shape': (1,), }", "12345678", 8, "a is an array itself");
}
END_TEST

START_TEST(damaged_headers_are_refused)
{
#define REST "'fortran_order': False, 'shape': (1,), }"
    refuses("", "", 0, "{ expected");
    refuses("{'descr': '|u1', " REST " x", "1", 1, "something follows");
    refuses("{'descr': '|u1', 'descr': '|u1', " REST, "1", 1, "has descr twice");
    refuses("{'other': '|u1', " REST, "1", 1, "has other twice, or it does not belong");
    refuses("{'fortran_order': False, 'shape': (1,), }", "1", 1, "lacks descr");
    refuses("{'descr': '|u1', 'fortran_order': 0, 'shape': (1,), }", "1", 1, "neither True nor False");
    refuses("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", "1", 1, "a size expected");
    refuses("{'descr': '|u1', 'fortran_order': False, 'shape': (1", "1", 1, ") expected");
    refuses("{'descr': '|u1, " REST, "1", 1, "not a type that is read");
    refuses("{'descr': [], " REST, "1", 1, "records without fields");
    refuses("{'descr': [('a', '|u1'), ('a', '|u1')], " REST, "12", 2, "two fields are called a");
    refuses("{'descr': '|S0', " REST, "", 0, "its elements have no bytes");
    refuses("{'descr': '|S99999999999999999999', " REST, "", 0, "too large");
    refuses("{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", "1", 1, "more than 8 dimensions");
}
END_TEST

START_TEST(sizes_are_compared_with_the_file_before_memory_is_asked_for)
{
    mmli_npy *a;
    size_t n;

    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", "12345678", 8, "truncated or damaged");
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }", "12345678", 8,
            "dimensions are too large");
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904,), }", "12345678", 8, "dimensions are too large");
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }", "12345678", 8, "a size that is too large");
    refuses("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", "12", 2, "promises 1 bytes of data, there are 2");
    n = make(file_bytes, 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", "1234", 4);
    for (size_t cut = 0; cut < n; cut++) {
        mmlt_write_bytes("a.npy", file_bytes, cut);
        mmlt_assert_fails(mmli_npy_open(&a, mmlt_path("a.npy")), MML_E_FORMAT, "a.npy: ");
    }
    mmlt_write_bytes("a.npy", "\x93NUMPY\2\0\1\0\x10\0{", 13);
    ck_assert_int_eq(truncate(mmlt_path("a.npy"), 12 + (1 << 20) + 1), 0);
    mmlt_assert_fails(mmli_npy_open(&a, mmlt_path("a.npy")), MML_E_FORMAT, "a header of 1048577 bytes; at most 1048576 are read");
    file_bytes[6] = 4;
    mmlt_write_bytes("a.npy", file_bytes, n);
    mmlt_assert_fails(mmli_npy_open(&a, mmlt_path("a.npy")), MML_E_FORMAT, "version 4.0 of the format");
}
END_TEST

START_TEST(arrays_of_an_archive_are_found_by_name)
{
    zip_t *z = zip_open(mmlt_path("a.npz"), ZIP_CREATE, NULL);
    static char x[256], y[256];
    const size_t nx = make(x, 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", "\1\2", 2),
                 ny = make(y, 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", "\3", 1);
    mmli_zip *zip;
    mmli_npy *a;
    float got[2];
    size_t i;

    ck_assert_int_ge(zip_file_add(z, "x.npy", zip_source_buffer(z, x, nx, 0), 0), 0);
    ck_assert_int_ge(zip_file_add(z, "y.npy", zip_source_buffer(z, y, ny, 0), 0), 0);
    ck_assert_int_eq(zip_close(z), 0);
    mmlt_assert_ok(mmli_zip_open(&zip, mmlt_path("a.npz")));
    mmlt_assert_ok(mmli_npz_find(&i, zip, "y"));
    mmlt_assert_ok(mmli_npz_member(&a, zip, i));
    mmlt_assert_ok(mmli_npy_floats(got, a, 0, 0, 1));
    ck_assert(got[0] == 3);
    mmli_npy_close(a);
    mmlt_assert_ok(mmli_npz_find(&i, zip, "x.npy"));
    ck_assert_uint_eq(i, 0);
    mmlt_assert_fails(mmli_npz_find(&i, zip, "z"), MML_E_NOT_FOUND, "a.npz: no array z; it holds x.npy, y.npy");
    mmlt_assert_fails(mmli_npz_find(&i, zip, NULL), MML_E_NOT_FOUND, "holds 2 arrays (x.npy, y.npy): name one");
    mmli_zip_close(zip);
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    mml_status st = MML_E_NOMEM;
    mmli_npy *a;
    char *id = NULL;

    mmli_npy_close(made(1, "{'descr': [('a', '<U2'), ('b', '<f4')], 'fortran_order': False, 'shape': (1,), }", "a\0\0\0\0\0\0\0\0\0\0\0", 12));
    for (uint64_t k = 1; st != MML_OK; k++) {
        mmli_alloc_fail_at(k);
        st = mmli_npy_open(&a, mmlt_path("a.npy"));
        if (st == MML_OK)
            st = mmli_npy_texts(&id, a, 0, 0, 1);
        mmli_alloc_fail_at(0);
        mmli_npy_close(a);
        ck_assert(st == MML_OK || (st == MML_E_NOMEM && id == NULL));
        ck_assert_uint_lt(k, 100);
    }
    ck_assert_str_eq(id, "a");
    mmli_free(id);
}
END_TEST

/* ---- files of others: ../shared/data/user_files --------------------------------------------------------------------------- */

static mmli_npy *shared_array(const char *name)
{
    char path[600];
    mmli_npy *a;

    snprintf(path, sizeof path, "%s/user_files/%s", mmlt_shared(), name);
    mmlt_assert_ok(mmli_npy_open(&a, path));
    return a;
}

static void holds(const char *name, size_t rows, size_t cols, size_t row, const double *want, size_t n)
{
    mmli_npy *a = shared_array(name);
    double *got = calloc(a->row_values, sizeof *got);

    ck_assert_uint_eq(mmli_npy_n_rows(a), rows);
    ck_assert_uint_eq(a->row_values, cols);
    mmlt_assert_ok(mmli_npy_doubles(got, a, 0, row, 1));
    for (size_t i = 0; i < n; i++)
        if (got[i] != want[i])
            ck_abort_msg("%s, row %zu: element %zu is %a, not %a", name, row, i, got[i], want[i]);
    free(got);
    mmli_npy_close(a);
}

START_TEST(real_arrays_have_the_values_that_numpy_reads)
{
    holds("npy/regress_test_small.npy", 200, 200, 0, (double[]){-0x1.fb9592667c6f2p-2, -0x1.9e4c44039e701p-5, -0x1.a96072513c95cp-1}, 3);
    holds("npy/regress_test_small.npy", 200, 200, 1, (double[]){0x1.088f427ae8e7cp+0}, 1);
    holds("npy/regress_test_small.npy", 200, 200, 2, (double[]){-0x1.3496f1ad49279p-2}, 1);
    holds("npy/sample_patch_extraction.npy", 1860, 3, 0, (double[]){14, 3, 0}, 3);
    holds("npy/sample_patch_extraction.npy", 1860, 3, 1859, (double[]){401, 281, 0}, 3);
    holds("npy/wc_snmf_06.npy", 3, 3, 0, (double[]){0x1.670521995a632p-1, 0x1.57a010b61df5bp-2, 0x1.51d627e04db3cp-3}, 3);
    holds("npy/merge_tiles_lab_mean.npy", 3, 1, 2, (double[]){0x1.0d157c6406e1ap-4}, 1);
    holds("npy/python3.npy", 2, 1, 1, (double[]){1}, 1);
    /* ((131 i + 17 j) mod 1000) / 500 - 1 in float32, row 4 */
    holds("reference_writers/big_endian_f4.npy", 5, 3, 4, (double[]){(float)(524 / 500.0 - 1), (float)(541 / 500.0 - 1), (float)(558 / 500.0 - 1)}, 3);
}
END_TEST

START_TEST(survival_records_of_scikit_survival_are_read)
{
    mmli_npy *a = shared_array("reference_writers/sksurv_y.npy");
    double time[57], sum = 0;
    float event[57];
    int events = 0;

    ck_assert_uint_eq(mmli_npy_n_rows(a), 57);
    ck_assert_uint_eq(a->record, 9);
    mmlt_assert_ok(mmli_npy_floats(event, a, 0, 0, 57));
    mmlt_assert_ok(mmli_npy_doubles(time, a, 1, 0, 57));
    for (int i = 0; i < 57; i++) {
        events += event[i] == 1;
        sum += time[i];
    }
    ck_assert_int_eq(events, 31);
    ck_assert(time[0] == 24.11 && time[1] == 11.96 && time[56] == 13.96);
    ck_assert(fabs(sum - 0x1.54dc28f5c28f6p+10) < 1e-9); /* NumPy adds in pairs */
    mmli_npy_close(a);
}
END_TEST

START_TEST(real_archives_stored_and_deflated_are_read)
{
    char path[600], *ids[37];
    mmli_zip *zip;
    mmli_npy *a;
    size_t at;
    float x[40], features[37 * 8];

    snprintf(path, sizeof path, "%s/user_files/npy/objs-t-test.npz", mmlt_shared());
    mmlt_assert_ok(mmli_zip_open(&zip, path));
    mmlt_assert_ok(mmli_npz_find(&at, zip, "scores"));
    mmlt_assert_ok(mmli_npz_member(&a, zip, at));
    mmlt_assert_ok(mmli_npy_floats(x, a, 0, 0, 2));
    ck_assert(x[0] == 0.88779753f && x[1] == 0.7680498f && x[2] == 0.57457656f && x[39] == -0.88779753f);
    mmli_npy_close(a);
    mmlt_assert_ok(mmli_npz_find(&at, zip, "names"));
    mmlt_assert_ok(mmli_npz_member(&a, zip, at));
    mmlt_assert_ok(mmli_npy_floats(x, a, 0, 0, 2));
    ck_assert(x[0] == 9 && x[1] == 15 && x[2] == 3 && x[3] == 18 && x[20] == 2 && x[39] == 9);
    mmli_npy_close(a);
    mmli_zip_close(zip);
    snprintf(path, sizeof path, "%s/user_files/reference_writers/arrays_deflate.npz", mmlt_shared());
    mmlt_assert_ok(mmli_zip_open(&zip, path));
    mmlt_assert_ok(mmli_npz_find(&at, zip, "features"));
    mmlt_assert_ok(mmli_npz_member(&a, zip, at));
    mmlt_assert_ok(mmli_npy_floats(features + 20 * 8, a, 0, 20, 17)); /* backwards: unpacked twice */
    mmlt_assert_ok(mmli_npy_floats(features, a, 0, 0, 20));
    for (unsigned i = 0; i < 37; i++)
        for (unsigned j = 0; j < 8; j++)
            ck_assert(features[i * 8 + j] == (float)((131 * i + 17 * j) % 1000 / 500.0 - 1));
    mmli_npy_close(a);
    mmlt_assert_ok(mmli_npz_find(&at, zip, "ids"));
    mmlt_assert_ok(mmli_npz_member(&a, zip, at));
    mmlt_assert_ok(mmli_npy_texts(ids, a, 0, 0, 37));
    ck_assert_str_eq(ids[0], "s000");
    ck_assert_str_eq(ids[36], "s036");
    for (int i = 0; i < 37; i++)
        mmli_free(ids[i]);
    mmli_npy_close(a);
    mmli_zip_close(zip);
}
END_TEST

START_TEST(real_object_arrays_are_refused)
{
    char path[600];
    mmli_zip *zip;
    mmli_npy *a;
    size_t at;

    snprintf(path, sizeof path, "%s/user_files/npy/py3-objarr.npy", mmlt_shared());
    mmlt_assert_fails(mmli_npy_open(&a, path), MML_E_FORMAT, "object array, holds a Python pickle");
    snprintf(path, sizeof path, "%s/user_files/npy/py3-objarr.npz", mmlt_shared());
    mmlt_assert_ok(mmli_zip_open(&zip, path));
    mmlt_assert_ok(mmli_npz_find(&at, zip, NULL));
    mmlt_assert_fails(mmli_npz_member(&a, zip, at), MML_E_FORMAT, "object array, holds a Python pickle");
    mmli_zip_close(zip);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("npy");
    TCase *good = tcase_create("arrays"), *bad = tcase_create("refused"), *real = tcase_create("files of others");

    tcase_add_checked_fixture(good, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_checked_fixture(bad, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(good, every_type_of_numbers_is_read_in_both_byte_orders);
    tcase_add_test(good, halves_have_infinities_and_what_is_no_number);
    tcase_add_test(good, a_large_whole_number_is_rounded_once);
    tcase_add_test(good, fortran_order_is_turned_into_the_order_of_the_indices);
    tcase_add_test(good, scalars_empty_arrays_and_headers_of_python_2_are_read);
    tcase_add_test(good, fields_of_records_are_read_by_name);
    tcase_add_test(good, padding_between_fields_is_skipped);
    tcase_add_test(good, unicode_ids_become_utf_8);
    tcase_add_test(good, arrays_of_an_archive_are_found_by_name);
    tcase_add_test(bad, what_python_alone_can_read_is_refused_with_the_way_out);
    tcase_add_test(bad, damaged_headers_are_refused);
    tcase_add_test(bad, sizes_are_compared_with_the_file_before_memory_is_asked_for);
    tcase_add_test(bad, every_failed_allocation_is_reported);
    suite_add_tcase(s, good);
    suite_add_tcase(s, bad);
    if (mmlt_shared() != NULL) {
        tcase_add_test(real, real_arrays_have_the_values_that_numpy_reads);
        tcase_add_test(real, survival_records_of_scikit_survival_are_read);
        tcase_add_test(real, real_archives_stored_and_deflated_are_read);
        tcase_add_test(real, real_object_arrays_are_refused);
    }
    suite_add_tcase(s, real);
    return mmlt_main(s);
}
