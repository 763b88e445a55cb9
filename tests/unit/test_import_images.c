/* test_import_images.c - folders of images become patches: values, positions, whose they are, and what cannot be read. */
#include <dirent.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/image.h"
#include "tests/unit/import_help.h"
#include "tests/unit/make_image.h"
#include "util/alloc.h"

#define HEAD "[cohort]\nlabels = l.csv\nid = id\n"
#define IMAGE "[modality image]\nkind = image\nfile = pics\n"

static void make(void)
{
    mmlt_folder_make();
    ck_assert_int_eq(mkdir(mmlt_path("pics"), 0777), 0);
    mmlt_write("l.csv", "id,image\na,one.png\nb,sub/two\nc,\n");
}

static void remove_folder(const char *folder)
{
    DIR *d = opendir(mmlt_path(folder));
    const struct dirent *e;
    char name[600];

    ck_assert_ptr_nonnull(d);
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        if (unlink(mmlt_path(name)) != 0)
            remove_folder(name);
    }
    closedir(d);
    rmdir(mmlt_path(folder));
}

static void drop(void)
{
    remove_folder("pics");
    mmlt_folder_remove();
}

static void folder(const char *name)
{
    ck_assert_int_eq(mkdir(mmlt_path(name), 0777), 0);
}

/* Grey, value 16 y + x + add. */
static void grey(const char *name, unsigned h, unsigned w, unsigned add)
{
    unsigned char bytes[32 * 32];

    for (unsigned i = 0; i < h * w; i++)
        bytes[i] = (unsigned char)(16 * (i / w) + i % w + add);
    mmlt_write_png(name, &(mmlt_png){.width = w, .height = h, .depth = 8, .colour = PNG_COLOR_TYPE_GRAY, .bytes = bytes});
}

/* Two images of 4 x 4 in patches of 2 x 2, the second with 100 added. */
static void assert_two(mml_cohort *c)
{
    static const float at[] = {0.25f, 0.25f, 0.25f, 0.75f, 0.75f, 0.25f, 0.75f, 0.75f};
    static const int corners[] = {0, 2, 32, 34}, pixels[] = {0, 1, 16, 17};
    float values[2 * 4 * 4], positions[2 * 8];

    for (int i = 0; i < 32; i++)
        values[i] = (float)((100 * (i / 16) + corners[i / 4 % 4] + pixels[i % 4]) / 255.0);
    memcpy(positions, at, sizeof at);
    memcpy(positions + 8, at, sizeof at);
    mmlt_assert_tokens(c, "image", values, positions);
}

START_TEST(images_become_patches_with_the_positions_of_their_centres)
{
    mml_cohort *c;
    mml_modality_info m;

    grey("pics/a.png", 4, 4, 0);
    grey("pics/b.PNG", 4, 4, 100);
    mmlt_write("pics/readme.txt", "x");
    c = mmlt_imported(HEAD IMAGE "patch = 2\n");
    assert_two(c);
    mmlt_assert_ok(mml_cohort_modality(&m, c, "image"));
    ck_assert(m.kind == MML_IMAGE && m.width == 4 && m.n_present == 2);
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "1 file of "));
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_cohort_may_lie_among_the_images_and_be_made_again)
{
    grey("pics/a.png", 4, 4, 0);
    mmlt_write("cohort.ini", HEAD IMAGE "patch = 2\n");
    for (int again = 0; again < 2; again++)
        mmlt_assert_ok(mml_import(mmlt_path("cohort.ini"), mmlt_path("pics/cohort.h5"), NULL, NULL, NULL));
    mmlt_assert_fails(mml_import(mmlt_path("cohort.ini"), mmlt_path("pics/a.png"), NULL, NULL, NULL), MML_E_ARG, "is a file of the folder");
}
END_TEST

START_TEST(a_column_says_whose_an_image_is)
{
    mml_cohort *c;

    grey("pics/two.png", 4, 4, 100);
    grey("pics/one.png", 4, 4, 0);
    grey("pics/c.png", 4, 4, 7); /* nobody's: c has no image */
    c = mmlt_imported(HEAD IMAGE "patch = 2\nimage = image\n");
    assert_two(c);
    mml_cohort_close(c);
    mmlt_write("l.csv", "id,image\na,one.png\nb,three.png\n");
    mml_cohort_close(mmlt_imported(HEAD IMAGE "patch = 2\nimage = image\n"));
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "has no file in"));
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "three.png"));
    mmlt_write("l.csv", "id,image\na,x.png\nb,three.png\n");
    mmlt_assert_not_imported(HEAD IMAGE "patch = 2\nimage = image\n", MML_E_DATA, "images look like \"x.png\" there and \"c\" here");
    mmlt_assert_not_imported("[cohort]\n" IMAGE "patch = 2\nimage = image\n", MML_E_FORMAT, "there is none");
}
END_TEST

START_TEST(images_of_different_sizes_need_one)
{
    static const float values[] = {(float)(8.5 / 255), (float)(10.5 / 255), (float)(3.5 / 255), (float)(11.5 / 255)};
    mml_cohort *c;

    grey("pics/a.png", 2, 4, 0); /* columns 0, 1 and 2, 3: means 8.5 and 10.5 */
    grey("pics/b.png", 1, 16, 0);
    mmlt_assert_not_imported(HEAD IMAGE "patch = 1\n", MML_E_SHAPE, "1 to 2 pixels high and 4 to 16 wide");
    c = mmlt_imported(HEAD IMAGE "patch = 1\nsize = 1x2\n");
    mmlt_assert_tokens(c, "image", values, (const float[]){0.5f, 0.25f, 0.5f, 0.75f, 0.5f, 0.25f, 0.5f, 0.75f});
    mml_cohort_close(c);
    mmlt_assert_not_imported(HEAD IMAGE "patch = 1\nsize = 1x\n", MML_E_FORMAT, "size = 1x: a height, or HEIGHTxWIDTH");
    mmlt_assert_not_imported(HEAD IMAGE "patch = 1\nsize = 0\n", MML_E_FORMAT, "size = 0: a height");
    mmlt_assert_not_imported(HEAD IMAGE "patch = 1\nsize = 2\ncolour = blue\n", MML_E_FORMAT, "rgb or grey");
    mmlt_assert_not_imported(HEAD IMAGE "patch = 3\nsize = 4\n", MML_E_SHAPE, "patch can be: 1, 2, 4");
}
END_TEST

START_TEST(grey_images_are_colour_when_that_is_wanted)
{
    mml_cohort *c;
    mml_modality_info m;

    grey("pics/a.png", 2, 2, 5);
    c = mmlt_imported(HEAD IMAGE "patch = 1\ncolour = rgb\n");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "image"));
    ck_assert_uint_eq(m.width, 3);
    mml_cohort_close(c);
}
END_TEST

START_TEST(an_image_that_cannot_be_read_is_missing_and_named)
{
    mml_cohort *c;
    mml_modality_info m;
    char *bytes;
    size_t n;

    grey("pics/a.png", 4, 4, 0);
    grey("pics/b.png", 4, 4, 100);
    grey("pics/c.png", 4, 4, 0);
    bytes = mmlt_read(mmlt_path("pics/c.png"), &n);
    mmlt_write_bytes("pics/c.png", bytes, n - 20); /* the header is fine */
    free(bytes);
    mmlt_write("pics/d.jpg", "no image");
    c = mmlt_imported(HEAD IMAGE "patch = 2\n");
    assert_two(c);
    mmlt_assert_ok(mml_cohort_modality(&m, c, "image"));
    ck_assert_uint_eq(m.n_present, 2);
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "cannot be read, is missing: "));
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "pics/c.png: this PNG file is damaged"));
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "pics/d.jpg: is not a JPEG or PNG image"));
    mml_cohort_close(c);
    (void)unlink(mmlt_path("out.h5"));
    mmlt_assert_not_imported(HEAD IMAGE "patch = 2\nstrict = yes\n", MML_E_FORMAT, "pics/d.jpg: is not");
    (void)unlink(mmlt_path("pics/d.jpg"));
    mmlt_assert_not_imported(HEAD IMAGE "patch = 2\nstrict = yes\n", MML_E_FORMAT, "pics/c.png: this PNG file is damaged");
    (void)unlink(mmlt_path("pics/a.png"));
    (void)unlink(mmlt_path("pics/b.png"));
    mmlt_write("pics/c.png", "no");
    mmlt_assert_not_imported(HEAD IMAGE "patch = 2\n", MML_E_DATA, "no image (of 1) can be read");
    (void)unlink(mmlt_path("pics/c.png"));
    mmlt_assert_not_imported(HEAD IMAGE "format = images\npatch = 2\n", MML_E_DATA, "has no .jpg, .jpeg or .png files");
}
END_TEST

START_TEST(a_check_names_every_damaged_image)
{
    mml_import_options o;
    char *report = NULL;

    grey("pics/a.png", 4, 4, 0);
    mmlt_write("pics/b.png", "no");
    mmlt_write("pics/c.png", "no");
    mmlt_write("cohort.ini", HEAD IMAGE "patch = 2\nstrict = yes\n");
    mml_import_options_init(&o);
    o.dry_run = 1;
    ck_assert_int_ne(mml_import_with(mmlt_path("cohort.ini"), NULL, &o, &report), MML_OK);
    ck_assert_ptr_nonnull(report);
    ck_assert_ptr_nonnull(strstr(report, "pics/b.png: is not"));
    ck_assert_ptr_nonnull(strstr(report, "pics/c.png: is not"));
    mml_string_free(report);
    report = NULL;
    mmlt_write("cohort.ini", HEAD IMAGE "patch = 2\nstrict = no\n");
    mmlt_assert_ok(mml_import_with(mmlt_path("cohort.ini"), NULL, &o, &report));
    mml_string_free(report);
    report = NULL;
    o.strict = 1; /* of the call, for all */
    ck_assert_int_ne(mml_import_with(mmlt_path("cohort.ini"), NULL, &o, &report), MML_OK);
    ck_assert_ptr_nonnull(strstr(report, "pics/c.png: is not"));
    mml_string_free(report);
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    bool failed = true;
    size_t made_up = 0;

    folder("pics/sub");
    grey(_i == 0 ? "pics/one.png" : "pics/sub/one.png", 4, 4, 0);
    mmlt_write("pics/two.png", "no");
    mmlt_write("cohort.ini", _i == 0 ? HEAD IMAGE "format = images\npatch = 2\nimage = image\n"
                                     : HEAD IMAGE "format = images\npatch = 2\nimage = image\nfolders = any\n");
    for (uint64_t i = 1; failed; i++) {
        mml_status st;
        char *report;

        mmli_alloc_fail_at(i);
        st = mml_import(mmlt_path("cohort.ini"), mmlt_path("out.h5"), &report, NULL, NULL);
        failed = mmli_alloc_count() >= i;
        mmli_alloc_fail_at(0);
        if (st == MML_OK)
            made_up += failed;
        else
            ck_assert_int_eq(st, MML_E_NOMEM);
        mml_string_free(report);
        ck_assert_uint_lt(i, 2000);
    }
    ck_assert_uint_le(made_up, 2); /* two readings of the labels: libcsv asks again for less memory */
}
END_TEST

START_TEST(a_folder_is_imported_and_described_without_an_ini)
{
    mml_import_options o;
    char *report = NULL, *json = NULL;
    mml_cohort *c;
    mml_modality_info m;

    grey("pics/a.png", 8, 12, 0);
    grey("pics/b.png", 8, 12, 1);
    mml_import_options_init(&o);
    mmlt_assert_ok(mml_import_with(mmlt_path("pics"), mmlt_path("out.h5"), &o, &report));
    mml_string_free(report);
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    mmlt_assert_ok(mml_cohort_modality(&m, c, "pics"));
    ck_assert(mml_cohort_size(c) == 2 && m.width == 16 && m.n_tokens == 12);
    mml_cohort_close(c);
    mmlt_assert_ok(mml_file_describe(&json, mmlt_path("pics"), NULL));
    ck_assert_ptr_nonnull(strstr(json, "a folder of 2 images"));
    ck_assert_ptr_nonnull(strstr(json, "8 x 12 (height x width)"));
    mml_string_free(json);
    mmlt_assert_ok(mml_file_describe(&json, mmlt_path("pics/a.png"), NULL));
    ck_assert_ptr_nonnull(strstr(json, "a PNG image of 8 x 12"));
    mml_string_free(json);
}
END_TEST

/* ---- folders in the folder --------------------------------------------------------------------------------------------- */

START_TEST(a_folder_is_a_sample)
{
    mml_cohort *c;
    mml_import_options o;
    char *report = NULL;

    folder("pics/a");
    folder("pics/b");
    folder("pics/b/visit1");
    grey("pics/a/scan.png", 4, 4, 0);
    grey("pics/b/visit1/scan.png", 4, 4, 100);
    mmlt_write("pics/b/notes.txt", "x");
    mmlt_assert_not_imported(HEAD IMAGE "format = images\npatch = 2\n", MML_E_DATA, "looked into with folders = sample or folders = any");
    c = mmlt_imported(HEAD IMAGE "format = images\npatch = 2\nfolders = sample\n");
    assert_two(c);
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "1 file of "));
    mml_cohort_close(c);
    (void)unlink(mmlt_path("out.h5"));
    mml_import_options_init(&o);
    o.format = "images"; /* without an ini, told what it is */
    mmlt_assert_ok(mml_import_with(mmlt_path("pics"), mmlt_path("out.h5"), &o, &report));
    mml_string_free(report);
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    ck_assert_str_eq(mml_cohort_ids(c)[1], "b");
    mml_cohort_close(c);
    (void)unlink(mmlt_path("out.h5"));
    grey("pics/loose.png", 4, 4, 0);
    grey("pics/b/again.png", 4, 4, 0);
    mmlt_assert_not_imported(HEAD IMAGE "format = images\npatch = 2\nfolders = sample\n", MML_E_DATA, "are both images of sample b; one is needed");
    ck_assert_ptr_nonnull(strstr(mml_last_error(), "b/again.png and "));
    (void)unlink(mmlt_path("pics/b/again.png"));
    c = mmlt_imported(HEAD IMAGE "format = images\npatch = 2\nfolders = sample\n");
    assert_two(c);
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "1 image of "));
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_file_in_any_folder_is_a_sample)
{
    mml_cohort *c;
    char *json = NULL;

    folder("pics/site1");
    folder("pics/site2");
    grey("pics/site2/a.png", 4, 4, 0);
    grey("pics/b.png", 4, 4, 100);
    ck_assert_int_eq(symlink(mmlt_path("pics"), mmlt_path("pics/site1/round")), 0); /* not followed */
    c = mmlt_imported(HEAD IMAGE "format = images\npatch = 2\nfolders = any\n");
    assert_two(c);
    mml_cohort_close(c);
    grey("pics/site1/a.png", 4, 4, 0);
    mmlt_assert_not_imported(HEAD IMAGE "format = images\npatch = 2\nfolders = any\n", MML_E_DATA, "are both images of sample a");
    mmlt_assert_not_imported(HEAD IMAGE "format = images\npatch = 2\nfolders = yes\n", MML_E_FORMAT, "folders = yes: no, sample");
    (void)unlink(mmlt_path("pics/b.png"));
    grey("pics/site1/b.png", 4, 4, 0);
    mmlt_assert_ok(mml_file_describe(&json, mmlt_path("pics"), "images"));
    ck_assert_ptr_nonnull(strstr(json, "with several images"));
    mml_string_free(json);
}
END_TEST

START_TEST(a_column_may_name_an_image_with_its_folders_or_without)
{
    mml_cohort *c;

    folder("pics/p1");
    folder("pics/p2");
    grey("pics/p1/left.png", 4, 4, 0);
    grey("pics/p2/left.png", 4, 4, 100);
    mmlt_write("l.csv", "id,image\na,p1/left.png\nb,/data/pics/p2/left\n");
    c = mmlt_imported(HEAD IMAGE "format = images\npatch = 2\nfolders = any\nimage = image\n");
    assert_two(c);
    mml_cohort_close(c);
    mmlt_write("l.csv", "id,image\na,left.png\nb,p2/left\n"); /* one name, two files: neither is meant */
    mml_cohort_close(mmlt_imported(HEAD IMAGE "format = images\npatch = 2\nfolders = any\nimage = image\n"));
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "has no file in"));
    ck_assert_int_eq(rename(mmlt_path("pics/p1/left.png"), mmlt_path("pics/p1/right.png")), 0);
    mmlt_write("l.csv", "id,image\na,right\nb,left.png\n");
    c = mmlt_imported(HEAD IMAGE "format = images\npatch = 2\nfolders = sample\nimage = image\n");
    assert_two(c);
    mml_cohort_close(c);
}
END_TEST

START_TEST(folders_without_end_are_refused)
{
    char name[400] = "pics";

    for (int i = 0; i < 18; i++) {
        strcat(name, "/d");
        folder(name);
    }
    strcat(name, "/a.png");
    grey(name, 4, 4, 0);
    mmlt_assert_not_imported(HEAD IMAGE "format = images\npatch = 2\nfolders = any\n", MML_E_DATA, "nested more than 16 deep");
}
END_TEST

START_TEST(every_image_of_ham10000_is_read)
{
    char path[800];
    DIR *d;
    const struct dirent *e;
    size_t n = 0;

    snprintf(path, sizeof path, "%s/ham10000_melanoma_64/images", mmlt_shared());
    ck_assert_ptr_nonnull(d = opendir(path));
    while ((e = readdir(d)) != NULL) {
        mmli_image image;

        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/ham10000_melanoma_64/images/%s", mmlt_shared(), e->d_name);
        mmlt_assert_ok(mmli_image_read(&image, path));
        ck_assert(image.width == 64 && image.height == 64 && image.channels == 3 && image.jpeg);
        mmli_image_free(&image);
        n++;
    }
    closedir(d);
    ck_assert_uint_eq(n, 2875);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import of images");
    TCase *made = tcase_create("made"), *shared = tcase_create("../shared");

    tcase_add_checked_fixture(made, make, drop);
    tcase_set_timeout(made, 60); /* hundreds of imports */
    tcase_set_timeout(shared, 60);
    tcase_add_test(made, images_become_patches_with_the_positions_of_their_centres);
    tcase_add_test(made, a_cohort_may_lie_among_the_images_and_be_made_again);
    tcase_add_test(made, a_column_says_whose_an_image_is);
    tcase_add_test(made, images_of_different_sizes_need_one);
    tcase_add_test(made, grey_images_are_colour_when_that_is_wanted);
    tcase_add_test(made, an_image_that_cannot_be_read_is_missing_and_named);
    tcase_add_test(made, a_check_names_every_damaged_image);
    tcase_add_loop_test(made, every_failed_allocation_is_reported, 0, 2);
    tcase_add_test(made, a_folder_is_imported_and_described_without_an_ini);
    tcase_add_test(made, a_folder_is_a_sample);
    tcase_add_test(made, a_file_in_any_folder_is_a_sample);
    tcase_add_test(made, a_column_may_name_an_image_with_its_folders_or_without);
    tcase_add_test(made, folders_without_end_are_refused);
    suite_add_tcase(s, made);
    if (mmlt_shared() != NULL) {
        tcase_add_test(shared, every_image_of_ham10000_is_read);
        suite_add_tcase(s, shared);
    } else {
        puts("skip - the images of ../shared/data are not there (MMLEGO_SHARED)");
    }
    return mmlt_main(s);
}
