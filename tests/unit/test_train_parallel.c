/* test_train_parallel.c - a training on several devices is the training on one, but for the rounding of sums. Its threads are made by
 * pthread_create in src/train/parallel.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/train_rig.h"
#include "train/parallel.h"
#include "util/alloc.h"

/* A block to be trained. */
typedef struct kind {
    const char *modality;
    mml_encoder_kind encoder;
    size_t width; /* of the encoder */
} kind;

/* Tables, with enough parameters for several buckets too; series; bags (tokens pooled by ABMIL, or as they are). Every kind of
 * dropout that a block has. */
static const kind kinds[] = {{"labs", MML_ENCODER_SNN, 15},      {"labs", MML_ENCODER_SNN, 350},     {"labs", MML_ENCODER_LINEAR, 8},
                             {"vitals", MML_ENCODER_NONE, 0},    {"vitals", MML_ENCODER_ABMIL, 18},  {"vitals", MML_ENCODER_SELFATTN, 6},
                             {"vitals", MML_ENCODER_LINEAR, 12}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static mml_block_options block_of(const kind *k)
{
    mml_block_options o = rig_block(k->encoder);

    o.encoder_width = k->width > 0 ? k->width : o.encoder_width;
    o.encoder_dropout = 0.25;
    o.latent_c = 7; /* rows of a sample times columns: no multiple of 4, so that shards begin within a counter of the generator */
    o.latent_d = 9;
    return o;
}

static mml_train_options options(const char *device)
{
    mml_train_options o = rig_options();

    o.epochs = 2;
    o.patience = 0;
    o.threads = 1;
    o.shared_head = 0;
    o.device = device;
    return o;
}

/* ---- one step by hand --------------------------------------------------------------------------------------------------------- */

/* A trainer on n devices, or on one. */
typedef struct training {
    mml_model *model;
    mml_train_options o;
    mml_part *part;
    mmli_trainer t;
} training;

static void begin_on(training *x, mml_cohort *cohort, mml_model *model, const mml_train_options *o, const mmli_devices *devices)
{
    *x = (training){.model = model, .o = *o};
    mmlt_assert_ok(mmli_train_divide(&x->part, cohort, "outcome", &x->o));
    x->t = (mmli_trainer){.model = model, .cohort = cohort, .o = &x->o};
    mmlt_assert_ok(mmli_trainer_init(&x->t, x->part, NULL));
    if (devices->n > 1) {
        mmlt_assert_ok(mmli_parallel_new(&x->t.parallel, &x->t, devices, x->part));
        mmlt_assert_ok(mmli_parallel_begin(x->t.parallel));
    }
}

static void end(training *x)
{
    mmli_parallel_free(x->t.parallel);
    mmli_trainer_clear(&x->t);
    mmli_free(x->part);
    mml_model_free(x->model);
}

static mmli_devices some(const mmli_backend *table, size_t n)
{
    mmli_devices d = {.n = n};

    for (size_t i = 0; i < n; i++)
        d.table[i] = *table;
    return d;
}

static mml_status step(training *x, size_t first, size_t n)
{
    return x->t.parallel ? mmli_parallel_step(x->t.parallel, x->t.part[0].samples + first, n, x->o.learning_rate)
                         : mmli_train_step(&x->t, x->t.part[0].samples + first, n, x->o.learning_rate);
}

static float *fetch(const mmli_trainer *t, const mmli_mem *mem)
{
    mmli_device *dv = t->model->params->dv;
    float *out = calloc(t->model->params->total, sizeof *out);

    ck_assert_ptr_nonnull(out);
    mmlt_assert_ok(dv->k.download(dv, out, mem, t->model->params->total * sizeof *out));
    return out;
}

static void same_bits(const mmli_trainer *a, const mmli_mem *x, const mmli_trainer *b, const mmli_mem *y, const char *what)
{
    float *p = fetch(a, x), *q = fetch(b, y);

    mmlt_assert_same_bits_at(__FILE__, __LINE__, what, p, q, a->model->params->total * sizeof *p);
    free(p);
    free(q);
}

static mml_model *start_of(mml_cohort *cohort, const kind *k)
{
    const mml_block_options block = block_of(k);
    mml_train_options o = options("reference");
    mml_model *model = NULL;

    o.epochs = 1;
    mmlt_assert_ok(mml_train_block(&model, cohort, k->modality, "outcome", &block, NULL, NULL, &o));
    return model;
}

/* The gradient of one step, with dropout: sums of the same terms in another order (float32 of at most a thousand terms). */
START_TEST(the_gradient_is_that_of_the_undivided_batch)
{
    static const size_t sizes[] = {16, 7, 2, 1};
    const kind *k = &kinds[_i];
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    const mml_train_options o = options("reference");

    for (size_t n = 2; n <= 3; n++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            training one, many;
            const mmli_devices single = some(&mmli_backend_reference, 1), several = some(&mmli_backend_reference, n);
            float *a, *b;
            double la, lb;

            begin_on(&one, cohort, start_of(cohort, k), &o, &single);
            begin_on(&many, cohort, start_of(cohort, k), &o, &several);
            mmlt_assert_ok(step(&one, 3, sizes[s]));
            mmlt_assert_ok(step(&many, 3, sizes[s]));
            a = fetch(&one.t, one.t.optim->grads);
            b = fetch(&many.t, many.t.optim->grads);
            mmlt_assert_close(b, a, one.t.model->params->total, MMLT_TOL_SUM);
            mmlt_assert_ok(mmli_train_look(&one.t));
            mmlt_assert_ok(mmli_train_look(&many.t));
            la = one.t.at.loss_sum;
            lb = many.t.at.loss_sum;
            ck_assert_double_gt(la, 0);
            ck_assert_double_le(fabs(la - lb), 1e-6 * fabs(la)); /* logits are float32 */
            free(a);
            free(b);
            end(&one);
            end(&many);
        }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(all_devices_hold_the_same_bits_after_every_step)
{
    const kind *k = &kinds[_i];
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    const mml_train_options o = options("reference");
    const mmli_devices devices = some(&mmli_backend_reference, 3);
    training x;

    begin_on(&x, cohort, start_of(cohort, k), &o, &devices);
    for (size_t s = 0; s < 4; s++) {
        mmlt_assert_ok(step(&x, 16 * s, s == 3 ? 2 : 16)); /* one device has nothing in the last */
        for (size_t i = 1; i < devices.n; i++) {
            const mmli_trainer *t = mmli_parallel_trainer(x.t.parallel, i);

            ck_assert_ptr_ne(t->model->params->data, x.model->params->data);
            same_bits(t, t->model->params->data, &x.t, x.model->params->data, "parameters");
            same_bits(t, t->optim->m, &x.t, x.t.optim->m, "first moment");
            same_bits(t, t->optim->v, &x.t, x.t.optim->v, "second moment");
        }
    }
    end(&x);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* ---- validation by hand ------------------------------------------------------------------------------------------------------------ */

static mml_model *start_for(mml_cohort *cohort, const kind *k, const mml_train_options *o, const mmli_backend *table)
{
    const mml_block_options block = block_of(k);
    mml_train_options first = *o;
    mml_model *model = NULL;

    first.epochs = 1;
    mmlt_assert_ok(mmli_train_block_on(&model, cohort, k->modality, "outcome", &block, NULL, NULL, &first, table));
    return model;
}

/* Batches that are computed whole, and summed in their order: the same bits. Classes and both losses of survival; batches of which some
 * device has none. */
START_TEST(validation_is_that_of_one_device)
{
    static const size_t batches[] = {64, 5, 1};
    const rig_spec spec = {.survival = _i % 3 > 0};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &spec);
    mml_train_options o = options("reference");
    const mmli_devices single = some(&mmli_backend_reference, 1);

    o.survival_loss = _i % 3 == 2 ? MML_LOSS_COX : MML_LOSS_NLL;
    o.batch = batches[_i / 3];
    for (size_t n = 2; n <= 3; n++) {
        const mmli_devices several = some(&mmli_backend_reference, n);
        training one, many;
        double la, lb, sa, sb;

        begin_on(&one, cohort, start_for(cohort, &kinds[4], &o, &mmli_backend_reference), &o, &single);
        begin_on(&many, cohort, start_for(cohort, &kinds[4], &o, &mmli_backend_reference), &o, &several);
        ck_assert_uint_gt(one.t.part[1].n, 2 * batches[1]);
        mmlt_assert_ok(mmli_train_validate(&one.t, &la, &sa));
        for (int again = 0; again < 2; again++) {
            mmlt_assert_ok(mmli_train_validate(&many.t, &lb, &sb));
            ck_assert(isfinite(la) && la == lb && isfinite(sa) && sa == sb);
            mmlt_assert_same_bits(many.t.scored.score, one.t.scored.score, one.t.scored.n * one.t.scored.k * sizeof(double));
            memset(many.t.scored.score, 0, many.t.scored.n * many.t.scored.k * sizeof(double));
        }
        end(&one);
        end(&many);
    }
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* A device that holds other parameters gives its batches other scores: each third batch, and no other. _i: which device. */
START_TEST(every_device_validates_its_batches)
{
    enum { N = 3, BATCH = 2 };
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = options("reference");
    const mmli_devices devices = some(&mmli_backend_reference, N);
    const mmli_trainer *other;
    double loss[2], score[2], *before;
    training x;

    o.batch = BATCH;
    begin_on(&x, cohort, start_for(cohort, &kinds[0], &o, &mmli_backend_reference), &o, &devices);
    ck_assert_uint_gt(x.t.part[1].n, N * BATCH);
    mmlt_assert_ok(mmli_train_validate(&x.t, &loss[0], &score[0]));
    before = calloc(x.t.part[1].n, sizeof *before);
    ck_assert_ptr_nonnull(before);
    memcpy(before, x.t.scored.score, x.t.part[1].n * sizeof *before);
    other = mmli_parallel_trainer(x.t.parallel, (size_t)_i);
    mmlt_assert_ok(other->model->params->dv->k.fill(other->model->params->dv, other->model->params->data, other->model->params->total, 0.0f));
    mmlt_assert_ok(mmli_train_validate(&x.t, &loss[1], &score[1]));
    ck_assert(loss[0] != loss[1]);
    for (size_t i = 0; i < x.t.part[1].n; i++)
        ck_assert_msg((x.t.scored.score[i] != before[i]) == (i / BATCH % N == (size_t)_i), "sample %zu: %g, was %g", i, x.t.scored.score[i],
                      before[i]);
    free(before);
    end(&x);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Of device memory, validation included. */
START_TEST(a_warm_epoch_allocates_nothing_on_any_device)
{
    const mmli_devices devices = some(&mmlt_backend_hidden, 3);
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = options(NULL);
    size_t warm = 0;
    double loss, score;
    training x;

    o.batch = 4;
    begin_on(&x, cohort, start_for(cohort, &kinds[0], &o, &mmlt_backend_hidden), &o, &devices);
    for (int epoch = 0; epoch < 5; epoch++) {
        for (size_t s = 0; s < 4; s++)
            mmlt_assert_ok(step(&x, o.batch * s, o.batch));
        mmlt_assert_ok(mmli_train_validate(&x.t, &loss, &score));
        if (epoch == 2)
            warm = mmlt_hidden_allocs();
    }
    ck_assert_uint_eq(mmlt_hidden_allocs(), warm);
    end(&x);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* ---- whole trainings -------------------------------------------------------------------------------------------------------------- */

static mml_model *train(mml_cohort *cohort, const kind *k, const mml_train_options *o)
{
    const mml_block_options block = block_of(k);
    mml_model *model = NULL;

    mmlt_assert_ok(mml_train_block(&model, cohort, k->modality, "outcome", &block, NULL, NULL, o));
    return model;
}

/* Losses and norms of every epoch: float32 in another order, carried through the steps of two epochs. */
static void same_course(const mmli_provenance *a, const mmli_provenance *b)
{
    ck_assert_uint_eq(a->n_history, b->n_history);
    for (size_t i = 0; i < a->n_history; i++) {
        const mml_epoch *x = &a->history[i], *y = &b->history[i];

        ck_assert_double_le(fabs(x->train_loss - y->train_loss), 1e-3 * fabs(x->train_loss));
        ck_assert_double_le(fabs(x->valid_loss - y->valid_loss), 1e-3 * fabs(x->valid_loss));
        ck_assert_double_le(fabs(x->gradient_norm - y->gradient_norm), 1e-2 * x->gradient_norm);
    }
}

/* Parameters are within a share of one step (the learning rate) of each other. Of a gradient that is 0 but for rounding AdamW makes whole
 * steps, as it divides by its size. So what has such gradients is left out: the latent, along its normalised columns; what moves all
 * scores of a softmax alike, or all risks of a Cox loss. */
static bool is_only_rounding(const mml_model *model, const mmli_param *p)
{
    const bool bias = strlen(p->name) > 5 && strcmp(p->name + strlen(p->name) - 5, ".bias") == 0;

    return p->section == MMLI_SECTION_LATENT || strstr(p->name, "score.bias") ||
           (bias && p->section == MMLI_SECTION_HEAD && mmli_task_is_cox(model->task));
}

static void near_parameters(const mml_model *a, const mml_model *b, double most)
{
    ck_assert_uint_eq(a->params->n, b->params->n);
    for (size_t i = 0; i < a->params->n; i++) {
        const mmli_param *p = &a->params->list[i];
        const size_t n = p->rows * p->cols;
        float *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);

        mmlt_assert_ok(mmli_params_get(x, a->params, i));
        mmlt_assert_ok(mmli_params_get(y, b->params, i));
        for (size_t j = 0; j < n && !is_only_rounding(a, p); j++)
            ck_assert_msg(fabs((double)x[j] - (double)y[j]) <= most, "%s[%zu]: %g, not %g", p->name, j, (double)x[j], (double)y[j]);
        free(x);
        free(y);
    }
}

START_TEST(a_block_learns_the_same_on_two_and_three_devices)
{
    static const char *const lists[] = {"reference,reference", "reference,reference,reference"};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = options("reference");
    mml_model *one = train(cohort, &kinds[_i], &o);

    for (size_t n = 0; n < 2; n++) {
        mml_model *many, *again;

        o.device = lists[n];
        many = train(cohort, &kinds[_i], &o);
        again = train(cohort, &kinds[_i], &o);
        rig_same_parameters(many, again);
        ck_assert_uint_eq(many->members[0].from.best_epoch, one->members[0].from.best_epoch);
        same_course(&one->members[0].from, &many->members[0].from);
        near_parameters(one, many, 0.1 * o.learning_rate);
        ck_assert_str_eq(many->dv->k.name, "reference");
        mml_model_free(many);
        mml_model_free(again);
    }
    mml_model_free(one);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Both losses of survival: the Cox loss compares patients that are on different devices. A batch of one patient, and more devices than
 * the batch has. */
START_TEST(survival_is_learnt_the_same)
{
    static const size_t batches[] = {16, 2};
    const rig_spec spec = {.survival = true};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, &spec);
    mml_train_options o = options("reference");
    mml_model *one, *many;

    o.survival_loss = _i % 2 ? MML_LOSS_COX : MML_LOSS_NLL;
    o.batch = batches[_i / 2];
    one = train(cohort, &kinds[3], &o);
    o.device = "reference,reference,reference";
    many = train(cohort, &kinds[3], &o);
    same_course(&one->members[0].from, &many->members[0].from);
    near_parameters(one, many, 0.1 * o.learning_rate);
    mml_model_free(one);
    mml_model_free(many);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_fuse_is_tuned_the_same)
{
    static const mml_freeze freezes[] = {MML_FREEZE_NOTHING, MML_FREEZE_ENCODERS, MML_FREEZE_BLOCKS, MML_FREEZE_NOTHING};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    mml_train_options o = options("reference"), fo;
    mml_fuse_options fuse;
    mml_model *blocks[2], *one = NULL, *many = NULL;

    blocks[0] = train(cohort, &kinds[0], &o);
    blocks[1] = train(cohort, &kinds[4], &o);
    mmlt_assert_ok(mml_train_options_init_fuse(&fo, NULL, MML_BINARY));
    fo.batch = 16;
    fo.threads = 1;
    fo.split = o.split;
    fo.device = "reference";
    mmlt_assert_ok(mml_fuse_options_init(&fuse, NULL));
    fuse.mode = _i == 3 ? MML_FUSE_WEAVE : MML_FUSE_STACK;
    fuse.freeze = freezes[_i];
    fuse.modality_dropout = 0.4;
    mmlt_assert_ok(mml_train_fuse(&one, cohort, (const mml_model *const *)blocks, 2, &fuse, &fo));
    fo.device = "reference,reference,reference";
    mmlt_assert_ok(mml_train_fuse(&many, cohort, (const mml_model *const *)blocks, 2, &fuse, &fo));
    same_course(&one->from, &many->from);
    near_parameters(one, many, 0.1 * fo.learning_rate);
    mml_model_free(one);
    mml_model_free(many);
    mml_model_free(blocks[0]);
    mml_model_free(blocks[1]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

static int stop_at(void *user, const mml_epoch *epoch, size_t epoch_now, size_t at, size_t steps)
{
    int *left = user;

    (void)epoch;
    (void)epoch_now;
    (void)at;
    (void)steps;
    return --*left == 0;
}

START_TEST(a_stopped_training_goes_on_to_the_same_bits_on_all_devices)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    const mml_block_options block = block_of(&kinds[0]);
    mml_train_options o = options("reference,reference");
    mml_model *whole = train(cohort, &kinds[0], &o), *resumed = NULL;
    char path[MMLT_PATH];
    int left = 8;

    mmlt_fresh_path(path, ".ckpt");
    unlink(path);
    o.checkpoint = path;
    o.watch = stop_at;
    o.watch_user = &left;
    mmlt_assert_fails(mml_train_block(&resumed, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_STOPPED, "resume from");
    o.watch = NULL;
    o.resume = 1;
    resumed = train(cohort, &kinds[0], &o);
    rig_same_parameters(whole, resumed);
    unlink(path);
    mml_model_free(whole);
    mml_model_free(resumed);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* ---- what goes wrong ------------------------------------------------------------------------------------------------------------- */

/* The n-th allocation of the device memory fails, on whichever device: the training ends with that, whoever waits for whom. */
START_TEST(a_device_without_memory_ends_the_training_with_its_message)
{
    const size_t live = mmlt_hidden_live();
    const mmli_devices devices = some(&mmlt_backend_hidden, 3);
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    const mml_train_options o = options(NULL);
    size_t failed = 0;

    for (size_t n = 1; n < 9; n++) {
        const mml_block_options block = block_of(&kinds[4]);
        mml_train_options short_o = o;
        mml_model *model = NULL;
        training x;
        mml_status st;

        short_o.epochs = 1;
        mmlt_assert_ok(mmli_train_block_on(&model, cohort, "vitals", "outcome", &block, NULL, NULL, &short_o, &mmlt_backend_hidden));
        begin_on(&x, cohort, model, &o, &devices);
        mmlt_hidden_fail_at(n);
        st = step(&x, 0, 16);
        mmlt_hidden_fail_at(0);
        if (st != MML_OK) {
            ck_assert_msg(st == MML_E_NOMEM, "status %d: %s", (int)st, mml_last_error());
            ck_assert_ptr_nonnull(strstr(mml_last_error(), "made to fail"));
            ck_assert_int_eq(step(&x, 0, 16), MML_E_NOMEM); /* and stays ended */
            failed++;
        }
        end(&x);
    }
    ck_assert_uint_ge(failed, devices.n); /* each asks at least once in its first step */
    ck_assert_uint_eq(mmlt_hidden_live(), live);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(a_training_that_diverges_is_told_once)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    const mml_block_options block = block_of(&kinds[0]);
    mml_train_options o = options("reference,reference");
    mml_model *model = NULL;

    o.learning_rate = 1e30;
    o.clip_norm = 0;
    mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_NOT_FINITE, "has diverged");
    ck_assert_ptr_null(model);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

START_TEST(several_devices_are_named_rightly_or_refused)
{
    static const struct {
        const char *name, *says;
    } wrong[] = {{"cpu,cpu", "uses all its processors"},
                 {"reference,", "named as in"},
                 {",", "named as in"},
                 {"reference,nonesuch", "several devices are GPUs"},
                 {"reference,1", "several devices are GPUs"},
                 {"auto,reference", "several devices are GPUs"}};
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    const mml_block_options block = block_of(&kinds[0]);
    mml_baseline_options baseline;
    const char *const labs = "labs";
    mml_train_options o = options(NULL);
    mml_model *model = NULL;
    char *text = NULL;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        o.device = wrong[i].name;
        mmlt_assert_fails(mml_train_block(&model, cohort, "labs", "outcome", &block, NULL, NULL, &o), MML_E_BACKEND, wrong[i].says);
    }
    o.device = "reference,reference";
    mmlt_assert_ok(mml_baseline_options_init(&baseline, MML_BASELINE_SNN));
    mmlt_assert_fails(mml_train_baseline(&model, cohort, &labs, 1, "outcome", &baseline, NULL, &o), MML_E_BACKEND, "names several");
    mmlt_assert_ok(mml_device_describe(&text, o.device));
    ck_assert_str_eq(text, "reference, reference");
    mml_string_free(text);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train/parallel");
    TCase *tc = tcase_create("parallel");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, the_gradient_is_that_of_the_undivided_batch, 0, KINDS);
    tcase_add_loop_test(tc, all_devices_hold_the_same_bits_after_every_step, 0, KINDS);
    tcase_add_loop_test(tc, validation_is_that_of_one_device, 0, 9);
    tcase_add_loop_test(tc, every_device_validates_its_batches, 0, 3);
    tcase_add_test(tc, a_warm_epoch_allocates_nothing_on_any_device);
    tcase_add_loop_test(tc, a_block_learns_the_same_on_two_and_three_devices, 0, KINDS);
    tcase_add_loop_test(tc, survival_is_learnt_the_same, 0, 4);
    tcase_add_loop_test(tc, a_fuse_is_tuned_the_same, 0, 4);
    tcase_add_test(tc, a_stopped_training_goes_on_to_the_same_bits_on_all_devices);
    tcase_add_test(tc, a_device_without_memory_ends_the_training_with_its_message);
    tcase_add_test(tc, a_training_that_diverges_is_told_once);
    tcase_add_test(tc, several_devices_are_named_rightly_or_refused);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
