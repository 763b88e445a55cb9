/* merges.c - see merges.h. */
#include "tests/lego/merges.h"

const size_t width[M] = {5, 3, 4};
const size_t tokens[M * B] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, /* */ 2, 3, 0, 0, 1, 4, 0, 0, 2, 1, 0,
                              /* */ 1, 2, 5, 1, 0, 0, 0, 0, 1, 0, 2};

typedef struct variant {
    const char *preset;
    mml_transform transform;
} variant;

static const variant variants[N_VARIANTS] = {
    {"paper", MML_TRANSFORM_2D}, {"upstream", MML_TRANSFORM_1D}, [SPATIAL] = {"paper", MML_TRANSFORM_SPATIAL}};

rule rule_at(int i)
{
    static const rule means[N_MEANS] = {{MML_MERGE_HARMONIC, MML_PHASE_CIRCULAR, 0, 0},
                                        {MML_MERGE_HARMONIC, MML_PHASE_ARITHMETIC, 0, 0},
                                        {MML_MERGE_MEAN, 0, 0, 0},
                                        {MML_MERGE_SUM, 0, 0, 0},
                                        {MML_MERGE_PRODUCT, 0, 0, 0}};
    static const rule others[] = {{MML_MERGE_MEAN, 0, MML_LATENT_LAYERNORM, MML_HEAD_SLERP},
                                  {MML_MERGE_MEAN, 0, MML_LATENT_LAYERNORM, MML_HEAD_LINEAR},
                                  {MML_MERGE_MEAN, 0, MML_LATENT_RAW, MML_HEAD_ENSEMBLE}};
    rule r;

    if (i >= N_MEANS * 4)
        return others[i - N_MEANS * 4];
    r = means[i % N_MEANS];
    r.scale = i / N_MEANS % 2 ? MML_LATENT_POOLED : MML_LATENT_RAW;
    r.head = i / N_MEANS / 2 ? MML_HEAD_LINEAR : MML_HEAD_SLERP;
    return r;
}

void set_rule(mml_model *model, rule r)
{
    model->merge.aggregation = r.aggregation;
    model->merge.phase = r.phase;
    model->merge.scale = r.scale;
    model->merge.head = r.head;
    model->merge.upstream_harmonic = 0;
}

static void make_options(mml_block_options *o, const variant *v)
{
    static const mml_encoder_kind encoders[M] = {MML_ENCODER_SNN, MML_ENCODER_ABMIL, MML_ENCODER_NONE};

    for (size_t i = 0; i < M; i++) {
        o[i] = rig_options(v->preset, encoders[i], C, D, 2);
        o[i].transform = v->transform;
    }
}

mml_model *make_merge(int backend, int v)
{
    mml_block_options o[M];
    mml_model *model;

    make_options(o, &variants[v]);
    model = made_model(MML_MODEL_MERGE, backend, 2, M, o, width, K);
    for (size_t i = 0; i < M; i++) {
        model->weights[i] = 0.2 + 0.3 * (double)i;
        model->members[i].latent_rms = 0.5 + (double)i;
    }
    return model;
}

mml_model *make_copies(int backend, int v)
{
    const size_t same[M] = {width[0], width[0], width[0]};
    mml_block_options o[M];
    mml_model *model;

    make_options(o, &variants[v]);
    o[1] = o[2] = o[0];
    model = made_model(MML_MODEL_MERGE, backend, 2, M, o, same, K);
    for (size_t i = 1; i < M; i++)
        mmlt_assert_ok(mmli_model_copy_values(model, i, model, 0));
    return model;
}

mml_batch *make_batch(uint64_t key)
{
    rig_data d;
    mml_batch *batch;

    rig_data_make(&d, M, B, width, tokens, key);
    batch = made_batch(&d);
    rig_data_free(&d);
    return batch;
}

size_t n_present(size_t b)
{
    size_t n = 0;

    for (size_t i = 0; i < M; i++)
        n += tokens[i * B + b] > 0;
    return n;
}
