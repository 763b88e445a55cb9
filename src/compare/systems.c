/* systems.c - the systems that there are, and those that were asked for. */
#include <string.h>

#include "compare/plan.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* In the order of tables. */
static const mmli_system_type types[] = {
    {"block", "LegoBlock", "unimodal", MMLI_SYSTEM_BLOCK, true},
    {"ensemble", "Ensemble", "multimodal", MMLI_SYSTEM_ENSEMBLE, false},
    {"ensemble-weighted", "Ensemble (weighted)", "multimodal", MMLI_SYSTEM_WEIGHTED, false},
    {"merge", "LegoMerge", "lego", MMLI_SYSTEM_MERGE, false},
    {"fuse-stack", "LegoFuse (stack)", "lego", MMLI_SYSTEM_STACK, false},
    {"fuse-weave", "LegoFuse (weave)", "lego", MMLI_SYSTEM_WEAVE, false},
};
enum { N_TYPES = sizeof types / sizeof *types };

static const char *const groups[] = {"all", "unimodal", "multimodal", "lego", "reference"};
enum { N_GROUPS = sizeof groups / sizeof *groups };

bool mmli_system_is_joined(const mmli_system *system)
{
    return system->type->kind >= MMLI_SYSTEM_ENSEMBLE && system->type->kind <= MMLI_SYSTEM_WEAVE;
}

void mmli_system_modalities(size_t *first, size_t *n, const mml_compare *plan, const mmli_system *system)
{
    *first = system->modality == SIZE_MAX ? 0 : system->modality;
    *n = system->modality == SIZE_MAX ? plan->n_modalities : 1;
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

/* list has room for N_TYPES systems a modality. */
static mml_status all_systems(mmli_system *list, size_t *n, const mml_compare *plan)
{
    mml_status st = MML_OK;

    for (size_t t = 0; t < N_TYPES; t++)
        for (size_t m = 0; m < (types[t].unimodal ? plan->n_modalities : 1); m++)
            MML_TRY(add(list, n, &types[t], plan, types[t].unimodal ? m : SIZE_MAX));
out:
    return st;
}

/* ---- those asked for ------------------------------------------------------------------------------------------- */

/* A name may stand for one system, for all of a group, or for a type with each modality ("block"). */
static bool stands_for(const char *name, const mmli_system *s)
{
    return strcmp(name, "all") == 0 || strcmp(name, s->name) == 0 || strcmp(name, s->type->group) == 0 ||
           (s->type->unimodal && strcmp(name, s->type->name) == 0);
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

static mml_status choose(bool *chosen, const mmli_system *list, size_t n, const char *const *names, size_t n_names)
{
    bool joined = false;

    for (size_t j = 0; j < n_names; j++) {
        bool found = false;

        for (size_t i = 0; i < n; i++)
            if (stands_for(names[j], &list[i]))
                chosen[i] = found = true;
        for (size_t i = 0; i < N_GROUPS; i++) /* a group may be empty: nothing of it is there yet, or for one modality */
            found = found || strcmp(names[j], groups[i]) == 0;
        if (!found)
            return unknown(names[j], list, n);
    }
    for (size_t i = 0; i < n; i++)
        joined = joined || (chosen[i] && mmli_system_is_joined(&list[i]));
    for (size_t i = 0; i < n; i++)
        if (joined && list[i].type->kind == MMLI_SYSTEM_BLOCK)
            chosen[i] = true;
    return MML_OK;
}

mml_status mmli_plan_systems(mml_compare *plan, const char *const *names, size_t n_names)
{
    static const char *const everything[] = {"all"};
    mml_status st = MML_OK;
    mmli_system *list = NULL;
    bool *chosen = NULL;
    size_t n = 0;

    MML_TRY(mmli_calloc(&list, N_TYPES * plan->n_modalities, sizeof *list));
    MML_TRY(mmli_calloc(&chosen, N_TYPES * plan->n_modalities, sizeof *chosen));
    MML_TRY(all_systems(list, &n, plan));
    MML_TRY(choose(chosen, list, n, n_names ? names : everything, n_names ? n_names : 1));
    MML_TRY(mmli_calloc(&plan->systems, n, sizeof *plan->systems));
    for (size_t i = 0; i < n; i++)
        if (chosen[i]) {
            plan->systems[plan->n_systems++] = list[i];
            list[i].name = list[i].title = NULL;
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
