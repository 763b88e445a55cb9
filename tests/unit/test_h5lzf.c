/* LZF, as h5py packs with it: unpacked by HDF5 through our filter, damaged chunks refused. */
#include <stdlib.h>
#include <string.h>

#include "io/h5.h"
#include "io/h5lzf.h"
#include "tests/unit/folder.h"

/* The filter on a copy of the bytes; 0 or what it gives. *out to be freed. */
static size_t unpack(void **out, size_t *room, const void *bytes, size_t n, unsigned chunk)
{
    const unsigned values[] = {4, 0x105, chunk};

    *out = H5allocate_memory(n, false);
    memcpy(*out, bytes, n);
    *room = n;
    return mmli_h5_lzf_unpack(H5Z_FLAG_REVERSE, chunk > 0 ? 3 : 0, values, n, room, out);
}

START_TEST(literals_and_long_matches_are_unpacked)
{
    /* One literal 'a', then a match of 9 + 100 bytes one back. */
    const unsigned char packed[] = {0x00, 'a', 0xE0, 100, 0x00};
    const unsigned chunks[] = {110, 0, 7, 4096, UINT32_MAX}; /* right, not stated, too small, too large, absurd */
    void *out;
    size_t room;

    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        ck_assert_uint_eq(unpack(&out, &room, packed, sizeof packed, chunks[i]), 110);
        ck_assert(room >= 110 && room <= 4096);
        for (size_t k = 0; k < 110; k++)
            ck_assert_int_eq(((char *)out)[k], 'a');
        H5free_memory(out);
    }
}
END_TEST

START_TEST(damaged_chunks_leave_everything_as_it_was)
{
    static const unsigned char before[] = {0x00, 'a', 0x20, 5}, cut[] = {0x05, 'a'}, none[1] = {0};
    void *out;
    size_t room;

    ck_assert_uint_eq(unpack(&out, &room, before, sizeof before, 110), 0); /* a match before the beginning */
    ck_assert(memcmp(out, before, sizeof before) == 0 && room == sizeof before);
    H5free_memory(out);
    ck_assert_uint_eq(unpack(&out, &room, cut, sizeof cut, 110), 0);
    H5free_memory(out);
    out = H5allocate_memory(1, false);
    ck_assert_uint_eq(mmli_h5_lzf_unpack(H5Z_FLAG_REVERSE, 0, NULL, 0, &room, &out), 0);
    ck_assert_uint_eq(mmli_h5_lzf_unpack(0, 0, NULL, sizeof none, &room, &out), 0); /* packing is not offered */
    H5free_memory(out);
}
END_TEST

/* Data set of 4 bytes in one chunk of LZF. HDF5 wants a filter that can pack where a data set is made; it is not called. */
static void make(const char *name, const void *chunk, size_t n)
{
    const H5Z_class2_t both = {H5Z_CLASS_T_VERS, MMLI_H5_LZF, 1, 1, "lzf", NULL, NULL, mmli_h5_lzf_unpack};
    const unsigned values[] = {4, 0x105, 4};
    hid_t file, list, space, set;

    ck_assert_int_ge(H5Zregister(&both), 0);
    file = H5Fcreate(mmlt_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    list = H5Pcreate(H5P_DATASET_CREATE);
    space = H5Screate_simple(1, (hsize_t[]){4}, NULL);
    H5Pset_chunk(list, 1, (hsize_t[]){4});
    H5Pset_filter(list, MMLI_H5_LZF, H5Z_FLAG_OPTIONAL, 3, values);
    set = H5Dcreate2(file, "x", H5T_STD_U8LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    ck_assert_int_ge(set, 0);
    ck_assert_int_ge(H5Dwrite_chunk(set, H5P_DEFAULT, 0, (hsize_t[]){0}, n, chunk), 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(list);
    H5Fclose(file);
    H5close(); /* forgets all filters: the reader starts as in a new process */
}

START_TEST(a_packed_data_set_is_read_as_any_other)
{
    const unsigned char good[] = {0x03, 1, 2, 3, 4}, bad[] = {0x20, 0};
    unsigned char x[4] = {0};
    hid_t file;

    make("a.h5", good, sizeof good);
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
    mmlt_assert_ok(mmli_h5_get(x, MMLI_H5_U8, 1, (size_t[]){4}, file, "a.h5", "x"));
    ck_assert(memcmp(x, good + 1, 4) == 0);
    mmli_h5_drop(file);
    make("a.h5", bad, sizeof bad);
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
    mmlt_assert_fails(mmli_h5_get(x, MMLI_H5_U8, 1, (size_t[]){4}, file, "a.h5", "x"), MML_E_IO, "a.h5: x could not be read");
    mmli_h5_drop(file);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("h5 lzf");
    TCase *tc = tcase_create("lzf");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(tc, literals_and_long_matches_are_unpacked);
    tcase_add_test(tc, damaged_chunks_leave_everything_as_it_was);
    tcase_add_test(tc, a_packed_data_set_is_read_as_any_other);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
