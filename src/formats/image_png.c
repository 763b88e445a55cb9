/* image_png.c - PNG by libpng: every depth and colour type, as 1 or 3 channels of 8 or 16 bits.
 *
 * Palettes are looked up, fewer than 8 bits widened to 255. Alpha is read only to know whether a pixel was not opaque, and dropped.
 * libpng jumps back to read_guarded() on errors, whose caller owns all that is to be freed. */
#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "formats/image_inside.h"
#include "util/alloc.h"
#include "util/error.h"

enum { CHUNK_BYTES = 8 << 20, CHUNKS = 1000 }; /* of texts, profiles and such, which may be packed */
enum { DEFLATE_MOST = 1032 };                  /* a byte of deflate is so many at most */

typedef struct reader {
    png_structp png;
    png_infop info;
    jmp_buf back;
    const mmli_image_bytes *in;
    size_t at;
    mmli_image *out;
    unsigned char *rows;  /* (height or 1, row_bytes) as libpng gives them: all of an interlaced image */
    size_t row_bytes, stored; /* stored: channels with alpha */
    mml_status st;
} reader;

_Noreturn static void give_up(reader *r, mml_status st)
{
    r->st = st;
    longjmp(r->back, 1);
}

_Noreturn static void on_error(png_structp png, png_const_charp words)
{
    reader *r = png_get_error_ptr(png);

    give_up(r, mmli_fail(MML_E_FORMAT, "%s: this PNG file is damaged: %s", r->in->path, words));
}

static void on_warning(png_structp png, png_const_charp words)
{
    (void)png; /* about what is not pixels */
    (void)words;
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    reader *r = png_get_io_ptr(png);

    if (n > r->in->n - r->at)
        png_error(png, "it ends too early");
    memcpy(to, r->in->bytes + r->at, n);
    r->at += n;
}

static unsigned orientation(const reader *r)
{
#ifdef PNG_eXIf_SUPPORTED
    png_bytep exif = NULL;
    png_uint_32 n = 0;

    if (png_get_eXIf_1(r->png, r->info, &n, &exif) != 0 && exif != NULL)
        return mmli_exif_orientation(exif, n);
#endif
    return 1;
}

static void read_header(reader *r)
{
    int colour, depth;
    mml_status st;

    png_read_info(r->png, r->info);
    colour = png_get_color_type(r->png, r->info);
    depth = png_get_bit_depth(r->png, r->info);
    r->out->width = png_get_image_width(r->png, r->info);
    r->out->height = png_get_image_height(r->png, r->info);
    if ((st = mmli_image_check_size(r->in->path, r->out->width, r->out->height)) != MML_OK)
        give_up(r, st);
    r->out->channels = (colour & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
    r->out->most = depth == 16 ? 65535 : 255;
    r->out->orientation = orientation(r);
}

/* libpng sizes an image by what comes out of it. */
static void prepare(reader *r)
{
    const bool interlaced = png_set_interlace_handling(r->png) > 1;
    mml_status st;

    if (png_get_rowbytes(r->png, r->info) * r->out->height / DEFLATE_MOST > r->in->n)
        give_up(r, mmli_fail(MML_E_FORMAT, "%s: is damaged: %zu bytes cannot hold %zu x %zu pixels", r->in->path, r->in->n,
                             r->out->width, r->out->height));
    png_set_expand(r->png); /* palettes, fewer than 8 bits, a transparent colour as alpha */
    png_read_update_info(r->png, r->info);
    r->stored = png_get_channels(r->png, r->info);
    r->row_bytes = png_get_rowbytes(r->png, r->info);
    if (r->stored < r->out->channels || r->row_bytes != r->out->width * r->stored * (r->out->most > 255 ? 2 : 1))
        give_up(r, mmli_fail(MML_E_INTERNAL, "%s: %zu bytes a row of %zu channels", r->in->path, r->row_bytes, r->stored));
    if ((st = mmli_calloc(&r->rows, interlaced ? r->out->height : 1, r->row_bytes)) != MML_OK ||
        (st = mmli_calloc(&r->out->pixels, r->out->width * r->out->height, r->out->channels * sizeof(uint16_t))) != MML_OK)
        give_up(r, st);
    for (size_t pass = 0; interlaced && pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
        for (size_t y = 0; y < r->out->height; y++)
            png_read_row(r->png, r->rows + y * r->row_bytes, NULL);
    if (interlaced)
        return;
    r->row_bytes = 0; /* rows come one by one, all to the same place */
}

static void take_row(reader *r, size_t y, const unsigned char *row)
{
    const size_t c = r->out->channels, each = r->out->most > 255 ? 2 : 1;
    uint16_t *to = r->out->pixels + y * r->out->width * c;

    for (size_t x = 0; x < r->out->width; x++, row += r->stored * each)
        for (size_t k = 0; k < r->stored; k++) {
            const unsigned value = each == 2 ? (unsigned)row[2 * k] << 8 | row[2 * k + 1] : row[k];

            if (k < c)
                *to++ = (uint16_t)value;
            else
                r->out->transparent = r->out->transparent || value != r->out->most;
        }
}

static void read_pixels(reader *r)
{
    prepare(r);
    for (size_t y = 0; y < r->out->height; y++) {
        if (r->row_bytes == 0)
            png_read_row(r->png, r->rows, NULL);
        take_row(r, y, r->rows + y * r->row_bytes);
    }
    png_read_end(r->png, r->info); /* checksums, and that the end is there */
    r->out->orientation = orientation(r); /* may stand behind the pixels */
}

/* Everything that may jump. */
static void read_guarded(reader *r)
{
    if (setjmp(r->back) != 0)
        return;
    png_set_read_fn(r->png, r, on_read);
    png_set_user_limits(r->png, MMLI_IMAGE_SIDE, MMLI_IMAGE_SIDE);
    png_set_chunk_malloc_max(r->png, CHUNK_BYTES);
    png_set_chunk_cache_max(r->png, CHUNKS);
    read_header(r);
    if (r->in->pixels)
        read_pixels(r);
}

mml_status mmli_png_read(mmli_image *out, const mmli_image_bytes *in)
{
    mml_status st = MML_OK;
    reader *r = NULL;

    MML_TRY(mmli_calloc(&r, 1, sizeof *r));
    r->in = in;
    r->out = out;
    r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
    MML_CHECK(r->png != NULL && (r->info = png_create_info_struct(r->png)) != NULL, MML_E_NOMEM, "%s: libpng %s cannot be started: out "
              "of memory, or not the library that this was built for (%s)", in->path, png_get_libpng_ver(NULL), PNG_LIBPNG_VER_STRING);
    read_guarded(r);
    st = r->st;
out:
    if (r != NULL) {
        png_destroy_read_struct(&r->png, &r->info, NULL);
        mmli_free(r->rows);
        mmli_free(r);
    }
    return st;
}
