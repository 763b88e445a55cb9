/* mcat.c - multimodal co-attention transformer (Chen et al. 2021). Every table is a query token, every other modality a context:
 *
 *     q_j = SNN_j(x_j)                                   a vector a table, 0 where it is missing; Q of them a sample
 *     h   = drop(ReLU(W x + b))                          tokens of a context
 *     a   = Wo softmax(Wq q (Wk h)^T / sqrt(width)) Wv h       one head; Q vectors a sample and context
 *     v   = transformer and pooling of a;  v_0 = those of q          (transformer.c)
 *     logits = W'' ReLU(W' ReLU(W [v_0 v_1 ...] + b) + b') + b''
 *
 * v of a context that a sample lacks is 0, and v_0 of one without any table. Keys have no bias, as in transformer.c. */
#include <math.h>

#include "baselines/transformer.h"
#include "util/error.h"
#include "util/rng.h"

typedef struct context {
    size_t m; /* of the modalities */
    mmli_linear fc, query, key, value, out;
    mmli_transformer transformer;
} context;

typedef struct mcat {
    size_t n_tables, n_contexts;
    size_t *tables; /* (n_tables) of the modalities */
    context *contexts;
    mmli_transformer transformer; /* of the tables */
    mmli_linear *joined, second, head; /* joined (1 + n_contexts) */
} mcat;

static mml_status check(const mml_baseline_options *o, const mml_modality_info *modalities, size_t n)
{
    size_t tables = 0;

    (void)o;
    for (size_t m = 0; m < n; m++)
        tables += modalities[m].kind == MML_TABLE;
    if (tables > 0 && tables < n)
        return MML_OK;
    return mmli_fail(MML_E_ARG, "mcat needs a table, which queries, and a bag, series or image, which is queried; there is no %s",
                     tables ? "bag, series or image" : "table");
}

static void declare_context(mmli_declaring *to, context *c, size_t m)
{
    const size_t w = to->b->o.width;
    const char *name = to->modalities[m].name;
    char transformer[MMLI_PART_NAME];

    c->m = m;
    c->fc = mmli_declare_linear(to, w, to->b->widths[m], 0, MMLI_BIAS, "inputs.%s.fc", name);
    c->query = mmli_declare_linear(to, w, w, 0, MMLI_BIAS, "inputs.%s.query", name);
    c->key = mmli_declare_linear(to, w, w, 0, 0, "inputs.%s.key", name);
    c->value = mmli_declare_linear(to, w, w, 0, MMLI_BIAS, "inputs.%s.value", name);
    c->out = mmli_declare_linear(to, w, w, 0, MMLI_BIAS, "inputs.%s.out", name);
    mmli_name(transformer, to, "inputs.%s.transformer", name);
    c->transformer = mmli_declare_transformer(to, transformer);
}

static void declare(mmli_declaring *to)
{
    mmli_baseline *b = to->b;
    mcat *net = b->parts = mmli_declare_memory(to, 1, sizeof *net);
    size_t *widths = mmli_declare_memory(to, b->n, sizeof *widths), *tables = mmli_declare_memory(to, b->n, sizeof *tables);
    context *contexts = mmli_declare_memory(to, b->n, sizeof *contexts);
    mmli_linear *joined = mmli_declare_memory(to, b->n + 1, sizeof *joined);

    if (to->st != MML_OK)
        return;
    net->tables = tables;
    net->contexts = contexts;
    net->joined = joined;
    for (size_t m = 0; m < b->n; m++) {
        widths[m] = b->o.width;
        if (b->kinds[m] == MML_TABLE) {
            net->tables[net->n_tables++] = m;
            mmli_declare_encoder(to, m, MML_ENCODER_SNN, b->o.layers);
        } else {
            declare_context(to, &net->contexts[net->n_contexts++], m);
        }
    }
    net->transformer = mmli_declare_transformer(to, "transformer");
    mmli_declare_joint(to, net->joined, b->o.width, widths, 1 + net->n_contexts, MMLI_BIAS, "joined"); /* 1 + contexts <= n */
    net->second = mmli_declare_linear(to, b->o.width, b->o.width, 0, MMLI_BIAS, "second");
    net->head = mmli_declare_linear(to, b->outputs, b->o.width, 0, MMLI_BIAS | MMLI_HEAD, "head");
}

/* Rows of all samples that a ragged of one token each picks: rows first, first + step, ... where `has`. */
static mml_status pick(mmli_ragged *out, const mmli_baseline_pass *p, size_t rows, size_t first, size_t step, const uint8_t *has)
{
    int64_t *offsets = mmli_tape_host(p->tape, (rows + 1) * sizeof *offsets);

    if (!offsets)
        return mmli_tape_status(p->tape);
    offsets[0] = 0;
    for (size_t r = 0; r < rows; r++)
        offsets[r + 1] = offsets[r] + (r % step == first && has[r / step]);
    return mmli_ragged_make(out, p->tape, offsets, rows);
}

/* Query tokens (B Q, width) */
static mmli_var *queries(const mcat *net, const mmli_baseline *b, const mmli_baseline_pass *p)
{
    const size_t Q = net->n_tables, rows = p->samples * Q;
    mmli_var *q = mmli_op_zeros(p->tape, rows, b->o.width);

    for (size_t j = 0; j < Q; j++) {
        const size_t m = net->tables[j];
        mmli_ragged which;

        if (!p->in[m].x)
            continue;
        if (pick(&which, p, rows, j, Q, p->present + m * p->samples) != MML_OK)
            return NULL;
        q = mmli_op_put(p->tape, q, mmli_apply_encoder(p, b, m), &which, 1);
    }
    return q;
}

/* v_0 (B, width) */
static mmli_var *table_vector(const mcat *net, const mmli_baseline *b, const mmli_baseline_pass *p, mmli_var *q)
{
    const size_t B = p->samples;
    uint8_t *has = mmli_tape_host(p->tape, B);
    mmli_var *v, *zeros = mmli_op_zeros(p->tape, B, b->o.width);
    mmli_ragged some, groups;

    if (!has || !zeros)
        return NULL;
    for (size_t s = 0; s < B; s++) {
        has[s] = 0;
        for (size_t j = 0; j < net->n_tables; j++)
            has[s] |= p->present[net->tables[j] * B + s];
    }
    if (pick(&some, p, B, 0, 1, has) != MML_OK)
        return NULL;
    if (some.segs == 0)
        return zeros;
    v = mmli_op_take(p->tape, q, &some, net->n_tables);
    if (mmli_equal_groups(&groups, p, some.segs, net->n_tables) != MML_OK)
        return NULL;
    v = mmli_apply_transformer(p, &net->transformer, &b->o, v, &groups, mmli_rng_key(p->key, "tables", 0));
    return mmli_op_put(p->tape, zeros, v, &some, 1);
}

/* v of a context (B, width) */
static mmli_var *context_vector(const mcat *net, const context *c, const mmli_baseline *b, const mmli_baseline_pass *p,
                                mmli_var *q)
{
    const mmli_input *in = &p->in[c->m];
    const uint64_t key = mmli_rng_key(p->key, "context", c->m);
    const float scale = 1.0f / sqrtf((float)b->o.width);
    mmli_var *h, *k, *v = NULL;
    mmli_ragged groups;

    if (in->x) {
        h = mmli_op_act(p->tape, mmli_apply_linear(p, c->fc, in->x), MMLI_ACT_RELU);
        h = mmli_op_dropout(p->tape, h, (float)b->o.dropout, mmli_rng_key(key, "fc", 0));
        q = mmli_apply_linear(p, c->query, mmli_op_take(p->tape, q, &in->ragged, net->n_tables));
        k = mmli_apply_linear(p, c->key, h);
        v = mmli_apply_linear(p, c->value, h);
        v = mmli_op_attention(p->tape, q, k, v, &in->ragged, net->n_tables, 1, scale, MMLI_QUERY_FIXED);
        v = mmli_apply_linear(p, c->out, v);
        if (mmli_equal_groups(&groups, p, in->ragged.segs, net->n_tables) != MML_OK)
            return NULL;
        v = mmli_apply_transformer(p, &c->transformer, &b->o, v, &groups, key);
    }
    return mmli_for_all(p, c->m, v, 1, b->o.width);
}

static void forward(mmli_stages *out, const mmli_baseline *b, const mmli_baseline_pass *p)
{
    const mcat *net = b->parts;
    mmli_var **v = mmli_tape_host(p->tape, (1 + net->n_contexts) * sizeof *v);
    mmli_var *q = queries(net, b, p), *y;

    if (!v || !q)
        return;
    v[0] = table_vector(net, b, p, q);
    for (size_t c = 0; c < net->n_contexts; c++)
        v[1 + c] = context_vector(net, &net->contexts[c], b, p, q);
    y = mmli_op_act(p->tape, mmli_apply_joint(p, net->joined, v, 1 + net->n_contexts), MMLI_ACT_RELU);
    y = mmli_op_act(p->tape, mmli_apply_linear(p, net->second, y), MMLI_ACT_RELU);
    mmli_only_stage(out, p, mmli_apply_linear(p, net->head, y));
}

const mmli_architecture mmli_mcat = {"mcat", check, declare, forward};
