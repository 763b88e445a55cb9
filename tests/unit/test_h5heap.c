/* Texts of variable length: where HDF5 can put them, and what happens when a heap or a reference to it is damaged. The files are written by
 * HDF5 and then changed byte by byte; valgrind and ASan watch that nothing is read beyond what is there. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "io/h5.h"
#include "io/h5foreign.h"
#include "io/h5guard.h"
#include "io/h5image.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"

enum { TEXTS = 3, REFERENCE = 16 /* bytes: length 4, address 8, object 4 */ };

static const char *const texts[TEXTS] = {"one", "", "a text of thirty bytes, or less"};

typedef enum storage { CONTIGUOUS, COMPACT, CHUNKED, PACKED, ATTRIBUTE, STORAGES } storage;
static const char *const names[STORAGES] = {"contiguous", "compact", "chunked", "packed", "attribute"};

static hid_t text_type(void)
{
    const hid_t type = H5Tcopy(H5T_C_S1);

    H5Tset_size(type, H5T_VARIABLE);
    return type;
}

static hid_t storage_list(storage how)
{
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);

    if (how == COMPACT)
        H5Pset_layout(list, H5D_COMPACT);
    if (how == CHUNKED || how == PACKED)
        H5Pset_chunk(list, 1, (hsize_t[]){TEXTS});
    if (how == PACKED)
        H5Pset_deflate(list, 6);
    return list;
}

/* A file with the texts, stored that way under the name of it. */
static void make(storage how, hid_t creation, const char *const *values)
{
    const hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, creation, H5P_DEFAULT), list = storage_list(how);
    const hid_t type = text_type(), space = H5Screate_simple(1, (hsize_t[]){TEXTS}, NULL);
    hid_t id;

    if (how == ATTRIBUTE) {
        id = H5Acreate2(file, names[how], type, space, H5P_DEFAULT, H5P_DEFAULT);
        ck_assert_int_ge(H5Awrite(id, type, values), 0);
        H5Aclose(id);
    } else {
        id = H5Dcreate2(file, names[how], type, space, H5P_DEFAULT, list, H5P_DEFAULT);
        ck_assert_int_ge(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
        H5Dclose(id);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Pclose(list);
    H5Fclose(file);
}

static mml_status get(char ***out, size_t *n, storage how)
{
    hid_t file;
    mml_status st;

    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
    st = how == ATTRIBUTE ? mmli_h5_attr_texts(out, n, file, "a.h5", names[how])
                          : mmli_h5_get_texts(out, n, file, "a.h5", names[how]);
    mmli_h5_drop(file);
    return st;
}

static void assert_reads(storage how, const char *const *values)
{
    char **back;
    size_t n;

    mmlt_assert_ok(get(&back, &n, how));
    ck_assert_uint_eq(n, TEXTS);
    for (size_t i = 0; i < n; i++)
        ck_assert_str_eq(back[i], values[i]);
    mmli_h5_texts_free(back, n);
}

START_TEST(texts_come_back_wherever_hdf5_puts_them)
{
    for (storage how = 0; how < STORAGES; how++) {
        make(how, H5P_DEFAULT, texts);
        assert_reads(how, texts);
    }
}
END_TEST

START_TEST(files_with_short_addresses_and_user_blocks_are_read)
{
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);

    H5Pset_userblock(creation, 1024);
    H5Pset_sizes(creation, 4, 4);
    for (storage how = 0; how < STORAGES; how++) {
        make(how, creation, texts);
        assert_reads(how, texts);
    }
    H5Pset_sizes(creation, 8, 2);
    make(CONTIGUOUS, creation, texts);
    assert_reads(CONTIGUOUS, texts);
    H5Pclose(creation);
}
END_TEST

/* Long ones have collections of their own between those of the short ones, and rows are written backwards. */
START_TEST(many_texts_in_many_heaps_come_back_in_their_order)
{
    enum { MANY = 3000, LONG = 70000 };
    hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), type = text_type(), memory;
    hid_t space = H5Screate_simple(1, (hsize_t[]){MANY}, NULL), set;
    char *one = malloc(LONG + 1), **back;
    size_t n;

    ck_assert_ptr_nonnull(one);
    memory = H5Screate(H5S_SCALAR);
    set = H5Dcreate2(file, "many", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (hsize_t i = MANY; i-- > 0;) {
        memset(one, 'a' + (int)(i % 26), LONG);
        snprintf(one + (i % 1000 == 5 ? LONG - 20 : i % 60), 20, "%d", (int)i);
        H5Sselect_elements(space, H5S_SELECT_SET, 1, &i);
        ck_assert_int_ge(H5Dwrite(set, type, memory, space, H5P_DEFAULT, &one), 0);
    }
    H5Dclose(set);
    H5Sclose(space);
    H5Sclose(memory);
    H5Tclose(type);
    H5Fclose(file);
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
    mmlt_assert_ok(mmli_h5_get_texts(&back, &n, file, "a.h5", "many"));
    ck_assert_uint_eq(n, MANY);
    for (size_t i = 0; i < n; i++) {
        memset(one, 'a' + (int)(i % 26), LONG);
        snprintf(one + (i % 1000 == 5 ? LONG - 20 : i % 60), 20, "%d", (int)i);
        ck_assert_str_eq(back[i], one);
    }
    mmli_h5_texts_free(back, n);
    mmli_h5_drop(file);
    free(one);
}
END_TEST

/* ---- damage --------------------------------------------------------------------------------------------------------------- */

static void put(unsigned char *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static unsigned char *find(unsigned char *bytes, size_t n, const void *what, size_t size)
{
    for (size_t i = 0; i + size <= n; i++)
        if (memcmp(bytes + i, what, size) == 0)
            return bytes + i;
    ck_abort_msg("not in the file");
    return NULL;
}

typedef struct damage {
    enum { IN_REFERENCE, IN_HEAP } where;
    size_t at, n; /* bytes that are changed, of the last reference or from the start of the collection */
    uint64_t value;
    const char *says;
} damage;

/* Changes the last reference of a chunk that is packed. */
static void change_packed(const damage *d)
{
    const hid_t file = H5Fopen(mmlt_path("a.h5"), H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(file, names[PACKED], H5P_DEFAULT);
    unsigned char stored[200], plain[TEXTS * REFERENCE];
    uLongf size = sizeof plain, stored_size = sizeof stored;
    uint32_t skipped;
    hsize_t n;

    ck_assert_int_ge(H5Dget_chunk_storage_size(set, (hsize_t[]){0}, &n), 0);
    ck_assert_uint_le(n, sizeof stored);
    ck_assert_int_ge(H5Dread_chunk(set, H5P_DEFAULT, (hsize_t[]){0}, &skipped, stored), 0);
    ck_assert_int_eq(uncompress(plain, &size, stored, (uLong)n), Z_OK);
    put(plain + (TEXTS - 1) * REFERENCE + d->at, d->value, d->n);
    ck_assert_int_eq(compress2(stored, &stored_size, plain, size, 6), Z_OK);
    ck_assert_int_ge(H5Dwrite_chunk(set, H5P_DEFAULT, 0, (hsize_t[]){0}, stored_size, stored), 0);
    H5Dclose(set);
    H5Fclose(file);
}

static void change(const damage *d)
{
    size_t n;
    unsigned char *bytes = (unsigned char *)mmlt_read(mmlt_path("a.h5"), &n), *heap = find(bytes, n, "GCOL", 4), reference[12];

    if (d->where == IN_HEAP) {
        put(heap + d->at, d->value, d->n);
    } else {
        put(reference, strlen(texts[TEXTS - 1]), 4);
        put(reference + 4, (uint64_t)(heap - bytes), 8);
        put(find(bytes, n, reference, 12) + d->at, d->value, d->n);
    }
    mmlt_write_bytes("a.h5", bytes, n);
    free(bytes);
}

static void assert_refused(const damage *d)
{
    char **back = NULL, says[200];
    size_t n = 0;

    for (storage how = 0; how < STORAGES; how++) {
        make(how, H5P_DEFAULT, texts);
        if (how == PACKED && d->where == IN_REFERENCE)
            change_packed(d);
        else
            change(d);
        snprintf(says, sizeof says, "a.h5: %s%s: ", how == ATTRIBUTE ? "attribute " : "", names[how]);
        mmlt_assert_fails(get(&back, &n, how), MML_E_FORMAT, says);
        ck_assert_msg(strstr(mml_last_error(), d->says) != NULL && strstr(mml_last_error(), "damaged") != NULL,
                      "%s (%zu, %zu, %llx): %s", names[how], d->at, d->n, (unsigned long long)d->value, mml_last_error());
        ck_assert_ptr_null(back);
    }
}

START_TEST(damaged_references_are_told_by_text_and_place)
{
    static const damage all[] = {
        {IN_REFERENCE, 0, 4, 32, "text 3 of 3 is longer than its object in the heap"},
        {IN_REFERENCE, 0, 4, 4000, "text 3 of 3 is longer than its object in the heap"},
        {IN_REFERENCE, 0, 4, UINT32_MAX, "the texts are longer than the whole file"},
        {IN_REFERENCE, 4, 8, 0, "text 3 of 3 has a length but no place"},
        {IN_REFERENCE, 4, 8, 8, "text 3 of 3 lies where no heap is"},  /* the superblock */
        {IN_REFERENCE, 4, 8, 97, "text 3 of 3 lies where no heap is"}, /* at no multiple of 8 */
        {IN_REFERENCE, 4, 8, 1 << 20, "text 3 of 3 lies outside of the file"},
        {IN_REFERENCE, 4, 8, UINT64_MAX, "text 3 of 3 lies outside of the file"},
        {IN_REFERENCE, 4, 8, UINT64_MAX - 4095, "text 3 of 3 lies outside of the file"},
        {IN_REFERENCE, 12, 4, 0, "text 3 of 3 lies in a heap that has no object of its number"},
        {IN_REFERENCE, 12, 4, 4, "text 3 of 3 lies in a heap that has no object of its number"},
        {IN_REFERENCE, 12, 4, 65535, "text 3 of 3 lies in a heap that has no object of its number"},
        {IN_REFERENCE, 12, 4, 65538, "text 3 of 3 lies in a heap that has no object of its number"},
        {IN_REFERENCE, 12, 4, UINT32_MAX, "text 3 of 3 lies in a heap that has no object of its number"},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_refused(&all[i]);
}
END_TEST

/* The collection: signature, version, size at 8; object 1 at 16 (number, size at 24), which is text 3; object 2 at 64, empty; object 3 at
 * 80, text 1; what is free at 104. */
START_TEST(damaged_heaps_are_told_by_what_is_wrong)
{
    static const damage all[] = {
        {IN_HEAP, 0, 1, 'X', "text 1 of 3 lies where no heap is"},
        {IN_HEAP, 4, 1, 2, "text 1 of 3 lies where no heap is"},
        {IN_HEAP, 8, 8, 0, "text 1 of 3 lies in a heap of an impossible size"},
        {IN_HEAP, 8, 8, 15, "text 1 of 3 lies in a heap of an impossible size"},
        {IN_HEAP, 8, 8, 4095, "text 1 of 3 lies in a heap of an impossible size"},
        {IN_HEAP, 8, 8, 1 << 20, "text 1 of 3 lies in a heap of an impossible size"},
        {IN_HEAP, 8, 8, UINT64_MAX, "text 1 of 3 lies in a heap of an impossible size"},
        {IN_HEAP, 24, 8, 4065, "objects do not fit into it"},
        {IN_HEAP, 24, 8, UINT64_MAX, "objects do not fit into it"},
        {IN_HEAP, 24, 8, UINT64_MAX - 15, "objects do not fit into it"}, /* rounded up with its header: 0 */
        {IN_HEAP, 88, 8, 2, "text 1 of 3 is longer than its object in the heap"},
        {IN_HEAP, 64, 2, 0, "objects do not fit into it"}, /* free, with less than a header: no progress */
        {IN_HEAP, 16, 2, 9, "text 3 of 3 lies in a heap that has no object of its number"},
        {IN_HEAP, 64, 2, 1, "two objects of one number"},
        {IN_HEAP, 80, 2, 65535, "text 1 of 3 lies in a heap that has no object of its number"},
        {IN_HEAP, 112, 8, 15, "objects do not fit into it"},
        {IN_HEAP, 112, 8, 4096, "objects do not fit into it"},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_refused(&all[i]);
}
END_TEST

/* Heaps within a heap: each is fine, together they are more than the file. */
START_TEST(heaps_that_overlap_are_refused)
{
    enum { LONG = 60000, APART = 64 };
    char *one = malloc(LONG + 1), **back;
    const char *values[TEXTS];
    unsigned char *bytes, *heap, *reference;
    size_t n;

    ck_assert_ptr_nonnull(one);
    memset(one, 'x', LONG);
    one[LONG] = '\0';
    for (size_t i = 0; i < TEXTS; i++)
        values[i] = "short";
    values[0] = one;
    make(CONTIGUOUS, H5P_DEFAULT, values);
    bytes = (unsigned char *)mmlt_read(mmlt_path("a.h5"), &n);
    heap = find(bytes, n, "xxxxxxxx", 8);
    reference = find(bytes, n, (const unsigned char[]){LONG & 255, LONG >> 8, 0, 0}, 4);
    for (size_t i = 0; i < TEXTS; i++, heap += APART, reference += REFERENCE) {
        const size_t size = LONG - TEXTS * APART;

        memcpy(heap, "GCOL\1\0\0\0", 8);
        put(heap + 8, size, 8);
        put(heap + 16, 1, 8);
        put(heap + 24, size - 32, 8);
        put(reference, 5, 4);
        put(reference + 4, (uint64_t)(heap - bytes), 8);
        put(reference + 12, 1, 4);
    }
    mmlt_write_bytes("a.h5", bytes, n);
    mmlt_assert_fails(get(&back, &n, CONTIGUOUS), MML_E_FORMAT, "a.h5: contiguous: text 2 of 3 lies in a heap that overlaps with others");
    free(bytes);
    free(one);
}
END_TEST

/* ---- other ways into the heap ------------------------------------------------------------------------------------------------ */

/* Nothing is written. (Where some chunks are, HDF5 wants to write the fill value into the others, and fails on its own.) */
static void make_filled(void)
{
    const hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), list = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t type = text_type(), space = H5Screate_simple(1, (hsize_t[]){TEXTS}, NULL);
    const char *fill = "nothing";

    H5Pset_chunk(list, 1, (hsize_t[]){1});
    ck_assert_int_ge(H5Pset_fill_value(list, type, &fill), 0);
    H5Dclose(H5Dcreate2(file, names[CHUNKED], type, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Sclose(space);
    H5Tclose(type);
    H5Pclose(list);
    H5Fclose(file);
}

START_TEST(fill_values_are_read_and_checked)
{
    static const char *const filled[TEXTS] = {"nothing", "nothing", "nothing"};
    char **back;
    size_t n;

    make_filled();
    assert_reads(CHUNKED, filled);
    change(&(damage){IN_HEAP, 24, 8, UINT64_MAX, NULL});
    mmlt_assert_fails(get(&back, &n, CHUNKED), MML_E_FORMAT, "a.h5: chunked: text 1 of 3 lies in a heap whose objects do not fit into it");
}
END_TEST

START_TEST(hdf5_itself_is_kept_from_the_heaps_of_files_that_are_read)
{
    hid_t file, set, type = text_type();
    char *raw[TEXTS] = {NULL};

    make(CONTIGUOUS, H5P_DEFAULT, texts);
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
    mmlt_assert_ok(mmli_h5_dataset(&set, NULL, -1, file, "a.h5", names[CONTIGUOUS]));
    mmli_h5_lock();
    (void)mmli_h5_guard_refused();
    ck_assert_int_lt(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw), 0);
    ck_assert(mmli_h5_guard_refused() && !mmli_h5_guard_refused());
    mmli_h5_unlock();
    mmli_h5_drop(set);
    mmli_h5_drop(file);
    file = H5Fopen(mmlt_path("a.h5"), H5F_ACC_RDONLY, H5P_DEFAULT); /* the application's own files are none of our business */
    set = H5Dopen2(file, names[CONTIGUOUS], H5P_DEFAULT);
    ck_assert_int_ge(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw), 0);
    ck_assert_str_eq(raw[0], texts[0]);
    ck_assert_str_eq(raw[2], texts[2]);
    for (size_t i = 0; i < TEXTS; i++)
        free(raw[i]);
    H5Dclose(set);
    H5Fclose(file);
    H5Tclose(type);
}
END_TEST

START_TEST(texts_in_a_file_image_are_read)
{
    enum { N = 200, LONG = 600000 }; /* one so long that they are not padded to one length */
    char *text, *one = malloc(LONG + 1), **back;
    const char *values[N];
    size_t n;
    hid_t file;

    ck_assert_ptr_nonnull(one);
    memset(one, 'x', LONG);
    one[LONG] = '\0';
    for (size_t i = 0; i < N; i++)
        values[i] = i == 7 ? one : texts[i % TEXTS];
    mmlt_assert_ok(mmli_h5_image_create(&file, "image"));
    mmlt_assert_ok(mmli_h5_put_texts(values, N, file, "image", "x"));
    mmlt_assert_ok(mmli_h5_image_text(&text, &file, "image"));
    mmlt_assert_ok(mmli_h5_image_open(&file, text, "image"));
    mmlt_assert_ok(mmli_h5_get_texts(&back, &n, file, "image", "x"));
    ck_assert_uint_eq(n, N);
    for (size_t i = 0; i < n; i++)
        ck_assert_str_eq(back[i], values[i]);
    mmli_h5_texts_free(back, n);
    mmli_h5_drop(file);
    mmli_free(text);
    free(one);
}
END_TEST

/* A field beside a text of variable length does not need the heap. */
START_TEST(fields_beside_texts_are_read_without_the_heap)
{
    const struct {
        char *text;
        double number;
    } records[2] = {{(char[]){"a"}, 1.5}, {(char[]){"b"}, -2}};
    const hid_t text = text_type(), type = H5Tcreate(H5T_COMPOUND, sizeof *records), space = H5Screate_simple(1, (hsize_t[]){2}, NULL);
    hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), set;
    char **back;
    double *x;
    size_t n;

    H5Tinsert(type, "text", 0, text);
    H5Tinsert(type, "number", sizeof(char *), H5T_NATIVE_DOUBLE);
    set = H5Dcreate2(file, "records", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, records), 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Tclose(type);
    H5Tclose(text);
    H5Fclose(file);
    change(&(damage){IN_HEAP, 8, 8, UINT64_MAX, NULL});
    mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
    mmlt_assert_ok(mmli_h5_field_get(&x, MMLI_H5_F64, &n, file, "a.h5", "records", "number"));
    ck_assert(n == 2 && x[0] == 1.5 && x[1] == -2);
    mmli_free(x);
    mmlt_assert_fails(mmli_h5_field_texts(&back, &n, file, "a.h5", "records", "text"), MML_E_FORMAT, "text of a fixed length is needed");
    mmli_h5_drop(file);
}
END_TEST

START_TEST(failures_of_memory_are_told_and_leave_nothing)
{
    char **back;
    size_t n;
    mml_status st = MML_E_NOMEM;

    make(CHUNKED, H5P_DEFAULT, texts);
    for (uint64_t k = 1; st == MML_E_NOMEM && k < 100; k++) {
        hid_t file;

        mmlt_assert_ok(mmli_h5_open(&file, mmlt_path("a.h5")));
        mmli_alloc_fail_at(k);
        st = mmli_h5_get_texts(&back, &n, file, "a.h5", names[CHUNKED]);
        mmli_alloc_fail_at(0);
        mmli_h5_drop(file);
        ck_assert((st == MML_OK) == (back != NULL));
    }
    mmlt_assert_ok(st);
    mmli_h5_texts_free(back, n);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("h5 heaps");
    TCase *tc = tcase_create("h5 heaps");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, texts_come_back_wherever_hdf5_puts_them);
    tcase_add_test(tc, files_with_short_addresses_and_user_blocks_are_read);
    tcase_add_test(tc, many_texts_in_many_heaps_come_back_in_their_order);
    tcase_add_test(tc, damaged_references_are_told_by_text_and_place);
    tcase_add_test(tc, damaged_heaps_are_told_by_what_is_wrong);
    tcase_add_test(tc, heaps_that_overlap_are_refused);
    tcase_add_test(tc, fill_values_are_read_and_checked);
    tcase_add_test(tc, hdf5_itself_is_kept_from_the_heaps_of_files_that_are_read);
    tcase_add_test(tc, texts_in_a_file_image_are_read);
    tcase_add_test(tc, fields_beside_texts_are_read_without_the_heap);
    tcase_add_test(tc, failures_of_memory_are_told_and_leave_nothing);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
