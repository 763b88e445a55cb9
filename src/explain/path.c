/* path.c - see path.h. */
#include "explain/path.h"

#include <math.h>
#include <string.h>

#include "explain/summary.h"
#include "util/alloc.h"
#include "util/error.h"

static bool is_chosen(const mml_explainer *e, const char *modality)
{
    bool chosen = e->o.modalities == NULL;

    for (size_t i = 0; e->o.modalities && i < e->o.n_modalities; i++)
        chosen = chosen || strcmp(e->o.modalities[i], modality) == 0;
    return chosen;
}

/* ---- baseline ----------------------------------------------------------------------------------------------------------- */

/* The mean of training: 0 once centred; of what is not scaled the value that stands for a missing one. */
static float middle(const mmli_prep *prep, size_t f)
{
    return prep->o.scaling == MML_SCALE_NONE && prep->scale_inv[f] != 0.0f ? prep->fill[f] : 0.0f;
}

/* Indicators are 0: of a mask `not measured`, which most of a series is at most times, of a flag `not missing`.
 * One row: raw as in the batch, x preprocessed. seen (width_in): was the feature measured earlier in this sample, so that its
 * value may be carried forward? Then what is carried counts as measured. */
static void base_row(float *base, const float *x, const float *raw, uint8_t *seen, const mmli_prep *prep)
{
    const bool carries = prep->o.imputation == MML_IMPUTE_LOCF;
    size_t at = prep->width_in;

    for (size_t f = 0; f < prep->width_in; f++) {
        const bool known = !isnan(raw[f]);

        seen[f] = seen[f] || known;
        base[f] = known || (carries && seen[f]) ? middle(prep, f) : x[f];
    }
    for (size_t f = 0; prep->o.indicators != MML_INDICATE_NONE && f < prep->width_in; f++)
        if (prep->indicator[f])
            base[at++] = 0;
    memcpy(base + at, x + at, (prep->width_out - at) * sizeof *base);
}

static mml_status make_base(mmli_path_part *part, const mmli_prep *prep, const mml_tokens *tokens, size_t B)
{
    mml_status st = MML_OK;
    uint8_t *seen = NULL;

    MML_TRY(mmli_calloc(&seen, prep->width_in, 1));
    MML_TRY(mmli_calloc(&part->base, part->T, part->width * sizeof *part->base));
    for (size_t b = 0; b < B; b++) {
        memset(seen, 0, prep->width_in);
        for (size_t t = (size_t)tokens->offsets[b]; t < (size_t)tokens->offsets[b + 1]; t++)
            base_row(part->base + t * part->width, part->x + t * part->width, tokens->values + t * prep->width_in, seen, prep);
    }
out:
    mmli_free(seen);
    return st;
}

static mml_status list_columns(mmli_path_part *part, const mmli_prep *prep)
{
    const bool indicates = prep->o.indicators != MML_INDICATE_NONE;
    mml_status st = MML_OK;

    part->columns = prep->width_in;
    for (size_t f = 0; indicates && f < prep->width_in; f++)
        part->columns += prep->indicator[f] != 0;
    MML_TRY(mmli_calloc(&part->feature, part->columns, sizeof *part->feature));
    MML_TRY(mmli_calloc(&part->indicator, part->columns, 1));
    for (size_t f = 0, at = prep->width_in; f < prep->width_in; f++) {
        part->feature[f] = f;
        if (indicates && prep->indicator[f]) {
            part->feature[at] = f;
            part->indicator[at++] = 1;
        }
    }
out:
    return st;
}

/* ---- all members -------------------------------------------------------------------------------------------------------- */

void mmli_path_clear(mmli_path *path)
{
    for (size_t m = 0; path->part && m < path->model->n; m++) {
        mmli_path_part *p = &path->part[m];

        mmli_free(p->off);
        mmli_free(p->x);
        mmli_free(p->base);
        mmli_free(p->raw);
        mmli_free(p->feature);
        mmli_free(p->indicator);
    }
    mmli_free(path->part);
    *path = (mmli_path){0};
}

/* tokens: as the cohort has them; match: how they become those of training. */
static mml_status make_part(mmli_path_part *part, const mml_explainer *e, const mmli_member *m, mml_tokens *tokens, size_t B,
                            const mmli_match *match, bool summarises)
{
    mml_status st = MML_OK;
    float *matched = NULL;

    part->T = (size_t)tokens->offsets[B];
    part->width = m->prep->width_out;
    part->moves = is_chosen(e, m->modality);
    memcpy(part->off, tokens->offsets, (B + 1) * sizeof *part->off);
    if (match && match->from) {
        MML_TRY(mmli_calloc(&matched, part->T, match->width * sizeof *matched));
        mmli_match_values(matched, match, tokens->values, part->T, tokens->width);
        tokens->values = matched;
        tokens->width = match->width;
    }
    MML_TRY(mmli_calloc(&part->x, part->T, part->width * sizeof *part->x));
    MML_TRY(mmli_prep_apply(part->x, m->prep, tokens, B));
    MML_TRY(list_columns(part, m->prep));
    part->width_in = m->prep->width_in;
    if (summarises) {
        MML_TRY(mmli_calloc(&part->raw, part->T, part->width_in * sizeof *part->raw));
        memcpy(part->raw, tokens->values, part->T * part->width_in * sizeof *part->raw);
    }
    if (part->moves)
        MML_TRY(make_base(part, m->prep, tokens, B));
out:
    mmli_free(matched);
    return st;
}

mml_status mmli_path_make(mmli_path *path, const mml_explainer *e, const mml_batch *batch, mmli_match *const *matches)
{
    mml_status st = MML_OK;

    mmli_path_clear(path);
    path->model = e->model;
    path->B = mml_batch_size(batch);
    path->summarises = e->model->baseline && mmli_kind_summarises(e->model->baseline->o.kind);
    path->joins = e->model->baseline && mmli_baseline_joins(e->model->baseline);
    MML_TRY(mmli_calloc(&path->part, e->model->n, sizeof *path->part));
    for (size_t m = 0; m < e->model->n; m++) {
        mml_tokens tokens;

        MML_TRY(mmli_calloc(&path->part[m].off, path->B + 1, sizeof *path->part[m].off));
        if (mml_batch_get(&tokens, batch, e->model->members[m].modality) == MML_OK)
            MML_TRY(make_part(&path->part[m], e, &e->model->members[m], &tokens, path->B, matches[m],
                              path->summarises));
    }
out:
    if (st != MML_OK)
        mmli_path_clear(path);
    return st;
}

/* ---- a point of it ------------------------------------------------------------------------------------------------------ */

static void between(float *y, const mmli_path_part *p, size_t first, size_t n, double at)
{
    for (size_t i = first * p->width; i < (first + n) * p->width; i++)
        *y++ = p->moves ? (float)((double)p->base[i] + at * ((double)p->x[i] - (double)p->base[i])) : p->x[i];
}

static size_t tokens_of(const mmli_path_part *p, size_t sample)
{
    return (size_t)(p->off[sample + 1] - p->off[sample]);
}

/* The points of one member on the host. */
static mml_status put_part(mmli_host_tokens *out, uint8_t *present, mmli_tape *tape, const mmli_path_part *p,
                           const mmli_path_point *point, size_t n)
{
    int64_t *off = mmli_tape_host(tape, (n + 1) * sizeof *off);
    mml_status st = MML_OK;
    size_t T = 0, bytes;
    float *x;

    for (size_t i = 0; i < n; i++)
        T += tokens_of(p, point[i].sample);
    MML_CHECK(mmli_mul_size(&bytes, T, p->width) && mmli_mul_size(&bytes, bytes, sizeof *x), MML_E_NOMEM,
              "%zu tokens of width %zu are too many", T, p->width);
    x = mmli_tape_host(tape, bytes);
    MML_TRY(mmli_tape_status(tape));
    off[0] = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t rows = tokens_of(p, point[i].sample);

        between(x + (size_t)off[i] * p->width, p, (size_t)p->off[point[i].sample], rows, point[i].at);
        off[i + 1] = off[i] + (int64_t)rows;
        present[i] = rows > 0;
    }
    if (T > 0)
        *out = (mmli_host_tokens){x, off, p->width};
out:
    return st;
}

/* Those points as one row each. */
static mml_status summarise(mmli_host_tokens *host, mmli_tape *tape, const mmli_path_part *p, mml_modality_kind kind,
                            const mmli_path_point *point, size_t n)
{
    const mmli_host_tokens x = *host;
    float *raw = x.values ? mmli_tape_host(tape, (size_t)x.offsets[n] * p->width_in * sizeof *raw) : NULL;

    if (!raw)
        return mmli_tape_status(tape);
    for (size_t i = 0; i < n; i++)
        memcpy(raw + (size_t)x.offsets[i] * p->width_in, p->raw + (size_t)p->off[point[i].sample] * p->width_in,
               tokens_of(p, point[i].sample) * p->width_in * sizeof *raw);
    return mmli_summarise(host, tape, kind, &x, raw, p->width_in, n);
}

static mml_status upload(mmli_input *in, mmli_tape *tape, const mmli_host_tokens *host, size_t n, bool moves)
{
    mml_status st = MML_OK;

    if (!host->values)
        return MML_OK;
    MML_TRY(mmli_ragged_make(&in->ragged, tape, host->offsets, n));
    in->x = mmli_tape_input(tape, host->values, (size_t)host->offsets[n], host->width, moves);
    st = mmli_tape_status(tape);
out:
    return st;
}

mml_status mmli_path_inputs(mmli_inputs *in, mmli_tape *tape, const mmli_path *path, const mmli_path_point *point, size_t n)
{
    const size_t members = path->model->n;
    mmli_host_tokens *host = mmli_tape_host(tape, members * sizeof *host), joined;
    mml_status st = MML_OK;

    *in = (mmli_inputs){.samples = n};
    in->in = mmli_tape_host(tape, members * sizeof *in->in);
    in->present = mmli_tape_host(tape, members * n);
    MML_TRY(mmli_tape_status(tape));
    memset(in->in, 0, members * sizeof *in->in);
    memset(in->present, 0, members * n);
    memset(host, 0, members * sizeof *host);
    for (size_t m = 0; m < members; m++) {
        if (path->part[m].T > 0)
            MML_TRY(put_part(&host[m], in->present + m * n, tape, &path->part[m], point, n));
        if (path->summarises)
            MML_TRY(summarise(&host[m], tape, &path->part[m], path->model->members[m].kind, point, n));
        if (!path->joins)
            MML_TRY(upload(&in->in[m], tape, &host[m], n, path->part[m].moves));
    }
    if (path->joins) {
        MML_TRY(mmli_join_tokens(&joined, tape, path->model->baseline, host, n));
        MML_TRY(upload(&in->in[0], tape, &joined, n, true));
    }
out:
    return st;
}

/* ---- the way back ------------------------------------------------------------------------------------------------------- */

/* Gradients of one set of all tokens as those of each member's. at: row of the set. */
static void part_joined(float **dx, const mmli_path *path, const float *joined, size_t width, const mmli_path_point *point,
                        size_t n, size_t *row)
{
    size_t at = 0;

    memset(row, 0, path->model->n * sizeof *row);
    for (size_t i = 0; i < n; i++)
        for (size_t m = 0; m < path->model->n; m++)
            for (size_t t = 0; t < tokens_of(&path->part[m], point[i].sample); t++, at++) {
                const size_t w = path->part[m].width;

                if (path->part[m].moves)
                    memcpy(dx[m] + w * row[m]++, joined + at * width, w * sizeof **dx);
            }
}

/* dy: gradients of the summaries, a row for each point that has tokens. */
static mml_status part_summaries(float *dx, const float *dy, size_t width, mmli_tape *tape, const mmli_path_part *p,
                                 mml_modality_kind kind, const mmli_path_point *point, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t first = (size_t)p->off[point[i].sample], rows = tokens_of(p, point[i].sample);
        const mmli_tape_mark mark = mmli_tape_get_mark(tape);
        float *x = rows > 0 ? mmli_tape_host(tape, rows * p->width * sizeof *x) : NULL;

        if (x) {
            between(x, p, first, rows, point[i].at);
            mmli_summary_back(dx, dy, kind, x, p->width, p->raw + first * p->width_in, p->width_in, rows);
            dx += rows * p->width;
            dy += width;
        }
        mmli_tape_release(tape, mark);
    }
    return mmli_tape_status(tape);
}

static mml_status download(float *out, mmli_device *dv, const mmli_var *x)
{
    const size_t n = x->rows * x->cols;

    if (mmli_tape_reached(x))
        return dv->k.download(dv, out, x->grad, n * sizeof *out);
    memset(out, 0, n * sizeof *out);
    return MML_OK;
}

mml_status mmli_path_gradients(float **dx, size_t *cap, size_t *row, mmli_tape *tape, const mmli_path *path,
                               const mmli_inputs *in, const mmli_path_point *point, size_t n)
{
    mmli_device *dv = mmli_tape_device(tape);
    const mmli_var *set = path->joins ? in->in[0].x : NULL;
    mml_status st = MML_OK;
    float *joined;

    for (size_t m = 0; m < path->model->n; m++) {
        const mmli_path_part *p = &path->part[m];
        size_t T = 0;

        for (size_t i = 0; i < n; i++)
            T += tokens_of(p, point[i].sample);
        if (!p->moves || T == 0)
            continue;
        MML_TRY(mmli_grow(&dx[m], &cap[m], T * p->width, sizeof **dx));
        if (path->summarises) {
            const mmli_var *y = in->in[m].x;
            float *dy = mmli_tape_host(tape, y->rows * y->cols * sizeof *dy);

            MML_TRY(mmli_tape_status(tape));
            MML_TRY(download(dy, dv, y));
            MML_TRY(part_summaries(dx[m], dy, y->cols, tape, p, path->model->members[m].kind, point, n));
        } else if (!path->joins)
            MML_TRY(download(dx[m], dv, in->in[m].x));
    }
    if (set) {
        joined = mmli_tape_host(tape, set->rows * set->cols * sizeof *joined);
        MML_TRY(mmli_tape_status(tape));
        MML_TRY(download(joined, dv, set));
        part_joined(dx, path, joined, set->cols, point, n, row);
    }
out:
    return st;
}
