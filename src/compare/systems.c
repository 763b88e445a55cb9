/* systems.c - the systems that there are, and those that were asked for. */
#include <string.h>

#include "compare/plan.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

#define BASELINE(name, title, group, unimodal, kind) {name, title, group, MMLI_SYSTEM_BASELINE, unimodal, kind}
#define OURS(name, title, group, kind, unimodal) {name, title, group, kind, unimodal, MML_BASELINE_SNN}

/* In the order of tables. */
static const mmli_system_type types[] = {
    BASELINE("snn", "SNN", "unimodal", true, MML_BASELINE_SNN),
    BASELINE("abmil", "ABMIL", "unimodal", true, MML_BASELINE_ABMIL),
    BASELINE("multimodn", "MultiModN", "unimodal", true, MML_BASELINE_MULTIMODN),
    BASELINE("perceiver", "Perceiver", "unimodal", true, MML_BASELINE_PERCEIVER),
    OURS("block", "LegoBlock", "unimodal", MMLI_SYSTEM_BLOCK, true),
    OURS("ensemble", "Ensemble", "multimodal", MMLI_SYSTEM_ENSEMBLE, false),
    OURS("ensemble-weighted", "Ensemble (weighted)", "multimodal", MMLI_SYSTEM_WEIGHTED, false),
    BASELINE("late-concat", "Late fusion (concatenation)", "multimodal", false, MML_BASELINE_LATE_CONCAT),
    BASELINE("late-bilinear", "Late fusion (bilinear)", "multimodal", false, MML_BASELINE_LATE_BILINEAR),
    BASELINE("perceiver", "Perceiver (early concatenation)", "multimodal", false, MML_BASELINE_PERCEIVER),
    BASELINE("multimodn", "MultiModN", "multimodal", false, MML_BASELINE_MULTIMODN),
    BASELINE("mcat", "MCAT", "multimodal", false, MML_BASELINE_MCAT),
    BASELINE("healnet", "HEALNet", "multimodal", false, MML_BASELINE_HEALNET),
    OURS("merge", "LegoMerge", "lego", MMLI_SYSTEM_MERGE, false),
    OURS("fuse-stack", "LegoFuse (stack)", "lego", MMLI_SYSTEM_STACK, false),
    OURS("fuse-weave", "LegoFuse (weave)", "lego", MMLI_SYSTEM_WEAVE, false),
    BASELINE("linear", "Penalised regression", "reference", true, MML_BASELINE_LINEAR),
    BASELINE("linear", "Penalised regression", "reference", false, MML_BASELINE_LINEAR),
};
enum { N_TYPES = sizeof types / sizeof *types };

static const mmli_system_type interference = OURS("interference", "Interference", "study", MMLI_SYSTEM_INTERFERENCE, false);

static const char *const groups[] = {"all", "unimodal", "multimodal", "lego", "reference"};
enum { N_GROUPS = sizeof groups / sizeof *groups };

bool mmli_system_is_joined(const mmli_system *system)
{
    return system->type->kind >= MMLI_SYSTEM_ENSEMBLE && system->type->kind <= MMLI_SYSTEM_WEAVE;
}

void mmli_system_modalities(size_t *first, size_t *n, const mml_compare *plan, const mmli_system *system, size_t point)
{
    const mmli_point *p = &plan->points[point];

    *first = system->modality == SIZE_MAX ? 0 : system->modality;
    *n = system->modality != SIZE_MAX ? 1 : p->study == MMLI_STUDY_MODALITIES ? p->modality : plan->n_modalities;
}

/* ---- all that these modalities allow ------------------------------------------------------------------------ */

static mml_status add(mmli_system *list, size_t *n, const mmli_system_type *type, const mml_compare *plan, size_t modality)
{
    mmli_system *s = &list[*n];
    mml_status st = MML_OK;

    *s = (mmli_system){.type = type, .modality = modality, .order = *n};
    ++*n;
    if (type->unimodal) {
        MML_TRY(mmli_strf(&s->name, "%s:%s", type->name, plan->modalities[modality].name));
        MML_TRY(mmli_strf(&s->title, "%s, %s", type->title, plan->modalities[modality].name));
    } else {
        MML_TRY(mmli_strdup(&s->name, type->name));
        MML_TRY(mmli_strdup(&s->title, type->title));
    }
out:
    return st;
}

/* list has room for N_TYPES systems a modality. With one modality there is nothing to be joined. */
static mml_status all_systems(mmli_system *list, size_t *n, const mml_compare *plan)
{
    mml_status st = MML_OK;

    for (size_t t = 0; t < N_TYPES; t++) {
        if (!types[t].unimodal && plan->n_modalities == 1)
            continue;
        for (size_t m = 0; m < (types[t].unimodal ? plan->n_modalities : 1); m++)
            MML_TRY(add(list, n, &types[t], plan, types[t].unimodal ? m : SIZE_MAX));
    }
out:
    return st;
}

mml_status mmli_system_check(const mml_compare *plan, const mmli_system *system, size_t point)
{
    mml_status st = MML_OK;
    mml_modality_info *info = NULL;
    mml_baseline_options o;
    size_t first, n;

    if (system->type->kind != MMLI_SYSTEM_BASELINE)
        return MML_OK;
    mmli_system_modalities(&first, &n, plan, system, point);
    MML_TRY(mmli_calloc(&info, n, sizeof *info));
    for (size_t i = 0; i < n; i++)
        info[i] = (mml_modality_info){.name = plan->modalities[first + i].name,
                                      .kind = plan->modalities[first + i].kind,
                                      .width = plan->modalities[first + i].width,
                                      .n_present = plan->modalities[first + i].present};
    MML_TRY(mml_baseline_options_init(&o, system->type->baseline));
    MML_TRY(mml_baseline_check(&o, info, n));
out:
    mmli_free(info);
    return st;
}

/* ---- those asked for ------------------------------------------------------------------------------------------- */

/* A name is that of one system, or of a group. A group has the systems of one modality only where their definition allows that
 * one: there is no SNN of a bag. */
static bool stands_for(const char *name, const mmli_system *s, bool possible)
{
    if (strcmp(name, s->name) == 0)
        return true;
    return (strcmp(name, "all") == 0 || strcmp(name, s->type->group) == 0) && (!s->type->unimodal || possible);
}

/* "block": that type of each modality, where no system has this name. */
static bool is_short_for(const char *name, const mmli_system *s, bool possible)
{
    return s->type->unimodal && strcmp(name, s->type->name) == 0 && possible;
}

static mml_status unknown(const char *name, const mmli_system *list, size_t n)
{
    mml_status st = MML_OK;
    const char **names = NULL, *near;
    char text[MMLI_LIST_BYTES];

    MML_TRY(mmli_calloc(&names, n + N_GROUPS, sizeof *names));
    for (size_t i = 0; i < N_GROUPS; i++)
        names[i] = groups[i];
    for (size_t i = 0; i < n; i++)
        names[N_GROUPS + i] = list[i].name;
    near = mmli_nearest(name, names, n + N_GROUPS);
    st = mmli_fail(MML_E_NOT_FOUND, "there is no system `%s`%s%s%s; there are %s", name, near ? " (did you mean `" : "",
                   near ? near : "", near ? "`?)" : "", mmli_list(text, names, n + N_GROUPS));
out:
    mmli_free(names);
    return st;
}

static mml_status choose(bool *chosen, const mmli_system *list, size_t n, const char *const *names, size_t n_names,
                         const mml_compare *plan)
{
    mml_status st = MML_OK;
    bool joined = false, *possible = NULL; /* (n) */

    MML_TRY(mmli_calloc(&possible, n, sizeof *possible));
    for (size_t i = 0; i < n; i++) {
        st = mmli_system_check(plan, &list[i], 0);
        possible[i] = st == MML_OK;
        if (st == MML_E_NOMEM)
            goto out;
    }
    st = MML_OK;
    for (size_t j = 0; j < n_names; j++) {
        bool found = false;

        for (size_t i = 0; i < n; i++)
            if (stands_for(names[j], &list[i], possible[i]))
                chosen[i] = found = true;
        for (size_t i = 0, any = found; i < n && !any; i++)
            if (is_short_for(names[j], &list[i], possible[i]))
                chosen[i] = found = true;
        for (size_t i = 0; i < N_GROUPS; i++) /* a group may be empty: nothing of it is there yet, or for one modality */
            found = found || strcmp(names[j], groups[i]) == 0;
        if (!found)
            MML_TRY(unknown(names[j], list, n));
    }
    for (size_t i = 0; i < n; i++)
        joined = joined || (chosen[i] && mmli_system_is_joined(&list[i]));
    for (size_t i = 0; i < n; i++)
        if (joined && list[i].type->kind == MMLI_SYSTEM_BLOCK)
            chosen[i] = true;
out:
    mmli_free(possible);
    return st;
}

mml_status mmli_plan_systems(mml_compare *plan, const char *const *names, size_t n_names)
{
    static const char *const everything[] = {"all"}, *const blocks[] = {"block"};
    const bool mixing = plan->study == MMLI_STUDY_INTERFERENCE;
    mml_status st = MML_OK;
    mmli_system *list = NULL;
    bool *chosen = NULL;
    size_t n = 0;

    MML_TRY(mmli_calloc(&list, N_TYPES * plan->n_modalities, sizeof *list));
    MML_TRY(mmli_calloc(&chosen, N_TYPES * plan->n_modalities, sizeof *chosen));
    MML_TRY(all_systems(list, &n, plan));
    MML_TRY(choose(chosen, list, n, n_names ? names : mixing ? blocks : everything, n_names ? n_names : 1, plan));
    for (size_t i = 0; i < n; i++)
        chosen[i] = chosen[i] || (mixing && list[i].type->kind == MMLI_SYSTEM_BLOCK);
    MML_TRY(mmli_calloc(&plan->systems, n + 1, sizeof *plan->systems));
    for (size_t i = 0; i < n; i++)
        if (chosen[i]) {
            plan->systems[plan->n_systems++] = list[i];
            list[i].name = list[i].title = NULL;
        }
    if (mixing) {
        size_t one = 0;

        MML_TRY(add(&plan->systems[plan->n_systems], &one, &interference, plan, SIZE_MAX));
        plan->systems[plan->n_systems++].order = n;
    }
    MML_CHECK(plan->n_systems > 0, MML_E_ARG, "none of the systems asked for can be trained here");
out:
    for (size_t i = 0; i < n; i++) {
        mmli_free(list[i].name);
        mmli_free(list[i].title);
    }
    mmli_free(list);
    mmli_free(chosen);
    return st;
}
