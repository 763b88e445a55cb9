/* single.c - one modality, one encoder, a linear head: SNN (Klambauer et al. 2017, as MCAT's authors use it) and ABMIL (Ilse
 * et al. 2018). Of several tokens an SNN takes the mean of what it makes of each. */
#include "baselines/parts.h"
#include "util/error.h"

static mml_status check(const mml_baseline_options *o, const mml_modality_info *modalities, size_t n)
{
    (void)modalities;
    if (n == 1)
        return MML_OK;
    return mmli_fail(MML_E_ARG, "%s reads one modality, not %zu; late-concat joins several of them", mml_baseline_name(o->kind),
                     n);
}

static void declare(mmli_declaring *to, mml_encoder_kind kind, int flags)
{
    mmli_linear *head = to->b->parts = mmli_declare_memory(to, 1, sizeof *head);

    if (!head)
        return;
    mmli_declare_encoder(to, 0, kind, to->b->o.layers);
    *head = mmli_declare_linear(to, to->b->outputs, to->b->o.width, 0, flags | MMLI_BIAS | MMLI_HEAD, "head");
}

static void declare_snn(mmli_declaring *to)
{
    declare(to, MML_ENCODER_SNN, MMLI_NORMAL);
}

static void declare_abmil(mmli_declaring *to)
{
    declare(to, MML_ENCODER_ABMIL, 0);
}

static void forward(mmli_stages *out, const mmli_baseline *b, const mmli_baseline_pass *p)
{
    const mmli_linear *head = b->parts;
    mmli_var *y = mmli_apply_encoder(p, b, 0);

    y = y ? mmli_apply_linear(p, *head, y) : NULL;
    mmli_only_stage(out, p, mmli_for_all(p, 0, y, 1, b->outputs));
}

const mmli_architecture mmli_snn = {"snn", check, declare_snn, forward};
const mmli_architecture mmli_abmil_net = {"abmil", check, declare_abmil, forward};
