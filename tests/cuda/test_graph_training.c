/* test_graph_training.c - trainings whose steps are graphs, on a GPU or the emulated one (emulated.sh): each gives the model that it gives
 * step by step, to the bit. Steps by hand: test_graph.c. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/cuda/there.h"
#include "tests/unit/train_rig.h"

/* The backend, with somebody who counts. */
static struct {
    mml_status (*end)(mmli_device *dv, bool *again);
    mml_status (*alloc)(mmli_device *dv, mmli_mem **out, size_t bytes);
    size_t steps, again, allocs;
} seen;

static mml_status counted_end(mmli_device *dv, bool *again)
{
    bool yes = false;
    const mml_status st = seen.end(dv, &yes);

    seen.steps++;
    seen.again += yes;
    if (again)
        *again = yes;
    return st;
}

static mmli_backend with_graphs(void)
{
    mmli_backend table;

    mmlt_assert_ok(mmli_device_find(&table, "cuda"));
    ck_assert(table.step_begin && table.step_end);
    seen.end = table.step_end;
    seen.steps = seen.again = 0;
    table.step_end = counted_end;
    return table;
}

static mmli_backend without_graphs(void)
{
    mmli_backend table;

    mmlt_assert_ok(mmli_device_find(&table, "cuda"));
    table.step_begin = NULL;
    table.step_end = NULL;
    return table;
}

static mml_model *train_on(mml_cohort *cohort, const char *modality, const mml_train_options *o, const mmli_backend *table)
{
    mml_block_options block = rig_block(strcmp(modality, "labs") == 0 ? MML_ENCODER_SNN : MML_ENCODER_NONE);
    mml_model *model = NULL;

    mmlt_assert_ok(mmli_train_block_on(&model, cohort, modality, "outcome", &block, NULL, NULL, o, table));
    return model;
}

static void same_trainings(const mml_model *a, const mml_model *b)
{
    const mmli_provenance *x = &a->members[0].from, *y = &b->members[0].from;

    rig_same_parameters(a, b);
    ck_assert_uint_eq(x->n_history, y->n_history);
    ck_assert_uint_eq(x->best_epoch, y->best_epoch);
    for (size_t i = 0; i < x->n_history; i++) {
        const mml_epoch *p = &x->history[i], *q = &y->history[i];

        ck_assert(p->train_loss == q->train_loss && p->valid_loss == q->valid_loss && p->learning_rate == q->learning_rate &&
                  p->gradient_norm == q->gradient_norm && p->best == q->best);
    }
}

/* labs: tables of 16 samples, and a last batch of fewer; vitals: bags of varying length. Dropout, warm-up, a rate that changes
 * with every step or falls when the score does not rise, an early end with the best weights, a loss that weighs its batch. */
typedef struct training {
    const char *modality;
    bool survival;
    mml_schedule schedule;
    mml_survival_loss loss;
    double clip, l1;
    size_t patience;
} training;
static const training trainings[] = {
    {.modality = "labs", .schedule = MML_SCHEDULE_COSINE, .clip = 1, .l1 = 1e-4},
    {.modality = "labs", .schedule = MML_SCHEDULE_PLATEAU, .patience = 2},
    {.modality = "labs", .survival = true, .schedule = MML_SCHEDULE_CONSTANT, .clip = 0.1},
    {.modality = "labs", .survival = true, .schedule = MML_SCHEDULE_COSINE, .loss = MML_LOSS_COX},
    {.modality = "vitals", .schedule = MML_SCHEDULE_COSINE, .clip = 1},
};
enum { TRAININGS = sizeof trainings / sizeof *trainings };

static mml_train_options options_of(const training *r)
{
    mml_train_options o = rig_options();

    o.epochs = 5;
    o.schedule = r->schedule;
    o.clip_norm = r->clip;
    o.l1 = r->l1;
    o.patience = r->patience;
    o.survival_loss = r->loss;
    return o;
}

START_TEST(a_training_by_graphs_is_the_training_step_by_step)
{
    const training *r = &trainings[_i];
    const rig_spec spec = {.survival = r->survival};
    const mml_train_options o = options_of(r);
    mmli_backend table = with_graphs();
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &spec);
    mml_model *graphs = train_on(cohort, r->modality, &o, &table), *plain;

    ck_assert_uint_gt(seen.steps, 15);
    if (strcmp(r->modality, "labs") == 0) /* all but the first of each shape, in both sets of memory */
        ck_assert_uint_ge(seen.again + 10, seen.steps);
    else
        ck_assert_uint_lt(seen.again, seen.steps / 2);
    table = without_graphs();
    plain = train_on(cohort, r->modality, &o, &table);
    same_trainings(graphs, plain);
    mml_model_free(graphs);
    mml_model_free(plain);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Modalities that are left out at random make batches of ever other sizes, with dropout in both. */
START_TEST(a_fuse_by_graphs_is_the_fuse_step_by_step)
{
    static const char *const modalities[] = {"labs", "vitals"};
    mml_train_options o = rig_options(), fo;
    mmli_backend graphs = with_graphs(), plain = without_graphs();
    mml_model *blocks[2], *a = NULL, *b = NULL;
    mml_fuse_options fuse;
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);

    o.epochs = 1;
    for (int i = 0; i < 2; i++)
        blocks[i] = train_on(cohort, modalities[i], &o, &plain);
    mmlt_assert_ok(mml_fuse_options_init(&fuse, NULL));
    fuse.modality_dropout = _i ? 0.3 : 0;
    mmlt_assert_ok(mml_train_options_init_fuse(&fo, NULL, MML_BINARY));
    fo.epochs = 3;
    fo.batch = 16;
    fo.split.train = "set=a";
    fo.split.test = "set=b";
    mmlt_assert_ok(mmli_train_fuse_on(&a, cohort, (const mml_model *const *)blocks, 2, &fuse, &fo, &graphs));
    mmlt_assert_ok(mmli_train_fuse_on(&b, cohort, (const mml_model *const *)blocks, 2, &fuse, &fo, &plain));
    ck_assert_uint_gt(seen.steps, 15);
    rig_same_parameters(a, b);
    mml_model_free(a);
    mml_model_free(b);
    mml_model_free(blocks[0]);
    mml_model_free(blocks[1]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

static int stop_after(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step_now, size_t steps)
{
    int *left = user;

    (void)epoch;
    (void)epoch_now;
    (void)step_now;
    (void)steps;
    return --*left <= 0;
}

/* Stopped in the middle of an epoch when there are graphs, and gone on with by a device that has none yet. */
START_TEST(a_training_by_graphs_that_was_stopped_goes_on_to_the_same_bits)
{
    mml_train_options o = rig_options();
    mmli_backend table = without_graphs();
    mml_block_options block = rig_block(MML_ENCODER_SNN);
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_model *plain, *resumed = NULL;
    char path[MMLT_PATH];
    int left = 16;

    o.epochs = 4;
    plain = train_on(cohort, "labs", &o, &table);
    mmlt_fresh_path(path, ".ckpt");
    unlink(path);
    o.checkpoint = path;
    o.watch = stop_after;
    o.watch_user = &left;
    table = with_graphs();
    mmlt_assert_fails(mmli_train_block_on(&resumed, cohort, "labs", "outcome", &block, NULL, NULL, &o, &table), MML_E_STOPPED,
                      "resume from");
    ck_assert_uint_gt(seen.again, 3);
    o.watch = NULL;
    o.resume = 1;
    table = with_graphs();
    resumed = train_on(cohort, "labs", &o, &table);
    ck_assert_uint_gt(seen.again, 3);
    same_trainings(resumed, plain);
    mml_model_free(plain);
    mml_model_free(resumed);
    unlink(path);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Wherever capturing fails, no step is lost and none is done twice; and the switch of the environment is one. */
static const char *const failures[] = {"begin", "end", "instantiate", "launch", NULL};
enum { FAILURES = sizeof failures / sizeof *failures };

START_TEST(a_training_whose_graphs_fail_is_the_same_step_by_step)
{
    const char *failure = failures[_i];
    mml_train_options o = rig_options();
    mmli_backend table = without_graphs();
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_model *plain, *failed;

    if (failure && !mmlt_cuda_is_emulated())
        return; /* a GPU does not fail when it is told to */
    o.epochs = 2;
    cohort = rig_cohort(&made, NULL);
    plain = train_on(cohort, "labs", &o, &table);
    setenv(failure ? "MMLT_CUDA_GRAPHS_FAIL" : "MMLEGO_CUDA_GRAPHS", failure ? failure : "0", 1);
    table = with_graphs();
    failed = train_on(cohort, "labs", &o, &table);
    ck_assert_uint_eq(seen.again, 0);
    ck_assert_uint_gt(seen.steps, 10);
    same_trainings(failed, plain);
    unsetenv("MMLT_CUDA_GRAPHS_FAIL");
    unsetenv("MMLEGO_CUDA_GRAPHS");
    mml_model_free(plain);
    mml_model_free(failed);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

static mml_status counted_alloc(mmli_device *dv, mmli_mem **out, size_t bytes)
{
    seen.allocs++;
    return seen.alloc(dv, out, bytes);
}

/* A watch: what was asked for since the last step of this epoch. */
static int count_allocs(void *user, const mml_epoch *epoch, size_t epoch_now, size_t step_now, size_t steps)
{
    size_t *grew = user;

    (void)steps;
    if (!epoch && epoch_now >= 3 && step_now > 1)
        *grew += seen.allocs;
    seen.allocs = 0;
    return 0;
}

START_TEST(warm_steps_allocate_nothing)
{
    mml_train_options o = rig_options();
    rig_counts host = {.from_epoch = 3};
    mmli_backend table = with_graphs();
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    size_t grew = 0;

    o.epochs = 4;
    seen.alloc = table.alloc;
    table.alloc = counted_alloc;
    o.watch = count_allocs;
    o.watch_user = &grew;
    mml_model_free(train_on(cohort, "labs", &o, &table));
    ck_assert_uint_eq(grew, 0);
    o.watch = rig_count;
    o.watch_user = &host;
    mml_model_free(train_on(cohort, "labs", &o, &table));
    ck_assert_uint_gt(host.steps, 5);
    ck_assert_uint_eq(host.grew, 0);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda graph training");
    TCase *tc = tcase_create("trainings");

    if (!mmlt_cuda_is_there("trainings by graphs"))
        return 77;
    tcase_set_timeout(tc, 180);
    tcase_add_loop_test(tc, a_training_by_graphs_is_the_training_step_by_step, 0, TRAININGS);
    tcase_add_loop_test(tc, a_fuse_by_graphs_is_the_fuse_step_by_step, 0, 2);
    tcase_add_test(tc, a_training_by_graphs_that_was_stopped_goes_on_to_the_same_bits);
    tcase_add_loop_test(tc, a_training_whose_graphs_fail_is_the_same_step_by_step, 0, FAILURES);
    tcase_add_test(tc, warm_steps_allocate_nothing);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
