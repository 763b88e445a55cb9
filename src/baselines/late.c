/* late.c - late fusion: a vector a modality, of an SNN for a table and of ABMIL for many tokens, 0 where it is missing; then
 *
 *     concatenation:  logits = W [v_1 ... v_n] + b
 *     bilinear:       v = v_1,  v = fuse_m(v, v_m) for m = 2 .. n,  logits = W v + b          (bilinear.c)
 *
 * The product of all n vectors at once would have (width / 8 + 1)^n numbers; two at a time it is the published form for n = 2. */
#include "baselines/late.h"

#include "util/error.h"
#include "util/rng.h"

static mml_status check(const mml_baseline_options *o, const mml_modality_info *modalities, size_t n)
{
    (void)modalities;
    if (n >= 2)
        return MML_OK;
    return mmli_fail(MML_E_ARG, "%s joins two or more modalities; one is read by snn or abmil", mml_baseline_name(o->kind));
}

static mmli_late *declare(mmli_declaring *to)
{
    mmli_baseline *b = to->b;
    mmli_late *late = b->parts = mmli_declare_memory(to, 1, sizeof *late);

    for (size_t m = 0; m < b->n; m++)
        mmli_declare_encoder(to, m, b->kinds[m] == MML_TABLE ? MML_ENCODER_SNN : MML_ENCODER_ABMIL, b->o.layers);
    return to->st == MML_OK ? late : NULL;
}

static void declare_concat(mmli_declaring *to)
{
    mmli_baseline *b = to->b;
    mmli_late *late = declare(to);
    size_t *widths = mmli_declare_memory(to, b->n, sizeof *widths);

    if (late)
        late->head = mmli_declare_memory(to, b->n, sizeof *late->head);
    if (to->st != MML_OK)
        return;
    for (size_t m = 0; m < b->n; m++)
        widths[m] = b->o.width;
    mmli_declare_joint(to, late->head, b->outputs, widths, b->n, MMLI_BIAS | MMLI_HEAD, "head");
}

static void declare_bilinear(mmli_declaring *to)
{
    mmli_baseline *b = to->b;
    mmli_late *late = declare(to);

    if (late) {
        late->head = mmli_declare_memory(to, 1, sizeof *late->head);
        late->fold = mmli_declare_memory(to, b->n - 1, sizeof *late->fold);
    }
    if (to->st != MML_OK)
        return;
    for (size_t m = 1; m < b->n; m++)
        late->fold[m - 1] = mmli_declare_bilinear(to, "inputs.%s.fusion", to->modalities[m].name);
    late->head[0] = mmli_declare_linear(to, b->outputs, b->o.width, 0, MMLI_BIAS | MMLI_HEAD, "head");
}

/* (n) of (B, width) */
static mmli_var **vectors(const mmli_baseline *b, const mmli_baseline_pass *p)
{
    mmli_var **v = mmli_tape_host(p->tape, b->n * sizeof *v);

    for (size_t m = 0; v && m < b->n; m++)
        v[m] = mmli_for_all(p, m, mmli_apply_encoder(p, b, m), 1, b->o.width);
    return v;
}

static void forward_concat(mmli_stages *out, const mmli_baseline *b, const mmli_baseline_pass *p)
{
    const mmli_late *late = b->parts;
    mmli_var **v = vectors(b, p);

    if (v)
        mmli_only_stage(out, p, mmli_apply_joint(p, late->head, v, b->n));
}

static void forward_bilinear(mmli_stages *out, const mmli_baseline *b, const mmli_baseline_pass *p)
{
    const mmli_late *late = b->parts;
    mmli_var **v = vectors(b, p), *x;

    if (!v)
        return;
    x = v[0];
    for (size_t m = 1; m < b->n; m++)
        x = mmli_apply_bilinear(p, &late->fold[m - 1], x, v[m], (float)b->o.dropout, mmli_rng_key(p->key, "fusion", m));
    mmli_only_stage(out, p, mmli_apply_linear(p, late->head[0], x));
}

const mmli_architecture mmli_late_concat = {"late-concat", check, declare_concat, forward_concat};
const mmli_architecture mmli_late_bilinear = {"late-bilinear", check, declare_bilinear, forward_bilinear};
