/* parallel.c - the threads of a training on several devices, and what they are told to do.
 *
 * One job at a time: the calling thread describes it, works on the part of the first device itself, and waits for the others. A
 * device that fails says so to the group (backends/group.h), which wakes whoever waits for its numbers; the first failure is what
 * the caller gets, with its message.
 */
#include "train/parallel.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/thread.h"

enum { MESSAGE_BYTES = 2048 };

typedef struct worker worker;
struct worker {
    mmli_parallel *p;
    size_t rank;
    mml_model *model; /* its own; NULL for the first */
    mmli_trainer own, *t;
    mmli_sums sums;
    pthread_t thread;
    bool started;
};

/* Every worker does its part of it. */
typedef struct job job;
struct job {
    mml_status (*run)(worker *w, const job *j);
    /* of a step */
    const size_t *samples;
    size_t n;
    mmli_part next; /* the batch after it, to be read meanwhile; n = 0: none */
    mmli_progress at;
    double rate;
};

struct mmli_parallel {
    size_t n;
    worker *workers; /* (n) */
    mmli_device *devices[MMLI_DEVICES_MOST];
    mmli_group *group;
    pthread_mutex_t mutex;
    pthread_cond_t change;
    job job;
    uint64_t jobs;  /* begun so far */
    size_t working; /* threads that are not done with the last one */
    bool quit;
    mml_status st; /* first failure, and its message */
    char message[MESSAGE_BYTES];
};

/* ---- jobs ---------------------------------------------------------------------------------------------------------------- */

static mml_status run_step(worker *w, const job *j)
{
    const mmli_shard next = mmli_shard_of(j->next.samples, j->next.n, w->rank, w->p->n);
    mmli_trainer *t = w->t;
    mml_status st = MML_OK;

    if (w->rank > 0)
        t->at = j->at;
    if (w->rank > 0 && j->at.in_epoch == 0)
        MML_TRY(mmli_optim_begin(t->optim, 0, 0));
    t->shard = mmli_shard_of(j->samples, j->n, w->rank, w->p->n);
    if (j->next.n > 0)
        t->next = (mmli_part){.samples = j->next.samples + next.first, .n = next.count};
    else if (w->rank > 0) /* what it is to validate; the first has been told */
        mmli_train_expect(t, t->part[1].samples, w->rank * t->o->batch, t->part[1].n);
    MML_TRY(mmli_train_step(t, j->samples + t->shard.first, t->shard.count, j->rate));
out:
    return st;
}

static mml_status run_validation(worker *w, const job *j)
{
    (void)j;
    return mmli_train_validate_batches(w->t, w->p->workers[0].t, w->rank, w->p->n);
}

/* The first failure stays. */
static void note(mmli_parallel *p, mml_status st)
{
    pthread_mutex_lock(&p->mutex);
    if (p->st == MML_OK) {
        p->st = st;
        snprintf(p->message, sizeof p->message, "%s", mml_last_error());
    }
    pthread_mutex_unlock(&p->mutex);
    mmli_group_fail(p->group);
}

static void *work(void *user)
{
    worker *w = user;
    mmli_parallel *p = w->p;
    uint64_t done = 0;

    pthread_mutex_lock(&p->mutex);
    while (!p->quit) {
        job j;
        mml_status st;

        if (p->jobs == done) {
            pthread_cond_wait(&p->change, &p->mutex);
            continue;
        }
        j = p->job;
        done = p->jobs;
        pthread_mutex_unlock(&p->mutex);
        if ((st = j.run(w, &j)) != MML_OK)
            note(p, st);
        pthread_mutex_lock(&p->mutex);
        p->working--;
        pthread_cond_broadcast(&p->change);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* With all workers, of whom the caller is the first. */
static mml_status run(mmli_parallel *p, const job *j)
{
    mml_status st;

    pthread_mutex_lock(&p->mutex);
    p->job = *j;
    p->jobs++;
    p->working = p->n - 1;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->mutex);
    if ((st = j->run(&p->workers[0], j)) != MML_OK)
        note(p, st);
    pthread_mutex_lock(&p->mutex);
    while (p->working > 0)
        pthread_cond_wait(&p->change, &p->mutex);
    pthread_mutex_unlock(&p->mutex);
    return p->st == MML_OK ? MML_OK : mmli_fail(p->st, "%s", p->message);
}

mml_status mmli_parallel_step(mmli_parallel *p, const size_t *samples, size_t n, double rate)
{
    const mmli_trainer *t = p->workers[0].t;
    const bool last = t->at.in_epoch + 1 == t->steps;
    const job j = {.run = run_step, .samples = samples, .n = n, .next = last ? (mmli_part){0} : t->next, .at = t->at, .rate = rate};

    return run(p, &j);
}

mml_status mmli_parallel_validate(mmli_parallel *p)
{
    const job j = {.run = run_validation};

    return run(p, &j);
}

/* ---- making and ending ----------------------------------------------------------------------------------------------------- */

static mml_status prepare_sums(mmli_parallel *p)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < p->n; i++) {
        worker *w = &p->workers[i];

        w->sums.group = p->group;
        w->sums.rank = i;
        w->sums.grads = w->t->optim->grads;
        w->sums.loss = w->t->sums;
        MML_TRY(mmli_buckets_new(&w->sums.buckets, w->t->model->params, w->t->frozen));
        w->t->shared = &w->sums;
    }
out:
    return st;
}

static mml_status start(worker *w)
{
    const int failed = mmli_thread_start(&w->thread, work, w);

    w->started = failed == 0;
    return failed == 0 ? MML_OK : mmli_fail(MML_E_NOMEM, "no thread for device %zu of the training: %s", w->rank, strerror(failed));
}

mml_status mmli_parallel_new(mmli_parallel **out, mmli_trainer *t, const mmli_devices *devices, const mml_part *part)
{
    mml_status st = MML_OK;
    mmli_parallel *p = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&p, 1, sizeof *p));
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->change, NULL);
    MML_TRY(mmli_calloc(&p->workers, devices->n, sizeof *p->workers));
    for (size_t i = 0; i < devices->n; i++) {
        worker *w = &p->workers[p->n++];

        *w = (worker){.p = p, .rank = i, .t = i ? &w->own : t};
        if (i > 0) {
            MML_TRY(mmli_model_replica(&w->model, t->model, &devices->table[i], t->o->threads));
            w->own = (mmli_trainer){.model = w->model, .cohort = t->cohort, .o = t->o};
            MML_TRY(mmli_trainer_init(&w->own, part, t->frozen));
        }
        p->devices[i] = w->t->model->dv;
    }
    MML_TRY(mmli_group_open(&p->group, p->devices, p->n));
    MML_TRY(prepare_sums(p));
    for (size_t i = 1; i < p->n; i++)
        MML_TRY(start(&p->workers[i]));
    *out = p;
    p = NULL;
out:
    mmli_parallel_free(p);
    return st;
}

void mmli_parallel_free(mmli_parallel *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->mutex);
    p->quit = true;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->mutex);
    for (size_t i = 0; i < p->n; i++)
        if (p->workers[i].started)
            pthread_join(p->workers[i].thread, NULL);
    mmli_group_close(p->group);
    for (size_t i = 0; i < p->n; i++) {
        worker *w = &p->workers[i];

        mmli_buckets_clear(&w->sums.buckets);
        w->t->shared = NULL;
        if (w->own.model)
            mmli_trainer_clear(&w->own);
        mml_model_free(w->model);
    }
    pthread_cond_destroy(&p->change);
    pthread_mutex_destroy(&p->mutex);
    mmli_free(p->workers);
    mmli_free(p);
}

mml_status mmli_parallel_begin(mmli_parallel *p)
{
    const mmli_trainer *from = p->workers[0].t;
    const size_t n = from->model->params->total;
    const mmli_mem *const source[] = {from->model->params->data, from->optim->m, from->optim->v};
    mmli_device *dv = p->devices[0];
    mml_status st = MML_OK;
    float *host = NULL;

    MML_TRY(mmli_calloc(&host, n, sizeof *host));
    for (size_t k = 0; k < sizeof source / sizeof *source; k++) {
        MML_TRY(dv->k.download(dv, host, source[k], n * sizeof *host));
        for (size_t i = 1; i < p->n; i++) {
            const mmli_trainer *t = p->workers[i].t;
            mmli_mem *const target[] = {t->model->params->data, t->optim->m, t->optim->v};

            MML_TRY(p->devices[i]->k.upload(p->devices[i], target[k], host, n * sizeof *host));
        }
    }
out:
    mmli_free(host);
    return st;
}

const mmli_trainer *mmli_parallel_trainer(const mmli_parallel *p, size_t i)
{
    return i < p->n ? p->workers[i].t : NULL;
}
