/* latent.c - a latent that attends to tokens, then within itself, layer by layer: Perceiver (Jaegle et al. 2021), which reads
 * all tokens as one set, and HEALNet (Hemker et al. 2024), which reads one modality after the other.
 *
 *     L = L0
 *     in each layer:  for every context x there is:  L = L + phi(MHA(LN L, LN x)),  L = L + FF(LN L)
 *                     then self_layers times:        L = L + phi(MHA(LN L)),        L = L + FF(LN L)
 *     logits = W LN(mean over the rows of L) + b
 *
 * The contexts of a Perceiver are one: the tokens of all modalities, joined (arrange.c). FF is gated by GELU there and by SELU
 * in HEALNet. A sample keeps its latent where it has no tokens. */
#include "baselines/arrange.h"
#include "baselines/parts.h"
#include "util/rng.h"

typedef struct layer {
    mmli_attention *cross; /* (contexts) */
    mmli_feed_forward *cross_ff;
    mmli_attention *self; /* (self_layers) */
    mmli_feed_forward *self_ff;
} layer;

typedef struct latent_net {
    size_t contexts, latent;
    layer *layers; /* (depth) */
    mmli_norm head_norm;
    mmli_linear head;
} latent_net;

static mml_status check(const mml_baseline_options *o, const mml_modality_info *modalities, size_t n)
{
    (void)o;
    (void)modalities;
    (void)n;
    return MML_OK; /* any number of any kind */
}

/* Attention to context m of layer i, and what follows it. */
static void declare_context(mmli_declaring *to, layer *l, size_t i, size_t m)
{
    const mml_baseline_options *o = &to->b->o;
    const char *name = to->modalities[m].name;

    if (o->kind == MML_BASELINE_PERCEIVER) {
        l->cross[0] = mmli_declare_attention(to, o->latent_d, mmli_joined_width(to->b), o->cross_heads, "layers.%zu.cross", i);
        l->cross_ff[0] = mmli_declare_feed_forward(to, o->latent_d, MMLI_GATE_GELU, "layers.%zu.cross_ff", i);
        return;
    }
    l->cross[m] = mmli_declare_attention(to, o->latent_d, to->b->widths[m], o->cross_heads, "inputs.%s.layers.%zu.cross", name, i);
    l->cross_ff[m] = mmli_declare_feed_forward(to, o->latent_d, MMLI_GATE_SELU, "inputs.%s.layers.%zu.cross_ff", name, i);
}

static void declare_layer(mmli_declaring *to, layer *l, size_t i, size_t contexts)
{
    const mml_baseline_options *o = &to->b->o;
    const mmli_gate gate = o->kind == MML_BASELINE_PERCEIVER ? MMLI_GATE_GELU : MMLI_GATE_SELU;

    l->cross = mmli_declare_memory(to, contexts, sizeof *l->cross);
    l->cross_ff = mmli_declare_memory(to, contexts, sizeof *l->cross_ff);
    l->self = mmli_declare_memory(to, o->self_layers, sizeof *l->self);
    l->self_ff = mmli_declare_memory(to, o->self_layers, sizeof *l->self_ff);
    if (to->st != MML_OK)
        return;
    for (size_t m = 0; m < contexts; m++)
        declare_context(to, l, i, m);
    for (size_t s = 0; s < o->self_layers; s++) {
        l->self[s] = mmli_declare_attention(to, o->latent_d, 0, o->self_heads, "layers.%zu.self.%zu", i, s);
        l->self_ff[s] = mmli_declare_feed_forward(to, o->latent_d, gate, "layers.%zu.self_ff.%zu", i, s);
    }
}

static void declare(mmli_declaring *to)
{
    const mml_baseline_options *o = &to->b->o;
    const size_t contexts = o->kind == MML_BASELINE_PERCEIVER ? 1 : to->b->n;
    latent_net *net = to->b->parts = mmli_declare_memory(to, 1, sizeof *net);
    layer *layers = mmli_declare_memory(to, o->depth, sizeof *layers);

    if (to->st != MML_OK)
        return;
    net->contexts = contexts;
    net->layers = layers;
    net->latent = mmli_declare_latent(to, o->latent_c, o->latent_d, "latent");
    for (size_t i = 0; i < o->depth; i++)
        declare_layer(to, &layers[i], i, contexts);
    net->head_norm = mmli_declare_norm(to, o->latent_d, "head.norm");
    net->head = mmli_declare_linear(to, to->b->outputs, o->latent_d, 0, MMLI_BIAS | MMLI_HEAD, "head.linear");
}

/* The latent of the samples that have tokens, after attention to them. */
static mmli_var *read_context(const mmli_baseline_pass *p, const mmli_baseline *b, const layer *l, size_t m,
                              const mmli_attended *to, mmli_var *L, uint64_t key)
{
    const size_t c = b->o.latent_c;
    const float drop = (float)b->o.dropout;
    mmli_var *x, *a;

    if (!to->tokens)
        return L;
    x = mmli_op_take(p->tape, L, to->ragged, c);
    a = mmli_apply_cross(p, &l->cross[m], x, c, to);
    x = mmli_op_add(p->tape, mmli_op_dropout(p->tape, a, drop, mmli_rng_key(key, "cross", m)), x);
    x = mmli_apply_feed_forward(p, &l->cross_ff[m], x, drop, mmli_rng_key(key, "cross feed-forward", m));
    return mmli_op_put(p->tape, L, x, to->ragged, c);
}

static mmli_var *reflect(const mmli_baseline_pass *p, const mmli_baseline *b, const layer *l, size_t s,
                         const mmli_ragged *groups, mmli_var *L, uint64_t key)
{
    const float drop = (float)b->o.dropout;
    mmli_var *a = mmli_apply_self(p, &l->self[s], L, groups);

    L = mmli_op_add(p->tape, mmli_op_dropout(p->tape, a, drop, mmli_rng_key(key, "self", s)), L);
    return mmli_apply_feed_forward(p, &l->self_ff[s], L, drop, mmli_rng_key(key, "self feed-forward", s));
}

static void forward(mmli_stages *out, const mmli_baseline *b, const mmli_baseline_pass *p)
{
    const latent_net *net = b->parts;
    const mml_baseline_options *o = &b->o;
    mmli_attended *to = mmli_tape_host(p->tape, net->contexts * sizeof *to);
    mmli_var *L = mmli_op_repeat(p->tape, mmli_p(p->bound, net->latent), p->samples);
    mmli_ragged groups;

    if (!to || mmli_equal_groups(&groups, p, p->samples, o->latent_c) != MML_OK)
        return;
    for (size_t m = 0; m < net->contexts; m++)
        to[m] = mmli_attend_to(p, &p->in[m], o->cross_heads, o->head_width);
    for (size_t i = 0; i < o->depth; i++) {
        const uint64_t key = mmli_rng_key(p->key, "layer", i);

        for (size_t m = 0; m < net->contexts; m++)
            L = read_context(p, b, &net->layers[i], m, &to[m], L, key);
        for (size_t s = 0; s < o->self_layers; s++)
            L = reflect(p, b, &net->layers[i], s, &groups, L, key);
    }
    L = mmli_apply_norm(p, net->head_norm, mmli_op_group_mean(p->tape, L, o->latent_c));
    mmli_only_stage(out, p, mmli_apply_linear(p, net->head, L));
}

const mmli_architecture mmli_perceiver = {"perceiver", check, declare, forward};
const mmli_architecture mmli_healnet = {"healnet", check, declare, forward};
