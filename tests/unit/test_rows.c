/* test_rows.c - rows of every type and layout give the numbers that were written; which of them are read past HDF5, and that
 * a damaged index never gives wrong ones. */
#include <stdlib.h>
#include <string.h>

#include "io/rows.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"
#include "util/half.h"
#include "util/rng.h"

enum { N = 211, D = 24 };

static float want[N][D], got[N][D];

static hid_t half_type(void)
{
    const hid_t type = H5Tcopy(H5T_IEEE_F32LE);

    ck_assert(H5Tset_fields(type, 15, 10, 5, 0, 10) >= 0 && H5Tset_size(type, 2) >= 0 && H5Tset_ebias(type, 15) >= 0);
    return type;
}

/* How a file is made. */
typedef struct layout {
    const char *what;
    hsize_t rows, cols; /* of a chunk; 0 = contiguous */
    int leading;        /* a dimension of 1 before the others */
    hsize_t user_block;
    int filter, newest, attributes, grown;
    bool bytes; /* expected: read past HDF5 */
} layout;

static const layout layouts[] = {
    {.what = "contiguous", .bytes = true},
    {.what = "contiguous behind a user block", .user_block = 512, .bytes = true},
    {.what = "one row a chunk", .rows = 1, .cols = D, .bytes = true},
    {.what = "one row a chunk behind a user block", .rows = 1, .cols = D, .user_block = 1024, .bytes = true},
    {.what = "32 rows a chunk, the last one partly used", .rows = 32, .cols = D, .bytes = true},
    {.what = "one chunk larger than all", .rows = N + 40, .cols = D, .bytes = true},
    {.what = "grown row by row between another data set", .rows = 1, .cols = D, .grown = 1, .bytes = true},
    {.what = "a leading axis", .rows = 5, .cols = D, .leading = 1, .bytes = true},
    {.what = "a leading axis, contiguous", .leading = 1, .bytes = true},
    {.what = "many attributes: the header goes on elsewhere", .rows = 7, .cols = D, .attributes = 200, .bytes = true},
    {.what = "chunks of half a row", .rows = 8, .cols = D / 2, .bytes = false},
    {.what = "gzip", .rows = 8, .cols = D, .filter = 1, .bytes = false},
    {.what = "the newest format", .rows = 8, .cols = D, .newest = 1, .bytes = false},
    {.what = "the newest format, contiguous", .newest = 1, .bytes = true},
};
enum { N_LAYOUTS = (int)(sizeof layouts / sizeof *layouts) };

static void write_rows(hid_t set, int lead, hsize_t first, hsize_t count, const float *rows)
{
    const hsize_t start[3] = {lead ? 0 : first, lead ? first : 0, 0}, size[3] = {lead ? 1 : count, lead ? count : D, D};
    const hid_t file = H5Dget_space(set), memory = H5Screate_simple(2 + lead, size, NULL);

    ck_assert(H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, size, NULL) >= 0);
    ck_assert(H5Dwrite(set, H5T_NATIVE_FLOAT, memory, file, H5P_DEFAULT, rows) >= 0);
    H5Sclose(memory);
    H5Sclose(file);
}

/* Row by row, with a chunk of another data set between the chunks. */
static void write_grown(hid_t set, hid_t other)
{
    for (hsize_t i = 0; i < N; i++) {
        const hsize_t size[2] = {i + 1, D};

        ck_assert(H5Dset_extent(set, size) >= 0 && H5Dset_extent(other, size) >= 0);
        write_rows(set, 0, i, 1, want[i]);
        write_rows(other, 0, i, 1, want[i]);
    }
}

static hid_t make_set(hid_t file, const char *name, const layout *l, hid_t type)
{
    const hsize_t dims[3] = {l->leading ? 1 : (l->grown ? 0 : N), l->leading ? N : D, D};
    const hsize_t most[3] = {l->leading ? 1 : H5S_UNLIMITED, l->leading ? H5S_UNLIMITED : D, D};
    const hsize_t chunk[3] = {l->leading ? 1 : l->rows, l->leading ? l->rows : l->cols, l->cols};
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2 + l->leading, dims, l->rows ? most : NULL);
    hid_t set;

    if (l->rows)
        ck_assert(H5Pset_chunk(list, 2 + l->leading, chunk) >= 0);
    if (l->filter)
        ck_assert(H5Pset_shuffle(list) >= 0 && H5Pset_deflate(list, 3) >= 0);
    ck_assert((set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT)) >= 0);
    H5Sclose(space);
    H5Pclose(list);
    return set;
}

static void make_file(const char *path, const layout *l, hid_t type)
{
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file, set, other, scalar;

    H5Pset_userblock(creation, l->user_block);
    if (l->newest)
        H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    ck_assert((file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access)) >= 0);
    set = make_set(file, "x", l, type);
    for (int i = 0; i < l->attributes; i++) {
        char name[32];
        hid_t attribute;

        snprintf(name, sizeof name, "attribute %d", i);
        scalar = H5Screate(H5S_SCALAR);
        attribute = H5Acreate2(set, name, H5T_NATIVE_INT, scalar, H5P_DEFAULT, H5P_DEFAULT);
        ck_assert(attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_INT, &i) >= 0);
        H5Aclose(attribute);
        H5Sclose(scalar);
    }
    if (l->grown) {
        other = make_set(file, "y", l, type);
        write_grown(set, other);
        H5Dclose(other);
    } else {
        write_rows(set, l->leading, 0, N, want[0]);
    }
    H5Dclose(set);
    H5Fclose(file);
    H5Pclose(access);
    H5Pclose(creation);
}

/* Whole numbers that every type holds. */
static void make_want(void)
{
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < D; j++)
            want[i][j] = (float)((i * 37 + j * 11) % 251) - 120.0f;
}

static void check_file(const char *path, const layout *l, bool half, bool bytes)
{
    mmli_span spans[] = {{200, 11, 9}, {0, 3, 0}, {3, 1, 3}, {150, 1, 8}, {60, 4, 4}, {61, 2, 20}};
    const size_t from[22] = {0, 1, 2, 3, 60, 61, 62, 63, 150, 200, 201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 61, 62};
    hid_t file = -1, set = -1;
    mmli_rows *rows = NULL;

    mmlt_assert_ok(mmli_h5_open(&file, path));
    mmlt_assert_ok(mmli_h5_dataset(&set, NULL, -1, file, path, "x"));
    mmlt_assert_ok(mmli_rows_open(&rows, set, l->leading, "f.h5", "x"));
    ck_assert_uint_eq(mmli_rows_count(rows), N);
    ck_assert_uint_eq(mmli_rows_width(rows), D);
    ck_assert_int_eq(mmli_rows_are_half(rows), half);
    memset(got, 0x55, sizeof got);
    mmlt_assert_ok(mmli_rows_get(got[0], 0, N, rows));
    mmlt_assert_same_bits(got, want, sizeof want);
    ck_assert_msg(mmli_rows_are_bytes(rows) == bytes, "%s: %s", l->what, bytes ? "not read past HDF5" : "read past HDF5");
    for (size_t first = 0; first < N; first += 13) {
        mmlt_assert_ok(mmli_rows_get(got[0], first, N - first < 50 ? N - first : 50, rows));
        mmlt_assert_same_bits(got, want[first], (N - first < 50 ? N - first : 50) * sizeof *want);
    }
    memset(got, 0x55, sizeof got);
    mmlt_assert_ok(mmli_rows_gather(got[0], spans, 6, rows));
    for (size_t i = 0; i < 22; i++)
        mmlt_assert_same_bits(got[i], want[from[i]], sizeof *want);
    mmlt_assert_fails(mmli_rows_get(got[0], N - 1, 2, rows), MML_E_SHAPE, "f.h5: x has 211 rows, rows 210 to 211 needed");
    mmli_rows_close(rows);
    mmli_h5_drop(set);
    mmli_h5_drop(file);
}

START_TEST(every_layout_gives_the_rows_that_were_written)
{
    const layout *l = &layouts[_i];
    const hid_t half = half_type();

    make_want();
    make_file(mmlt_path("f.h5"), l, H5T_IEEE_F32LE);
    check_file(mmlt_path("f.h5"), l, false, l->bytes);
    make_file(mmlt_path("f.h5"), l, half);
    check_file(mmlt_path("f.h5"), l, true, l->bytes);
    make_file(mmlt_path("f.h5"), l, H5T_STD_I32LE);
    check_file(mmlt_path("f.h5"), l, false, l->bytes);
    make_file(mmlt_path("f.h5"), l, H5T_STD_I64LE);
    check_file(mmlt_path("f.h5"), l, false, l->bytes);
    H5Tclose(half);
}
END_TEST

START_TEST(types_that_are_not_this_machines_are_converted_by_hdf5)
{
    const hid_t half = half_type();
    const hid_t types[] = {H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_STD_I16LE, H5T_STD_I64BE, half};

    make_want();
    ck_assert(H5Tset_order(half, H5T_ORDER_BE) >= 0);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (int l = 0; l < 3; l += 2) {
            make_file(mmlt_path("f.h5"), &layouts[l], types[t]);
            check_file(mmlt_path("f.h5"), &layouts[l], false, false);
        }
    H5Tclose(half);
}
END_TEST

START_TEST(texts_are_not_rows_of_numbers_and_a_leading_axis_is_one)
{
    const hsize_t dims[3] = {2, 3, 4};
    const float x[24] = {0};
    const char *const texts[] = {"a", "b"};
    hid_t file, set;
    mmli_rows *rows = NULL;

    file = H5Fcreate(mmlt_path("f.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    mmlt_h5_texts(file, "t", texts, 2);
    mmlt_h5_array(file, "x", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 3, dims, x);
    ck_assert((set = H5Dopen2(file, "t", H5P_DEFAULT)) >= 0);
    mmlt_assert_fails(mmli_rows_open(&rows, set, 0, "f.h5", "t"), MML_E_FORMAT, "f.h5: t: the values are not numbers");
    H5Dclose(set);
    ck_assert((set = H5Dopen2(file, "x", H5P_DEFAULT)) >= 0);
    mmlt_assert_fails(mmli_rows_open(&rows, set, 1, "f.h5", "x"), MML_E_SHAPE, "f.h5: x: dimension 1 is 2, not 1");
    mmlt_assert_fails(mmli_rows_open(&rows, set, 3, "f.h5", "x"), MML_E_SHAPE, "f.h5: x has 3 dimensions");
    ck_assert_ptr_null(rows);
    H5Dclose(set);
    H5Fclose(file);
}
END_TEST

/* The process writes the file: HDF5 may hold rows that the disk does not have yet. */
START_TEST(a_file_open_for_writing_is_read_through_hdf5)
{
    hid_t file, set;
    mmli_rows *rows = NULL;

    make_want();
    make_file(mmlt_path("f.h5"), &layouts[4], H5T_IEEE_F32LE);
    ck_assert((file = H5Fopen(mmlt_path("f.h5"), H5F_ACC_RDWR, H5P_DEFAULT)) >= 0);
    ck_assert((set = H5Dopen2(file, "x", H5P_DEFAULT)) >= 0);
    want[100][3] = 7.5f;
    write_rows(set, 0, 0, N, want[0]);
    mmlt_assert_ok(mmli_rows_open(&rows, set, 0, "f.h5", "x"));
    mmlt_assert_ok(mmli_rows_get(got[0], 0, N, rows));
    ck_assert(!mmli_rows_are_bytes(rows));
    mmlt_assert_same_bits(got, want, sizeof want);
    mmli_rows_close(rows);
    H5Dclose(set);
    H5Fclose(file);
}
END_TEST

START_TEST(chunks_never_written_hold_the_fill_value)
{
    const layout *l = &layouts[2];
    const float fill = 3.0f;
    const hsize_t dims[2] = {N, D}, chunk[2] = {1, D};
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);
    hid_t file, set;

    make_want();
    H5Pset_chunk(list, 2, chunk);
    H5Pset_fill_value(list, H5T_NATIVE_FLOAT, &fill);
    file = H5Fcreate(mmlt_path("f.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    set = H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    for (hsize_t i = 0; i < N; i++)
        for (size_t j = 0; j < D && i % 2; j++)
            want[i][j] = fill;
    for (hsize_t i = 0; i < N; i += 2)
        write_rows(set, 0, i, 1, want[i]);
    H5Dclose(set);
    H5Fclose(file);
    H5Sclose(space);
    H5Pclose(list);
    check_file(mmlt_path("f.h5"), l, false, false);
}
END_TEST

/* Reads all rows; true when that worked, and then `got` has them. */
static bool read_damaged(const char *path, bool *bytes)
{
    hid_t file = -1, set = -1;
    mmli_rows *rows = NULL;
    bool ok = mmli_h5_open(&file, path) == MML_OK && mmli_h5_dataset(&set, NULL, -1, file, path, "x") == MML_OK &&
              mmli_rows_open(&rows, set, 0, path, "x") == MML_OK && mmli_rows_count(rows) == N &&
              mmli_rows_width(rows) == D && mmli_rows_get(got[0], 0, N, rows) == MML_OK;

    *bytes = ok && mmli_rows_are_bytes(rows);
    mmli_rows_close(rows);
    mmli_h5_drop(set);
    mmli_h5_drop(file);
    return ok;
}

/* One byte at a time is damaged. The old format has no checksums: HDF5 itself may read other numbers, or zeros where it no
 * longer finds a chunk. Reading past it declines, gives the same, or still gives what was written. */
START_TEST(a_damaged_file_gives_what_was_written_or_what_hdf5_gives)
{
    float (*reference)[D] = malloc(sizeof got);
    size_t size, past = 0;
    char *file;

    ck_assert_ptr_nonnull(reference);
    make_want();
    make_file(mmlt_path("f.h5"), &layouts[6], H5T_IEEE_F32LE);
    file = mmlt_read(mmlt_path("f.h5"), &size);
    for (size_t i = 0; i < 3000; i++) {
        const size_t at = (size_t)mmli_rng_below(mmli_rng_key(1, "damage", 0), i, size);
        const char was = file[at];
        hid_t f, set;
        bool bytes;

        file[at] = (char)(was ^ (char)(1 + i % 255));
        mmlt_write_bytes("g.h5", file, size);
        file[at] = was;
        if (!read_damaged(mmlt_path("g.h5"), &bytes) || !bytes)
            continue;
        past++;
        mmli_h5_lock();
        f = H5Fopen(mmlt_path("g.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
        set = H5Dopen2(f, "x", H5P_DEFAULT);
        if (set >= 0 && H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, reference) >= 0)
ck_assert_msg(memcmp(reference, got, sizeof got) == 0 || memcmp(want, got, sizeof got) == 0,
                          "byte %zu of %zu", at, size);
        mmli_h5_unlock();
        mmli_h5_drop(set);
        mmli_h5_drop(f);
    }
    ck_assert_uint_gt(past, 1000); /* most bytes are rows, or not needed */
    free(file);
    free(reference);
}
END_TEST

START_TEST(a_failed_allocation_is_an_error_and_leaks_nothing)
{
    make_want();
    make_file(mmlt_path("f.h5"), &layouts[4], H5T_IEEE_F32LE);
    for (uint64_t k = 1, failed = 1; failed; k++) {
        bool bytes;

        ck_assert_uint_lt(k, 100);
        mmli_alloc_fail_at(k);
        failed = !read_damaged(mmlt_path("f.h5"), &bytes);
        mmli_alloc_fail_at(0);
    }
    mmlt_assert_same_bits(got, want, sizeof want);
}
END_TEST

START_TEST(warm_readings_ask_for_no_memory)
{
    mmli_span spans[4];
    hid_t file = -1, set = -1, half = half_type();
    mmli_rows *rows = NULL;
    uint64_t before = 0;

    make_want();
    make_file(mmlt_path("f.h5"), &layouts[2], half);
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("f.h5")));
    mmlt_assert_ok(mmli_h5_dataset(&set, NULL, -1, file, "f.h5", "x"));
    mmlt_assert_ok(mmli_rows_open(&rows, set, 0, "f.h5", "x"));
    for (size_t i = 0; i < 5; i++) {
        before = i == 1 ? mmli_alloc_count() : before;
        for (size_t k = 0; k < 4; k++)
            spans[k] = (mmli_span){.first = (7 - k) * 20, .count = 20, .to = k * 20};
        mmlt_assert_ok(mmli_rows_gather(got[0], spans, 4, rows));
        mmlt_assert_ok(mmli_rows_get(got[0], 0, N, rows));
    }
    ck_assert_uint_eq(mmli_alloc_count(), before);
    mmli_rows_close(rows);
    mmli_h5_drop(set);
    mmli_h5_drop(file);
    H5Tclose(half);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rows");
    TCase *tc = tcase_create("rows");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, every_layout_gives_the_rows_that_were_written, 0, N_LAYOUTS);
    tcase_add_test(tc, types_that_are_not_this_machines_are_converted_by_hdf5);
    tcase_add_test(tc, texts_are_not_rows_of_numbers_and_a_leading_axis_is_one);
    tcase_add_test(tc, a_file_open_for_writing_is_read_through_hdf5);
    tcase_add_test(tc, chunks_never_written_hold_the_fill_value);
    tcase_add_test(tc, a_damaged_file_gives_what_was_written_or_what_hdf5_gives);
    tcase_add_test(tc, a_failed_allocation_is_an_error_and_leaks_nothing);
    tcase_add_test(tc, warm_readings_ask_for_no_memory);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
