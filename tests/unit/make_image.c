/* make_image.c - see make_image.h. An error of the libraries ends the program, which is their default. */
#include "tests/unit/make_image.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

/* A TIFF header and one directory with the orientation. */
static size_t make_exif(unsigned char *out, unsigned orientation, bool big)
{
    static const unsigned char little[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const unsigned char other[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};

    memcpy(out, big ? other : little, sizeof little);
    out[big ? 19 : 18] = (unsigned char)orientation;
    return sizeof little;
}

static FILE *create(const char *name)
{
    FILE *f = fopen(mmlt_path(name), "wb");

    ck_assert_ptr_nonnull(f);
    return f;
}

void mmlt_write_png(const char *name, const mmlt_png *p)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_color palette[4] = {{10, 20, 30}, {255, 0, 128}, {1, 2, 3}, {200, 200, 200}};
    png_byte alpha[1] = {0}, exif[32];
    FILE *f = create(name);
    const unsigned char **rows;

    ck_assert_ptr_nonnull(info);
    png_init_io(png, f);
    png_set_IHDR(png, info, p->width, p->height, p->depth, p->colour, p->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (p->colour == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 4);
    if (p->transparent_first)
        png_set_tRNS(png, info, alpha, 1, NULL);
    if (p->orientation > 0)
        png_set_eXIf_1(png, info, (png_uint_32)make_exif(exif, p->orientation, true), exif);
    png_write_info(png, info);
    ck_assert_ptr_nonnull(rows = calloc(p->height, sizeof *rows));
    for (unsigned y = 0; y < p->height; y++)
        rows[y] = p->bytes + y * png_get_rowbytes(png, info);
    png_write_image(png, (png_bytepp)rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    free(rows);
    ck_assert_int_eq(fclose(f), 0);
}

void mmlt_write_jpeg(const char *name, const mmlt_jpeg *p)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char exif[64] = "Exif\0";
    FILE *f = create(name);

    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, f);
    jpeg.image_width = p->width;
    jpeg.image_height = p->height;
    jpeg.input_components = p->channels;
    jpeg.in_color_space = p->channels == 1 ? JCS_GRAYSCALE : p->channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    if (p->progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    if (p->orientation > 0)
        jpeg_write_marker(&jpeg, JPEG_APP0 + 1, exif, 6 + (unsigned)make_exif(exif + 6, p->orientation, p->big_endian));
    while (jpeg.next_scanline < jpeg.image_height) {
        unsigned char *row = (unsigned char *)(size_t)(p->bytes + (size_t)jpeg.next_scanline * p->width * (unsigned)p->channels);

        (void)jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    ck_assert_int_eq(fclose(f), 0);
}
