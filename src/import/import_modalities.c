/* import_modalities.c - the modalities of a cohort: opened, copied, reported. */
#include "import/importing.h"

#include <math.h>

#include "util/alloc.h"
#include "util/error.h"

/* A series kept as one summary token a sample is a table: models choose their defaults by that. */
static mml_modality_kind stored_kind(const mmli_import_modality *m)
{
    return m->summary ? MML_TABLE : m->kind;
}

static mml_status report_modality(mmli_importing *im, const mmli_import_modality *m, const mmli_token_writer *w,
                                  const mmli_source *source, size_t unknown)
{
    mml_status st = MML_OK;
    double measured = 0, cells = (double)w->written * (double)w->width, missing;
    char list[MMLI_LIST_BYTES];

    for (size_t j = 0; j < w->width; j++)
        measured += (double)w->measured[j];
    missing = cells > 0 ? 100.0 * (cells - measured) / cells : 0;
    MML_TRY(mmli_buf_printf(&im->report, "modality %s (%s): %zu of %zu %s, %zu %s of %zu %s, ", m->name,
                            mmli_modality_kind_name(stored_kind(m)), w->n_present, im->n, mmli_by_number(im->n, "sample", "samples"), w->written,
                            mmli_by_number(w->written, "token", "tokens"), w->width, mmli_by_number(w->width, "feature", "features")));
    MML_TRY(mmli_buf_double(&im->report, floor(missing * 10 + 0.5) / 10));
    MML_TRY(mmli_buf_puts(&im->report, " % of their values missing\n"));
    if (unknown > 0)
        MML_TRY(mmli_buf_printf(&im->report, "  %zu %s of %s left out: not in the labels file\n", unknown,
                                mmli_by_number(unknown, "row", "rows"), m->file));
    if (source->n_left_out > 0)
        MML_TRY(mmli_buf_printf(&im->report, "  left out because they are labels, groups or splits: %s\n",
                                mmli_list(list, (const char *const *)source->left_out, source->n_left_out)));
    if (source->notes.len > 0)
        MML_TRY(mmli_buf_add(&im->report, source->notes.text, source->notes.len));
    if (w->n_present == 0)
        MML_TRY(mmli_buf_printf(&im->report, "  WARNING: no sample has this modality\n"));
out:
    return st;
}

/* Of a config that nobody has written: the columns that the suggestion excludes. One of them may be a bad cell away from a feature. */
static mml_status report_excluded(mmli_importing *im, const mmli_import_modality *m)
{
    mml_status st = MML_OK;
    const char **names = NULL;
    char list[MMLI_LIST_BYTES];
    size_t n = 0;

    MML_TRY(mmli_calloc(&names, m->n_columns + 1, sizeof *names));
    for (size_t i = 0; i < m->n_columns; i++)
        if (m->columns[i][0] == '-')
            names[n++] = m->columns[i] + 1;
    if (n > 0)
        MML_TRY(mmli_buf_printf(&im->report, "  columns left out, as mmlego inspect --init suggests: %s\n",
                                mmli_list(list, names, n)));
out:
    mmli_free(names);
    return st;
}

/* For the message: an id of the modality and one of the cohort. */
static mml_status no_common_ids(const mmli_importing *im, const mmli_source *source)
{
    return mmli_fail(MML_E_DATA, "%s: modality %s: none of its %zu ids is in %s; ids look like \"%s\" here and \"%s\" there",
                     source->m->file, source->m->name, source->n_pieces, im->config.labels, source->ids[0], im->ids[0]);
}

mml_status mmli_importing_modality(mmli_importing *im, size_t which)
{
    mml_status st = MML_OK;
    const mmli_import_modality *m = &im->config.modalities[which];
    const mmli_copy_watch watch = {.what = m->name, .progress = im->progress, .user = im->user};
    mmli_source *source;
    mmli_tokenizer t = {0};
    mmli_token_writer w = {.group = -1, .values = -1, .axes = -1};
    mmli_visits visits = {0};

    MML_TRY(mmli_copy_tell(&watch, 0, 0));
    MML_TRY(mmli_importing_open(im, which));
    source = im->sources[which];
    MML_TRY(mmli_visits_make(&visits, source, &im->samples));
    if (visits.n == 0) {
        st = no_common_ids(im, source);
        goto out;
    }
    MML_TRY(mmli_tokenizer_make(&t, m, source));
    im->writer.compress = source->unpacked && im->config.compress == MMLI_COMPRESS_AUTO ? 0 : im->config.compress;
    MML_TRY(mmli_token_write_begin(&w, &im->writer, m->name, stored_kind(m), t.width, t.n_axes, t.features,
                                   mmli_tokens_are_half(&t)));
    if (t.category_of != NULL)
        MML_TRY(mmli_token_write_categories(&w, t.category_of));
    if (source->position_unit > 0)
        MML_TRY(mmli_h5_set_f64(w.group, im->out_path, "position_unit", source->position_unit));
    MML_TRY(mmli_copy_tokens(&w, &t, source, &visits, im->ids, &watch));
    MML_TRY(mmli_token_write_end(&w));
    for (size_t i = 0; i < im->n; i++)
        im->present[which * im->n + i] = w.offsets[i + 1] > w.offsets[i];
    MML_TRY(report_modality(im, m, &w, source, source->n_pieces - visits.n));
    if (im->suggested)
        MML_TRY(report_excluded(im, m));
    if (t.notes.len > 0)
        MML_TRY(mmli_buf_add(&im->report, t.notes.text, t.notes.len));
out:
    mmli_visits_free(&visits);
    mmli_token_write_free(&w);
    mmli_tokenizer_free(&t);
    mmli_source_close(im->sources[which]);
    im->sources[which] = NULL;
    return st;
}

mml_status mmli_importing_overlap(mmli_importing *im)
{
    mml_status st = MML_OK;
    const mmli_import_config *c = &im->config;
    const size_t n = im->n, m = c->n_modalities;
    size_t all = 0, none = 0, both;

    if (m < 2)
        goto out;
    for (size_t i = 0; i < n; i++) {
        size_t has = 0;

        for (size_t a = 0; a < m; a++)
            has += im->present[a * n + i];
        all += has == m;
        none += has == 0;
    }
    MML_TRY(mmli_buf_printf(&im->report, "overlap: %zu %s all %zu modalities, %zu %s none\n", all, mmli_by_number(all, "sample has", "samples have"), m, none,
                            mmli_by_number(none, "has", "have")));
    for (size_t a = 0; a < m && m > 2; a++)
        for (size_t b = a + 1; b < m; b++) {
            both = 0;
            for (size_t i = 0; i < n; i++)
                both += im->present[a * n + i] & im->present[b * n + i];
            MML_TRY(mmli_buf_printf(&im->report, "  %s + %s: %zu\n", c->modalities[a].name, c->modalities[b].name, both));
        }
out:
    return st;
}
