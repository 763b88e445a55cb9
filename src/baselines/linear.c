/* linear.c - penalised logistic, Cox or ridge regression on the features of all modalities: the pass forward. It is not trained
 * step by step but solved (glm.h, train/linear.c). */
#include "baselines/linear.h"

#include "util/error.h"

static mml_status check(const mml_baseline_options *o, const mml_modality_info *modalities, size_t n)
{
    (void)o;
    (void)modalities;
    (void)n;
    return MML_OK; /* any number of any kind */
}

static void declare(mmli_declaring *to)
{
    mmli_baseline *b = to->b;
    mmli_linear_net *net = b->parts = mmli_declare_memory(to, 1, sizeof *net);
    mmli_linear *parts = mmli_declare_memory(to, b->n, sizeof *parts);
    size_t *centers = mmli_declare_memory(to, b->n, sizeof *centers);

    if (to->st != MML_OK)
        return;
    net->parts = parts;
    net->centers = centers;
    mmli_declare_joint(to, parts, b->outputs, b->widths, b->n, MMLI_BIAS | MMLI_HEAD, "linear");
    for (size_t m = 0; m < b->n; m++) {
        char name[MMLI_PART_NAME];

        mmli_name(name, to, "inputs.%s.center", to->modalities[m].name);
        centers[m] = mmli_declare_latent(to, 1, b->widths[m], name);
    }
}

static void forward(mmli_stages *out, const mmli_baseline *b, const mmli_baseline_pass *p)
{
    const mmli_linear_net *net = b->parts;
    mmli_var **x = mmli_tape_host(p->tape, b->n * sizeof *x);

    if (!x)
        return;
    for (size_t m = 0; m < b->n; m++) {
        x[m] = mmli_op_repeat(p->tape, mmli_p(p->bound, net->centers[m]), p->samples);
        if (p->in[m].x)
            x[m] = mmli_op_put(p->tape, x[m], p->in[m].x, &p->in[m].ragged, 1);
    }
    mmli_only_stage(out, p, mmli_apply_joint(p, net->parts, x, b->n));
}

const mmli_architecture mmli_linear_model = {"linear", check, declare, forward};
