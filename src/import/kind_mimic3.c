/* kind_mimic3.c - a folder of the MIMIC-III benchmark as a series: the benchmark's discretiser without its imputation, which
 * is left to the preprocessing of a model (fitted on training rows alone). A stay is read when its turn comes. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "import/folder_list.h"
#include "import/mimic3.h"
#include "import/probe.h"
#include "import/source.h"
#include "util/alloc.h"
#include "util/error.h"

enum { DEFAULT_BINS = 48, MOST_BINS = 100000 };

typedef struct m3_source {
    mmli_m3_folder folder;
    mmli_bins bins;
    double width; /* hours */
    size_t n_bins;
    bool masks;
} m3_source;

static mml_status read_options(mmli_source *s, m3_source *m)
{
    const char *bin = mmli_source_option(s, "bin"), *bins = mmli_source_option(s, "bins"), *masks = mmli_source_option(s, "masks");

    m->width = 1;
    m->n_bins = DEFAULT_BINS;
    if (s->m->kind != MML_SERIES)
        return mmli_fail(MML_E_FORMAT, "%s:%zu: [%s] of the MIMIC-III benchmark kind = series is needed", s->m->ini_path, s->m->line,
                         s->m->section->name);
    if (bin != NULL && (!mmli_parse_double(&m->width, bin, strlen(bin)) || !(m->width > 0) || !isfinite(m->width)))
        return mmli_source_bad_option(s, "bin", "a number of hours above 0 is needed");
    if (bins != NULL && (!mmli_parse_size(&m->n_bins, bins, strlen(bins), MOST_BINS) || m->n_bins == 0))
        return mmli_source_bad_option(s, "bins", "a whole number from 1 to 100000 is needed");
    if (masks != NULL && !mmli_parse_bool(&m->masks, masks, strlen(masks)))
        return mmli_source_bad_option(s, "masks", "yes or no is needed");
    return MML_OK;
}

static mml_status take_names(mmli_source *s, const m3_source *m)
{
    mml_status st = MML_OK;
    size_t width = m->masks ? MMLI_M3_CHANNELS : 0, at = 0;

    for (size_t c = 0; c < MMLI_M3_CHANNELS; c++)
        width += mmli_m3_channels[c].n > 0 ? mmli_m3_channels[c].n : 1;
    s->rank = 2;
    s->dims[0] = m->n_bins;
    s->dims[1] = width;
    MML_TRY(mmli_calloc(&s->names, width, sizeof *s->names));
    for (size_t c = 0; c < MMLI_M3_CHANNELS; c++) {
        const mmli_m3_channel *channel = &mmli_m3_channels[c];

        if (channel->n == 0)
            MML_TRY(mmli_strdup(&s->names[at++], channel->name));
        for (size_t k = 0; k < channel->n; k++)
            MML_TRY(mmli_strf(&s->names[at++], "%s->%s", channel->name, channel->categories[k]));
    }
    for (size_t c = 0; m->masks && c < MMLI_M3_CHANNELS; c++)
        MML_TRY(mmli_strf(&s->names[at++], "mask->%s", mmli_m3_channels[c].name));
out:
    return st;
}

static mml_status m3_open(mmli_source *s)
{
    mml_status st = MML_OK;
    m3_source *m;

    MML_TRY(mmli_calloc(&s->state, 1, sizeof *m));
    m = s->state;
    MML_TRY(read_options(s, m));
    MML_TRY(mmli_m3_folder_read(&m->folder, s->m->file));
    MML_TRY(take_names(s, m));
    MML_TRY(mmli_bins_make(&m->bins, m->n_bins, MMLI_M3_CHANNELS));
    MML_TRY(mmli_calloc(&s->ids, m->folder.n, sizeof *s->ids));
    for (size_t i = 0; i < m->folder.n; i++) {
        const mmli_m3_sample *sample = &m->folder.samples[i];

        MML_TRY(mmli_strdup(&s->ids[i], sample->id));
        s->n_pieces++;
        if (!mmli_file_is(sample->file))
            MML_TRY(mmli_problem(s->context->problems, mmli_fail(MML_E_IO, "%s: is not there, and row %zu of listfile.csv names it",
                                                                 sample->file, sample->row)));
    }
out:
    return st;
}

static void m3_close(mmli_source *s)
{
    m3_source *m = s->state;

    if (m == NULL)
        return;
    mmli_m3_folder_free(&m->folder);
    mmli_bins_free(&m->bins);
    mmli_free(m);
}

/* One row of (bins, width): numbers, one-hot words, masks. */
static void write_sample(float *out, const m3_source *m)
{
    for (size_t t = 0; t < m->n_bins; t++) {
        for (size_t c = 0; c < MMLI_M3_CHANNELS; c++) {
            const double x = mmli_bins_get(&m->bins, t, c, MMLI_LAST);

            if (mmli_m3_channels[c].n == 0)
                *out++ = (float)x;
            for (size_t k = 0; k < mmli_m3_channels[c].n; k++)
                *out++ = isnan(x) ? NAN : x == (double)k ? 1.0f : 0.0f;
        }
        for (size_t c = 0; m->masks && c < MMLI_M3_CHANNELS; c++)
            *out++ = isnan(mmli_bins_get(&m->bins, t, c, MMLI_LAST)) ? 0.0f : 1.0f;
    }
}

static mml_status m3_rows(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *s)
{
    mml_status st = MML_OK;
    m3_source *m = s->state;
    const size_t width = mmli_source_row_values(s);

    (void)positions;
    for (size_t i = 0; i < n; i++) {
        MML_TRY(mmli_problem(s->context->problems, mmli_m3_read(&m->bins, m->width, &m->folder.samples[spans[i].piece])));
        write_sample(values + spans[i].to * width, m);
    }
out:
    return st;
}

static mml_status m3_probe(mmli_sureness *out, char *what, const mmli_probe *p)
{
    mml_status st = MML_OK;
    bool is = false;

    if (p->folder)
        MML_TRY(mmli_m3_is(&is, p->path));
    if (!is)
        goto out;
    (void)snprintf(what, MMLI_WHAT_BYTES, "a task of the MIMIC-III benchmark: lists and time series of stays");
    *out = MMLI_CERTAIN;
out:
    return st;
}

static mml_status m3_inspect(mmli_facts *facts, const char *path)
{
    mml_status st = MML_OK;
    mmli_m3_folder f = {0};
    size_t test = 0;

    MML_TRY(mmli_m3_folder_read(&f, path));
    for (size_t i = 0; i < f.n; i++)
        test += strcmp(f.samples[i].set, "test") == 0;
    MML_TRY(mmli_fact(facts, "samples", "%zu (%zu of test)", f.n, test));
    for (size_t k = 0; k < f.n_columns; k++)
        MML_TRY(mmli_fact_column(facts, f.columns[k], "label", 0, ""));
    for (size_t c = 0; c < MMLI_M3_CHANNELS; c++)
        MML_TRY(mmli_fact_column(facts, mmli_m3_channels[c].name, mmli_m3_channels[c].n > 0 ? "category" : "number", 0, ""));
out:
    mmli_m3_folder_free(&f);
    return st;
}

/* 0 and 1 alone? Else hours that remain, in the lists of length of stay. */
static bool is_flag(const mmli_m3_folder *f, size_t k)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->samples[i].texts[k], "0") != 0 && strcmp(f->samples[i].texts[k], "1") != 0)
            return false;
    return true;
}

static mml_status suggest_tasks(mmli_suggestion *out, const mmli_m3_folder *f)
{
    mml_status st = MML_OK;

    for (size_t k = 0; k < f->n_columns; k++) {
        char name[41];
        size_t n = 0;

        for (const char *p = f->columns[k]; *p != '\0' && n + 1 < sizeof name; p++)
            name[n++] = (char)(isalnum((unsigned char)*p) ? *p : '_');
        name[n] = '\0';
        MML_TRY(mmli_suggest_task(out, name, is_flag(f, k) ? MML_BINARY : MML_REGRESSION));
        MML_TRY(mmli_buf_printf(&out->tasks, "label = %s\n", f->columns[k]));
    }
out:
    return st;
}

static mml_status m3_suggest(mmli_suggestion *out, const char *path)
{
    mml_status st = MML_OK;
    mmli_m3_folder f = {0};
    bool taken;

    MML_TRY(mmli_m3_folder_read(&f, path));
    MML_CHECK(f.n > 0, MML_E_DATA, "%s: the lists have no stays", path);
    MML_TRY(mmli_suggest_labels(&taken, out, path, "stay", "subject"));
    if (taken && f.samples[0].set[0] != '\0')
        MML_TRY(mmli_buf_puts(&out->cohort, "columns = set\n"));
    if (taken)
        MML_TRY(suggest_tasks(out, &f));
    MML_TRY(mmli_suggest_modality(out, "series", MML_SERIES, path));
    MML_TRY(mmli_suggest_key(out, "format", "mimic3"));
    MML_TRY(mmli_suggest_key(out, "bin", "1"));
    MML_TRY(mmli_suggest_key(out, "bins", "48"));
out:
    mmli_m3_folder_free(&f);
    return st;
}

static const char *const keys[] = {"bin", "bins", "masks", NULL};

const mmli_source_kind mmli_kind_mimic3 = {
    .name = "mimic3",
    .what = "a folder of the MIMIC-III benchmark",
    .keys = keys,
    .probe = m3_probe,
    .open = m3_open,
    .close = m3_close,
    .read = m3_rows,
    .inspect = m3_inspect,
    .suggest = m3_suggest,
    .texts = mmli_m3_texts,
};
