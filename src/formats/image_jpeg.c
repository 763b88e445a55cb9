/* image_jpeg.c - JPEG by libjpeg: 8 bits, grey or three channels, baseline and progressive.
 *
 * libjpeg reports by calls that must not return: they jump back to read_guarded(), whose caller owns all that is to be freed. It
 * also goes on after damaged data with a warning and grey pixels; here such a warning is an error, for a half grey image would be
 * learnt. Warnings that leave the pixels alone (a strange version, bytes between markers) are passed over, as elsewhere. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "formats/image_inside.h"
#include "util/alloc.h"
#include "util/error.h"

/* Scans of a progressive image; real ones have about 10. Each passes over the whole image, however few bytes it has. */
enum { SCANS = 100 };

typedef struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    const mmli_image_bytes *in;
    mmli_image *out;
    unsigned char *row;
    mml_status st;
} reader;

_Noreturn static void give_up(reader *r, mml_status st)
{
    r->st = st;
    longjmp(r->back, 1);
}

_Noreturn static void on_error(j_common_ptr common)
{
    reader *r = common->client_data;
    char words[JMSG_LENGTH_MAX];

    common->err->format_message(common, words);
    give_up(r, mmli_fail(common->err->msg_code == JERR_OUT_OF_MEMORY ? MML_E_NOMEM : MML_E_FORMAT,
                         "%s: this JPEG file is damaged or of a kind that is not read: %s", r->in->path, words));
}

static void on_message(j_common_ptr common, int level)
{
    static const int harmless[] = {JWRN_ADOBE_XFORM, JWRN_EXTRANEOUS_DATA, JWRN_JFIF_MAJOR, JWRN_TOO_MUCH_DATA};

    if (level >= 0)
        return;
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (common->err->msg_code == harmless[i])
            return;
    on_error(common);
}

static void on_output(j_common_ptr common)
{
    (void)common; /* a library does not print */
}

static void on_progress(j_common_ptr common)
{
    reader *r = common->client_data;

    if (r->jpeg.input_scan_number > SCANS)
        give_up(r, mmli_fail(MML_E_FORMAT, "%s: has more than %d scans", r->in->path, SCANS));
}

static unsigned orientation(const struct jpeg_decompress_struct *jpeg)
{
    for (const struct jpeg_marker_struct *m = jpeg->marker_list; m != NULL; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 && memcmp(m->data, "Exif\0", 6) == 0)
            return mmli_exif_orientation(m->data + 6, m->data_length - 6);
    return 1;
}

static void read_header(reader *r)
{
    mml_status st;

    jpeg_mem_src(&r->jpeg, r->in->bytes, (unsigned long)r->in->n);
    jpeg_save_markers(&r->jpeg, JPEG_APP0 + 1, 0xffff);
    (void)jpeg_read_header(&r->jpeg, TRUE);
    if ((st = mmli_image_check_size(r->in->path, r->jpeg.image_width, r->jpeg.image_height)) != MML_OK)
        give_up(r, st);
    if (r->jpeg.jpeg_color_space == JCS_CMYK || r->jpeg.jpeg_color_space == JCS_YCCK)
        give_up(r, mmli_fail(MML_E_FORMAT, "%s: its colours are CMYK, for print, and have no red, green and blue without the profile of "
                             "the printer; convert it: magick FILE -colorspace sRGB NEW.png", r->in->path));
    if (r->jpeg.num_components != 1 && r->jpeg.num_components != 3)
        give_up(r, mmli_fail(MML_E_FORMAT, "%s: has %d channels; 1 (grey) or 3 (colour) are read", r->in->path,
                             r->jpeg.num_components));
    r->out->width = r->jpeg.image_width;
    r->out->height = r->jpeg.image_height;
    r->out->channels = (size_t)r->jpeg.num_components;
    r->out->orientation = orientation(&r->jpeg);
}

/* Huffman codes have a bit or more for every block of 8 x 8: a file too small for its size is told before memory is asked for. */
static void check_bytes(reader *r)
{
    const struct jpeg_decompress_struct *j = &r->jpeg;
    size_t blocks = 0;

    for (int i = 0; i < j->num_components; i++) {
        const jpeg_component_info *c = &j->comp_info[i];

        blocks += (size_t)j->image_width * (size_t)c->h_samp_factor / (8 * (size_t)j->max_h_samp_factor) *
                  ((size_t)j->image_height * (size_t)c->v_samp_factor / (8 * (size_t)j->max_v_samp_factor));
    }
    if (!j->arith_code && blocks / 8 > r->in->n)
        give_up(r, mmli_fail(MML_E_FORMAT, "%s: is damaged: %zu bytes cannot hold %zu x %zu pixels", r->in->path, r->in->n,
                             r->out->width, r->out->height));
}

static void read_pixels(reader *r)
{
    const size_t n = r->out->width * r->out->channels;
    mml_status st;

    check_bytes(r);
    if ((st = mmli_calloc(&r->out->pixels, r->out->height, n * sizeof *r->out->pixels)) != MML_OK ||
        (st = mmli_calloc(&r->row, n, 1)) != MML_OK)
        give_up(r, st);
    r->jpeg.out_color_space = r->out->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    r->jpeg.dct_method = JDCT_ISLOW; /* exact to the bit on every processor */
    (void)jpeg_start_decompress(&r->jpeg);
    while (r->jpeg.output_scanline < r->jpeg.output_height) {
        uint16_t *to = r->out->pixels + r->jpeg.output_scanline * n;

        (void)jpeg_read_scanlines(&r->jpeg, &r->row, 1);
        for (size_t i = 0; i < n; i++)
            to[i] = r->row[i];
    }
    (void)jpeg_finish_decompress(&r->jpeg);
}

/* Everything that may jump. */
static void read_guarded(reader *r)
{
    if (setjmp(r->back) != 0)
        return;
    jpeg_create_decompress(&r->jpeg);
    r->jpeg.progress = &r->progress;
    read_header(r);
    if (r->in->pixels)
        read_pixels(r);
}

mml_status mmli_jpeg_read(mmli_image *out, const mmli_image_bytes *in)
{
    mml_status st = MML_OK;
    reader *r;

    MML_TRY(mmli_calloc(&r, 1, sizeof *r));
    r->in = in;
    r->out = out;
    r->jpeg.err = jpeg_std_error(&r->errors);
    r->jpeg.client_data = r;
    r->errors.error_exit = on_error;
    r->errors.emit_message = on_message;
    r->errors.output_message = on_output;
    r->progress.progress_monitor = on_progress;
    read_guarded(r);
    st = r->st;
    jpeg_destroy_decompress(&r->jpeg); /* also fine when it was never made */
    mmli_free(r->row);
    mmli_free(r);
out:
    return st;
}
