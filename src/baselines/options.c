/* options.c - names of the architectures, their defaults, and what their options may be. */
#include <math.h>
#include <string.h>

#include "baselines/parts.h"
#include "util/error.h"
#include "util/text.h"

static const char *const names[] = {"snn",  "abmil",   "perceiver", "multimodn", "late-concat", "late-bilinear",
                                    "mcat", "healnet", "linear"};
enum { N_NAMES = sizeof names / sizeof *names, MOST_SIZE = 65536, MOST_LAYERS = 64, MOST_HEADS = 1024 };

const char *mml_baseline_name(mml_baseline_kind kind)
{
    return (unsigned)kind < N_NAMES ? names[kind] : NULL;
}

mml_status mml_baseline_from_name(mml_baseline_kind *out, const char *name)
{
    mml_status st = MML_OK;
    char list[MMLI_LIST_BYTES];
    const char *near;

    MML_GIVEN(out, name);
    for (size_t i = 0; i < N_NAMES; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (mml_baseline_kind)i;
            return MML_OK;
        }
    near = mmli_nearest(name, names, N_NAMES);
    MML_CHECK(0, MML_E_ARG, "unknown baseline %s%s%s%s; there are %s", name, near ? " (did you mean " : "", near ? near : "",
              near ? "?)" : "", mmli_list(list, names, N_NAMES));
out:
    return st;
}

/* Options that an architecture does not have are 0, so that equal definitions are equal structs. */
mml_status mml_baseline_options_init(mml_baseline_options *options, mml_baseline_kind kind)
{
    mml_baseline_options o = {.struct_size = sizeof o, .kind = kind};

    MML_GIVEN(options);
    switch (kind) {
    case MML_BASELINE_SNN:
        o.width = 256;
        o.layers = 4;
        o.dropout = 0.25;
        break;
    case MML_BASELINE_ABMIL:
        o.width = 256;
        o.hidden = 512;
        o.dropout = 0.25;
        break;
    case MML_BASELINE_LATE_CONCAT:
    case MML_BASELINE_LATE_BILINEAR:
        o.width = 256;
        o.hidden = 512;
        o.layers = 4;
        o.dropout = 0.25;
        o.reduction = kind == MML_BASELINE_LATE_BILINEAR ? 8 : 0;
        break;
    case MML_BASELINE_MULTIMODN:
        o.width = o.hidden = 64;
        o.layers = 1;
        break;
    case MML_BASELINE_MCAT:
        o.width = 256;
        o.hidden = 512;
        o.layers = o.depth = 2;
        o.self_heads = 8;
        o.dropout = 0.25;
        break;
    case MML_BASELINE_PERCEIVER:
    case MML_BASELINE_HEALNET:
        o.latent_c = o.latent_d = o.head_width = 64;
        o.depth = 2;
        o.cross_heads = o.self_layers = 1;
        o.self_heads = 8;
        o.tau = 0.5;
        o.leaky_output = 1;
        break;
    case MML_BASELINE_LINEAR:
        o.penalty = -1;
        break;
    default:
        return mmli_fail(MML_E_ARG, "unknown baseline %d", (int)kind);
    }
    *options = o;
    return MML_OK;
}

/* A size that the architecture has (its default is not 0) must be 1 to most. */
static mml_status check_size(const char *name, size_t value, size_t standard, size_t most)
{
    if (standard == 0 || (value >= 1 && value <= most))
        return MML_OK;
    return mmli_fail(MML_E_ARG, "%s must be between 1 and %zu, not %zu", name, most, value);
}

mml_status mmli_baseline_options_check(const mml_baseline_options *o)
{
    mml_status st = MML_OK;
    mml_baseline_options d;

    MML_TRY(mml_baseline_options_init(&d, o->kind));
    MML_TRY(check_size("width", o->width, d.width, MOST_SIZE));
    MML_TRY(check_size("hidden width", o->hidden, d.hidden, MOST_SIZE));
    MML_TRY(check_size("number of layers", o->layers, d.layers, MOST_LAYERS));
    MML_TRY(check_size("rows of the latent", o->latent_c, d.latent_c, MOST_SIZE));
    MML_TRY(check_size("width of the latent", o->latent_d, d.latent_d, MOST_SIZE));
    MML_TRY(check_size("depth", o->depth, d.depth, MOST_LAYERS));
    MML_TRY(check_size("number of heads", o->cross_heads, d.cross_heads, MOST_HEADS));
    MML_TRY(check_size("number of heads of self-attention", o->self_heads, d.self_heads, MOST_HEADS));
    MML_TRY(check_size("head width", o->head_width, d.head_width, 4096));
    MML_TRY(check_size("reduction", o->reduction, d.reduction, o->width));
    MML_CHECK(o->self_layers <= MOST_LAYERS, MML_E_ARG, "self-attentions in a layer must be at most %d, not %zu", MOST_LAYERS,
              o->self_layers);
    MML_CHECK(d.tau == 0 || (isfinite(o->tau) && o->tau > 0), MML_E_ARG, "tau must be above 0, not %g", o->tau);
    MML_CHECK(o->dropout >= 0 && o->dropout < 1, MML_E_ARG, "dropout must be in [0, 1), not %g", o->dropout);
    MML_CHECK(isfinite(o->penalty), MML_E_ARG, "the penalty is not finite");
    MML_CHECK(o->kind != MML_BASELINE_MCAT || o->width % o->self_heads == 0, MML_E_ARG,
              "width %zu cannot be divided among %zu heads", o->width, o->self_heads);
out:
    return st;
}
