/* kind_images.c - a folder of JPEG and PNG files, or one of them: an image a sample, all brought to one size.
 *
 * Headers are read when it is opened, pixels when their turn comes. An image that cannot be read is a missing modality of its
 * sample: its pixels are NaN, of which tokens.c makes no token; the report names it. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "import/image_files.h"
#include "import/image_look.h"
#include "import/probe.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"

enum { TOLD = 20 }; /* images that the report names with the reason */

typedef struct images_source {
    mmli_image_files files;
    size_t *file_of; /* (n_pieces) which of the files */
    const char **bases; /* (files.n) last parts of their names, lent; NULL: not wanted */
    uint8_t *bad;    /* (files.n) */
    size_t n_bad, transparent;
    bool strict;
} images_source;

/* ---- options ------------------------------------------------------------------------------------------------------------ */

/* "64" or "64x96": height and width. */
static bool parse_size(size_t dims[2], const char *text)
{
    const char *cross = strchr(text, 'x');
    const size_t n = cross != NULL ? (size_t)(cross - text) : strlen(text);

    if (!mmli_parse_size(&dims[0], text, n, MMLI_IMAGE_SIDE) ||
        !mmli_parse_size(&dims[1], cross != NULL ? cross + 1 : text, cross != NULL ? strlen(cross + 1) : n, MMLI_IMAGE_SIDE))
        return false;
    return dims[0] > 0 && dims[1] > 0;
}

static mml_status set_size(mmli_source *s, const mmli_image_survey *survey)
{
    mml_status st = MML_OK;
    const char *size = mmli_source_option(s, "size");

    if (size != NULL) {
        if (!parse_size(s->dims, size))
            st = mmli_source_bad_option(s, "size", "a height, or HEIGHTxWIDTH, in pixels is needed");
        goto out;
    }
    MML_CHECK(mmli_image_survey_one_size(survey), MML_E_SHAPE,
              "%s: modality %s: the images are %zu to %zu pixels high and %zu to %zu wide; say which size they are brought to: "
              "size = HEIGHTxWIDTH", s->m->file, s->m->name, survey->low[0], survey->high[0], survey->low[1], survey->high[1]);
    memcpy(s->dims, survey->low, sizeof survey->low);
out:
    return st;
}

static mml_status set_channels(mmli_source *s, const mmli_image_survey *survey)
{
    static const char *const names[] = {"r", "g", "b"};
    mml_status st = MML_OK;
    const char *colour = mmli_source_option(s, "colour");
    const bool grey = colour != NULL ? strcmp(colour, "grey") == 0 : survey->grey == survey->n;

    if (colour != NULL && !grey && strcmp(colour, "rgb") != 0) {
        st = mmli_source_bad_option(s, "colour", "rgb or grey is needed");
        goto out;
    }
    MML_TRY(mmli_calloc(&s->names, 3, sizeof *s->names));
    s->rank = 3;
    s->dims[2] = grey ? 1 : 3;
    for (size_t i = 0; i < s->dims[2]; i++)
        MML_TRY(mmli_strdup(&s->names[i], grey ? "grey" : names[i]));
out:
    return st;
}

static mml_status set_strict(images_source *b, const mmli_source *s)
{
    const char *strict = mmli_source_option(s, "strict");

    b->strict = s->context->config->strict;
    if (b->strict)
        return MML_OK;
    return strict == NULL || mmli_parse_bool(&b->strict, strict, strlen(strict))
               ? MML_OK
               : mmli_source_bad_option(s, "strict", "yes or no is needed");
}

static mml_status find_files(images_source *b, const mmli_source *s)
{
    static const char *const words[] = {"no", "sample", "any"};
    const char *folders = mmli_source_option(s, "folders");

    for (int i = 0; i < 3; i++)
        if (folders == NULL || strcmp(folders, words[i]) == 0)
            return mmli_image_files_find(&b->files, s->m->file, (mmli_image_folders)i);
    return mmli_source_bad_option(s, "folders", "no, sample (a folder is a sample) or any (a file is a sample) is needed");
}

/* ---- whose an image is ------------------------------------------------------------------------------------------------------ */

static mml_status add_piece(mmli_source *s, images_source *b, const char *id, size_t file, size_t line)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_strdup(&s->ids[s->n_pieces], id));
    if (s->lines != NULL)
        s->lines[s->n_pieces] = line;
    b->file_of[s->n_pieces++] = file;
out:
    return st;
}

/* The files as a cell may call them. */
typedef struct finder {
    mmli_index names, bases; /* below the folder; their last parts, if all of them differ */
} finder;

static size_t find_name(const finder *f, const char *name, size_t n)
{
    const size_t at = mmli_index_find(&f->names, name, n);

    return at != SIZE_MAX ? at : mmli_index_find(&f->bases, name, n);
}

/* A cell names a file with or without ending, and with all its folders, more of them, or none. */
static size_t find_file(const finder *f, const char *cell)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png"};
    const size_t n = strlen(cell);
    size_t bare = n, at = SIZE_MAX;

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t m = strlen(endings[i]);

        if (n > m && strcasecmp(cell + n - m, endings[i]) == 0)
            bare = n - m;
    }
    for (const char *p = cell; at == SIZE_MAX && p != NULL; p = strchr(p, '/') != NULL ? strchr(p, '/') + 1 : NULL) {
        at = find_name(f, p, n - (size_t)(p - cell));
        if (at == SIZE_MAX)
            at = find_name(f, p, bare - (size_t)(p - cell));
    }
    return at;
}

static mml_status make_finder(finder *f, const images_source *b)
{
    mml_status st = MML_OK;
    size_t first, second;

    MML_TRY(mmli_index_make(&f->names, (const char *const *)b->files.names, b->files.n, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s and %s have the same name but for the ending; which one is meant?",
              b->files.paths[first], b->files.paths[second]);
    MML_TRY(mmli_index_make(&f->bases, (const char *const *)b->bases, b->files.n, &first, &second));
    if (first != SIZE_MAX)
        mmli_index_free(&f->bases);
out:
    return st;
}

static mml_status pieces_of_table(mmli_source *s, images_source *b, const mmli_table *t, const finder *in)
{
    mml_status st = MML_OK;
    char list[MMLI_LIST_BYTES];
    const char **missing = NULL;
    size_t n_missing = 0;

    MML_TRY(mmli_calloc(&missing, t->n, sizeof *missing));
    MML_TRY(mmli_calloc(&s->ids, t->n, sizeof *s->ids));
    MML_TRY(mmli_calloc(&s->lines, t->n, sizeof *s->lines));
    MML_TRY(mmli_calloc(&b->file_of, t->n, sizeof *b->file_of));
    for (size_t i = 0; i < t->n; i++) {
        const char *cell = t->texts[0][i];
        const size_t at = find_file(in, cell);

        if (at != SIZE_MAX)
            MML_TRY(add_piece(s, b, t->ids[i], at, t->rows[i]));
        else if (!mmli_is_missing(cell, strlen(cell)))
            missing[n_missing++] = cell;
    }
    MML_CHECK(s->n_pieces > 0, MML_E_DATA, "%s: no cell of column %s names a file of %s; images look like \"%s\" there and \"%s\" here",
              t->path, t->names[0], s->m->file, n_missing > 0 ? missing[0] : "", b->files.names[0]);
    MML_TRY(mmli_buf_printf(&s->notes, "  images belong to samples by column %s of %s\n", t->names[0], t->path));
    if (n_missing > 0)
        MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s of %s %s no file in %s: %s\n", n_missing, mmli_by_number(n_missing, "image", "images"), t->path,
                                mmli_by_number(n_missing, "has", "have"), s->m->file,
                                mmli_list(list, missing, n_missing)));
out:
    mmli_free(missing);
    return st;
}

/* `image = COLUMN` of the labels file. */
static mml_status by_table(mmli_source *s, images_source *b, const char *column)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = s->context->config;
    mmli_table table = {0};
    finder in = {0};

    if (c->labels == NULL) {
        st = mmli_source_bad_option(s, "image", "is a column of the labels file, and there is none");
        goto out;
    }
    MML_TRY(mmli_table_read(&table, &(mmli_sheet){.path = c->labels, .more = c->more, .n_more = c->n_more, .no_header = c->no_header,
                                                  .names = c->names}, c->id, &column, 1));
    MML_TRY(mmli_calloc(&b->bases, b->files.n, sizeof *b->bases));
    for (size_t i = 0; i < b->files.n; i++) {
        const char *slash = strrchr(b->files.names[i], '/');

        b->bases[i] = slash != NULL ? slash + 1 : b->files.names[i];
    }
    MML_TRY(make_finder(&in, b));
    MML_TRY(pieces_of_table(s, b, &table, &in));
out:
    mmli_index_free(&in.names);
    mmli_index_free(&in.bases);
    mmli_table_free(&table);
    return st;
}

static mml_status by_name(mmli_source *s, images_source *b)
{
    mml_status st = MML_OK;
    size_t first, second;

    MML_TRY(mmli_image_files_same_id(&first, &second, &b->files));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s and %s are both images of sample %s; one is needed: image = COLUMN of the labels file says "
              "which", b->files.paths[first], b->files.paths[second], b->files.ids[first]);
    MML_TRY(mmli_calloc(&s->ids, b->files.n, sizeof *s->ids));
    MML_TRY(mmli_calloc(&b->file_of, b->files.n, sizeof *b->file_of));
    for (size_t i = 0; i < b->files.n; i++)
        MML_TRY(add_piece(s, b, b->files.ids[i], i, 0));
out:
    return st;
}

/* ---- what cannot be read ------------------------------------------------------------------------------------------------------- */

/* The failure that was just told about a file: an error when that is wanted, else a line of the report. */
static mml_status set_aside(mmli_source *s, images_source *b, size_t file, mml_status why)
{
    mml_status st = MML_OK;

    if (b->strict || (why != MML_E_FORMAT && why != MML_E_IO))
        MML_TRY(mmli_problem(s->context->problems, why));
    b->bad[file] = 1;
    if (b->n_bad++ < TOLD)
        MML_TRY(mmli_buf_printf(&s->notes, "  cannot be read, is missing: %s\n", mml_last_error()));
    else if (b->n_bad == TOLD + 1)
        MML_TRY(mmli_buf_puts(&s->notes, "  and more that cannot be read\n"));
out:
    return st;
}

static mml_status look_at_all(mmli_image_survey *survey, mmli_source *s, images_source *b)
{
    mml_status st = MML_OK;
    mmli_image image;

    *survey = (mmli_image_survey){0};
    for (size_t i = 0; i < s->n_pieces; i++) {
        const size_t file = b->file_of[i];
        const mml_status why = mmli_image_look(&image, b->files.paths[file]);

        if (why != MML_OK)
            MML_TRY(set_aside(s, b, file, why));
        else
            mmli_image_survey_add(survey, &image);
    }
    MML_CHECK(survey->n > 0, MML_E_DATA, "%s: no image (of %zu) can be read; the last one: %.300s", s->m->file, s->n_pieces,
              mml_last_error());
out:
    return st;
}

/* ---- the source --------------------------------------------------------------------------------------------------------------- */

static mml_status images_open(mmli_source *s)
{
    mml_status st = MML_OK;
    images_source *b = NULL;
    mmli_image_survey survey;
    const char *column = mmli_source_option(s, "image");

    MML_TRY(mmli_calloc(&b, 1, sizeof *b));
    s->state = b;
    MML_TRY(set_strict(b, s));
    MML_TRY(find_files(b, s));
    MML_TRY(mmli_calloc(&b->bad, b->files.n, 1));
    MML_TRY(column != NULL ? by_table(s, b, column) : by_name(s, b));
    MML_TRY(look_at_all(&survey, s, b));
    MML_TRY(set_size(s, &survey));
    MML_TRY(set_channels(s, &survey));
    if (b->files.others > 0)
        MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s of %s %s not .jpg, .jpeg or .png\n", b->files.others,
                                mmli_by_number(b->files.others, "file", "files"), s->m->file, mmli_by_number(b->files.others, "is", "are")));
    if (b->files.loose > 0)
        MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s of %s left out: in no folder, so of no sample\n", b->files.loose,
                                mmli_by_number(b->files.loose, "image", "images"), s->m->file));
out:
    return st;
}

static void images_close(mmli_source *s)
{
    images_source *b = s->state;

    if (b == NULL)
        return;
    mmli_image_files_free(&b->files);
    mmli_free(b->file_of);
    mmli_free(b->bases);
    mmli_free(b->bad);
    mmli_free(b);
}

static mml_status read_image(float *values, mmli_source *s, images_source *b, size_t file)
{
    mml_status st = MML_OK;
    mmli_image image = {0};
    const size_t n = mmli_source_row_values(s);
    mml_status why = MML_OK;

    if (!b->bad[file] && (why = mmli_image_read(&image, b->files.paths[file])) != MML_OK)
        MML_TRY(set_aside(s, b, file, why));
    if (b->bad[file]) {
        for (size_t i = 0; i < n; i++)
            values[i] = NAN;
        goto out;
    }
    b->transparent += image.transparent;
    MML_TRY(mmli_image_resize(values, s->dims[0], s->dims[1], s->dims[2], &image));
out:
    mmli_image_free(&image);
    return st;
}

static mml_status images_read(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *s)
{
    mml_status st = MML_OK;
    images_source *b = s->state;
    const size_t before = b->transparent;

    (void)positions;
    for (size_t i = 0; i < n; i++)
        MML_TRY(read_image(values + spans[i].to * mmli_source_row_values(s), s, b, b->file_of[spans[i].piece]));
    if (before == 0 && b->transparent > 0)
        MML_TRY(mmli_buf_puts(&s->notes, "  some images have transparent pixels; the colour stored in them was taken\n"));
out:
    return st;
}

static mml_status images_probe(mmli_sureness *out, char *what, const mmli_probe *p)
{
    mml_status st = MML_OK;
    mmli_image_files files = {0};
    mmli_image image;

    if (p->folder)
        MML_TRY(mmli_image_files_find(&files, p->path, MMLI_FOLDERS_NO));
    if (p->folder ? files.n == 0 : !mmli_image_is(p->bytes, p->n))
        goto out;
    *out = p->folder ? MMLI_LIKELY : MMLI_CERTAIN;
    if (p->folder)
        (void)snprintf(what, MMLI_WHAT_BYTES, "a folder of %zu %s", files.n, mmli_by_number(files.n, "image", "images"));
    else if ((st = mmli_image_look(&image, p->path)) == MML_OK)
        (void)snprintf(what, MMLI_WHAT_BYTES, "a %s image of %zu x %zu (height x width)", image.jpeg ? "JPEG" : "PNG", image.height,
                       image.width);
    else
        (void)snprintf(what, MMLI_WHAT_BYTES, "an image (JPEG, PNG) that cannot be read");
out:
    mmli_image_files_free(&files);
    return st == MML_E_NOMEM ? st : MML_OK;
}

static const char *const keys[] = {"size", "colour", "image", "folders", "strict", NULL};

const mmli_source_kind mmli_kind_images = {
    .name = "images",
    .what = "a folder of images (JPEG, PNG)",
    .keys = keys,
    .probe = images_probe,
    .open = images_open,
    .close = images_close,
    .read = images_read,
    .inspect = mmli_images_inspect,
    .suggest = mmli_images_suggest,
};
