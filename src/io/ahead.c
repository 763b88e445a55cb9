/* ahead.c - one thread, two slots: one is lent to the caller, the other is being read.
 *
 * The thread touches a slot from the moment it becomes `wanted` until it is `done`, the caller before and after: the mutex
 * orders that, and nothing else is shared. HDF5 is called under its own lock, the cohort under its. */
#include "io/ahead.h"

#include <pthread.h>
#include <string.h>

#include "io/batch.h"
#include "io/cohort.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/thread.h"

enum { MESSAGE_BYTES = 2048 };

typedef enum slot_state { IDLE = 0, WANTED, DONE } slot_state;

typedef struct slot {
    mml_batch *batch;
    size_t *samples; /* (n) what is asked for: samples, or a piece */
    size_t n, cap;
    bool is_piece;
    mmli_piece piece;
    slot_state state;
    mml_status st;
    char message[MESSAGE_BYTES]; /* of the thread that failed */
} slot;

struct mmli_ahead {
    mml_cohort *cohort; /* lent, as the names */
    const char *const *names;
    size_t n_names;
    slot slots[2];
    int lent; /* the slot that the caller has */
    pthread_t thread;
    bool threaded, quit;
    pthread_mutex_t mutex;
    pthread_cond_t change;
};

static mml_status read_slot(mmli_ahead *a, slot *s)
{
    const mmli_piece *p = &s->piece;

    if (s->is_piece)
        return mmli_cohort_read_part(a->cohort, s->batch, p->sample, a->names[p->name], p->first, p->count);
    return mml_cohort_read(a->cohort, s->batch, s->samples, s->n, a->names, a->n_names);
}

/* ---- the thread ---------------------------------------------------------------------------------------------------- */

static slot *wanted(mmli_ahead *a)
{
    return a->slots[0].state == WANTED ? &a->slots[0] : a->slots[1].state == WANTED ? &a->slots[1] : NULL;
}

static void *work(void *user)
{
    mmli_ahead *a = user;
    slot *s;

    pthread_mutex_lock(&a->mutex);
    while (!a->quit) {
        if ((s = wanted(a)) == NULL) {
            pthread_cond_wait(&a->change, &a->mutex);
            continue;
        }
        pthread_mutex_unlock(&a->mutex);
        s->st = read_slot(a, s);
        if (s->st != MML_OK) {
            strncpy(s->message, mml_last_error(), sizeof s->message - 1);
            s->message[sizeof s->message - 1] = '\0';
        }
        pthread_mutex_lock(&a->mutex);
        s->state = DONE;
        pthread_cond_broadcast(&a->change);
    }
    pthread_mutex_unlock(&a->mutex);
    return NULL;
}

/* A thread that cannot be had is no failure: the caller reads for itself. */
static bool start(mmli_ahead *a)
{
    return mmli_thread_start(&a->thread, work, a) == 0;
}

/* ---- making and ending ------------------------------------------------------------------------------------------------ */

mml_status mmli_ahead_new(mmli_ahead **out, mml_cohort *cohort, const char *const *names, size_t n_names)
{
    mml_status st = MML_OK;
    mmli_ahead *a = NULL;
    bool on_disk = false;

    *out = NULL;
    MML_TRY(mmli_cohort_is_on_disk(&on_disk, cohort, names, n_names));
    MML_TRY(mmli_calloc(&a, 1, sizeof *a));
    a->cohort = cohort;
    a->names = names;
    a->n_names = n_names;
    if ((st = mml_batch_new(&a->slots[0].batch, 0)) != MML_OK || (st = mml_batch_new(&a->slots[1].batch, 0)) != MML_OK) {
        mml_batch_free(a->slots[0].batch);
        mmli_free(a);
        goto out;
    }
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->change, NULL);
    a->threaded = on_disk && start(a);
    *out = a;
out:
    return st;
}

void mmli_ahead_free(mmli_ahead *a)
{
    if (a == NULL)
        return;
    if (a->threaded) {
        pthread_mutex_lock(&a->mutex);
        a->quit = true;
        pthread_cond_broadcast(&a->change);
        pthread_mutex_unlock(&a->mutex);
        pthread_join(a->thread, NULL);
    }
    for (int i = 0; i < 2; i++) {
        mml_batch_free(a->slots[i].batch);
        mmli_free(a->slots[i].samples);
    }
    pthread_cond_destroy(&a->change);
    pthread_mutex_destroy(&a->mutex);
    mmli_free(a);
}

bool mmli_ahead_is_threaded(const mmli_ahead *a)
{
    return a->threaded;
}

/* ---- asking and taking -------------------------------------------------------------------------------------------------- */

/* What to read: samples, or a piece. */
typedef struct request {
    const size_t *samples;
    size_t n;
    const mmli_piece *piece; /* NULL = samples */
} request;

static bool is(const slot *s, const request *r)
{
    if (r->piece != NULL)
        return s->is_piece && s->piece.sample == r->piece->sample && s->piece.name == r->piece->name &&
               s->piece.first == r->piece->first && s->piece.count == r->piece->count;
    return !s->is_piece && s->n == r->n && (r->n == 0 || memcmp(s->samples, r->samples, r->n * sizeof *r->samples) == 0);
}

static mml_status set(slot *s, const request *r)
{
    mml_status st = MML_OK;

    s->is_piece = r->piece != NULL;
    if (s->is_piece) {
        s->piece = *r->piece;
        goto out;
    }
    MML_TRY(mmli_grow(&s->samples, &s->cap, r->n, sizeof *s->samples));
    if (r->n > 0)
        memcpy(s->samples, r->samples, r->n * sizeof *r->samples);
    s->n = r->n;
out:
    return st;
}

static void put_state(mmli_ahead *a, slot *s, slot_state state)
{
    pthread_mutex_lock(&a->mutex);
    s->state = state;
    pthread_cond_broadcast(&a->change);
    pthread_mutex_unlock(&a->mutex);
}

/* Waits until the thread has nothing to do with a slot; true if it has read it. */
static bool settle(mmli_ahead *a, slot *s)
{
    bool done;

    pthread_mutex_lock(&a->mutex);
    while (s->state == WANTED)
        pthread_cond_wait(&a->change, &a->mutex);
    done = s->state == DONE;
    s->state = IDLE;
    pthread_mutex_unlock(&a->mutex);
    return done;
}

static mml_status take(const mml_batch **out, mmli_ahead *a, const request *now, const request *next)
{
    mml_status st = MML_OK;
    slot *s = &a->slots[1 - a->lent], *other = &a->slots[a->lent];

    *out = NULL;
    if (settle(a, s) && is(s, now)) {
        MML_CHECK(s->st == MML_OK, s->st, "%s", s->message);
    } else { /* not announced, or something else was */
        MML_TRY(set(s, now));
        MML_TRY(read_slot(a, s));
    }
    a->lent = 1 - a->lent;
    if (a->threaded && next != NULL) {
        MML_TRY(set(other, next));
        put_state(a, other, WANTED);
    }
    *out = s->batch;
out:
    return st;
}

mml_status mmli_ahead_read(const mml_batch **out, mmli_ahead *a, const size_t *samples, size_t n, const size_t *next,
                           size_t n_next)
{
    const request now = {.samples = samples, .n = n}, then = {.samples = next, .n = n_next};

    return take(out, a, &now, n_next > 0 ? &then : NULL);
}

mml_status mmli_ahead_read_piece(const mml_batch **out, mmli_ahead *a, const mmli_piece *piece, const mmli_piece *next)
{
    const request now = {.piece = piece}, then = {.piece = next};

    return take(out, a, &now, next != NULL ? &then : NULL);
}
