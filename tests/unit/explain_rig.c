/* explain_rig.c - see explain_rig.h. */
#include "tests/unit/explain_rig.h"

#include <math.h>
#include <string.h>

#include "data/prep_inside.h"
#include "util/alloc.h"

bool rig_has(size_t m, size_t b)
{
    return b != 4 && !(b == 3 && m > 0) && (m != 1 || b % 3 != 1);
}

size_t rig_tokens(size_t m)
{
    return m == 2 ? 2 : 1;
}

void rig_make(rig_data *d)
{
    for (size_t m = 0; m < MODALITIES; m++) {
        const size_t width = mmlt_widths[m];

        mmlt_normal(d->x[m], N * rig_tokens(m) * width, 20 + m);
        d->off[m][0] = 0;
        for (size_t b = 0; b < N; b++)
            d->off[m][b + 1] = d->off[m][b] + (rig_has(m, b) ? (int64_t)rig_tokens(m) : 0);
        for (size_t i = 0; i < N * rig_tokens(m) * width; i += 5)
            d->x[m][i] = NAN;
    }
}

mml_cohort *rig_cohort(mmlt_cohort *made, const rig_data *d)
{
    mmlt_cohort_begin(made, N, NULL);
    for (size_t m = 0; m < MODALITIES; m++)
        mmlt_cohort_modality(made, mmlt_names[m], m == 2 ? "series" : "table", d->x[m], d->off[m], mmlt_widths[m], NULL, 0, NULL);
    return mmlt_cohort_open(made);
}

/* Preprocessing that has everything: centred, indicators, positions; scan carries values forward. */
static void set_prep(mmli_prep *p, size_t m)
{
    for (size_t f = 0; f < p->width_in; f++) {
        p->center[f] = 0.25f * (float)f;
        p->scale_inv[f] = 1.0f / (1 + 0.5f * (float)f);
        p->fill[f] = 0.125f + 0.25f * (float)f;
        p->indicator[f] = m == 1 ? f != 1 : 1;
    }
    p->o.scaling = MML_SCALE_STANDARD;
    p->o.clip = 5;
    p->o.imputation = m == 2 ? MML_IMPUTE_LOCF : MML_IMPUTE_MEDIAN;
    p->o.indicators = m == 1 ? MML_INDICATE_MISSING : MML_INDICATE_MASK;
    p->o.position_bands = m == 2 ? 1 : 0;
    mmlt_assert_ok(mmli_prep_set_width(p));
}

mml_model *rig_block(size_t m, mml_task_kind task, const rig_how *h)
{
    mml_model *model = NULL;
    mml_block_options o;
    mmli_prep *prep = NULL;
    const mml_modality_kind kind = m == 2 ? MML_SERIES : MML_TABLE;

    mmlt_assert_ok(mml_block_options_init(&o, NULL, h->preset, kind, MML_BINARY));
    o.latent_c = 5;
    o.latent_d = 6;
    o.steps = 2;
    o.heads = 2;
    o.head_width = 4;
    if (!o.raw_layers) {
        o.encoder = h->encoder;
        o.encoder_width = h->encoder == MML_ENCODER_NONE ? 0 : 6;
        o.encoder_layers = 0;
    }
    if (h->domain)
        o.transform = MML_TRANSFORM_SPATIAL;
    mmlt_assert_ok(mmli_prep_identity(&prep, mmlt_widths[m]));
    set_prep(prep, m);
    mmlt_assert_ok(mmli_model_new(&model, MML_MODEL_BLOCK, NULL, h->table, 2));
    model->task = mmlt_task(task);
    mmlt_assert_ok(mmli_model_add(model, mmlt_names[m], kind, h->preset, &o, prep, model->task->outputs, 0.5f, NULL));
    mmlt_assert_ok(mmli_model_build(model));
    mmlt_assert_ok(mmli_params_start(model->params, 30 + m, "outcome", 0));
    model->members[0].latent_rms = 0.5 + 0.5 * (double)m;
    model->members[0].from.valid_score = 0.6 + 0.05 * (double)m;
    return model;
}

mml_model *rig_baseline(mml_baseline_kind kind, size_t first, size_t last, mml_task_kind task)
{
    mml_model *model = NULL;
    mml_baseline_options o;
    mmli_prep *prep = NULL;

    mmlt_assert_ok(mml_baseline_options_init(&o, kind));
    o.width = o.width ? 6 : 0;
    o.hidden = o.hidden ? 6 : 0;
    o.latent_c = o.latent_c ? 5 : 0;
    o.latent_d = o.latent_d ? 6 : 0;
    o.head_width = o.head_width ? 4 : 0;
    o.self_heads = o.self_heads ? 2 : 0;
    o.reduction = o.reduction ? 2 : 0;
    mmlt_assert_ok(mmli_model_new(&model, MML_MODEL_BASELINE, NULL, NULL, 2));
    model->task = mmlt_task(task);
    for (size_t m = first; m <= last; m++) {
        mmlt_assert_ok(mmli_prep_identity(&prep, mmlt_widths[m]));
        set_prep(prep, m);
        mmlt_assert_ok(mmli_model_add_input(model, mmlt_names[m], m == 2 ? MML_SERIES : MML_TABLE, prep));
    }
    mmlt_assert_ok(mmli_model_declare_baseline(model, &o));
    mmlt_assert_ok(mmli_model_build(model));
    mmlt_assert_ok(mmli_params_start(model->params, 40 + first, "outcome", 0));
    return model;
}

mml_model *rig_join(const rig_how *h, mml_task_kind task, const mml_merge_options *merge, const mml_fuse_options *fuse)
{
    const size_t n = merge && merge->upstream_harmonic ? 2 : MODALITIES;
    mml_model *m[MODALITIES], *out = NULL;

    for (size_t i = 0; i < n; i++)
        m[i] = rig_block(i, task, h);
    mmlt_assert_ok(merge ? mml_merge(&out, (const mml_model *const *)m, n, merge)
                         : mml_fuse(&out, (const mml_model *const *)m, n, fuse));
    for (size_t i = 0; i < n; i++)
        mml_model_free(m[i]);
    return out;
}
size_t rig_modality_of(const mml_model *model, size_t block)
{
    size_t m = 0;

    while (strcmp(mml_model_block_modality(model, block), mmlt_names[m]) != 0)
        m++;
    return m;
}

static int keep(void *user, const mml_attributions *a)
{
    rig_features *f = user;
    const size_t m = rig_modality_of(f->model, a->block);
    rig_told *g = &f->got[a->sample][m];

    ck_assert(!g->there);
    ck_assert_uint_le(a->n_tokens, 2);
    ck_assert_uint_le(a->n_columns, COLUMNS);
    g->a = *a;
    g->there = true;
    for (size_t t = 0; t < a->n_tokens; t++)
        for (size_t c = 0; c < a->n_columns; c++)
            g->value[t][c] = a->values[t * a->n_columns + c];
    for (size_t c = 0; c < a->n_columns; c++) {
        g->feature[c] = a->feature[c];
        g->indicator[c] = a->indicator[c];
        ck_assert_uint_lt(a->feature[c], mmlt_widths[m]);
        ck_assert_int_eq(a->indicator[c], c >= mmlt_widths[m]);
    }
    return 0;
}

rig_features *rig_explain(const mml_model *model, mml_cohort *cohort, mml_explain_options *o)
{
    rig_features *f = NULL;
    mml_explainer *e = NULL;

    mmlt_assert_ok(mmli_calloc(&f, 1, sizeof *f));
    f->model = model;
    mmlt_assert_ok(mml_explainer_new(&e, model, o));
    mmlt_assert_ok(mml_explain_gradients(e, cohort, NULL, 0, keep, f));
    mml_explainer_free(e);
    return f;
}
