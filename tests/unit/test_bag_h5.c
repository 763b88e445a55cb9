/* test_bag_h5.c - bags as CLAM, TRIDENT and others write them: every shape and type, the files of ../shared with their values, and
 * what is refused with which words. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/bag_h5.h"
#include "tests/unit/folder.h"
#include "util/half.h"

enum { N = 37, D = 64 };

/* F(n, d)[i, j] = ((131 i + 17 j) mod 1000) / 500 - 1, what the files of reference_writers hold. */
static float formula(size_t i, size_t j)
{
    return (float)((double)((131 * i + 17 * j) % 1000) / 500.0 - 1.0);
}

static float rounded(float x)
{
    uint16_t half;

    mmli_half_from_float(&half, &x, 1);
    mmli_half_to_float(&x, &half, 1);
    return x;
}

static float values[N * D], coords[N * 2];
static hid_t file;

static const char *shared(const char *name)
{
    static char path[600];
    const char *data = mmlt_shared();

    if (data == NULL)
        return NULL;
    snprintf(path, sizeof path, "%s/user_files/%s", data, name);
    return path;
}

START_TEST(files_of_the_reference_writers_are_read_to_the_bit)
{
    static const struct {
        const char *name;
        size_t n, width;
        bool half, coords;
    } files[] = {
        {"reference_writers/clam_TCGA-2V-A95S.h5", N, D, false, true},
        {"reference_writers/trident_TCGA-2V-A95S.h5", N, D, false, true},
        {"reference_writers/trident_float16_TCGA-2V-A95S.h5", N, D, true, true},
        {"reference_writers/batched_1xNxD.h5", N, D, false, true},
        {"reference_writers/trident_empty_0xD.h5", 0, D, false, false},
        {"reference_writers/trident_empty_0.h5", 0, 0, false, false},
        {"reference_writers/trident_slide_vector.h5", 1, D, false, false},
    };
    const float first[6] = {23480, 34386, 23992, 34386, 24504, 34386};

    for (size_t f = 0; f < sizeof files / sizeof *files && shared("") != NULL; f++) {
        const char *path = shared(files[f].name);
        mmli_bag b;

        mmlt_assert_ok(mmli_bag_open(&b, path));
        ck_assert_uint_eq(b.n, files[f].n);
        ck_assert_uint_eq(b.width, files[f].width);
        ck_assert_int_eq(b.half, files[f].half);
        ck_assert_int_eq(b.has_coords, files[f].coords);
        mmlt_assert_ok(mmli_bag_read(values, b.has_coords ? coords : NULL, 0, b.n, &b));
        for (size_t i = 0; i < b.n; i++)
            for (size_t j = 0; j < D; j++)
                ck_assert_msg(values[i * D + j] == (b.half ? rounded(formula(i, j)) : formula(i, j)), "%s: row %zu, column %zu",
                              path, i, j);
        if (b.has_coords)
            mmlt_assert_same_bits(coords, first, sizeof first);
        mmli_bag_close(&b);
    }
}
END_TEST

START_TEST(a_patches_file_is_told_from_a_bag)
{
    static const char *const files[] = {
        "clam_h5/patches/TCGA-2V-A95S-01Z-00-DX1.9DFA6FC7-87A6-4C14-9A39-E3F12B01C4D4.h5",
        "clam_h5/patches/TCGA-2Y-A9GW-01Z-00-DX1.71805205-933D-4D72-A4A2-586DC5490D76.h5",
        "clam_h5/patches_tumor_masked/TCGA-DD-AACP-01Z-00-DX1.FB073EDC-B0BC-444A-A02E-488F7E03A0F9.h5"};
    const hsize_t dims[2] = {2, 2};
    const int64_t xy[4] = {0, 0, 512, 0};
    mmli_bag b;
    bool looks, features;

    for (size_t f = 0; f < 3 && shared("") != NULL; f++) {
        mmlt_assert_fails(mmli_bag_open(&b, shared(files[f])), MML_E_FORMAT, "it has coordinates but no features; give the file");
        mmlt_assert_ok(mmli_bag_looks_like(&looks, &features, shared(files[f])));
        ck_assert(looks && !features);
    }
    mmlt_h5_array(file, "imgs", H5T_STD_I64LE, H5T_NATIVE_INT64, 2, dims, xy);
    H5Fclose(file);
    mmlt_assert_fails(mmli_bag_open(&b, mmlt_path("b.h5")), MML_E_FORMAT, "it has images but no features");
    mmlt_assert_ok(mmli_bag_looks_like(&looks, &features, mmlt_path("b.h5")));
    ck_assert(looks && !features);
    ck_assert_ptr_null(b.path);
    mmli_bag_close(&b);
}
END_TEST

/* The coordinates of CLAM's files can be read as rows, whatever they are for. */
START_TEST(coordinates_of_real_patches_files_are_what_they_should_be)
{
    static const struct {
        const char *name;
        size_t n;
        float first[6], last[2];
    } files[] = {
        {"clam_h5/patches/TCGA-2V-A95S-01Z-00-DX1.9DFA6FC7-87A6-4C14-9A39-E3F12B01C4D4.h5", 1481,
         {23480, 34386, 23992, 34386, 24504, 34386}, {28330, 6672}},
        {"clam_h5/patches/TCGA-2Y-A9GW-01Z-00-DX1.71805205-933D-4D72-A4A2-586DC5490D76.h5", 7856,
         {47619, 10659, 46083, 11171, 46595, 11171}, {67008, 50688}},
        {"clam_h5/patches_tumor_masked/TCGA-DD-AACP-01Z-00-DX1.FB073EDC-B0BC-444A-A02E-488F7E03A0F9.h5", 1502,
         {52105, 9476, 50569, 9988, 51081, 9988}, {58761, 42244}},
    };

    for (size_t f = 0; f < 3 && shared("") != NULL; f++) {
        hid_t in, set;
        mmli_rows *rows;
        float xy[6];

        mmlt_assert_ok(mmli_h5_open(&in, shared(files[f].name)));
        mmlt_assert_ok(mmli_h5_dataset(&set, NULL, 2, in, "p.h5", "coords"));
        mmlt_assert_ok(mmli_rows_open(&rows, set, 0, "p.h5", "coords"));
        ck_assert_uint_eq(mmli_rows_count(rows), files[f].n);
        mmlt_assert_ok(mmli_rows_get(xy, 0, 3, rows));
        mmlt_assert_same_bits(xy, files[f].first, sizeof xy);
        mmlt_assert_ok(mmli_rows_get(xy, files[f].n - 1, 1, rows));
        mmlt_assert_same_bits(xy, files[f].last, 2 * sizeof *xy);
        ck_assert(mmli_rows_are_bytes(rows));
        mmli_rows_close(rows);
        mmli_h5_drop(set);
        mmli_h5_drop(in);
    }
}
END_TEST

static void fill(void)
{
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < D; j++)
            values[i * D + j] = (float)((i * 7 + j) % 100);
        coords[2 * i] = (float)(512 * i);
        coords[2 * i + 1] = (float)(1000 + i);
    }
}

START_TEST(every_type_of_number_is_read)
{
    const hid_t types[] = {H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_STD_I16LE, H5T_STD_U8LE};
    const hid_t places[] = {H5T_STD_I16LE, H5T_STD_U32LE, H5T_STD_I64BE, H5T_STD_I32LE};
    const hsize_t dims[2] = {N, D}, two[2] = {N, 2};
    float got[N * D], xy[N * 2];

    fill();
    H5Fclose(file);
    for (size_t t = 0; t < 4; t++) {
        mmli_bag b;

        file = H5Fcreate(mmlt_path("b.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        mmlt_h5_array(file, "features", types[t], H5T_NATIVE_FLOAT, 2, dims, values);
        mmlt_h5_array(file, "coords", places[t], H5T_NATIVE_FLOAT, 2, two, coords);
        H5Fclose(file);
        mmlt_assert_ok(mmli_bag_open(&b, mmlt_path("b.h5")));
        ck_assert(b.has_coords && !b.half && b.n == N && b.width == D);
        mmlt_assert_ok(mmli_bag_read(got, xy, 0, N, &b));
        mmlt_assert_same_bits(got, values, sizeof got);
        mmlt_assert_same_bits(xy, coords, sizeof xy);
        mmlt_assert_ok(mmli_bag_read(got, xy, 5, 3, &b));
        mmlt_assert_same_bits(got, values + 5 * D, 3 * D * sizeof *got);
        mmlt_assert_same_bits(xy, coords + 10, 6 * sizeof *xy);
        mmlt_assert_fails(mmli_bag_read(got, NULL, 30, 8, &b), MML_E_SHAPE, "features has 37 rows, rows 30 to 37 needed");
        mmli_bag_close(&b);
        mmli_bag_close(&b);
    }
}
END_TEST

/* Writes `features` and, if places, `coords` of these shapes; the bag must be refused. */
static void refuses(int rank, const hsize_t *dims, int places, const hsize_t *place_dims, mml_status status, const char *text)
{
    float *zeros = calloc(1 << 16, sizeof *zeros);
    mmli_bag b;

    ck_assert_ptr_nonnull(zeros);
    file = H5Fcreate(mmlt_path("b.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    mmlt_h5_array(file, "features", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, rank, dims, zeros);
    if (places > 0)
        mmlt_h5_array(file, "coords", H5T_STD_I64LE, H5T_NATIVE_FLOAT, places, place_dims, zeros);
    H5Fclose(file);
    mmlt_assert_fails(mmli_bag_open(&b, mmlt_path("b.h5")), status, text);
    ck_assert_ptr_null(b.path);
    free(zeros);
}

START_TEST(shapes_that_are_no_bag_are_refused)
{
    H5Fclose(file);
    refuses(3, (hsize_t[]){2, 3, 4}, 0, NULL, MML_E_SHAPE, "3 dimensions, and the first is not 1; (N, D), (1, N, D) or (D)");
    refuses(4, (hsize_t[]){1, 1, 3, 4}, 0, NULL, MML_E_SHAPE, "features has 4 dimensions; (N, D)");
    refuses(2, (hsize_t[]){3, 4}, 2, (hsize_t[]){4, 2}, MML_E_SHAPE, "features has 3 rows, coords has 4");
    refuses(2, (hsize_t[]){3, 4}, 2, (hsize_t[]){3, 3}, MML_E_SHAPE, "is not of x and y");
    refuses(2, (hsize_t[]){3, 4}, 1, (hsize_t[]){6}, MML_E_SHAPE, "(N, 2) or (1, N, 2) are read");
    refuses(2, (hsize_t[]){3, 0}, 0, NULL, MML_E_SHAPE, "features has 3 rows of width 0");
}
END_TEST

START_TEST(files_that_lead_elsewhere_or_are_no_bag_are_refused)
{
    const hsize_t dims[2] = {2, 3}, source_dims[2] = {2, 3};
    const float x[6] = {1, 2, 3, 4, 5, 6};
    hid_t list, space, set, source;
    mmli_bag b;

    H5Lcreate_external("other.h5", "features", file, "features", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    mmlt_assert_fails(mmli_bag_open(&b, mmlt_path("b.h5")), MML_E_FORMAT, "b.h5: features is an external link");

    file = H5Fcreate(mmlt_path("b.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    list = H5Pcreate(H5P_DATASET_CREATE);
    space = H5Screate_simple(2, dims, NULL);
    H5Pset_external(list, "/etc/passwd", 0, 24);
    set = H5Dcreate2(file, "features", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Dclose(set);
    H5Pclose(list);
    H5Fclose(file);
    mmlt_assert_fails(mmli_bag_open(&b, mmlt_path("b.h5")), MML_E_FORMAT, "external storage");

    file = H5Fcreate(mmlt_path("b.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    list = H5Pcreate(H5P_DATASET_CREATE);
    source = H5Screate_simple(2, source_dims, NULL);
    H5Pset_virtual(list, space, "other.h5", "features", source);
    set = H5Dcreate2(file, "features", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Dclose(set);
    H5Pclose(list);
    H5Sclose(source);
    H5Sclose(space);
    H5Fclose(file);
    mmlt_assert_fails(mmli_bag_open(&b, mmlt_path("b.h5")), MML_E_FORMAT, "virtual data set");

    file = H5Fcreate(mmlt_path("b.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    mmlt_h5_array(file, "x", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, dims, x);
    H5Fclose(file);
    mmlt_assert_fails(mmli_bag_open(&b, mmlt_path("b.h5")), MML_E_FORMAT, "b.h5: has no data set features");
    mmlt_write("b.h5", "features");
    mmlt_assert_fails(mmli_bag_open(&b, mmlt_path("b.h5")), MML_E_FORMAT, "is not an HDF5 file");
    mmlt_assert_fails(mmli_bag_open(&b, mmlt_path("none.h5")), MML_E_IO, "none.h5: cannot be opened");
    ck_assert_ptr_null(b.path);
}
END_TEST

START_TEST(the_encoder_is_taken_from_the_file_and_guessed_from_the_width)
{
    const hsize_t dims[2] = {2, 3};
    const float x[6] = {0};
    static const char name[] = "uni_v1";
    hid_t set, type = H5Tcopy(H5T_C_S1), scalar = H5Screate(H5S_SCALAR), attribute;
    const char *text = name;
    mmli_bag b;

    mmlt_h5_array(file, "features", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, dims, x);
    set = H5Dopen2(file, "features", H5P_DEFAULT);
    H5Tset_size(type, H5T_VARIABLE);
    attribute = H5Acreate2(set, "encoder", type, scalar, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Awrite(attribute, type, &text) >= 0);
    H5Aclose(attribute);
    attribute = H5Acreate2(set, "unknown", H5T_NATIVE_INT, scalar, H5P_DEFAULT, H5P_DEFAULT);
    H5Aclose(attribute);
    H5Dclose(set);
    H5Tclose(type);
    H5Sclose(scalar);
    H5Fclose(file);
    mmlt_assert_ok(mmli_bag_open(&b, mmlt_path("b.h5")));
    ck_assert_str_eq(b.encoder, "uni_v1");
    ck_assert(!b.has_coords);
    mmlt_assert_fails(mmli_bag_read(values, coords, 0, 1, &b), MML_E_SHAPE, "has no coordinates");
    mmli_bag_close(&b);
    ck_assert_ptr_nonnull(strstr(mmli_bag_encoders(1536), "UNI2-h"));
    ck_assert_ptr_nonnull(strstr(mmli_bag_encoders(1024), "ResNet-50"));
    ck_assert_ptr_nonnull(strstr(mmli_bag_encoders(1023), "no encoder"));
}
END_TEST

static void make(void)
{
    mmlt_folder_make();
    file = H5Fcreate(mmlt_path("b.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

int main(void)
{
    Suite *s = suite_create("bags in HDF5");
    TCase *tc = tcase_create("bags in HDF5");

    tcase_add_checked_fixture(tc, make, mmlt_folder_remove);
    tcase_add_test(tc, files_of_the_reference_writers_are_read_to_the_bit);
    tcase_add_test(tc, a_patches_file_is_told_from_a_bag);
    tcase_add_test(tc, coordinates_of_real_patches_files_are_what_they_should_be);
    tcase_add_test(tc, every_type_of_number_is_read);
    tcase_add_test(tc, shapes_that_are_no_bag_are_refused);
    tcase_add_test(tc, files_that_lead_elsewhere_or_are_no_bag_are_refused);
    tcase_add_test(tc, the_encoder_is_taken_from_the_file_and_guessed_from_the_width);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
