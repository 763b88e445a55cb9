/* train_system.c - see train_system.h. */
#include "cli/train_system.h"

#include <string.h>

#define AT(field) offsetof(mmlc_system, field)

const mmlc_choice mmlc_systems[] = {{"block", 0},     {"snn", 1},         {"abmil", 2},         {"perceiver", 3}, {"healnet", 4},
                                    {"multimodn", 5}, {"late-concat", 6}, {"late-bilinear", 7}, {"mcat", 8},      {"linear", 9},
                                    {NULL, 0}};

const mmlc_opt mmlc_opts_system[] = {
    {.name = "penalty", .type = MMLC_DOUBLE, .at = AT(baseline.penalty), .arg = "X",
     .help = "linear: squared norm of the coefficients, times half of this", .init = "the best of 10 ... 0.00003 on validation"},
    {.name = "width", .type = MMLC_SIZE, .at = AT(baseline.width), .arg = "N",
     .help = "width of the vector of a modality, or of the state of multimodn", .init = "the architecture's own", .min = 1,
     .max = 65536},
    {.name = "depth", .type = MMLC_SIZE, .at = AT(baseline.depth), .arg = "N",
     .help = "perceiver, healnet, mcat: layers of attention", .init = "the architecture's own", .min = 1, .max = 64},
    {.name = NULL},
};

/* Of a block too. */
static const char *const shared[] = {"latent", "dropout", "bins", NULL};
/* What a model that is solved at once can take of the options of training and of running. */
static const char *const solved[] = {"class-weights", "seed", "output", "log", "quiet", "threads", "device", NULL};

static int is_among(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(name, *list) == 0)
            return 1;
    return 0;
}

static int is_in(const mmlc_opt *opt, const mmlc_opt *table)
{
    for (; table->name != NULL; table++)
        if (table == opt)
            return 1;
    return 0;
}

int mmlc_system_is_block(const mmlc_system *system)
{
    return system->name == NULL || strcmp(system->name, "block") == 0;
}

mml_status mmlc_system_init(mmlc_system *system)
{
    mml_baseline_kind kind;
    mml_status st;

    if (mmlc_system_is_block(system))
        return MML_OK;
    st = mml_baseline_from_name(&kind, system->name);
    return st == MML_OK ? mml_baseline_options_init(&system->baseline, kind) : st;
}

/* Has the architecture this option, which others or blocks have? */
static int has(const mml_baseline_options *defaults, const mmlc_opt *opt, const mmlc_opt *const *blocks_only)
{
    const int is_linear = defaults->kind == MML_BASELINE_LINEAR;

    if (strcmp(opt->name, "penalty") == 0)
        return is_linear;
    if (strcmp(opt->name, "width") == 0)
        return defaults->width > 0;
    if (strcmp(opt->name, "depth") == 0)
        return defaults->depth > 0;
    if (strcmp(opt->name, "latent") == 0)
        return defaults->latent_c > 0;
    if (is_linear && (strcmp(opt->name, "dropout") == 0 || is_in(opt, mmlc_opts_training) || is_in(opt, mmlc_opts_loss) ||
                      is_in(opt, mmlc_opts_run)))
        return is_among(opt->name, solved);
    for (; *blocks_only != NULL; blocks_only++)
        if (is_in(opt, *blocks_only))
            return is_among(opt->name, shared);
    return 1;
}

int mmlc_system_settle(mmlc_system *system, const mmlc_call *call, const mml_block_options *block,
                       const mmlc_opt *const *blocks_only)
{
    mmlc_system defaults = {.name = system->name};
    const mml_status st = mmlc_system_init(&defaults);

    if (st != MML_OK)
        return mmlc_fail_named(call->command, st);
    for (size_t i = 0; i < call->n_given; i++)
        if (!has(&defaults.baseline, call->given[i].opt, blocks_only))
            return mmlc_usage_error(call->command, "--%s is not an option of --system %s", call->given[i].opt->name, system->name);
    if (mmlc_was_given(call, "dropout"))
        system->baseline.dropout = block->dropout;
    if (system->baseline.latent_c > 0) {
        system->baseline.latent_c = block->latent_c;
        system->baseline.latent_d = block->latent_d;
    }
    return MMLC_GO;
}

int mmlc_system_none(const mmlc_call *call)
{
    for (size_t i = 0; i < call->n_given; i++)
        if (is_in(call->given[i].opt, mmlc_opts_system))
            return mmlc_usage_error(call->command, "--%s is for other architectures: it needs --system NAME",
                                    call->given[i].opt->name);
    return MMLC_GO;
}
