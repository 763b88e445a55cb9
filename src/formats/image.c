/* image.c - which decoder, the orientation, and what is too large. */
#include "formats/image.h"

#include <string.h>

#include "formats/image_inside.h"
#include "formats/input.h"
#include "util/alloc.h"
#include "util/error.h"

static const size_t first_look = (size_t)1 << 20;     /* bytes: the header is there, unless a profile before it is huge */
static const uint64_t file_most = (uint64_t)1 << 28; /* 256 MiB: what 2^26 pixels can need, nearly always */

static bool is_jpeg(const unsigned char *bytes, size_t n)
{
    return n >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0;
}

bool mmli_image_is(const unsigned char *bytes, size_t n)
{
    return is_jpeg(bytes, n) || (n >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0);
}

mml_status mmli_image_check_size(const char *path, uint64_t width, uint64_t height)
{
    mml_status st = MML_OK;

    MML_CHECK(width > 0 && height > 0, MML_E_FORMAT, "%s: is damaged: its size is 0", path);
    MML_CHECK(width <= MMLI_IMAGE_SIDE && height <= MMLI_IMAGE_SIDE && width * height <= MMLI_IMAGE_PIXELS, MML_E_FORMAT,
              "%s: %llu x %llu pixels are too many (%d a side and %d in all are read); make it smaller first", path,
              (unsigned long long)width, (unsigned long long)height, MMLI_IMAGE_SIDE, MMLI_IMAGE_PIXELS);
out:
    return st;
}

/* ---- orientation ----------------------------------------------------------------------------------------------------- */

static unsigned long number(const unsigned char *b, size_t n, bool little)
{
    unsigned long x = 0;

    for (size_t i = 0; i < n; i++)
        x |= (unsigned long)b[i] << 8 * (little ? i : n - 1 - i);
    return x;
}

/* TIFF: byte order, 42, where the first directory is; there 12 bytes an entry: tag, type, count, value. */
unsigned mmli_exif_orientation(const unsigned char *b, size_t n)
{
    enum { ORIENTATION = 0x0112, SHORT = 3, ENTRY = 12 };
    const bool little = n >= 8 && memcmp(b, "II*\0", 4) == 0;
    unsigned long at, entries;

    if (n < 8 || (!little && memcmp(b, "MM\0*", 4) != 0))
        return 1;
    at = number(b + 4, 4, little);
    if (at > n - 2)
        return 1;
    entries = number(b + at, 2, little);
    for (at += 2; entries > 0 && at <= n && n - at >= ENTRY; entries--, at += ENTRY) {
        const unsigned long value = number(b + at + 8, 2, little);

        if (number(b + at, 2, little) == ORIENTATION && number(b + at + 2, 2, little) == SHORT)
            return value >= 1 && value <= 8 ? (unsigned)value : 1;
    }
    return 1;
}

/* Orientation o: 2, 4 are mirrored, 3 turned round, 5 to 8 have rows and columns exchanged. */
static void swap_sides(mmli_image *image)
{
    const size_t width = image->width;

    if (image->orientation >= 5) {
        image->width = image->height;
        image->height = width;
    }
}

static mml_status turn(mmli_image *image)
{
    mml_status st = MML_OK;
    const unsigned o = image->orientation;
    const size_t w = image->width, h = image->height, c = image->channels;
    const bool across = o >= 5, from_right = o == 2 || o == 3 || o == 7 || o == 8, from_below = o == 3 || o == 4 || o == 6 || o == 7;
    uint16_t *to = NULL;

    MML_TRY(mmli_calloc(&to, w * h, c * sizeof *to)); /* (sizes as stored) bounded by mmli_image_check_size() */
    for (size_t y = 0, n = 0; y < (across ? w : h); y++)
        for (size_t x = 0; x < (across ? h : w); x++) {
            const size_t column = across ? y : x, row = across ? x : y;
            const uint16_t *from = image->pixels + ((from_below ? h - 1 - row : row) * w + (from_right ? w - 1 - column : column)) * c;

            for (size_t k = 0; k < c; k++)
                to[n++] = from[k];
        }
    mmli_free(image->pixels);
    image->pixels = to;
out:
    return st;
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static mml_status decode(mmli_image *out, const mmli_image_bytes *in)
{
    mml_status st = MML_OK;

    *out = (mmli_image){.orientation = 1, .most = 255};
    MML_CHECK(mmli_image_is(in->bytes, in->n), MML_E_FORMAT, "%s: is not a JPEG or PNG image", in->path);
    out->jpeg = is_jpeg(in->bytes, in->n);
    MML_TRY(out->jpeg ? mmli_jpeg_read(out, in) : mmli_png_read(out, in));
    if (in->pixels && out->orientation != 1)
        MML_TRY(turn(out));
    swap_sides(out);
out:
    if (st != MML_OK)
        mmli_image_free(out);
    return st;
}

/* The first `most` bytes of a file, or as many as it has. */
static mml_status get_bytes(unsigned char **out, size_t *n, mmli_input *in, uint64_t most)
{
    mml_status st = MML_OK;
    const uint64_t size = mmli_input_size(in);

    *out = NULL;
    MML_CHECK(size > 0, MML_E_FORMAT, "%s: is empty", mmli_input_name(in));
    *n = (size_t)(size < most ? size : most);
    MML_TRY(mmli_calloc(out, *n, 1));
    MML_TRY(mmli_input_read(in, 0, *out, *n));
out:
    return st;
}

static mml_status read_file(mmli_image *out, const char *path, uint64_t most, bool pixels, bool *whole)
{
    mml_status st = MML_OK;
    mmli_input *in = NULL;
    unsigned char *bytes = NULL;
    size_t n = 0;

    *out = (mmli_image){0};
    *whole = true;
    MML_TRY(mmli_input_open(&in, path));
    MML_CHECK(mmli_input_size(in) <= file_most, MML_E_FORMAT, "%s: has more than %llu bytes, which no image that is read needs",
              path, (unsigned long long)file_most);
    *whole = mmli_input_size(in) <= most;
    MML_TRY(get_bytes(&bytes, &n, in, most));
    MML_TRY(decode(out, &(mmli_image_bytes){bytes, n, path, pixels}));
out:
    mmli_free(bytes);
    mmli_input_close(in);
    return st;
}

mml_status mmli_image_look(mmli_image *out, const char *path)
{
    bool whole;
    const mml_status st = read_file(out, path, first_look, false, &whole);

    return st == MML_E_FORMAT && !whole ? read_file(out, path, file_most, false, &whole) : st;
}

mml_status mmli_image_read(mmli_image *out, const char *path)
{
    bool whole;

    return read_file(out, path, file_most, true, &whole);
}

void mmli_image_free(mmli_image *image)
{
    mmli_free(image->pixels);
    image->pixels = NULL;
}
