/* kind_bags.c - a folder of slides' features in HDF5 (CLAM h5_files, TRIDENT features_*): one piece a slide.
 *
 * Only what is about the whole is looked at first: shapes, widths, and the coordinates, from which the positions are made. The
 * features are read when their turn comes, from one open file, so that a cohort of slides needs no more memory than a block.
 *
 * Positions are x and y in pixels of level 0, divided by one power of two for all slides: they lie in [0, 1), distances can be
 * compared from slide to slide, and a multiplication gives the pixels back to the last one. */
#include <string.h>

#include "formats/bag_h5.h"
#include "import/facts.h"
#include "import/probe.h"
#include "import/slide_files.h"
#include "import/suggest.h"
#include "util/alloc.h"
#include "util/error.h"

enum { COORDS_TOGETHER = 1 << 14, AXES = 2 };

typedef struct bags_source {
    mmli_slides slides;
    size_t width_from; /* the slide that the width was taken from */
    char *encoder;     /* its own word, or NULL */
    bool coords, any;  /* every slide so far has coordinates; any slide has rows */
    double most;       /* largest coordinate; negative ones are no pixels */
    bool negative;
    mmli_bag open;     /* that was read last */
    size_t open_piece;
} bags_source;

static mml_status read_options(mmli_slides_options *o, char **table, const mmli_source *s)
{
    static const char *const words[] = {"all", "first", "dx1"};
    const char *which = mmli_source_option(s, "slides"), *name = mmli_source_option(s, "table");
    const char *folder = s->context->config->folder;
    mml_status st = MML_OK;
    size_t i = 0;

    *table = NULL;
    if (name != NULL) {
        if (name[0] == '/' || folder == NULL || folder[0] == '\0')
            MML_TRY(mmli_strdup(table, name));
        else
            MML_TRY(mmli_strf(table, "%s/%s", folder, name));
    }
    while (which != NULL && i < 3 && strcmp(words[i], which) != 0)
        i++;
    if (i == 3) {
        st = mmli_source_bad_option(s, "slides", "all, first or dx1 is needed");
        goto out;
    }
    *o = (mmli_slides_options){.table = *table,
                               .of = mmli_source_option(s, "case"),
                               .slide = mmli_source_option(s, "slide"),
                               .which = (mmli_slides_which)i};
out:
    return st;
}

static mml_status other_width(const bags_source *b, const mmli_bag *bag, size_t width)
{
    return mmli_fail(MML_E_SHAPE, "%s has features of width %zu (%s%s), %s of width %zu (%s%s): a modality needs features of one encoder",
                     bag->path, bag->width, bag->encoder != NULL ? "it says " : "",
                     bag->encoder != NULL ? bag->encoder : mmli_bag_encoders(bag->width), b->slides.list[b->width_from].file,
                     width, b->encoder != NULL ? "it says " : "",
                     b->encoder != NULL ? b->encoder : mmli_bag_encoders(width));
}

static mml_status look_at_coords(bags_source *b, mmli_bag *bag)
{
    mml_status st = MML_OK;
    float *xy = NULL;

    if (!bag->has_coords || !b->coords) {
        b->coords = false;
        goto out;
    }
    MML_TRY(mmli_calloc(&xy, COORDS_TOGETHER, AXES * sizeof *xy));
    for (size_t at = 0, n; at < bag->n; at += n) {
        n = bag->n - at < COORDS_TOGETHER ? bag->n - at : COORDS_TOGETHER;
        MML_TRY(mmli_rows_get(xy, at, n, bag->coords));
        for (size_t i = 0; i < n * AXES; i++) {
            b->negative = b->negative || !(xy[i] >= 0);
            b->most = (double)xy[i] > b->most ? (double)xy[i] : b->most;
        }
    }
out:
    mmli_free(xy);
    return st;
}

/* What one slide has: counts, and the first width of all. */
static mml_status look_at(mmli_source *s, bags_source *b, size_t piece)
{
    mml_status st = MML_OK;
    mmli_bag bag = {0};

    MML_TRY(mmli_bag_open(&bag, b->slides.list[piece].file));
    s->counts[piece] = bag.n;
    if (bag.n == 0)
        goto out;
    if (!b->any) {
        b->any = true;
        b->width_from = piece;
        s->dims[0] = bag.width;
        s->half = bag.half;
        MML_TRY(mmli_strdup(&b->encoder, bag.encoder));
    }
    if (bag.width != s->dims[0]) {
        st = other_width(b, &bag, s->dims[0]);
        goto out;
    }
    s->half = s->half && bag.half;
    MML_TRY(look_at_coords(b, &bag));
out:
    mmli_bag_close(&bag);
    return st;
}

static mml_status note_empty(mmli_source *s, const bags_source *b)
{
    mml_status st = MML_OK;
    const char **ids = NULL;
    char list[MMLI_LIST_BYTES];
    size_t n = 0;

    MML_TRY(mmli_calloc(&ids, b->slides.n, sizeof *ids));
    for (size_t i = 0; i < b->slides.n; i++)
        if (s->counts[i] == 0)
            ids[n++] = b->slides.list[i].id;
    if (n > 0)
        MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s empty (no tissue was found): %s\n", n, mmli_by_number(n, "slide is", "slides are"), mmli_list(list, ids, n)));
out:
    mmli_free(ids);
    return st;
}

/* One power of two for all slides. */
static mml_status make_positions(mmli_source *s, bags_source *b)
{
    if (!b->coords || b->negative)
        return mmli_buf_printf(&s->notes, "  no positions: %s\n", b->negative ? "some coordinates are negative"
                                                                               : "not every slide has coordinates");
    s->n_axes = AXES;
    for (s->position_unit = 1; s->position_unit <= b->most;)
        s->position_unit *= 2;
    return mmli_buf_printf(&s->notes, "  positions are x and y in pixels divided by %.0f\n", s->position_unit);
}

static mml_status bags_open(mmli_source *s)
{
    mml_status st = MML_OK;
    bags_source *b = NULL;
    mmli_slides_options options;
    char *table = NULL;

    MML_TRY(mmli_calloc(&b, 1, sizeof *b));
    s->state = b;
    b->open_piece = SIZE_MAX;
    b->coords = true;
    MML_TRY(read_options(&options, &table, s));
    MML_TRY(mmli_slides_find(&b->slides, &s->notes, s->m->file, &options, s->context->config));
    MML_TRY(mmli_calloc(&s->ids, b->slides.n, sizeof *s->ids));
    MML_TRY(mmli_calloc(&s->counts, b->slides.n, sizeof *s->counts));
    if (b->slides.by_line)
        MML_TRY(mmli_calloc(&s->lines, b->slides.n, sizeof *s->lines));
    s->rank = 1;
    for (size_t i = 0; i < b->slides.n; i++) {
        MML_TRY(mmli_strdup(&s->ids[i], b->slides.list[i].of));
        s->n_pieces++;
        if (s->lines != NULL)
            s->lines[i] = b->slides.list[i].line;
        MML_TRY(look_at(s, b, i));
    }
    MML_CHECK(b->any, MML_E_DATA, "%s: %s empty (no tissue was found)", s->m->file,
              mmli_by_number(b->slides.n, "the slide is", "all slides are"));
    s->unpacked = true;
    MML_TRY(note_empty(s, b));
    MML_TRY(make_positions(s, b));
out:
    mmli_free(table);
    return st;
}

static void bags_close(mmli_source *s)
{
    bags_source *b = s->state;

    if (b == NULL)
        return;
    mmli_bag_close(&b->open);
    mmli_slides_free(&b->slides);
    mmli_free(b->encoder);
    mmli_free(b);
}

static mml_status bags_read(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *s)
{
    mml_status st = MML_OK;
    bags_source *b = s->state;
    const size_t width = s->dims[0];
    const float scale = s->n_axes > 0 ? (float)(1.0 / s->position_unit) : 0.0f; /* exact: a power of two */

    for (size_t i = 0; i < n; i++) {
        const mmli_piece_span *p = &spans[i];
        float *xy = s->n_axes > 0 ? positions + p->to * AXES : NULL;

        if (b->open_piece != p->piece) {
            mmli_bag_close(&b->open);
            b->open_piece = SIZE_MAX;
            MML_TRY(mmli_bag_open(&b->open, b->slides.list[p->piece].file));
            MML_CHECK(b->open.n == s->counts[p->piece] && b->open.width == width && (xy == NULL || b->open.has_coords), MML_E_IO,
                      "%s: was changed while it was being imported", b->open.path);
            b->open_piece = p->piece;
        }
        MML_TRY(mmli_bag_read(values + p->to * width, xy, p->first, p->count, &b->open));
        for (size_t k = 0; xy != NULL && k < p->count * AXES; k++)
            xy[k] *= scale;
    }
out:
    return st;
}

static mml_status bags_probe(mmli_sureness *out, char *what, const mmli_probe *p)
{
    mml_status st = MML_OK;
    char *first = NULL;
    size_t n = 0;
    bool features = false, looks = false;

    if (p->folder)
        MML_TRY(mmli_slides_first(&first, &n, p->path));
    if (p->folder || mmli_probe_ends(p, ".h5"))
        MML_TRY(mmli_bag_looks_like(&looks, &features, first != NULL ? first : p->path));
    if (!looks)
        goto out;
    if (p->folder)
        snprintf(what, MMLI_WHAT_BYTES, "a folder of %zu %s (CLAM, TRIDENT): %s", n, mmli_by_number(n, "slide", "slides"),
                 features ? "features of patches" : "coordinates of patches, no features");
    else
        snprintf(what, MMLI_WHAT_BYTES, "a slide (CLAM, TRIDENT): %s",
                 features ? "features of patches" : "coordinates of patches, no features");
    *out = features ? MMLI_CERTAIN : MMLI_LIKELY;
out:
    mmli_free(first);
    return p->folder && st == MML_E_IO ? MML_OK : mmli_probe_failure(st); /* a folder may be what other formats read */
}

/* ---- inspect and suggest ---------------------------------------------------------------------------------------------------- */

static mml_status inspect_slide(mmli_facts *facts, const mmli_bag *bag)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_fact(facts, "slide", "%s", bag->path));
    MML_TRY(mmli_fact(facts, "features", "%zu rows of %zu%s", bag->n, bag->width, bag->half ? ", float16" : ""));
    MML_TRY(mmli_fact(facts, "encoder", "%s%s", bag->encoder != NULL ? "" : "by its width: ",
                      bag->encoder != NULL ? bag->encoder : mmli_bag_encoders(bag->width)));
    MML_TRY(mmli_fact(facts, "coordinates", "%s", bag->has_coords ? "yes" : "no"));
out:
    return st;
}

static mml_status inspect_empty(mmli_facts *facts, const mmli_slide_files *f, size_t empty)
{
    mml_status st = MML_OK;

    if (empty == f->paths.n) {
        MML_TRY(mmli_fact(facts, "slide", "%s", f->paths.names[0]));
        MML_TRY(mmli_fact(facts, "features", "none: %s", empty == 1 ? "the slide is empty (no tissue was found)"
                                                                     : "all slides are empty (no tissue was found)"));
    } else if (empty > 0) {
        MML_TRY(mmli_fact(facts, "empty slides", "the first %zu by name (no tissue was found), %s%s%s", empty, f->ids.names[0],
                          empty == 1 ? "" : " to ", empty == 1 ? "" : f->ids.names[empty - 1]));
    }
out:
    return st;
}

static mml_status bags_inspect(mmli_facts *facts, const char *path)
{
    mml_status st = MML_OK;
    mmli_slide_files f = {0};
    mmli_bag bag = {0};
    size_t at = 0;

    MML_TRY(mmli_slide_files_find(&f, path));
    MML_TRY(mmli_fact(facts, "slides", "%zu", f.paths.n));
    for (; at < f.paths.n && bag.n == 0; at++) { /* the first that tells something: no more of a large folder are opened */
        mmli_bag_close(&bag);
        MML_TRY(mmli_bag_open(&bag, f.paths.names[at]));
    }
    MML_TRY(inspect_empty(facts, &f, bag.n > 0 ? at - 1 : at));
    if (bag.n > 0)
        MML_TRY(inspect_slide(facts, &bag));
out:
    mmli_bag_close(&bag);
    mmli_slide_files_free(&f);
    return st;
}

static mml_status bags_suggest(mmli_suggestion *out, const char *path)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_suggest_modality(out, "slides", MML_BAG, path));
    MML_TRY(mmli_suggest_key(out, "format", "bags"));
out:
    return st;
}

static const char *const keys[] = {"table", "case", "slide", "slides", NULL};

const mmli_source_kind mmli_kind_bags = {.name = "bags",
                                         .what = "a folder of slides' features in HDF5 (CLAM, TRIDENT)",
                                         .keys = keys,
                                         .probe = bags_probe,
                                         .open = bags_open,
                                         .close = bags_close,
                                         .read = bags_read,
                                         .inspect = bags_inspect,
                                         .suggest = bags_suggest};
