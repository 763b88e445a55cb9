/* test_import_bags.c - folders of slides become bags of cases: by table, by labels, by barcode; and what is told and refused. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import/source.h"
#include "io/cohort.h"
#include "tests/unit/import_help.h"

enum { MOST_MADE = 64, D = 3 };

#define HEAD "[cohort]\nlabels = l.csv\nid = id\n"
#define BAG "[modality wsi]\nkind = bag\nfile = h5_files\n"

static char made[MOST_MADE][256]; /* files and folders, to be removed in the other order */
static size_t n_made;

static void remember(const char *name)
{
    ck_assert_uint_lt(n_made, MOST_MADE);
    snprintf(made[n_made++], sizeof made[0], "%s", name);
}

static void folder(const char *name)
{
    if (mkdir(mmlt_path(name), 0777) == 0)
        remember(name);
    else
        ck_assert_int_eq(errno, EEXIST);
}

static void drop(void)
{
    while (n_made > 0)
        (void)remove(mmlt_path(made[--n_made]));
    mmlt_folder_remove();
}

/* How a slide is written: row i has values first + i, coordinates (100 i + first, 7). */
typedef struct slide {
    hsize_t n, width;
    float first;
    bool half, no_coords;
} slide;

static void write_slide(const char *name, slide s)
{
    const hsize_t dims[2] = {s.n, s.width}, two[2] = {s.n, 2};
    const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
    float *x = calloc((size_t)(s.n * s.width) + 1, sizeof *x), *xy = calloc((size_t)s.n * 2 + 1, sizeof *xy);
    hid_t file;

    ck_assert(x != NULL && xy != NULL);
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    for (size_t i = 0; i < s.n; i++) {
        for (size_t j = 0; j < s.width; j++)
            x[i * s.width + j] = s.first + (float)i;
        xy[2 * i] = 100.0f * (float)i + s.first;
        xy[2 * i + 1] = 7;
    }
    ck_assert((file = H5Fcreate(mmlt_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) >= 0);
    mmlt_h5_array(file, "features", s.half ? half : H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, dims, x);
    if (!s.no_coords)
        mmlt_h5_array(file, "coords", H5T_STD_I64LE, H5T_NATIVE_FLOAT, 2, two, xy);
    H5Fclose(file);
    H5Tclose(half);
    remember(name);
    free(x);
    free(xy);
}

/* Sample i has count[i] tokens, whose first values are `first` in order. */
static void has(mml_cohort *c, const int64_t *count, size_t n, const float *first)
{
    mml_modality_info m;
    mml_batch *b;
    mml_tokens t;
    size_t all[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    const char *const names[] = {"wsi"};

    mmlt_assert_ok(mml_cohort_modality(&m, c, "wsi"));
    ck_assert_uint_eq(mml_cohort_size(c), n);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(m.offsets[i + 1] - m.offsets[i] == count[i], "sample %zu has %lld tokens, not %lld", i,
                      (long long)(m.offsets[i + 1] - m.offsets[i]), (long long)count[i]);
    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, all, n, names, 1));
    mmlt_assert_ok(mml_batch_get(&t, b, "wsi"));
    for (size_t i = 0; i < m.n_tokens; i++)
        ck_assert_msg(t.values[i * m.width] == first[i], "token %zu: %g, not %g", i, (double)t.values[i * m.width],
                      (double)first[i]);
    mml_batch_free(b);
}

static void told(const char *text)
{
    ck_assert_msg(strstr(mmlt_report(), text) != NULL, "not told: %s\nbut: %s", text, mmlt_report());
}

START_TEST(a_table_says_whose_a_slide_is_and_in_which_order)
{
    mml_cohort *c;
    mml_modality_info m;
    hid_t group;
    double unit;

    folder("h5_files");
    write_slide("h5_files/s1.h5", (slide){.n = 2, .width = D, .first = 10});
    write_slide("h5_files/s2.h5", (slide){.n = 1, .width = D, .first = 20});
    write_slide("h5_files/vs.svs.h5", (slide){.n = 1, .width = D, .first = 30});
    write_slide("h5_files/empty.h5", (slide){.n = 0, .width = D});
    write_slide("h5_files/other.h5", (slide){.n = 1, .width = D, .first = 50});
    mmlt_write("l.csv", "id\na\nb\nc\nd\n");
    mmlt_write("slides.csv", "slide_id,case_id,stain\ns2.svs,a,HE\ns1,a,HE\nvs.svs,c,HE\nempty.svs,b,HE\nnone.svs,d,HE\n,d,\n");
    c = mmlt_imported(HEAD BAG "table = slides.csv\n");
    has(c, (int64_t[]){3, 0, 1, 0}, 4, (float[]){20, 10, 11, 30});
    mmlt_assert_ok(mml_cohort_modality(&m, c, "wsi"));
    ck_assert_uint_eq(m.n_axes, 2);
    mmlt_assert_ok(mmli_h5_group(&group, c->file, "out.h5", "modalities/wsi"));
    mmlt_assert_ok(mmli_h5_attr_f64(&unit, group, "out.h5", "position_unit"));
    mmli_h5_drop(group);
    ck_assert(unit == 128); /* the largest coordinate is 110 */
    mml_cohort_close(c);
    told("slides belong to cases by ");
    told("1 slide of ");
    told("has no file in ");
    told(": none.svs");
    told("1 file of ");
    told("left out, not in ");
    told("1 slide is empty (no tissue was found): empty");
    told("positions are x and y in pixels divided by 128");
}
END_TEST

START_TEST(the_labels_file_may_have_the_slides)
{
    mml_cohort *c;

    folder("h5_files");
    write_slide("h5_files/x.h5", (slide){.n = 1, .width = D, .first = 1});
    write_slide("h5_files/y.h5", (slide){.n = 2, .width = D, .first = 2});
    mmlt_write("l.csv", "id,slide_id\nb,y.svs\na,x.svs\n");
    c = mmlt_imported(HEAD BAG);
    has(c, (int64_t[]){2, 1}, 2, (float[]){2, 3, 1});
    mml_cohort_close(c);
    mmlt_write("l.csv", "id,wsi_name\nb,y.svs\na,x.svs\n");
    c = mmlt_imported(HEAD BAG "slide = wsi_name\n");
    has(c, (int64_t[]){2, 1}, 2, (float[]){2, 3, 1});
    mml_cohort_close(c);
    mmlt_assert_not_imported(HEAD BAG "slide = wsi_nam\n", MML_E_NOT_FOUND, "did you mean wsi_name?");
}
END_TEST

START_TEST(without_a_table_a_barcode_is_the_case_and_that_is_told)
{
    mml_cohort *c;

    folder("job");
    folder("job/features_uni_v1");
    folder("job/patches");
    write_slide("job/features_uni_v1/TCGA-2F-A9KO-01Z-00-DX1.abc.h5", (slide){.n = 1, .width = D, .first = 1});
    write_slide("job/features_uni_v1/TCGA-2F-A9KO-01Z-00-DX2.abd.h5", (slide){.n = 1, .width = D, .first = 2});
    write_slide("job/features_uni_v1/TCGA-2F-A9KP-01A-01-TS1.abe.h5", (slide){.n = 1, .width = D, .first = 3});
    write_slide("job/features_uni_v1/own-7.h5", (slide){.n = 1, .width = D, .first = 4});
    mmlt_write("l.csv", "id\nTCGA-2F-A9KP\nTCGA-2F-A9KO\nown-7\n");
    c = mmlt_imported(HEAD "[modality wsi]\nkind = bag\nfile = job\n");
    has(c, (int64_t[]){1, 2, 1}, 3, (float[]){3, 1, 2, 4});
    mml_cohort_close(c);
    told("of 3 names that are TCGA barcodes the first 12 characters are the case");
    told("the name of the file is the id of the sample (1 file)");
    c = mmlt_imported(HEAD "[modality wsi]\nkind = bag\nfile = job\nslides = dx1\n");
    has(c, (int64_t[]){0, 1, 0}, 3, (float[]){1});
    mml_cohort_close(c);
    told("slides = dx1: 3 of 4 slides left out");
    c = mmlt_imported(HEAD "[modality wsi]\nkind = bag\nfile = job\nslides = first\n");
    has(c, (int64_t[]){1, 1, 1}, 3, (float[]){3, 1, 4});
    mml_cohort_close(c);
    told("slides = first: 1 of 4 slides left out");
    folder("job/h5_files");
    mmlt_assert_not_imported(HEAD "[modality wsi]\nkind = bag\nformat = bags\nfile = job\n", MML_E_DATA,
                             "has features in features_uni_v1 and in h5_files; name the folder that is meant");
}
END_TEST

START_TEST(float16_stays_and_nothing_is_packed_unless_that_is_asked_for)
{
    mml_cohort *c;

    folder("h5_files");
    write_slide("h5_files/a.h5", (slide){.n = 2, .width = D, .first = 1, .half = true});
    write_slide("h5_files/b.h5", (slide){.n = 1, .width = D, .first = 5, .half = true});
    mmlt_write("l.csv", "id\na\nb\n");
    for (int packed = 0; packed < 2; packed++) {
        hid_t list;

        c = mmlt_imported(packed ? "[cohort]\nlabels = l.csv\nid = id\ncompress = 2\n" BAG : HEAD BAG);
        has(c, (int64_t[]){2, 1}, 2, (float[]){1, 2, 5});
        ck_assert(mmli_rows_are_half(c->modalities[0].values));
        list = H5Dget_create_plist(c->modalities[0].values_set);
        ck_assert_int_eq(H5Pget_nfilters(list) > 0, packed);
        H5Pclose(list);
        mml_cohort_close(c);
    }
    write_slide("h5_files/b.h5", (slide){.n = 1, .width = D, .first = 5});
    c = mmlt_imported(HEAD BAG);
    ck_assert(!mmli_rows_are_half(c->modalities[0].values)); /* one is float32 */
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_slide_without_coordinates_leaves_all_without_positions)
{
    mml_cohort *c;

    folder("h5_files");
    write_slide("h5_files/a.h5", (slide){.n = 2, .width = D, .first = 1});
    write_slide("h5_files/b.h5", (slide){.n = 1, .width = D, .first = 5, .no_coords = true});
    mmlt_write("l.csv", "id\na\nb\n");
    c = mmlt_imported(HEAD BAG);
    ck_assert_uint_eq(c->modalities[0].n_axes, 0);
    mml_cohort_close(c);
    told("no positions: not every slide has coordinates");
    write_slide("h5_files/b.h5", (slide){.n = 1, .width = D, .first = -5});
    c = mmlt_imported(HEAD BAG);
    ck_assert_uint_eq(c->modalities[0].n_axes, 0);
    mml_cohort_close(c);
    told("no positions: some coordinates are negative");
}
END_TEST

START_TEST(what_cannot_be_meant_is_refused)
{
    folder("h5_files");
    mmlt_write("l.csv", "id\na\nb\n");
    mmlt_assert_not_imported(HEAD BAG "format = bags\n", MML_E_DATA, "h5_files: has no .h5 files");
    mmlt_write("h5_files/a.pt", "x");
    remember("h5_files/a.pt");
    mmlt_assert_not_imported(HEAD BAG "format = bags\n", MML_E_FORMAT, "has .pt files, which only PyTorch can read; give the .h5");
    write_slide("h5_files/a.h5", (slide){.n = 2, .width = 1024, .first = 1});
    write_slide("h5_files/b.h5", (slide){.n = 1, .width = 1536, .first = 5});
    mmlt_assert_not_imported(HEAD BAG, MML_E_SHAPE, "h5_files/b.h5 has features of width 1536 (UNI2-h");
    mmlt_assert_not_imported(HEAD BAG, MML_E_SHAPE, "h5_files/a.h5 of width 1024 (ResNet-50 (CLAM), UNI");
    mmlt_assert_not_imported(HEAD BAG "slides = frist\n", MML_E_FORMAT, "slides = frist: all, first or dx1 is needed");
    mmlt_assert_not_imported(HEAD BAG "slides = dx1\n", MML_E_DATA, "none of the 2 slides is one, for example a");
    mmlt_write("t.csv", "case_id,slide_id\na,a.svs\nb,a\n");
    mmlt_assert_not_imported(HEAD BAG "table = t.csv\n", MML_E_DATA, "slide a is of case a in row 2 and of case b in row 3");
    mmlt_write("t.csv", "case_id,slide_id\na,q.svs\nb,r.svs\n");
    mmlt_assert_not_imported(HEAD BAG "table = t.csv\n", MML_E_DATA, "slides look like \"q.svs\" there and \"a\" here");
    mmlt_write("t.csv", "case,slide_id\na,a.svs\n");
    mmlt_assert_not_imported(HEAD BAG "table = t.csv\n", MML_E_NOT_FOUND, "no column case_id; there are: case, slide_id");
    mmlt_assert_not_imported(HEAD BAG "table = no.csv\n", MML_E_IO, "no.csv");
    mmlt_write("m.csv", "id,x\na,1\n");
    mmlt_assert_not_imported(HEAD "[modality m]\nkind = table\nfile = m.csv\nslides = all\n", MML_E_FORMAT, "slides is not for");
    write_slide("h5_files/a.h5", (slide){.n = 0, .width = D});
    write_slide("h5_files/b.h5", (slide){.n = 0, .width = 0});
    mmlt_assert_not_imported(HEAD BAG, MML_E_DATA, "all slides are empty (no tissue was found)");
}
END_TEST

/* Also where nobody names the file: by an ini, or the folder alone. */
START_TEST(the_output_replaces_no_slide_of_the_folder)
{
    char *before, *after;
    size_t n, m;

    folder("h5_files");
    write_slide("h5_files/x.h5", (slide){.n = 1, .width = D, .first = 1});
    mmlt_write("l.csv", "id,slide_id\na,x.svs\n");
    mmlt_write("cohort.ini", HEAD BAG);
    before = mmlt_read(mmlt_path("h5_files/x.h5"), &n);
    mmlt_assert_fails(mml_import(mmlt_path("cohort.ini"), mmlt_path("h5_files/x.h5"), NULL, NULL, NULL), MML_E_ARG, "is a file of the folder");
    mmlt_assert_fails(mml_import_with(mmlt_path("h5_files"), mmlt_path("h5_files/x.h5"), NULL, NULL), MML_E_ARG, "is a file of the folder");
    after = mmlt_read(mmlt_path("h5_files/x.h5"), &m);
    ck_assert(n == m && memcmp(before, after, n) == 0);
    free(before);
    free(after);
}
END_TEST

START_TEST(folders_and_slides_are_recognised)
{
    const mmli_source_kind *kind;
    char what[MMLI_WHAT_BYTES];

    folder("h5_files");
    write_slide("h5_files/a.h5", (slide){.n = 2, .width = D, .first = 1});
    write_slide("h5_files/b.h5", (slide){.n = 2, .width = D, .first = 1});
    mmlt_assert_ok(mmli_source_recognise(&kind, what, mmlt_path("h5_files")));
    ck_assert_str_eq(kind->name, "bags");
    ck_assert_str_eq(what, "a folder of 2 slides (CLAM, TRIDENT): features of patches");
    mmlt_assert_ok(mmli_source_recognise(&kind, what, mmlt_path("h5_files/a.h5")));
    ck_assert_str_eq(what, "a slide (CLAM, TRIDENT): features of patches");
}
END_TEST

START_TEST(a_folder_is_inspected_and_a_cohort_is_suggested_for_it)
{
    const char *path;
    char *json = NULL, *ini = NULL;

    folder("h5_files");
    write_slide("h5_files/a.h5", (slide){.n = 2, .width = 1536, .first = 1, .half = true});
    write_slide("h5_files/b.h5", (slide){.n = 0, .width = 1536});
    path = mmlt_path("h5_files");
    mmlt_assert_ok(mml_file_describe(&json, path, NULL));
    ck_assert_ptr_nonnull(strstr(json, "a folder of 2 slides (CLAM, TRIDENT): features of patches"));
    ck_assert_ptr_nonnull(strstr(json, "2 rows of 1536, float16"));
    ck_assert_ptr_nonnull(strstr(json, "UNI2-h"));
    mmlt_assert_ok(mml_suggest_cohort(&ini, &path, 1, NULL));
    ck_assert_ptr_nonnull(strstr(ini, "[modality slides]\nkind = bag\n"));
    ck_assert_ptr_nonnull(strstr(ini, "format = bags\n"));
    mml_string_free(json);
    mml_string_free(ini);
}
END_TEST

/* What slides have is told by one that has something, wherever it comes. */
START_TEST(empty_slides_before_the_first_that_is_not_are_counted)
{
    char *json = NULL;

    folder("h5_files");
    write_slide("h5_files/a.h5", (slide){.n = 0, .width = 1536});
    mmlt_assert_ok(mml_file_describe(&json, mmlt_path("h5_files"), NULL));
    ck_assert_msg(strstr(json, "none: the slide is empty") != NULL && strstr(json, "h5_files/a.h5") != NULL, "%s", json);
    mml_string_free(json);
    write_slide("h5_files/b.h5", (slide){.n = 0, .width = 1536});
    mmlt_assert_ok(mml_file_describe(&json, mmlt_path("h5_files"), NULL));
    ck_assert_msg(strstr(json, "none: all slides are empty") != NULL, "%s", json);
    mml_string_free(json);
    write_slide("h5_files/c.h5", (slide){.n = 2, .width = 1536, .first = 1});
    write_slide("h5_files/d.h5", (slide){.n = 3, .width = 1536, .first = 1});
    mmlt_assert_ok(mml_file_describe(&json, mmlt_path("h5_files"), NULL));
    ck_assert_msg(strstr(json, "the first 2 by name (no tissue was found), a to b") != NULL, "%s", json);
    ck_assert_msg(strstr(json, "h5_files/c.h5") != NULL && strstr(json, "2 rows of 1536") != NULL, "%s", json);
    mml_string_free(json);
}
END_TEST

START_TEST(the_files_of_the_reference_writers_become_a_cohort)
{
    char *data = mmlt_shared() != NULL ? realpath(mmlt_shared(), NULL) : NULL;
    char ini[2000];
    mml_cohort *c;
    mml_modality_info m;

    if (data == NULL)
        return;
    mmlt_write("l.csv", "id\nclam\ntrident\nbatched\nempty\nboth\n");
    mmlt_write("t.csv", "case_id,slide_id\nclam,clam_TCGA-2V-A95S\ntrident,trident_TCGA-2V-A95S.svs\nbatched,batched_1xNxD\n"
                        "empty,trident_empty_0\nboth,trident_empty_0xD\nboth,trident_float16_TCGA-2V-A95S\n");
    snprintf(ini, sizeof ini, HEAD "[modality wsi]\nkind = bag\nfile = %s/user_files/reference_writers\ntable = t.csv\n", data);
    c = mmlt_imported(ini);
    mmlt_assert_ok(mml_cohort_modality(&m, c, "wsi"));
    ck_assert_uint_eq(m.width, 64);
    ck_assert_uint_eq(m.n_axes, 2);
    mmlt_assert_same_bits(m.offsets, ((int64_t[]){0, 37, 74, 111, 111, 148}), 6 * sizeof(int64_t));
    told("2 slides are empty (no tissue was found): trident_empty_0, trident_empty_0xD");
    told("divided by 65536");
    mml_cohort_close(c);
    free(data);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import of slides");
    TCase *tc = tcase_create("import of slides");

    tcase_add_checked_fixture(tc, mmlt_folder_make, drop);
    tcase_add_test(tc, a_table_says_whose_a_slide_is_and_in_which_order);
    tcase_add_test(tc, the_labels_file_may_have_the_slides);
    tcase_add_test(tc, without_a_table_a_barcode_is_the_case_and_that_is_told);
    tcase_add_test(tc, float16_stays_and_nothing_is_packed_unless_that_is_asked_for);
    tcase_add_test(tc, a_slide_without_coordinates_leaves_all_without_positions);
    tcase_add_test(tc, what_cannot_be_meant_is_refused);
    tcase_add_test(tc, the_output_replaces_no_slide_of_the_folder);
    tcase_add_test(tc, folders_and_slides_are_recognised);
    tcase_add_test(tc, a_folder_is_inspected_and_a_cohort_is_suggested_for_it);
    tcase_add_test(tc, empty_slides_before_the_first_that_is_not_are_counted);
    tcase_add_test(tc, the_files_of_the_reference_writers_become_a_cohort);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
