/* test_h5packed.c - what HDF5 1.10 believes of a file and must not: chunks, and data sets in a header, smaller than they say, of
 * which it would read what lies behind them in memory. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "io/h5.h"
#include "io/h5foreign.h"
#include "io/h5lzf.h"
#include "io/rows.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"
#include "util/error.h"

enum { N = 12, D = 8, ROWS = 4, BYTES = ROWS * D * 4 };

/* How a chunk is stored: filters in the order of writing. */
typedef struct packing {
    const char *what;
    int shuffle, deflate, lzf, fletcher_first, fletcher_last;
} packing;

static const packing packings[] = {
    {.what = "plain"},
    {.what = "gzip", .deflate = 1},
    {.what = "shuffle and gzip", .shuffle = 1, .deflate = 1},
    {.what = "lzf", .lzf = 1},
    {.what = "shuffle and lzf", .shuffle = 1, .lzf = 1},
    {.what = "checksum", .fletcher_last = 1},
    {.what = "checksum, then gzip", .fletcher_first = 1, .deflate = 1},
    {.what = "gzip, then a checksum", .deflate = 1, .fletcher_last = 1},
};
enum { N_PACKINGS = (int)(sizeof packings / sizeof *packings) };

/* HDF5 wants a filter that can pack where a data set is made; what it cannot pack is stored as it is. */
static void use_lzf(void)
{
    const H5Z_class2_t both = {H5Z_CLASS_T_VERS, MMLI_H5_LZF, 1, 1, "lzf", NULL, NULL, mmli_h5_lzf_unpack};

    ck_assert_int_ge(H5Zregister(&both), 0);
}

static void add_filters(hid_t list, const packing *p)
{
    const unsigned lzf[3] = {4, 261, BYTES};

    if (p->fletcher_first)
        H5Pset_fletcher32(list);
    if (p->shuffle)
        H5Pset_shuffle(list);
    if (p->deflate)
        H5Pset_deflate(list, 4);
    if (p->lzf)
        ck_assert_int_ge(H5Pset_filter(list, MMLI_H5_LZF, H5Z_FLAG_OPTIONAL, 3, lzf), 0);
    if (p->fletcher_last)
        H5Pset_fletcher32(list);
}

/* x (N, D), not yet written. Open: the data set. */
static hid_t make_set(hid_t file, const char *name, hid_t type, const packing *p)
{
    const hid_t space = H5Screate_simple(2, (hsize_t[]){N, D}, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t set;

    H5Pset_chunk(list, 2, (hsize_t[]){ROWS, D});
    add_filters(list, p);
    ck_assert_msg((set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT)) >= 0, "%s", p->what);
    H5Pclose(list);
    H5Sclose(space);
    return set;
}

static void write_chunk(hid_t set, hsize_t row, uint32_t skipped, const void *bytes, size_t n)
{
    ck_assert_int_ge(H5Dwrite_chunk(set, H5P_DEFAULT, skipped, (hsize_t[]){row, 0}, n, bytes), 0);
}

static hid_t open_again(hid_t file)
{
    ck_assert_int_ge(H5Fclose(file), 0);
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
    return file;
}

static mml_status read_array(float *out, hid_t file)
{
    return mmli_h5_get(out, MMLI_H5_F32, 2, (size_t[]){N, D}, file, "a.h5", "x");
}

/* Rows from `first` on by rows.h. */
static mml_status read_rows(float *out, size_t first, hid_t file)
{
    mml_status st = MML_OK;
    mmli_rows *rows = NULL;
    hid_t set = -1;

    MML_TRY(mmli_h5_dataset(&set, NULL, -1, file, "a.h5", "x"));
    MML_TRY(mmli_rows_open(&rows, set, 0, "a.h5", "x"));
    MML_TRY(mmli_rows_get(out, first, 1, rows));
    MML_TRY(mmli_rows_get(out, first, N - first, rows)); /* also when it is asked again */
out:
    mmli_rows_close(rows);
    mmli_h5_drop(set);
    return st;
}

START_TEST(a_chunk_that_is_whole_is_read_whatever_packs_it)
{
    static float want[N][D], got[N][D];
    const packing *p = &packings[_i];
    hid_t file, set;

    for (int i = 0; i < N * D; i++)
        want[i / D][i % D] = (float)(i % 5);
    use_lzf();
    file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    set = make_set(file, "x", H5T_IEEE_F32LE, p);
    ck_assert_int_ge(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, want), 0);
    H5Dclose(set);
    file = open_again(file);
    mmlt_assert_ok(read_array(got[0], file));
    ck_assert_msg(memcmp(got, want, sizeof got) == 0, "%s", p->what);
    memset(got, 0, sizeof got);
    mmlt_assert_ok(read_rows(got[0], 0, file));
    ck_assert_msg(memcmp(got, want, sizeof got) == 0, "%s by rows", p->what);
    mmli_h5_drop(file);
}
END_TEST

/* Ten bytes as each filter packs them; those of a checksum are left out where it would have to fit. */
static size_t pack_short(unsigned char *out, const packing *p)
{
    const unsigned char ten[10] = "abcdefghi";
    uLongf n = 64;

    if (p->deflate && !p->fletcher_last) {
        ck_assert_int_eq(compress(out, &n, ten, sizeof ten), Z_OK);
        return n;
    }
    if (p->lzf) {
        out[0] = sizeof ten - 1; /* so many and one more as they are */
        memcpy(out + 1, ten, sizeof ten);
        return sizeof ten + 1;
    }
    memcpy(out, ten, sizeof ten);
    return p->fletcher_last ? 2 : sizeof ten;
}

START_TEST(a_chunk_that_unpacks_to_too_little_is_damaged)
{
    float got[N * D];
    const packing *p = &packings[_i];
    unsigned char bytes[64];
    size_t n;
    hid_t file, set;

    use_lzf();
    file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    set = make_set(file, "x", H5T_IEEE_F32LE, p);
    n = pack_short(bytes, p);
    write_chunk(set, ROWS, 0, bytes, n);
    H5Dclose(set);
    file = open_again(file);
    mmlt_assert_fails(read_array(got, file), MML_E_FORMAT, "a.h5: x: a chunk");
    mmlt_assert_fails(read_rows(got, ROWS + 1, file), MML_E_FORMAT, "a chunk");
    if (_i > 0) { /* plain chunks are looked at all at once */
        if (!p->fletcher_last)
            mmlt_assert_fails(read_array(got, file), MML_E_FORMAT, "it must have 128: damaged");
        mmlt_assert_ok(read_rows(got, 2 * ROWS, file)); /* that was never written: zeros */
        ck_assert(got[0] == 0 && got[D - 1] == 0);
    }
    mmli_h5_drop(file);
}
END_TEST

START_TEST(a_chunk_that_is_said_not_to_be_packed_has_its_size)
{
    float got[N * D];
    hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t set = make_set(file, "x", H5T_IEEE_F32LE, &packings[1]);

    write_chunk(set, 0, 1, "abcdefghi", 10);
    H5Dclose(set);
    file = open_again(file);
    mmlt_assert_fails(read_array(got, file), MML_E_FORMAT, "a.h5: x: a chunk has 10 bytes, it must have 128: damaged");
    mmli_h5_drop(file);
}
END_TEST

START_TEST(texts_and_records_in_chunks_that_are_too_small_are_damaged)
{
    const hid_t text = H5Tcopy(H5T_C_S1), any = H5Tcopy(H5T_C_S1), record = H5Tcreate(H5T_COMPOUND, 8);
    const hid_t types[] = {text, any, record};
    const char *const names[] = {"fixed", "variable", "records"};
    hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), space, list, set;
    unsigned char bytes[64];
    char **texts;
    int64_t *numbers;
    size_t n;

    H5Tset_size(text, 20);
    H5Tset_size(any, H5T_VARIABLE);
    H5Tinsert(record, "a", 0, H5T_STD_I64LE);
    space = H5Screate_simple(1, (hsize_t[]){4}, NULL);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 1, (hsize_t[]){4});
    H5Pset_deflate(list, 1);
    n = pack_short(bytes, &packings[1]);
    for (int i = 0; i < 3; i++) {
        ck_assert((set = H5Dcreate2(file, names[i], types[i], space, H5P_DEFAULT, list, H5P_DEFAULT)) >= 0);
        ck_assert_int_ge(H5Dwrite_chunk(set, H5P_DEFAULT, 0, (hsize_t[]){0}, n, bytes), 0);
        H5Dclose(set);
    }
    set = H5Dcreate2(file, "good", any, space, H5P_DEFAULT, list, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, any, H5S_ALL, H5S_ALL, H5P_DEFAULT, (const char *[]){"a", "bc", "", "d"}), 0);
    H5Dclose(set);
    H5Pclose(list);
    H5Sclose(space);
    H5Tclose(text);
    H5Tclose(any);
    H5Tclose(record);
    file = open_again(file);
    mmlt_assert_fails(mmli_h5_get_texts(&texts, &n, file, "a.h5", "fixed"), MML_E_FORMAT, "fixed: a chunk has 10 bytes, it must have 80");
    mmlt_assert_fails(mmli_h5_get_texts(&texts, &n, file, "a.h5", "variable"), MML_E_FORMAT, "10 bytes, it must have 64: damaged");
    mmlt_assert_fails(mmli_h5_field_get(&numbers, MMLI_H5_I64, &n, file, "a.h5", "records", "a"), MML_E_FORMAT, "it must have 32");
    mmlt_assert_ok(mmli_h5_get_texts(&texts, &n, file, "a.h5", "good"));
    ck_assert(n == 4 && strcmp(texts[1], "bc") == 0);
    mmli_h5_texts_free(texts, n);
    mmli_h5_drop(file);
}
END_TEST

START_TEST(an_array_in_a_header_that_is_shorter_than_its_shape_is_damaged)
{
    const uint64_t shape[2] = {7, 11}, more[2] = {7000, 11};
    float x[77] = {1}, *got;
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, (const hsize_t[]){7, 11}, NULL);
    hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), set;
    size_t n, changed = 0, dims[2];
    char *bytes;

    H5Pset_layout(list, H5D_COMPACT);
    set = H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x), 0);
    H5Dclose(set);
    H5Pclose(list);
    H5Sclose(space);
    file = open_again(file);
    mmlt_assert_ok(mmli_h5_get_new(&got, MMLI_H5_F32, 2, dims, file, "a.h5", "x"));
    ck_assert(got[0] == 1);
    mmli_free(got);
    mmli_h5_drop(file);
    bytes = mmlt_read(mmlt_path("a.h5"), &n);
    for (size_t i = 0; i + sizeof shape <= n; i++)
        if (memcmp(bytes + i, shape, sizeof shape) == 0) {
            memcpy(bytes + i, more, sizeof more);
            changed++;
        }
    ck_assert_uint_ge(changed, 1);
    mmlt_write_bytes("a.h5", bytes, n);
    free(bytes);
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
    mmlt_assert_fails(mmli_h5_get_new(&got, MMLI_H5_F32, 2, dims, file, "a.h5", "x"), MML_E_FORMAT,
                      "x should hold 77000 elements of 4 bytes but the file stores 308 bytes");
    mmli_h5_drop(file);
}
END_TEST

START_TEST(what_would_take_too_much_is_refused_when_it_is_opened)
{
    const hid_t space = H5Screate_simple(2, (hsize_t[]){(hsize_t)1 << 40, D}, (hsize_t[]){H5S_UNLIMITED, D});
    const hid_t few = H5Screate_simple(2, (hsize_t[]){N, D}, (hsize_t[]){H5S_UNLIMITED, D});
    hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), list = H5Pcreate(H5P_DATASET_CREATE), set;
    float got[N * D];

    H5Pset_chunk(list, 2, (hsize_t[]){ROWS, D});
    H5Dclose(H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT)); /* 2^40 rows that nobody wrote */
    H5Pclose(list);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 2, (hsize_t[]){(hsize_t)1 << 26, D});
    H5Pset_deflate(list, 1);
    H5Dclose(H5Dcreate2(file, "chunks", H5T_IEEE_F32LE, few, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Pclose(list);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 2, (hsize_t[]){ROWS, D});
    H5Pset_scaleoffset(list, H5Z_SO_FLOAT_DSCALE, 2);
    H5Dclose(H5Dcreate2(file, "scaled", H5T_IEEE_F32LE, few, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Pclose(list);
    H5Sclose(space);
    H5Sclose(few);
    file = open_again(file);
    mmlt_assert_fails(read_rows(got, 0, file), MML_E_FORMAT, "a.h5: x should hold 35184372088832 bytes but the file stores 0");
    mmlt_assert_fails(mmli_h5_dataset(&set, NULL, -1, file, "a.h5", "chunks"), MML_E_FORMAT, "packed in chunks of 2.0 GiB");
    mmlt_assert_fails(mmli_h5_dataset(&set, NULL, -1, file, "a.h5", "scaled"), MML_E_FORMAT, "filter 6 (scaleoffset)");
    mmli_h5_drop(file);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("h5 packed");
    TCase *tc = tcase_create("sizes");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_chunk_that_is_whole_is_read_whatever_packs_it, 0, N_PACKINGS);
    tcase_add_loop_test(tc, a_chunk_that_unpacks_to_too_little_is_damaged, 0, N_PACKINGS);
    tcase_add_test(tc, a_chunk_that_is_said_not_to_be_packed_has_its_size);
    tcase_add_test(tc, texts_and_records_in_chunks_that_are_too_small_are_damaged);
    tcase_add_test(tc, an_array_in_a_header_that_is_shorter_than_its_shape_is_damaged);
    tcase_add_test(tc, what_would_take_too_much_is_refused_when_it_is_opened);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
