/* kind_physionet2012.c - a folder of the PhysioNet / CinC Challenge 2012: its descriptors as a table, or its measurements
 * by the hour as a series; which of them says the kind of the modality.
 *
 * Every record is read when the source is opened (its errors are found, what is left out is counted), and once more when its
 * turn comes: nothing is held but one stay. */
#include <stdio.h>

#include "import/physionet.h"
#include "import/probe.h"
#include "import/source.h"
#include "util/alloc.h"
#include "util/error.h"

typedef struct p12_source {
    mmli_p12_folder folder;
    mmli_bins bins;
} p12_source;

static mml_status take_names(mmli_source *s)
{
    const bool series = s->m->kind == MML_SERIES;
    const size_t n = series ? MMLI_P12_CHANNELS : MMLI_P12_STATICS;
    mml_status st = MML_OK;

    s->rank = series ? 2 : 1;
    s->dims[0] = series ? MMLI_P12_HOURS : n;
    s->dims[1] = n;
    MML_TRY(mmli_calloc(&s->names, n, sizeof *s->names));
    for (size_t i = 0; i < n; i++)
        MML_TRY(mmli_strdup(&s->names[i], series ? mmli_p12_channels[i] : mmli_p12_statics[i]));
out:
    return st;
}

static mml_status note_counts(mmli_source *s, const mmli_p12_counts *c)
{
    mml_status st = MML_OK;

    if (c->implausible > 0 && s->m->kind == MML_SERIES)
        MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s left out: no patient can have %s\n", c->implausible,
                                mmli_by_number(c->implausible, "value", "values"), mmli_by_number(c->implausible, "it", "them")));
    if (c->late > 0 && s->m->kind == MML_SERIES)
        MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s stamped 48:00 or later went to the last hour\n", c->late, mmli_by_number(c->late, "value", "values")));
    if (c->unknown > 0)
        MML_TRY(mmli_buf_printf(&s->notes, "  %zu %s left out: of unknown parameters\n", c->unknown, mmli_by_number(c->unknown, "value", "values")));
out:
    return st;
}

static mml_status p12_open(mmli_source *s)
{
    mml_status st = MML_OK;
    mmli_p12_counts counts = {0};
    p12_source *p;

    MML_TRY(mmli_calloc(&s->state, 1, sizeof *p));
    p = s->state;
    MML_CHECK(s->m->kind == MML_SERIES || s->m->kind == MML_TABLE, MML_E_FORMAT,
              "%s:%zu: [%s] of PhysioNet 2012 kind = table (descriptors) or series (measurements by the hour) is needed",
              s->m->ini_path, s->m->line, s->m->section->name);
    MML_TRY(mmli_p12_folder_read(&p->folder, s->m->file));
    MML_CHECK(p->folder.n > 0, MML_E_DATA, "%s: has no records (RecordID.txt), also not in set-a, set-b or set-c", s->m->file);
    MML_TRY(take_names(s));
    if (s->rank == 2)
        MML_TRY(mmli_bins_make(&p->bins, MMLI_P12_HOURS, MMLI_P12_CHANNELS));
    MML_TRY(mmli_calloc(&s->ids, p->folder.n, sizeof *s->ids));
    for (size_t i = 0; i < p->folder.n; i++) {
        MML_TRY(mmli_strdup(&s->ids[i], p->folder.stays[i].id));
        s->n_pieces++;
        MML_TRY(mmli_problem(s->context->problems, mmli_p12_read(NULL, NULL, &counts, &p->folder.stays[i])));
    }
    MML_TRY(note_counts(s, &counts));
out:
    return st;
}

static void p12_close(mmli_source *s)
{
    p12_source *p = s->state;

    if (p == NULL)
        return;
    mmli_p12_folder_free(&p->folder);
    mmli_bins_free(&p->bins);
    mmli_free(p);
}

static mml_status p12_rows(float *values, float *positions, mmli_piece_span *spans, size_t n, mmli_source *s)
{
    mml_status st = MML_OK;
    p12_source *p = s->state;
    const size_t width = mmli_source_row_values(s);
    mmli_p12_counts counts = {0};

    (void)positions;
    for (size_t i = 0; i < n; i++) {
        float *row = values + spans[i].to * width;
        const mmli_p12_stay *stay = &p->folder.stays[spans[i].piece];

        if (s->rank == 1) {
            MML_TRY(mmli_problem(s->context->problems, mmli_p12_read(row, NULL, &counts, stay)));
            continue;
        }
        MML_TRY(mmli_problem(s->context->problems, mmli_p12_read(NULL, &p->bins, &counts, stay)));
        mmli_p12_values(row, &p->bins);
    }
out:
    return st;
}

/* ---- from outside --------------------------------------------------------------------------------------------------------- */

static mml_status p12_probe(mmli_sureness *out, char *what, const mmli_probe *p)
{
    mml_status st = MML_OK;
    mmli_p12_folder f = {0};
    mmli_p12_counts counts = {0};

    if (p->folder)
        MML_TRY(mmli_p12_folder_read(&f, p->path));
    if (f.n > 0) {
        st = mmli_p12_read(NULL, NULL, &counts, &f.stays[0]);
        *out = f.n_outcomes > 0 || st == MML_OK ? MMLI_CERTAIN : MMLI_NOT;
        (void)snprintf(what, MMLI_WHAT_BYTES, "%zu %s of the PhysioNet / CinC Challenge 2012%s", f.n, mmli_by_number(f.n, "stay", "stays"),
                       f.n_outcomes > 0 ? ", with outcomes" : "");
    }
out:
    mmli_p12_folder_free(&f);
    return st == MML_E_NOMEM ? st : MML_OK;
}

static mml_status p12_inspect(mmli_facts *facts, const char *path)
{
    mml_status st = MML_OK;
    mmli_p12_folder f = {0};
    mmli_p12_counts c = {0};

    MML_TRY(mmli_p12_folder_read(&f, path));
    for (size_t i = 0; i < f.n; i++)
        MML_TRY(mmli_p12_read(NULL, NULL, &c, &f.stays[i]));
    MML_TRY(mmli_fact(facts, "stays", "%zu", f.n));
    MML_TRY(mmli_fact(facts, "outcome files", "%zu", f.n_outcomes));
    MML_TRY(mmli_fact(facts, "left out", "%zu that no patient can have, %zu of unknown parameters", c.implausible, c.unknown));
    MML_TRY(mmli_fact(facts, "after 48 hours", "%zu %s", c.late, mmli_by_number(c.late, "value", "values")));
    for (size_t i = 0; i < MMLI_P12_STATICS; i++)
        MML_TRY(mmli_fact_column(facts, mmli_p12_statics[i], "number (table)", 0, ""));
    for (size_t i = 0; i < MMLI_P12_CHANNELS; i++)
        MML_TRY(mmli_fact_column(facts, mmli_p12_channels[i], "number (series)", 0, ""));
out:
    mmli_p12_folder_free(&f);
    return st;
}

static mml_status p12_suggest(mmli_suggestion *out, const char *path)
{
    mml_status st = MML_OK;
    mmli_p12_folder f = {0};
    bool taken = false;

    MML_TRY(mmli_p12_folder_read(&f, path));
    if (f.n_outcomes > 0)
        MML_TRY(mmli_suggest_labels(&taken, out, path, "RecordID", NULL));
    if (taken && f.n_outcomes > 1)
        MML_TRY(mmli_buf_puts(&out->cohort, "columns = @file\n"));
    if (taken) {
        MML_TRY(mmli_suggest_task(out, "in_hospital_death", MML_BINARY));
        MML_TRY(mmli_buf_puts(&out->tasks, "label = In-hospital_death\n"));
    }
    MML_TRY(mmli_suggest_modality(out, "static", MML_TABLE, path));
    MML_TRY(mmli_suggest_key(out, "format", "physionet2012"));
    MML_TRY(mmli_suggest_modality(out, "series", MML_SERIES, path));
    MML_TRY(mmli_suggest_key(out, "format", "physionet2012"));
out:
    mmli_p12_folder_free(&f);
    return st;
}

const mmli_source_kind mmli_kind_physionet2012 = {
    .name = "physionet2012",
    .what = "a folder of the PhysioNet / CinC Challenge 2012",
    .probe = p12_probe,
    .open = p12_open,
    .close = p12_close,
    .read = p12_rows,
    .inspect = p12_inspect,
    .suggest = p12_suggest,
    .texts = mmli_p12_texts,
};
