/* compare_rig.c - see compare_rig.h. */
#include "tests/unit/compare_rig.h"

#include <stdio.h>

static const char *const systems[] = {"block", "ensemble", "merge", "fuse-stack"};

void compare_rig_make(compare_rig *rig, const rig_spec *spec, const char *name)
{
    mml_cohort_close(rig_cohort(&rig->made, spec));
    mml_compare_options_init(&rig->o);
    rig->o.cohort = rig->made.path;
    rig->o.task = "outcome";
    rig->o.directory = mmlt_path(name);
    rig->o.systems = systems;
    rig->o.n_systems = sizeof systems / sizeof *systems;
    rig->o.folds = 2;
    rig->o.threads = 1;
}

void compare_rig_free(compare_rig *rig)
{
    mmlt_cohort_remove(&rig->made);
}

size_t compare_rig_run(const mml_compare_options *o)
{
    mml_compare *plan = NULL;
    size_t ran = 0;

    mmlt_assert_ok(mml_compare_new(&plan, o));
    for (size_t i = 0; i < mml_compare_n_jobs(plan); i++) {
        mml_compare_job job;

        mmlt_assert_ok(mml_compare_job_at(&job, plan, i));
        if (job.state != MML_COMPARE_OPEN)
            continue;
        mmlt_assert_ok(mml_compare_run(NULL, plan, i, NULL, NULL));
        ran++;
    }
    mml_compare_free(plan);
    return ran;
}

json_t *compare_rig_record(const char *directory, const char *system, int fold)
{
    static const char *const varies[] = {"train_seconds", "own_seconds", "predict_seconds", "peak_bytes"};
    char path[640];
    json_t *record;

    snprintf(path, sizeof path, "%s/jobs/%s.%d.json", directory, system, fold);
    record = json_load_file(path, 0, NULL);
    ck_assert_msg(record != NULL, "%s is not there", path);
    for (size_t i = 0; i < sizeof varies / sizeof *varies; i++)
        ck_assert_int_eq(json_object_del(record, varies[i]), 0);
    return record;
}

double compare_rig_number(const json_t *record, const char *key)
{
    ck_assert_msg(json_is_number(json_object_get(record, key)), "%s is not a number", key);
    return json_number_value(json_object_get(record, key));
}
