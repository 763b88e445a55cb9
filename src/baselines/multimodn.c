/* multimodn.c - MultiModN (Swamy et al. 2023): a state goes through the modalities that a sample has, in order, and is read
 * after each by one head.
 *
 *     s = s0;  for each modality:  h = x (mean of its tokens),  h = drop(ReLU(W h + b)) for every hidden layer,
 *                                  s = W' [h s] + b',  logits = W'' s + b''
 *
 * The state joins the last layer of a modality's network, as in the authors' code. The loss of a sample is the mean over the
 * modalities that it has; the prediction is that of the last state. */
#include <string.h>

#include "baselines/parts.h"
#include "util/rng.h"

typedef struct module {
    mmli_linear *hidden; /* (layers) */
    mmli_linear last[2]; /* of h and of the state */
} module;

typedef struct multimodn {
    size_t state;
    module *modules; /* (n) */
    mmli_linear head;
} multimodn;

static mml_status check(const mml_baseline_options *o, const mml_modality_info *modalities, size_t n)
{
    (void)o;
    (void)modalities;
    (void)n;
    return MML_OK; /* any number of any kind */
}

static void declare(mmli_declaring *to)
{
    const mml_baseline_options *o = &to->b->o;
    const size_t widths[2] = {o->hidden, o->width};
    multimodn *net = to->b->parts = mmli_declare_memory(to, 1, sizeof *net);
    module *modules = mmli_declare_memory(to, to->b->n, sizeof *modules);

    if (to->st != MML_OK)
        return;
    net->modules = modules;
    net->state = mmli_declare_latent(to, 1, o->width, "state");
    for (size_t m = 0; m < to->b->n && to->st == MML_OK; m++) {
        const char *name = to->modalities[m].name;

        modules[m].hidden = mmli_declare_memory(to, o->layers, sizeof *modules[m].hidden);
        for (size_t i = 0; i < o->layers && to->st == MML_OK; i++)
            modules[m].hidden[i] = mmli_declare_linear(to, o->hidden, i ? o->hidden : to->b->widths[m], 0, MMLI_BIAS,
                                                       "inputs.%s.hidden.%zu", name, i);
        mmli_declare_joint(to, modules[m].last, o->width, widths, 2, MMLI_BIAS, "inputs.%s.last", name);
    }
    net->head = mmli_declare_linear(to, to->b->outputs, o->width, 0, MMLI_BIAS | MMLI_HEAD, "head");
}

/* The state after modality m. */
static mmli_var *update(const mmli_baseline *b, const mmli_baseline_pass *p, const module *mod, size_t m, mmli_var *state)
{
    const mmli_input *in = &p->in[m];
    const uint64_t key = mmli_rng_key(p->key, "modality", m);
    mmli_var *v[2];

    v[0] = in->ragged.single ? in->x : mmli_op_segment_mean(p->tape, in->x, &in->ragged);
    for (size_t i = 0; i < b->o.layers; i++) {
        v[0] = mmli_op_act(p->tape, mmli_apply_linear(p, mod->hidden[i], v[0]), MMLI_ACT_RELU);
        v[0] = mmli_op_dropout(p->tape, v[0], (float)b->o.dropout, mmli_rng_key(key, "hidden", i));
    }
    v[1] = mmli_op_take(p->tape, state, &in->ragged, 1);
    return mmli_op_put(p->tape, state, mmli_apply_joint(p, mod->last, v, 2), &in->ragged, 1);
}

/* One over the number of modalities of each sample that has modality m, 0 for the others. */
static float *share_of(const mmli_baseline *b, const mmli_baseline_pass *p, size_t m)
{
    const size_t B = p->samples;
    float *share = mmli_tape_host(p->tape, B * sizeof *share);

    for (size_t s = 0; share && s < B; s++) {
        size_t have = 0;

        for (size_t i = 0; i < b->n; i++)
            have += p->present[i * B + s];
        share[s] = p->present[m * B + s] ? 1.0f / (float)have : 0;
    }
    return share;
}

static void forward(mmli_stages *out, const mmli_baseline *b, const mmli_baseline_pass *p)
{
    const multimodn *net = b->parts;
    mmli_var *state = mmli_op_repeat(p->tape, mmli_p(p->bound, net->state), p->samples);
    mmli_var **logits = mmli_tape_host(p->tape, b->n * sizeof *logits);
    float **share = mmli_tape_host(p->tape, b->n * sizeof *share);
    size_t n = 0;

    if (!logits || !share)
        return;
    for (size_t m = 0; m < b->n; m++) {
        if (!p->in[m].x)
            continue;
        state = update(b, p, &net->modules[m], m, state);
        if (p->all) {
            logits[n] = mmli_apply_linear(p, net->head, state);
            share[n++] = share_of(b, p, m);
        }
    }
    if (n == 0)
        mmli_only_stage(out, p, mmli_apply_linear(p, net->head, state));
    else
        *out = (mmli_stages){.logits = logits, .share = share, .n = n};
}

const mmli_architecture mmli_multimodn = {"multimodn", check, declare, forward};
