/* compare_rig.c - see compare_rig.h. */
#include "tests/unit/compare_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const systems[] = {"block", "ensemble", "merge", "fuse-stack"};
const char *const compare_rig_files[COMPARE_RIG_FILES] = {"block@labs", "block@vitals", "ensemble", "merge", "fuse-stack"};
static compare_rig whole; /* the shared one */
static char whole_at[512];

void compare_rig_make(compare_rig *rig, const rig_spec *spec, const char *name)
{
    rig->shared = false;
    mml_cohort_close(rig_cohort(&rig->made, spec));
    mml_compare_options_init(&rig->o);
    rig->o.cohort = rig->made.path;
    rig->o.task = "outcome";
    rig->o.directory = mmlt_path(name);
    rig->o.systems = systems;
    rig->o.n_systems = sizeof systems / sizeof *systems;
    rig->o.folds = 2;
    rig->o.weight_folds = 0; /* test_train_cross.c has them */
    rig->o.threads = 1;
}

void compare_rig_free(compare_rig *rig)
{
    if (!rig->shared)
        mmlt_cohort_remove(&rig->made);
}

/* In a process of its own: the tests are forked from this one, which should have no threads, and no cohort open. */
static int run_whole(void)
{
    mml_compare *plan = NULL;
    int good = mml_compare_new(&plan, &whole.o) == MML_OK;

    for (size_t i = 0; good && i < mml_compare_n_jobs(plan); i++)
        good = mml_compare_run(NULL, plan, i, NULL, NULL) == MML_OK;
    if (!good)
        fprintf(stderr, "%s\n", mml_last_error());
    mml_compare_free(plan);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

void compare_rig_share(void)
{
    pid_t child;
    int how = -1;

    mmlt_folder_make();
    snprintf(whole_at, sizeof whole_at, "%s", mmlt_path("."));
    compare_rig_make(&whole, NULL, ".");
    whole.o.directory = whole_at;
    child = fork();
    if (child == 0)
        _exit(run_whole());
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &how, 0), child);
    ck_assert_int_eq(how, 0);
}

void compare_rig_unshare(void)
{
    whole_at[strlen(whole_at) - 2] = '\0'; /* the folder itself, not "/." in it */
    mmlt_remove_tree(whole_at);
    mmlt_cohort_remove(&whole.made);
}

static void make_folder(const char *path)
{
    ck_assert_msg(mkdir(path, 0777) == 0 || errno == EEXIST, "%s", path);
}

void compare_rig_copy_file(const char *to, const char *from, const char *file)
{
    char path[1200];
    size_t n;
    char *bytes;
    FILE *f;

    make_folder(to);
    snprintf(path, sizeof path, "%s/jobs", to);
    make_folder(path);
    snprintf(path, sizeof path, "%s/models", to);
    make_folder(path);
    snprintf(path, sizeof path, "%s/%s", from, file);
    bytes = mmlt_read(path, &n);
    snprintf(path, sizeof path, "%s/%s", to, file);
    f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
    free(bytes);
}

void compare_rig_copy(compare_rig *rig, const char *name)
{
    char file[200];

    *rig = whole;
    rig->shared = true;
    rig->o.directory = mmlt_path(name);
    compare_rig_copy_file(rig->o.directory, whole.o.directory, "plan.json");
    for (int fold = 0; fold < whole.o.folds; fold++)
        for (size_t i = 0; i < COMPARE_RIG_FILES; i++) {
            snprintf(file, sizeof file, "jobs/%s.%d.json", compare_rig_files[i], fold);
            compare_rig_copy_file(rig->o.directory, whole.o.directory, file);
            snprintf(file, sizeof file, "models/%s.%d.h5", compare_rig_files[i], fold);
            compare_rig_copy_file(rig->o.directory, whole.o.directory, file);
        }
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
