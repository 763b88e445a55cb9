/* test_train.c - training a block: it learns, it repeats to the bit, it never looks at the test part. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/train_rig.h"
#include "util/alloc.h"

START_TEST(a_signal_that_is_there_is_learnt_and_found_again_in_the_test_part)
{
    static const char *const modalities[] = {"labs", "vitals"};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *model;
    const mmli_provenance *from;

    o.epochs = 15;
    model = rig_train(cohort, modalities[_i], &o);
    from = &model->members[0].from;
    ck_assert_double_lt(from->history[from->n_history - 1].train_loss, from->history[0].train_loss);
    ck_assert_double_gt(rig_score(model, cohort, "test"), 0.75);
    ck_assert_uint_gt(from->n_ids[0], 0);
    ck_assert_double_gt(model->members[0].latent_rms, 0);
    mml_model_free(model);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bits_for_any_number_of_threads)
{
    static const int threads[] = {1, 2, 3, 8};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *first = NULL;

    o.epochs = 3;
    for (size_t i = 0; i < 4; i++) {
        mml_model *model;
        o.threads = threads[i];
        model = rig_train(cohort, "vitals", &o);
        if (first) {
            rig_same_parameters(first, model);
            mml_model_free(model);
        } else {
            first = model;
        }
    }
    mml_model_free(first);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_cohort_on_the_disk_gives_the_bits_of_one_in_memory)
{
    static const char *const modalities[] = {"labs", "vitals"};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *memory, *disk;
    double score;

    o.epochs = 3;
    memory = rig_train(cohort, modalities[_i], &o);
    score = rig_score(memory, cohort, "test");
    mml_cohort_set_memory(cohort, 0); /* from here on a thread reads ahead */
    disk = rig_train(cohort, modalities[_i], &o);
    rig_same_parameters(memory, disk);
    ck_assert(rig_score(disk, cohort, "test") == score);
    ck_assert(disk->members[0].latent_rms == memory->members[0].latent_rms);
    mml_model_free(memory);
    mml_model_free(disk);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(another_seed_gives_another_block_and_the_same_seed_the_same_start_in_every_modality)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *labs, *vitals;
    float a[64], b[64];

    o.epochs = 1;
    labs = rig_train(cohort, "labs", &o);
    vitals = rig_train(cohort, "vitals", &o);
    /* the head is shared: it keeps its start (method.md 3b point 2) */
    mmlt_assert_ok(mmli_params_get(a, labs->params, labs->members[0].block.head.linear_w));
    mmlt_assert_ok(mmli_params_get(b, vitals->params, vitals->members[0].block.head.linear_w));
    mmlt_assert_same_bits(a, b, 2 * 8 * sizeof *a);
    mml_model_free(vitals);
    o.seed = 4;
    vitals = rig_train(cohort, "vitals", &o);
    mmlt_assert_ok(mmli_params_get(b, vitals->params, vitals->members[0].block.head.linear_w));
    ck_assert_int_ne(memcmp(a, b, 2 * 8 * sizeof *a), 0);
    mml_model_free(labs);
    mml_model_free(vitals);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(nothing_learnt_depends_on_the_test_part)
{
    static const char *const modalities[] = {"labs", "vitals"};
    const rig_spec other = {.other_test = true};
    mmlt_cohort made[2];
    mml_cohort *cohorts[2] = {rig_cohort(&made[0], NULL), rig_cohort(&made[1], &other)};
    mml_train_options o = rig_options();
    mml_model *models[2];
    const mmli_prep *a, *b;

    o.epochs = 3;
    for (int i = 0; i < 2; i++)
        models[i] = rig_train(cohorts[i], modalities[_i], &o);
    rig_same_parameters(models[0], models[1]);
    a = models[0]->members[0].prep;
    b = models[1]->members[0].prep;
    mmlt_assert_same_bits(a->center, b->center, a->width_in * sizeof *a->center);
    mmlt_assert_same_bits(a->scale_inv, b->scale_inv, a->width_in * sizeof *a->scale_inv);
    mmlt_assert_same_bits(a->fill, b->fill, a->width_in * sizeof *a->fill);
    mmlt_assert_same_bits(models[0]->task->prior_logits, models[1]->task->prior_logits, 2 * sizeof(float));
    ck_assert(models[0]->members[0].from.valid_score == models[1]->members[0].from.valid_score);
    for (int i = 0; i < 2; i++) {
        mml_model_free(models[i]);
        mml_cohort_close(cohorts[i]);
        mmlt_cohort_remove(&made[i]);
    }
}
END_TEST

/* _i = 0: by the score alone; 1: with a share of the loss so large that here the two disagree. */
START_TEST(the_weights_kept_are_those_of_the_best_validation_score)
{
    const double share = _i ? 10.0 : 0.0;
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *model;
    const mmli_provenance *from;
    double best = -INFINITY, loss = 0, highest = -1;
    size_t best_epoch = 0;

    o.learning_rate = 0.1; /* wild on purpose: scores go up and down */
    o.loss_share = share;
    o.patience = 3;
    o.epochs = 30;
    model = rig_train(cohort, "labs", &o);
    from = &model->members[0].from;
    for (size_t i = 0; i < from->n_history; i++) {
        const mml_epoch *e = &from->history[i];
        const double value = e->valid_score - share * e->valid_loss;
        highest = fmax(highest, e->valid_score);
        if (value > best || (value == best && e->valid_loss < loss)) { /* ties: the lower loss */
            best = value;
            loss = e->valid_loss;
            best_epoch = i + 1;
        }
    }
    ck_assert_uint_eq(from->best_epoch, best_epoch);
    ck_assert_double_eq_tol(rig_score(model, cohort, "valid"), from->history[best_epoch - 1].valid_score, 1e-12);
    ck_assert_double_eq(from->valid_score, from->history[best_epoch - 1].valid_score);
    ck_assert(_i ? from->valid_score < highest : from->valid_score == highest);
    /* it stopped when `patience` epochs brought nothing, or ran to its end */
    ck_assert(from->n_history == 30 || from->n_history == best_epoch + 3);
    mml_model_free(model);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Mean probability of class 1 over the training part. */
static double mean_probability(const mml_model *model, mml_cohort *cohort)
{
    mml_predictor *p = NULL;
    mml_batch *batch = NULL;
    mml_prediction out;
    const char *names[] = {"labs"};
    size_t samples[RIG_N];
    double sum = 0;

    for (size_t i = 0; i < RIG_N; i++)
        samples[i] = i;
    mmlt_assert_ok(mml_batch_new(&batch, 0));
    mmlt_assert_ok(mml_cohort_read(cohort, batch, samples, RIG_N, names, 1));
    mmlt_assert_ok(mml_predictor_new(&p, model, NULL, 1));
    mmlt_assert_ok(mml_predict(&out, p, batch));
    for (size_t i = 0; i < RIG_N; i++)
        sum += out.score[i];
    mml_predictor_free(p);
    mml_batch_free(batch);
    return sum / RIG_N;
}

START_TEST(balanced_class_weights_raise_the_rare_class)
{
    const rig_spec spec = {.rare = 0.15};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &spec);
    mml_train_options o = rig_options();
    mml_model *plain, *balanced;

    o.shared_head = 0; /* free to learn the base rate */
    o.epochs = 20;
    o.patience = 0;
    plain = rig_train(cohort, "labs", &o);
    o.class_weights = MML_CLASS_BALANCED;
    balanced = rig_train(cohort, "labs", &o);
    ck_assert_double_gt(mean_probability(balanced, cohort), mean_probability(plain, cohort) + 0.05);
    mml_model_free(plain);
    mml_model_free(balanced);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

static double weight_size(const mml_model *model)
{
    double sum = 0;

    for (size_t i = 0; i < model->params->n; i++) {
        const mmli_param *p = &model->params->list[i];
        const size_t n = p->rows * p->cols;
        float *x = calloc(n, sizeof *x);

        mmlt_assert_ok(mmli_params_get(x, model->params, i));
        for (size_t j = 0; p->role == MMLI_ROLE_WEIGHT && p->section == MMLI_SECTION_ENCODER && j < n; j++)
            sum += fabs((double)x[j]);
        free(x);
    }
    return sum;
}

START_TEST(penalties_shrink_the_weights)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_model *plain = rig_train(cohort, "labs", &o), *other;

    o.l1 = 0.01;
    other = rig_train(cohort, "labs", &o);
    ck_assert_double_lt(weight_size(other), weight_size(plain));
    mml_model_free(other);
    o.l1 = 0;
    o.encoder_decay = 5;
    other = rig_train(cohort, "labs", &o);
    ck_assert_double_lt(weight_size(other), weight_size(plain));
    mml_model_free(other);
    mml_model_free(plain);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_loss_that_is_not_finite_stops_with_epoch_batch_and_cause_and_keeps_the_last_checkpoint)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    const mml_block_options block = rig_block(MML_ENCODER_SNN);
    mml_train_options o = rig_options();
    mml_model *model = NULL;
    char path[MMLT_PATH];
    struct stat before, after;

    mmlt_fresh_path(path, ".ckpt");
    unlink(path);
    o.checkpoint = path;
    o.epochs = 1;
    model = rig_train(cohort, "labs", &o);
    mml_model_free(model);
    model = NULL;
    ck_assert_int_eq(stat(path, &before), 0);
    o.learning_rate = 1e30;
    o.clip_norm = 0;
    o.warmup = 0;
    o.epochs = 6;
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_NOT_FINITE,
                      "epoch 1, batch ");
    ck_assert_ptr_nonnull(strstr(mml_last_error(), "learning rate"));
    ck_assert_ptr_null(model);
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert(before.st_ino == after.st_ino && before.st_size == after.st_size);
    unlink(path);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* The Cox loss of samples without an event is 0 / 0, which is no divergence. */
START_TEST(a_validation_part_without_events_is_as_good_as_none)
{
    enum { N = 40 };
    static double time[N];
    static uint8_t event[N];
    float x[N * 2];
    const mml_block_options block = rig_block(MML_ENCODER_NONE);
    mml_baseline_options linear;
    mmlt_cohort made;
    mml_cohort *cohort;
    mml_train_options o;
    mml_model *model = NULL;

    for (size_t i = 0; i < N; i++)
        time[i] = (double)(i + 1);
    event[7] = event[20] = 1; /* at 1/4 and 3/4 of their stratum, both below 0.8 */
    mmlt_normal(x, N * 2, 3);
    mmlt_cohort_begin(&made, N, NULL);
    mmlt_cohort_modality(&made, "labs", "table", x, NULL, 2, NULL, 0, NULL);
    mmlt_cohort_survival(&made, "outcome", "months", time, event);
    cohort = mmlt_cohort_open(&made);
    mmlt_assert_ok(mml_train_options_init(&o, NULL, MML_TABLE, MML_SURVIVAL));
    o.epochs = 30; /* more than patience */
    o.threads = 1;
    o.split.train = "0.8";
    o.split.valid = "0.1";
    mmlt_assert_ok(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o));
    ck_assert_uint_gt(model->members[0].from.n_ids[1], 0);
    ck_assert_uint_eq(model->members[0].from.n_history, 30);
    ck_assert_uint_eq(model->members[0].from.best_epoch, 30);
    ck_assert(isnan(model->members[0].from.valid_score) && isnan(model->members[0].from.history[0].valid_loss));
    mml_model_free(model);
    mmlt_assert_ok(mml_baseline_options_init(&linear, MML_BASELINE_LINEAR));
    mmlt_assert_fails(mml_train_baseline(&model, cohort, (const char *[]){"labs"}, 1, "outcome", &linear, NULL, &o), MML_E_DATA,
                      "no validation sample has the event");
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(what_cannot_be_trained_is_said)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = rig_options();
    mml_block_options block = rig_block(MML_ENCODER_SNN);
    mml_model *model = NULL;

    mmlt_assert_fails(mml_train_block(&model, cohort, "lab", "outcome", &block, NULL, NULL, &o), MML_E_NOT_FOUND, "labs");
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "death", &block, NULL, NULL, &o), MML_E_NOT_FOUND, "outcome");
    o.learning_rate = -1;
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_ARG,
                      "learning rate");
    o = rig_options();
    o.split.train = "set=c";
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_NOT_FOUND, "c");
    o = rig_options();
    block.dropout = 1;
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_ARG, "dropout");
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train");
    TCase *tc = tcase_create("block");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_signal_that_is_there_is_learnt_and_found_again_in_the_test_part, 0, 2);
    tcase_add_test(tc, the_same_seed_gives_the_same_bits_for_any_number_of_threads);
    tcase_add_loop_test(tc, a_cohort_on_the_disk_gives_the_bits_of_one_in_memory, 0, 2);
    tcase_add_test(tc, another_seed_gives_another_block_and_the_same_seed_the_same_start_in_every_modality);
    tcase_add_loop_test(tc, nothing_learnt_depends_on_the_test_part, 0, 2);
    tcase_add_loop_test(tc, the_weights_kept_are_those_of_the_best_validation_score, 0, 2);
    tcase_add_test(tc, balanced_class_weights_raise_the_rare_class);
    tcase_add_test(tc, penalties_shrink_the_weights);
    tcase_add_test(tc, a_loss_that_is_not_finite_stops_with_epoch_batch_and_cause_and_keeps_the_last_checkpoint);
    tcase_add_test(tc, a_validation_part_without_events_is_as_good_as_none);
    tcase_add_test(tc, what_cannot_be_trained_is_said);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
