/* settings.c - all that decides the result of a job, and where two of these differ. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/setup.h"
#include "compare/study.h"
#include "util/error.h"
#include "util/json.h"

const char *const mmli_common_settings[] = {"version", "data_hash", "task", "seed", "split", "tune", NULL};

static json_t *modality_names(const mml_compare *plan, const mmli_plan_job *job)
{
    const mmli_point *p = &plan->points[job->point];
    json_t *list;
    size_t first, n;

    if (p->study == MMLI_STUDY_INTERFERENCE)
        return json_pack("[s, s]", plan->modalities[p->modality].name, plan->modalities[p->other].name);
    mmli_system_modalities(&first, &n, plan, &plan->systems[job->system], job->point);
    list = json_array();
    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(list, json_string(plan->modalities[first + i].name)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

mml_status mmli_job_settings(json_t **out, const mml_compare *plan, size_t job)
{
    const mmli_plan_job *j = &plan->jobs[job];
    mml_status st = MML_OK;
    json_t *options = NULL, *split, *study = NULL;

    *out = NULL;
    MML_TRY(mmli_setup_json(&options, plan, j->system, j->fold));
    split = json_pack("{s:s?, s:s?, s:s?, s:f, s:o}", "train", plan->train, "valid", plan->valid, "test", plan->test,
                      "valid_fraction", plan->valid_fraction, "seed", mmli_json_wide(plan->split_seed));
    *out = json_pack("{s:s, s:o, s:s, s:o, s:o, s:I, s:o, s:O}", "version", mml_version(), "data_hash", mmli_json_wide(plan->data_hash),
                     "task", plan->task, "seed", mmli_json_wide(plan->seed), "split", split, "tune", (json_int_t)plan->tune, "modalities",
                     modality_names(plan, j), "options", options);
    MML_CHECK(*out != NULL, MML_E_NOMEM, "no memory for the settings of %s", plan->systems[j->system].name);
    if (plan->points[j->point].study != MMLI_STUDY_NONE) {
        MML_TRY(mmli_study_json(&study, plan, j->point));
        MML_CHECK(json_object_set_new(*out, "study", study) == 0, MML_E_NOMEM, "no memory for the settings of a study");
    }
out:
    json_decref(options);
    return st;
}

/* ---- differences ----------------------------------------------------------------------------------------- */

static void value_text(char *out, size_t size, const json_t *v)
{
    char *text = v ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;

    snprintf(out, size, "%.60s%s", text ? text : "nothing", text && strlen(text) > 60 ? "..." : "");
    free(text);
}

static bool differs(char *out, size_t size, char *path, size_t room, size_t len, const json_t *there, const json_t *here)
{
    char a[80], b[80];
    const char *key;
    json_t *value;

    if ((!there && !here) || json_equal(there, here))
        return false;
    if (json_is_object(there) && json_is_object(here)) {
        for (int turn = 0; turn < 2; turn++) { /* keys of one, then those only the other has */
            const json_t *own = turn == 0 ? here : there, *other = turn == 0 ? there : here;

            json_object_foreach((json_t *)own, key, value) {
                const json_t *against = json_object_get(other, key);

                if (len + strlen(key) + 2 < room) {
                    snprintf(path + len, room - len, "%s%s", len ? "." : "", key);
                    if (differs(out, size, path, room, strlen(path), turn == 0 ? against : value,
                                turn == 0 ? value : against))
                        return true;
                }
            }
        }
    }
    path[len] = '\0';
    value_text(a, sizeof a, there);
    value_text(b, sizeof b, here);
    snprintf(out, size, "%s: %s there, %s here", path, a, b);
    return true;
}

bool mmli_json_differs(char *out, size_t size, const json_t *there, const json_t *here)
{
    char path[256] = "";

    return differs(out, size, path, sizeof path, 0, there, here);
}
