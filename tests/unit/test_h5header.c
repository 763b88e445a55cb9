/* Object headers and what they lead to: files of every kind are read, and each kind of damage is told by what is wrong before HDF5 sees it.
 * The files are written by HDF5 and then changed; valgrind and ASan watch that nothing is read beyond what is there. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/h5.h"
#include "io/h5guard.h"
#include "tests/unit/folder.h"
#include "util/alloc.h"

enum { MANY = 20, ROWS = 13, COLUMNS = 11, LENGTH = 77, FILL = 0x5a5b5c5d };

/* Formats: of HDF5 1.0, with checksums and dense storage (1.8), with other indices of chunks (1.10). */
typedef enum format { OLD, NEW, NEWEST, FORMATS } format;

static hid_t access_list(format how)
{
    const hid_t list = H5Pcreate(H5P_FILE_ACCESS);

    if (how == NEW)
        H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_V18);
    if (how == NEWEST)
        H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_V110);
    return list;
}

static void put_set(hid_t file, const char *name, hid_t type, hid_t space, hid_t list)
{
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    const hid_t own = H5Dget_type(set);
    void *zeros = calloc((size_t)H5Sget_simple_extent_npoints(space) + 1, H5Tget_size(own));

    ck_assert_int_ge(set, 0);
    ck_assert_int_ge(H5Dwrite(set, own, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros), 0);
    free(zeros);
    H5Tclose(own);
    H5Dclose(set);
}

static void put_attr(hid_t object, const char *name, int n)
{
    const hid_t space = H5Screate_simple(1, (hsize_t[]){(hsize_t)n}, NULL);
    const hid_t attr = H5Acreate2(object, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    double *values = calloc((size_t)n, sizeof *values);

    ck_assert_int_ge(H5Awrite(attr, H5T_NATIVE_DOUBLE, values), 0);
    free(values);
    H5Aclose(attr);
    H5Sclose(space);
}

static hid_t record_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, 24), array = H5Tarray_create2(H5T_STD_I32LE, 1, (hsize_t[]){3});

    H5Tinsert(type, "alpha", 0, H5T_STD_I32LE);
    H5Tinsert(type, "beta", 4, H5T_IEEE_F64LE);
    H5Tinsert(type, "gamma", 12, array);
    H5Tclose(array);
    return type;
}

static void put_types(hid_t file)
{
    const hid_t space = H5Screate_simple(1, (hsize_t[]){3}, NULL), record = record_type(), plain = H5Tcreate(H5T_COMPOUND, 8);
    const hid_t colours = H5Tenum_create(H5T_STD_I16LE), named = H5Tcopy(H5T_STD_I64BE), opaque = H5Tcreate(H5T_OPAQUE, 5);
    const hid_t text = H5Tcopy(H5T_C_S1);

    H5Tenum_insert(colours, "RED", (int16_t[]){1});
    H5Tenum_insert(colours, "GREEN", (int16_t[]){2});
    H5Tinsert(plain, "first", 0, H5T_STD_I32LE);
    H5Tinsert(plain, "second", 4, H5T_STD_I32LE);
    H5Tset_tag(opaque, "a tag");
    H5Tset_size(text, 9);
    H5Tcommit2(file, "named", named, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_set(file, "record", record, space, H5P_DEFAULT);
    put_set(file, "plain", plain, space, H5P_DEFAULT);
    put_set(file, "colours", colours, space, H5P_DEFAULT);
    put_set(file, "of_named", named, space, H5P_DEFAULT);
    put_set(file, "opaque", opaque, space, H5P_DEFAULT);
    put_set(file, "text", text, space, H5P_DEFAULT);
    H5Tclose(text);
    H5Tclose(opaque);
    H5Tclose(named);
    H5Tclose(colours);
    H5Tclose(plain);
    H5Tclose(record);
    H5Sclose(space);
}

static void put_sets(hid_t file)
{
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), table = H5Screate_simple(2, (hsize_t[]){ROWS, COLUMNS}, NULL);
    const hid_t row = H5Screate_simple(1, (hsize_t[]){LENGTH}, NULL);
    const hid_t grows = H5Screate_simple(1, (hsize_t[]){LENGTH}, (hsize_t[]){H5S_UNLIMITED});
    const hid_t grows_twice = H5Screate_simple(2, (hsize_t[]){ROWS, COLUMNS}, (hsize_t[]){H5S_UNLIMITED, H5S_UNLIMITED});
    const int32_t fill = FILL;

    put_set(file, "contiguous", H5T_IEEE_F64LE, row, H5P_DEFAULT);
    H5Pset_chunk(list, 1, (hsize_t[]){6});
    put_set(file, "grows", H5T_IEEE_F32LE, grows, list);
    put_set(file, "fixed", H5T_IEEE_F32LE, row, list);
    H5Pset_chunk(list, 2, (hsize_t[]){7, 5});
    put_set(file, "grows_twice", H5T_IEEE_F32LE, grows_twice, list);
    H5Pset_deflate(list, 4);
    H5Pset_fill_value(list, H5T_NATIVE_INT32, &fill);
    put_set(file, "packed", H5T_STD_I32LE, table, list);
    put_set(file, "grows_packed", H5T_STD_I32LE, grows_twice, list);
    H5Sclose(grows_twice);
    H5Sclose(grows);
    H5Sclose(row);
    H5Sclose(table);
    H5Pclose(list);
}

static void put_groups(hid_t file)
{
    const hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    hid_t group;
    char name[32];

    group = H5Gcreate2(file, "plain_group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_attr(group, "remark", 2);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "linkname%02d", i);
        H5Gclose(H5Gcreate2(group, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        snprintf(name, sizeof name, "attrname%02d", i);
        put_attr(group, name, 1 + i);
    }
    H5Lcreate_soft("/packed", group, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(group);
    H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    group = H5Gcreate2(file, "ordered", H5P_DEFAULT, list, H5P_DEFAULT);
    for (int i = MANY; i-- > 0;) {
        snprintf(name, sizeof name, "ordered%02d", i);
        H5Gclose(H5Gcreate2(group, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        put_attr(group, name, 1);
    }
    H5Gclose(group);
    H5Pclose(list);
}

static void make(format how, hid_t creation)
{
    const hid_t access = access_list(how), file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, creation, access);

    ck_assert_int_ge(file, 0);
    put_types(file);
    put_sets(file);
    put_groups(file);
    H5Oset_comment_by_name(file, "packed", "hello", H5P_DEFAULT);
    if (how != OLD) {
        const hid_t group = H5Gopen2(file, "ordered", H5P_DEFAULT);

        put_attr(group, "large", 9000); /* too large for a block of the heap */
        H5Gclose(group);
    }
    H5Pclose(access);
    H5Fclose(file);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static mml_status look_at(hid_t parent, const char *name, int depth, size_t *n);

static mml_status look_into(hid_t group, int depth, size_t *n)
{
    char **members;
    size_t count;
    mml_status st = mmli_h5_members(&members, &count, group, "a.h5", NULL);

    if (st != MML_OK)
        return st;
    for (size_t i = 0; st == MML_OK && i < count; i++)
        if (strcmp(members[i], "soft") != 0)
            st = look_at(group, members[i], depth + 1, n);
    mmli_h5_texts_free(members, count);
    return st;
}

/* An object with what is in it, its attributes and all of its values. */
static mml_status look_at(hid_t parent, const char *name, int depth, size_t *n)
{
    size_t dims[MMLI_H5_MAX_RANK];
    double number;
    int rank;
    bool has;
    hid_t id = -1, type;
    mml_status st = mmli_h5_object(&id, parent, "a.h5", name);

    ++*n;
    if (st == MML_OK && H5Iget_type(id) == H5I_GROUP) {
        if ((st = mmli_h5_has_attr(&has, id, "a.h5", "remark")) == MML_OK && has)
            (void)!mmli_h5_attr_f64(&number, id, "a.h5", "remark");
        if (st == MML_OK)
            st = mmli_h5_has_attr(&has, id, "a.h5", "attrname07");
        if (st == MML_OK && depth < 4)
            st = look_into(id, depth, n);
    } else if (st == MML_OK && H5Iget_type(id) == H5I_DATASET) {
        st = mmli_h5_shape(dims, &rank, parent, "a.h5", name);
        type = H5Dget_type(id);
        if (st == MML_OK && (H5Tget_class(type) == H5T_FLOAT || H5Tget_class(type) == H5T_INTEGER)) {
            double *values = NULL;

            st = mmli_h5_get_new(&values, MMLI_H5_F64, rank, dims, parent, "a.h5", name);
            mmli_free(values);
        }
        H5Tclose(type);
    }
    mmli_h5_drop(id);
    return st;
}

static mml_status look(size_t *n)
{
    hid_t file;
    mml_status st = mmli_h5_open(&file, mmlt_path("a.h5"));

    *n = 0;
    if (st == MML_OK)
        st = look_into(file, 0, n);
    mmli_h5_drop(file);
    return st;
}

enum { OBJECTS = 7 + 6 + 2 + 2 * MANY };

START_TEST(files_of_every_format_are_read)
{
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    size_t n;

    for (format how = 0; how < FORMATS; how++) {
        make(how, H5P_DEFAULT);
        mmlt_assert_ok(look(&n));
        ck_assert_uint_eq(n, OBJECTS);
    }
    H5Pset_userblock(creation, 1024);
    H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    for (format how = 0; how < FORMATS; how++) {
        H5Pset_sizes(creation, how == NEWEST ? 8 : 4, how == NEWEST ? 8 : 4); /* HDF5 itself takes no unlimited sizes of 4 bytes there */
        make(how, creation);
        mmlt_assert_ok(look(&n));
        ck_assert_uint_eq(n, OBJECTS);
    }
    H5Pclose(creation);
}
END_TEST

/* ---- damage ------------------------------------------------------------------------------------------------------------- */

static char *find(char *bytes, size_t n, const void *what, size_t length)
{
    for (size_t i = 0; i + length <= n; i++)
        if (memcmp(bytes + i, what, length) == 0)
            return bytes + i;
    ck_abort_msg("what is to be damaged is not in the file");
    return NULL;
}

typedef struct damage {
    format how;
    const char *what; /* bytes that are in the file once, or first */
    size_t n_what;
    int at;           /* from there */
    const char *put;
    size_t n_put;
    const char *said;
} damage;

#define BYTES(text) (text), sizeof(text) - 1

/* Chunks of 7 x 5 elements of 4 bytes; the sizes of the table; the bytes of the row. */
#define CHUNK "\7\0\0\0\5\0\0\0\4\0\0\0"
#define SIZES "\15\0\0\0\0\0\0\0\13\0\0\0\0\0\0\0"
#define ROW_BYTES "\x68\2\0\0\0\0\0\0"

static const damage damages[] = {
    /* datatypes: version 1 has a name, an offset, a rank, 3 + 4 + 4 bytes, 4 dimensions, the member's type */
    {OLD, BYTES("first\0\0\0"), 0, BYTES("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), "a datatype has a name without an end"},
    {OLD, BYTES("first\0\0\0"), 8, BYTES("\0\1"), "a datatype has a member outside of it"},
    {OLD, BYTES("second\0\0"), 8, BYTES("\5"), "a datatype has a member outside of it"},
    {OLD, BYTES("first\0\0\0"), 12, BYTES("\11"), "a datatype has an array of too many dimensions"},
    {OLD, BYTES("first\0\0\0"), 12, BYTES("\1"), "a datatype has an array of an impossible size"},
    {OLD, BYTES("first\0\0\0"), 40, BYTES("\x1f"), "a datatype is of an unknown class"},
    {OLD, BYTES("first\0\0\0"), 40, BYTES("\x0f"), "a datatype is of a version that HDF5 1.10 does not know"},
    {OLD, BYTES("first\0\0\0"), 44, BYTES("\0"), "a datatype has elements of no bytes"},
    {OLD, BYTES("first\0\0\0"), 48, BYTES("\1"), "a datatype has more bits than bytes for them"},
    {OLD, BYTES("first\0\0\0"), -7, BYTES("\0"), "a datatype has no members"},
    {OLD, BYTES("first\0\0\0"), -7, BYTES("\xff"), "a datatype"},
    {OLD, BYTES("RED\0\0\0\0\0"), -16, BYTES("\4"), "a datatype has named values that are no numbers of its size"},
    {OLD, BYTES("RED\0\0\0\0\0"), -19, BYTES("\0"), "a datatype has no named values"},
    {OLD, BYTES("RED\0\0\0\0\0"), -19, BYTES("\xff\xff"), "a datatype has a name without an end"},
    {NEW, BYTES("gamma\0"), 7, BYTES("\x39"), "a datatype"},
    {NEW, BYTES("gamma\0"), 15, BYTES("\41"), "a datatype is an array of too many or no dimensions"},
    {NEW, BYTES("gamma\0"), 16, BYTES("\4"), "a datatype is an array of another size than its elements have"},
    {NEW, BYTES("beta\0"), 20, BYTES("\177"), "a datatype has parts of a floating-point number outside of it"},
    {OLD, BYTES("a tag\0\0\0"), -7, BYTES("\370"), "a datatype goes over the end of its message"},
    /* dataspaces: rank 7 bytes before the sizes in version 1 */
    {OLD, BYTES(SIZES), -7, BYTES("\41"), "a dataspace of too many dimensions"},
    {OLD, BYTES("\1\1\1\0\0\0\0\0\115\0\0\0\0\0\0\0"), 1, BYTES("\2"), "a message of kind 1 goes over its end"},
    {OLD, BYTES(SIZES), -8, BYTES("\3"), "a dataspace of an unknown version"},
    {OLD, BYTES(SIZES), 0, BYTES("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"), "a dataspace of an impossible size"},
    {OLD, BYTES(SIZES), -14, BYTES("\xf8\x7f"), "a message that goes over the end of its object header"},
    {OLD, BYTES(SIZES), -12, BYTES("\2"), "a message of kind 1 that objects share"},
    {OLD, BYTES(SIZES), -16, BYTES("\22"), "two messages of kind 18 in one object header"},
    {OLD, BYTES(SIZES), -16, BYTES("\17"), "messages that objects share; rewrite the file with h5repack"},
    {OLD, BYTES(SIZES), -16, BYTES("\20"), "an object header that goes on outside of the file"},
    /* layouts */
    {OLD, BYTES(CHUNK), 0, BYTES("\0"), "chunks of an impossible size"},
    {OLD, BYTES(CHUNK), 0, BYTES("\xff\xff\xff\xff"), "chunks of an impossible size"},
    {OLD, BYTES(CHUNK), 8, BYTES("\10"), "a data set with chunks of other dimensions or other elements"},
    {OLD, BYTES(CHUNK), -9, BYTES("\50"), "chunks of too many or too few dimensions"},
    {OLD, BYTES(CHUNK), -10, BYTES("\11"), "a layout that HDF5 1.10 does not know"},
    {OLD, BYTES(ROW_BYTES), 0, BYTES("\0\3"), "a data set with 768 bytes of values that should have 616"},
    {OLD, BYTES("\x5d\x5c\x5b\x5a"), -4, BYTES("\0\100"), "a message of kind 5 goes over its end"},
    {OLD, BYTES("\x5d\x5c\x5b\x5a"), -4, BYTES("\2"), "a data set with a fill value of another size than its elements"},
    {OLD, BYTES("deflate\0"), 0, BYTES("xxxxxxxx"), "a filter's name has no end"},
    {OLD, BYTES("deflate\0"), -2, BYTES("\xff\xff"), "a message of kind 11 goes over its end"},
    {OLD, BYTES("deflate\0"), -15, BYTES("\51"), "filters of an unknown version, or too many"},
    /* attributes: sizes of name, type and space before the name */
    {OLD, BYTES("remark\0\0"), -6, BYTES("\310"), "an attribute's name has another length than it should"},
    {OLD, BYTES("remark\0\0"), -4, BYTES("\1"), "a datatype goes over the end of its message"},
    {OLD, BYTES("remark\0\0"), -8, BYTES("\4"), "an attribute of an unknown version"},
    {OLD, BYTES("remark\0\0"), 40, BYTES("\0\4"), "an attribute that goes over the end of its message"},
    /* old groups */
    {OLD, BYTES("SNOD\1"), 8, BYTES("\xff\xff"), "a group has a name outside of its heap, or without an end"},
    {OLD, BYTES("SNOD\1"), 6, BYTES("\xff\xff"), "a node of a group goes over the end of the file"},
    {OLD, BYTES("SNOD\1"), 4, BYTES("\2"), "a group's tree leads where no node is"},
    {OLD, BYTES("SNOD\1"), 24, BYTES("\3"), "a group with a symbol of an unknown kind"},
    {OLD, BYTES("TREE\0"), 5, BYTES("\1"), "a group's tree"},
    {OLD, BYTES("TREE\0"), 0, BYTES("EERT"), "a group's tree is none"},
    {OLD, BYTES("HEAP\0"), 8, BYTES("\0\0\0\1"), "a heap of names goes over the end of the file"},
    {OLD, BYTES("HEAP\0"), 16, BYTES("\0\0\0\0\1"), "a heap of names with an impossible list of what is free"},
    {OLD, BYTES("TREE\1"), 0, BYTES("EERT"), "a tree of chunks is none"},
    {OLD, BYTES("TREE\1"), 5, BYTES("\1"), "a tree of chunks"},
    /* version 2 of headers, dense storage */
    {NEW, BYTES("OHDR\2"), 4, BYTES("\3"), "an object header of an unknown version"},
    {NEW, BYTES("OHDR\2"), 5, BYTES("\x7f"), "an object header of an unknown version"},
    {NEW, BYTES("linkname07"), -1, BYTES("\xfa"), "a link whose name goes over the end of its message"},
    {NEW, BYTES("attrname07\0"), -7, BYTES("\xfa"), "an attribute's name has another length than it should"},
    {NEW, BYTES("FRHP"), 110, BYTES("\3"), "has blocks of impossible sizes"},
    {NEW, BYTES("FRHP"), 7, BYTES("\1"), "is packed; rewrite the file with h5repack"},
    {NEW, BYTES("FRHP"), 5, BYTES("\11"), "is of an unknown kind"},
    {NEW, BYTES("FHDB"), 13, BYTES("\1"), "has a block that does not belong there"},
    {NEW, BYTES("BTLF\0\5"), 11, BYTES("\0"), "has an object outside of its blocks"},
    {NEW, BYTES("BTLF\0\5"), 15, BYTES("\xff\xff"), "has an object outside of its blocks"},
    {NEW, BYTES("BTLF\0\5"), 10, BYTES("\x30"), "has an object of an unknown kind"},
    {NEW, BYTES("BTLF\0\5"), 10, BYTES("\x10"), "has no large objects but needs one"},
    {NEW, BYTES("BTHD\0\5"), 10, BYTES("\2"), "a tree of other records than it should have"},
    {NEW, BYTES("BTHD\0\5"), 24, BYTES("\xc8"), "a tree has a node with 200 records, at most"},
    {NEW, BYTES("BTHD\0\5"), 24, BYTES("\2"), "a tree has another number of records than it says"},
    {NEW, BYTES("BTHD\0\5"), 12, BYTES("\xff\xff"), "a tree of an impossible size"},
    {NEW, BYTES("BTHD\0\1"), 6, BYTES("\4\0\0\0"), "a tree of an impossible size"},
    /* other indices of chunks */
    {NEWEST, BYTES("FAHD\0\0"), 6, BYTES("\17"), "an array of chunks with elements of another size"},
    {NEWEST, BYTES("FAHD\0\0"), 5, BYTES("\1"), "an array of chunks is none, or of another kind"},
    {NEWEST, BYTES("FAHD\0\0"), 8, BYTES("\1"), "an array of another number of chunks than its data set has"},
    {NEWEST, BYTES("EAHD\0\0"), 8, BYTES("\3"), "an array of chunks of an unknown shape"},
    {NEWEST, BYTES("BTHD\0\12"), 10, BYTES("\7"), "a tree of other records than it should have"},
    {NEWEST, BYTES("BTHD\0\13"), 24, BYTES("\xff\xff"), "a tree has a node with 65535 records"},
};

START_TEST(damage_is_told_by_what_is_wrong)
{
    char *bytes[FORMATS];
    size_t sizes[FORMATS], n;

    for (format how = 0; how < FORMATS; how++) {
        make(how, H5P_DEFAULT);
        bytes[how] = mmlt_read(mmlt_path("a.h5"), &sizes[how]);
    }
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        const damage *d = &damages[i];
        const size_t size = sizes[d->how];
        char *copy = malloc(size);
        mml_status st;

        memcpy(copy, bytes[d->how], size);
        memcpy(find(copy, size, d->what, d->n_what) + d->at, d->put, d->n_put);
        mmlt_write_bytes("a.h5", copy, size);
        free(copy);
        st = look(&n);
        if (st == MML_OK)
            ck_abort_msg("damage %zu (%s) is not noticed", i, d->said);
        mmlt_assert_fails(st, MML_E_FORMAT, d->said);
        ck_assert_ptr_nonnull(strstr(mml_last_error(), "a.h5: "));
        ck_assert_ptr_nonnull(strstr(mml_last_error(), ", at byte "));
    }
    for (format how = 0; how < FORMATS; how++)
        free(bytes[how]);
}
END_TEST

static haddr_t place_of(const char *name)
{
    const hid_t file = H5Fopen(mmlt_path("a.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    haddr_t at;
#if H5_VERSION_GE(1, 12, 0)
    H5O_info2_t info;

    ck_assert_int_ge(H5Oget_info_by_name3(file, name, &info, H5O_INFO_BASIC, H5P_DEFAULT), 0);
    ck_assert_int_ge(H5VLnative_token_to_addr(file, info.token, &at), 0);
#else
    H5O_info_t info;

    ck_assert_int_ge(H5Oget_info_by_name(file, name, &info, H5P_DEFAULT), 0);
    at = info.addr;
#endif
    H5Fclose(file);
    return at;
}

START_TEST(a_type_that_is_shared_with_itself_is_refused)
{
    haddr_t type, set;
    char *bytes, *at;
    size_t n, count;

    make(OLD, H5P_DEFAULT);
    type = place_of("named");
    set = place_of("of_named");
    bytes = mmlt_read(mmlt_path("a.h5"), &n);
    at = find(bytes + set, n - set, &type, sizeof type); /* the address, little-endian on what the tests run on */
    memcpy(at, &set, sizeof set);
    mmlt_write_bytes("a.h5", bytes, n);
    mmlt_assert_fails(look(&count), MML_E_FORMAT, "a datatype that is shared twice, at byte ");
    free(bytes);
}
END_TEST

/* The group with many attributes goes on elsewhere: there, into itself, beyond the end. */
START_TEST(headers_that_go_on_in_themselves_are_refused)
{
    static const char message[] = {0x10, 0, 0x10, 0}; /* kind 16 of 16 bytes */
    static const struct {
        uint64_t at, size;
        const char *said;
    } cases[] = {{0, 0, "an object header whose parts overlap"},
                 {1 << 30, 64, "an object header that goes on outside of the file"},
                 {96, 4, "an object header that goes on outside of the file"}};
    uint64_t place[2], own;
    char *bytes, *at;
    size_t n, count;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(OLD, H5P_DEFAULT);
        own = place_of("plain_group");
        bytes = mmlt_read(mmlt_path("a.h5"), &n);
        at = find(bytes + own, n - own, message, sizeof message) + 8;
        memcpy(place, at, sizeof place);
        place[0] = cases[i].size == 0 ? own : cases[i].at;
        place[1] = cases[i].size == 0 ? place[1] : cases[i].size;
        memcpy(at, place, sizeof place);
        mmlt_write_bytes("a.h5", bytes, n);
        mmlt_assert_fails(look(&count), MML_E_FORMAT, cases[i].said);
        free(bytes);
    }
}
END_TEST

static bool fast;

/* Whatever a byte becomes, the answer is values or a message with the file. */
START_TEST(no_byte_can_do_harm)
{
    static const unsigned char put[] = {0xff, 0, 1, 0x80};
    enum { STEP = 131, STEP_FAST = 499 };
    const size_t step = fast ? STEP_FAST : STEP;
    char *bytes;
    size_t n, count;

    for (format how = 0; how < FORMATS; how++) {
        make(how, H5P_DEFAULT);
        bytes = mmlt_read(mmlt_path("a.h5"), &n);
        for (size_t i = 8 + how; i < n; i += step) {
            const char was = bytes[i];

            bytes[i] = (char)(put[i / step % sizeof put] ^ (i % 3 == 0 ? was : 0));
            if (bytes[i] != was) {
                mmlt_write_bytes("a.h5", bytes, n);
                if (look(&count) != MML_OK)
                    ck_assert_ptr_nonnull(strstr(mml_last_error(), "a.h5"));
            }
            bytes[i] = was;
        }
        free(bytes);
    }
}
END_TEST

START_TEST(failures_of_memory_are_told)
{
    mml_status st = MML_E_NOMEM;
    size_t n;

    make(NEW, H5P_DEFAULT);
    for (uint64_t k = 1; st == MML_E_NOMEM && k < 2000; k++) {
        mmli_alloc_fail_at(k);
        st = look(&n);
        mmli_alloc_fail_at(0);
    }
    mmlt_assert_ok(st);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("h5 headers");
    TCase *tc = tcase_create("h5 headers");

    fast = mmlt_fast("three of four changed bytes");
    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, files_of_every_format_are_read);
    tcase_add_test(tc, damage_is_told_by_what_is_wrong);
    tcase_add_test(tc, a_type_that_is_shared_with_itself_is_refused);
    tcase_add_test(tc, headers_that_go_on_in_themselves_are_refused);
    tcase_add_test(tc, no_byte_can_do_harm);
    tcase_add_test(tc, failures_of_memory_are_told);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
