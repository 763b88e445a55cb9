/* test_group.c - several devices that add up what each of them has: on the host, and on two GPUs, emulated (emulated.sh) or real ones. The
 * threads are made by pthread_create. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/group.h"
#include "tests/unit/train_rig.h"
#include "util/error.h"

enum { SLOTS = 3, FLOATS = 1000, ROUNDS = 4 };

static const char *pair = "reference,reference", *single = "reference";

/* Two devices as a group. */
typedef struct couple {
    mmli_device *dv[2];
    mmli_group *group;
} couple;

static void open_couple(couple *c)
{
    mmli_devices found;

    mmlt_assert_ok(mmli_devices_find(&found, pair));
    ck_assert_uint_eq(found.n, 2);
    for (size_t i = 0; i < 2; i++)
        mmlt_assert_ok(mmli_device_open_table(&c->dv[i], &found.table[i], 1));
    mmlt_assert_ok(mmli_group_open(&c->group, c->dv, 2));
}

static void close_couple(couple *c)
{
    mmli_group_close(c->group);
    mmli_device_close(c->dv[0]);
    mmli_device_close(c->dv[1]);
}

/* One of the two threads of a test. */
typedef struct side {
    couple *c;
    size_t i;
    mml_status st;
    float got[ROUNDS][SLOTS][FLOATS];
    double loss[ROUNDS];
} side;

static float part(size_t i, size_t round, size_t slot)
{
    return (float)(1 + 10 * i + 100 * round) + 0.25f * (float)slot;
}

/* What is given was written by the call before, and what is taken is worked on by the call after: both are queued. */
static mml_status one_round(side *s, mmli_mem *const *x, mmli_mem *loss, size_t round)
{
    mmli_device *dv = s->c->dv[s->i];
    mmli_group *g = s->c->group;
    mml_status st = MML_OK;
    double value = 0.5 + (double)s->i;

    MML_TRY(dv->k.upload(dv, loss, &value, sizeof value));
    for (size_t k = 0; k < SLOTS; k++) { /* each side in its own order */
        const size_t slot = s->i ? SLOTS - 1 - k : k;

        MML_TRY(dv->k.fill(dv, x[slot], FLOATS, part(s->i, round, slot)));
        MML_TRY(mmli_group_give(g, s->i, slot, x[slot], FLOATS, MMLI_GROUP_F32));
    }
    MML_TRY(mmli_group_give(g, s->i, SLOTS, loss, 1, MMLI_GROUP_F64));
    for (size_t k = 0; k < SLOTS; k++) {
        MML_TRY(mmli_group_take(g, s->i, k));
        MML_TRY(dv->k.scale(dv, x[k], x[k], FLOATS, 2.0f));
    }
    MML_TRY(mmli_group_take(g, s->i, SLOTS));
    for (size_t k = 0; k < SLOTS; k++)
        MML_TRY(dv->k.download(dv, s->got[round][k], x[k], sizeof s->got[round][k]));
    MML_TRY(dv->k.download(dv, &s->loss[round], loss, sizeof s->loss[round]));
out:
    return st;
}

static void *add_up(void *user)
{
    side *s = user;
    mmli_device *dv = s->c->dv[s->i];
    mmli_mem *x[SLOTS] = {NULL}, *loss = NULL;

    s->st = dv->k.alloc(dv, &loss, sizeof(double));
    for (size_t k = 0; k < SLOTS && s->st == MML_OK; k++)
        s->st = dv->k.alloc(dv, &x[k], FLOATS * sizeof(float));
    for (size_t round = 0; round < ROUNDS && s->st == MML_OK; round++)
        s->st = one_round(s, x, loss, round);
    if (s->st != MML_OK)
        mmli_group_fail(s->c->group);
    for (size_t k = 0; k < SLOTS; k++)
        dv->k.free(dv, x[k]);
    dv->k.free(dv, loss);
    return NULL;
}

static void run(couple *c, side *sides[2], void *(*work)(void *))
{
    pthread_t threads[2];

    for (size_t i = 0; i < 2; i++) {
        ck_assert_ptr_nonnull(sides[i] = calloc(1, sizeof **sides));
        sides[i]->c = c;
        sides[i]->i = i;
    }
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, sides[i]), 0);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

START_TEST(both_get_the_sum_in_whatever_order_they_give)
{
    side *sides[2];
    couple c;

    open_couple(&c);
    run(&c, sides, add_up);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(sides[i]->st, MML_OK);
        for (size_t round = 0; round < ROUNDS; round++) {
            ck_assert(sides[i]->loss[round] == 2.0);
            for (size_t k = 0; k < SLOTS; k++)
                for (size_t j = 0; j < FLOATS; j++)
                    ck_assert_msg(sides[i]->got[round][k][j] == 2 * (part(0, round, k) + part(1, round, k)),
                                  "round %zu, sum %zu of device %zu: %g", round, k, i, (double)sides[i]->got[round][k][j]);
        }
        free(sides[i]);
    }
    close_couple(&c);
}
END_TEST

/* A sum that nobody takes is done before the group is gone, on both. */
START_TEST(a_group_is_closed_behind_its_sums)
{
    float got[FLOATS];
    mmli_mem *x[2] = {NULL};
    couple c;

    open_couple(&c);
    for (size_t i = 0; i < 2; i++)
        mmlt_assert_ok(c.dv[i]->k.alloc(c.dv[i], &x[i], sizeof got));
    for (size_t i = 0; i < 2; i++) {
        mmlt_assert_ok(c.dv[i]->k.fill(c.dv[i], x[i], FLOATS, part(i, 0, 0)));
        mmlt_assert_ok(mmli_group_give(c.group, i, 0, x[i], FLOATS, MMLI_GROUP_F32));
    }
    mmli_group_close(c.group);
    for (size_t i = 0; i < 2; i++) {
        mmlt_assert_ok(c.dv[i]->k.download(c.dv[i], got, x[i], sizeof got));
        for (size_t j = 0; j < FLOATS; j++)
            ck_assert(got[j] == part(0, 0, 0) + part(1, 0, 0));
        c.dv[i]->k.free(c.dv[i], x[i]);
        mmli_device_close(c.dv[i]);
    }
}
END_TEST

/* The one waits for what the other does not give. */
static void *give_up(void *user)
{
    side *s = user;
    mmli_device *dv = s->c->dv[s->i];
    mmli_mem *x = NULL;

    if (s->i == 1) {
        usleep(20000); /* so that the other one waits, most likely; it must do without */
        mmli_group_fail(s->c->group);
        return NULL;
    }
    s->st = dv->k.alloc(dv, &x, sizeof(float));
    if (s->st == MML_OK && (s->st = mmli_group_give(s->c->group, s->i, 0, x, 1, MMLI_GROUP_F32)) == MML_OK)
        s->st = mmli_group_take(s->c->group, s->i, 0);
    dv->k.free(dv, x);
    return NULL;
}

START_TEST(a_device_that_fails_ends_the_waiting_of_the_other)
{
    side *sides[2];
    couple c;

    open_couple(&c);
    run(&c, sides, give_up);
    ck_assert_int_eq(sides[0]->st, MML_E_STOPPED);
    mmlt_assert_fails(mmli_group_take(c.group, 1, 0), MML_E_STOPPED, "another device");
    free(sides[0]);
    free(sides[1]);
    close_couple(&c);
}
END_TEST

/* As tests/unit/test_train_parallel.c, on these devices: the course of a training with dropout, but for rounding. */
START_TEST(a_block_learns_the_same_on_two)
{
    mmlt_cohort made;
    mml_cohort *cohort = rig_cohort(&made, NULL);
    const mml_block_options block = rig_block(MML_ENCODER_NONE);
    mml_train_options o = rig_options();
    mml_model *models[3] = {NULL};

    o.epochs = 2;
    o.batch = 50;
    for (int i = 0; i < 3; i++) {
        o.device = i ? pair : single;
        mmlt_assert_ok(mml_train_block(&models[i], cohort, "vitals", "outcome", &block, NULL, NULL, &o));
    }
    rig_same_parameters(models[1], models[2]);
    for (size_t e = 0; e < 2; e++) {
        const mml_epoch *a = &models[0]->members[0].from.history[e], *b = &models[1]->members[0].from.history[e];

        ck_assert_double_le(fabs(a->train_loss - b->train_loss), 1e-4 * a->train_loss);
        ck_assert_double_le(fabs(a->valid_loss - b->valid_loss), 1e-4 * a->valid_loss);
        ck_assert_double_le(fabs(a->gradient_norm - b->gradient_norm), 1e-3 * a->gradient_norm);
    }
    for (int i = 0; i < 3; i++)
        mml_model_free(models[i]);
    mml_cohort_close(cohort);
    mmlt_cohort_remove(&made);
}
END_TEST

/* Two GPUs where device cuda is asked for; in a child, as CUDA does not survive the forks of the tests. */
static bool choose(void)
{
    const char *device = getenv("MMLT_DEVICE");
    int status = 1;
    pid_t child;

    if (!device || strcmp(device, "cuda") != 0)
        return true;
    pair = "cuda:0,1";
    single = "cuda:0";
    child = fork();
    if (child == 0) {
        mmli_devices found;
        const bool there = mmli_devices_find(&found, pair) == MML_OK;

        if (!there)
            printf("skip - sums over two GPUs (%s)\n", mml_last_error());
        fflush(stdout);
        _exit(there ? 0 : 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(void)
{
    Suite *suite = suite_create("cuda group");
    TCase *tc = tcase_create("group");

    if (!choose())
        return 77;
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, both_get_the_sum_in_whatever_order_they_give);
    tcase_add_test(tc, a_group_is_closed_behind_its_sums);
    tcase_add_test(tc, a_device_that_fails_ends_the_waiting_of_the_other);
    tcase_add_test(tc, a_block_learns_the_same_on_two);
    suite_add_tcase(suite, tc);
    return mmlt_main(suite);
}
