/* Images: PNG to the last bit in every depth and colour, JPEG within its rounding, orientations, sizes, and what is refused. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/image.h"
#include "tests/unit/make_image.h"
#include "util/alloc.h"

static mmli_image read_image(const char *name)
{
    mmli_image image, look;

    mmlt_assert_ok(mmli_image_read(&image, mmlt_path(name)));
    mmlt_assert_ok(mmli_image_look(&look, mmlt_path(name)));
    ck_assert(look.width == image.width && look.height == image.height && look.channels == image.channels &&
              look.most == image.most && look.jpeg == image.jpeg && look.orientation == image.orientation && look.pixels == NULL);
    return image;
}

static void refuses(const char *name, const char *text)
{
    mmli_image image;

    mmlt_assert_fails(mmli_image_read(&image, mmlt_path(name)), MML_E_FORMAT, text);
    mmlt_assert_fails(mmli_image_read(&image, mmlt_path(name)), MML_E_FORMAT, name);
    ck_assert_ptr_null(image.pixels);
}

START_TEST(every_depth_and_colour_of_png_has_the_values_that_it_stores)
{
    static const struct {
        int colour, depth;
        unsigned char bytes[16]; /* 2 x 1 pixels */
        size_t channels;
        unsigned most;
        uint16_t want[6];
        bool transparent;
    } cases[] = {
        {PNG_COLOR_TYPE_GRAY, 1, {0x40}, 1, 255, {0, 255}, false},
        {PNG_COLOR_TYPE_GRAY, 2, {0x60}, 1, 255, {85, 170}, false},
        {PNG_COLOR_TYPE_GRAY, 4, {0x1F}, 1, 255, {17, 255}, false},
        {PNG_COLOR_TYPE_GRAY, 8, {7, 254}, 1, 255, {7, 254}, false},
        {PNG_COLOR_TYPE_GRAY, 16, {0x12, 0x34, 0xFF, 0xFF}, 1, 65535, {0x1234, 0xFFFF}, false},
        {PNG_COLOR_TYPE_RGB, 8, {1, 2, 3, 4, 5, 6}, 3, 255, {1, 2, 3, 4, 5, 6}, false},
        {PNG_COLOR_TYPE_RGB, 16, {0, 1, 0, 2, 0, 3, 4, 0, 5, 0, 6, 0}, 3, 65535, {1, 2, 3, 1024, 1280, 1536}, false},
        {PNG_COLOR_TYPE_PALETTE, 2, {0x40}, 3, 255, {255, 0, 128, 10, 20, 30}, false},
        {PNG_COLOR_TYPE_GRAY_ALPHA, 8, {9, 255, 8, 254}, 1, 255, {9, 8}, true},
        {PNG_COLOR_TYPE_GRAY_ALPHA, 8, {9, 255, 8, 255}, 1, 255, {9, 8}, false},
        {PNG_COLOR_TYPE_RGB_ALPHA, 8, {1, 2, 3, 0, 4, 5, 6, 255}, 3, 255, {1, 2, 3, 4, 5, 6}, true},
        {PNG_COLOR_TYPE_RGB_ALPHA, 16, {0, 1, 0, 2, 0, 3, 255, 255, 0, 4, 0, 5, 0, 6, 255, 255}, 3, 65535, {1, 2, 3, 4, 5, 6}, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mmli_image image;

        mmlt_write_png("a.png", &(mmlt_png){.width = 2, .height = 1, .depth = cases[i].depth, .colour = cases[i].colour,
                                            .bytes = cases[i].bytes});
        image = read_image("a.png");
        if (image.channels != cases[i].channels || image.most != cases[i].most || image.transparent != cases[i].transparent ||
            image.width != 2 || image.height != 1 || memcmp(image.pixels, cases[i].want, 4 * image.channels) != 0)
            ck_abort_msg("case %zu: other values", i);
        mmli_image_free(&image);
    }
}
END_TEST

START_TEST(a_transparent_colour_of_a_palette_is_noticed)
{
    mmli_image image;

    mmlt_write_png("a.png", &(mmlt_png){.width = 2, .height = 1, .depth = 2, .colour = PNG_COLOR_TYPE_PALETTE,
                                        .bytes = (const unsigned char[]){0x40}, .transparent_first = true});
    image = read_image("a.png");
    ck_assert(image.transparent && image.channels == 3 && image.pixels[3] == 10);
    mmli_image_free(&image);
}
END_TEST

START_TEST(an_interlaced_image_is_the_same_image)
{
    unsigned char bytes[9 * 11 * 3];
    mmli_image image;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(7 * i);
    mmlt_write_png("a.png", &(mmlt_png){.width = 9, .height = 11, .depth = 8, .colour = PNG_COLOR_TYPE_RGB, .bytes = bytes,
                                        .interlaced = true});
    image = read_image("a.png");
    for (size_t i = 0; i < sizeof bytes; i++)
        ck_assert_uint_eq(image.pixels[i], bytes[i]);
    mmli_image_free(&image);
}
END_TEST

/* The upright picture for each orientation of abc / def, by the definition of Exif: where row 0 and column 0 are. */
static const char *const upright[] = {NULL, "abcdef", "cbafed", "fedcba", "defabc", "adbecf", "daebfc", "fcebda", "cfbead"};

START_TEST(orientations_of_exif_are_turned_upright)
{
    static const unsigned char bytes[] = "abcdef";

    for (unsigned o = 1; o <= 8; o++) {
        mmli_image image;

        mmlt_write_png("a.png", &(mmlt_png){.width = 3, .height = 2, .depth = 8, .colour = PNG_COLOR_TYPE_GRAY, .bytes = bytes,
                                            .orientation = o});
        image = read_image("a.png");
        ck_assert_uint_eq(image.orientation, o);
        ck_assert(image.width == (o < 5 ? 3 : 2) && image.height == (o < 5 ? 2 : 3));
        for (size_t i = 0; i < 6; i++)
            ck_assert_uint_eq(image.pixels[i], (unsigned char)upright[o][i]);
        mmli_image_free(&image);
    }
}
END_TEST

/* Quality 100 rounds coefficients to whole numbers and colours twice: a few units of 255. */
enum { JPEG_ROUNDING = 4 };

static void make_ramp(unsigned char *bytes, size_t w, size_t h, size_t c)
{
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < w; x++)
            for (size_t k = 0; k < c; k++)
                bytes[(y * w + x) * c + k] = (unsigned char)(20 + 9 * x + 3 * y + 30 * k);
}

START_TEST(a_jpeg_has_its_colours_within_rounding)
{
    unsigned char bytes[10 * 6 * 3];

    for (int i = 0; i < 4; i++) {
        const int channels = i % 2 == 0 ? 3 : 1;
        mmli_image image;

        make_ramp(bytes, 10, 6, (size_t)channels);
        mmlt_write_jpeg("a.jpg", &(mmlt_jpeg){.width = 10, .height = 6, .channels = channels, .bytes = bytes, .progressive = i > 1});
        image = read_image("a.jpg");
        ck_assert(image.jpeg && image.width == 10 && image.height == 6 && image.channels == (size_t)channels && image.most == 255);
        for (size_t k = 0; k < 60 * image.channels; k++)
            ck_assert_int_le(abs((int)image.pixels[k] - bytes[k]), JPEG_ROUNDING);
        mmli_image_free(&image);
    }
}
END_TEST

START_TEST(a_jpeg_is_turned_by_exif_of_both_byte_orders)
{
    unsigned char bytes[10 * 6];

    make_ramp(bytes, 10, 6, 1);
    for (int big = 0; big < 2; big++) {
        mmli_image image;

        mmlt_write_jpeg("a.jpg", &(mmlt_jpeg){.width = 10, .height = 6, .channels = 1, .bytes = bytes, .orientation = 6,
                                              .big_endian = big});
        image = read_image("a.jpg");
        ck_assert(image.orientation == 6 && image.width == 6 && image.height == 10);
        for (size_t y = 0; y < 10; y++)
            for (size_t x = 0; x < 6; x++)
                ck_assert_int_le(abs((int)image.pixels[y * 6 + x] - bytes[(5 - x) * 10 + y]), JPEG_ROUNDING);
        mmli_image_free(&image);
    }
}
END_TEST

/* ---- sizes ----------------------------------------------------------------------------------------------------------------- */

static void resized(float *out, size_t h, size_t w, size_t c, uint16_t *pixels, size_t from_h, size_t from_w, size_t from_c)
{
    const mmli_image image = {.width = from_w, .height = from_h, .channels = from_c, .most = 255, .pixels = pixels};

    mmlt_assert_ok(mmli_image_resize(out, h, w, c, &image));
}

static void same(const float *got, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_double_eq_tol((double)got[i], want[i] / 255, 1e-7); /* one rounding to float32 */
}

START_TEST(the_same_size_leaves_every_value_alone)
{
    uint16_t pixels[256 * 3];
    float out[256 * 3];

    for (size_t i = 0; i < 768; i++)
        pixels[i] = (uint16_t)(i % 256);
    resized(out, 16, 16, 3, pixels, 16, 16, 3);
    for (size_t i = 0; i < 768; i++)
        ck_assert(out[i] == (float)(pixels[i] / 255.0));
}
END_TEST

START_TEST(a_smaller_image_has_the_means_of_the_areas)
{
    uint16_t pixels[] = {0, 30, 60, 90, 120, 150}; /* 2 x 3 */
    float out[6];

    resized(out, 1, 1, 1, pixels, 2, 3, 1);
    same(out, (const double[]){75}, 1);
    resized(out, 2, 2, 1, pixels, 2, 3, 1); /* columns [0, 1.5), [1.5, 3) */
    same(out, (const double[]){10, 50, 100, 140}, 4);
    resized(out, 1, 3, 1, pixels, 2, 3, 1);
    same(out, (const double[]){45, 75, 105}, 3);
}
END_TEST

START_TEST(a_larger_image_is_linear_between_the_centres)
{
    uint16_t pixels[] = {0, 100};
    float out[8];

    resized(out, 1, 4, 1, pixels, 1, 2, 1);
    same(out, (const double[]){0, 25, 75, 100}, 4);
    resized(out, 4, 1, 1, pixels, 2, 1, 1);
    same(out, (const double[]){0, 25, 75, 100}, 4);
    resized(out, 2, 4, 1, pixels, 1, 2, 1); /* one row: repeated */
    same(out, (const double[]){0, 25, 75, 100, 0, 25, 75, 100}, 8);
}
END_TEST

START_TEST(grey_and_colour_become_each_other)
{
    uint16_t grey[] = {51}, colour[] = {100, 200, 50}, white[] = {255, 255, 255};
    float out[3];

    resized(out, 1, 1, 3, grey, 1, 1, 1);
    same(out, (const double[]){51, 51, 51}, 3);
    resized(out, 1, 1, 1, colour, 1, 1, 3);
    same(out, (const double[]){0.299 * 100 + 0.587 * 200 + 0.114 * 50}, 1);
    resized(out, 1, 1, 1, white, 1, 1, 3);
    ck_assert(out[0] <= 1.0f && out[0] > 0.999999f);
}
END_TEST

/* ---- refused ---------------------------------------------------------------------------------------------------------------- */

/* The file of one image, cut off or changed. */
static char *made_bytes(const char *name, size_t *n)
{
    unsigned char bytes[32 * 32 * 3];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * i >> 3);
    if (strstr(name, ".jpg") != NULL)
        mmlt_write_jpeg(name, &(mmlt_jpeg){.width = 32, .height = 32, .channels = 3, .bytes = bytes});
    else
        mmlt_write_png(name, &(mmlt_png){.width = 32, .height = 32, .depth = 8, .colour = PNG_COLOR_TYPE_RGB, .bytes = bytes});
    return mmlt_read(mmlt_path(name), n);
}

START_TEST(a_file_cut_off_anywhere_is_refused)
{
    static const char *const names[] = {"a.png", "a.jpg"};

    for (int k = 0; k < 2; k++) {
        size_t n;
        char *bytes = made_bytes(names[k], &n);

        for (size_t cut = 0; cut < n; cut += cut < 64 || n - cut < 16 ? 1 : 37) {
            mmli_image image;
            mml_status st;

            mmlt_write_bytes(names[k], bytes, cut);
            st = mmli_image_read(&image, mmlt_path(names[k]));
            if (st != MML_E_FORMAT || image.pixels != NULL)
                ck_abort_msg("%s cut at %zu of %zu: status %d", names[k], cut, n, (int)st);
        }
        free(bytes);
    }
}
END_TEST

START_TEST(damage_in_the_pixels_is_noticed)
{
    size_t n;
    char *bytes = made_bytes("a.png", &n);

    bytes[n / 2] ^= 0x10; /* the checksum */
    mmlt_write_bytes("a.png", bytes, n);
    refuses("a.png", "this PNG file is damaged");
    free(bytes);
    bytes = made_bytes("a.jpg", &n);
    memset(bytes + n / 2, 0xFF, 40); /* fill bytes end the scan */
    memset(bytes + n / 2 + 40, 0xD9, 1);
    mmlt_write_bytes("a.jpg", bytes, n);
    refuses("a.jpg", "this JPEG file is damaged");
    free(bytes);
}
END_TEST

START_TEST(a_size_that_the_file_cannot_hold_is_refused_before_memory_is_asked_for)
{
    size_t n;
    char *bytes = made_bytes("a.jpg", &n), *sof = NULL;

    for (size_t i = 0; i + 9 < n && sof == NULL; i++)
        if (memcmp(bytes + i, "\xff\xc0", 2) == 0)
            sof = bytes + i;
    ck_assert_ptr_nonnull(sof);
    memcpy(sof + 5, "\x1f\xff\x1f\xff", 4); /* 8191 x 8191 */
    mmlt_write_bytes("a.jpg", bytes, n);
    refuses("a.jpg", "bytes cannot hold 8191 x 8191 pixels");
    memcpy(sof + 5, "\xff\x00\xff\x00", 4);
    mmlt_write_bytes("a.jpg", bytes, n);
    refuses("a.jpg", "65280 x 65280 pixels are too many");
    free(bytes);
}
END_TEST

START_TEST(what_has_no_red_green_and_blue_is_refused)
{
    static const unsigned char bytes[4 * 4 * 4];

    mmlt_write_jpeg("a.jpg", &(mmlt_jpeg){.width = 4, .height = 4, .channels = 4, .bytes = bytes});
    refuses("a.jpg", "CMYK");
    mmlt_write("a.png", "GIF89a, really");
    refuses("a.png", "is not a JPEG or PNG image");
    mmlt_write("a.png", "");
    refuses("a.png", "is empty");
}
END_TEST

START_TEST(every_failed_allocation_is_reported)
{
    static const char *const names[] = {"a.png", "a.jpg"};

    for (int k = 0; k < 2; k++) {
        size_t n;
        mml_status st = MML_E_NOMEM;
        mmli_image image;

        free(made_bytes(names[k], &n));
        for (uint64_t i = 1; st != MML_OK; i++) {
            mmli_alloc_fail_at(i);
            st = mmli_image_read(&image, mmlt_path(names[k]));
            mmli_alloc_fail_at(0);
            ck_assert(st == MML_OK || (st == MML_E_NOMEM && image.pixels == NULL));
            ck_assert_uint_lt(i, 100);
        }
        mmli_image_free(&image);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("image");
    TCase *good = tcase_create("pixels"), *size = tcase_create("sizes"), *bad = tcase_create("refused");

    tcase_add_checked_fixture(good, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_checked_fixture(bad, mmlt_folder_make, mmlt_folder_remove);
    tcase_add_test(good, every_depth_and_colour_of_png_has_the_values_that_it_stores);
    tcase_add_test(good, a_transparent_colour_of_a_palette_is_noticed);
    tcase_add_test(good, an_interlaced_image_is_the_same_image);
    tcase_add_test(good, orientations_of_exif_are_turned_upright);
    tcase_add_test(good, a_jpeg_has_its_colours_within_rounding);
    tcase_add_test(good, a_jpeg_is_turned_by_exif_of_both_byte_orders);
    tcase_add_test(size, the_same_size_leaves_every_value_alone);
    tcase_add_test(size, a_smaller_image_has_the_means_of_the_areas);
    tcase_add_test(size, a_larger_image_is_linear_between_the_centres);
    tcase_add_test(size, grey_and_colour_become_each_other);
    tcase_add_test(bad, a_file_cut_off_anywhere_is_refused);
    tcase_add_test(bad, damage_in_the_pixels_is_noticed);
    tcase_add_test(bad, a_size_that_the_file_cannot_hold_is_refused_before_memory_is_asked_for);
    tcase_add_test(bad, what_has_no_red_green_and_blue_is_refused);
    tcase_add_test(bad, every_failed_allocation_is_reported);
    suite_add_tcase(s, good);
    suite_add_tcase(s, size);
    suite_add_tcase(s, bad);
    return mmlt_main(s);
}
