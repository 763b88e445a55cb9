/* group.c - who has given what: one lock, one condition; the sums are the backend's. */
#include "backends/group.h"

#include <pthread.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

/* A sum that is taken again and again. */
typedef struct slot {
    size_t given;   /* devices that have given their part of the sum to come */
    size_t n;       /* numbers */
    mmli_mem **x;   /* (devices) */
    uint64_t sums;  /* begun so far */
    uint64_t *taken; /* (devices) of these, by each */
} slot;

struct mmli_group {
    mmli_device *const *devices; /* lent */
    size_t n;
    void *impl; /* the backend's */
    pthread_mutex_t mutex;
    pthread_cond_t change;
    bool failed;
    slot slots[MMLI_GROUP_SLOTS];
};

static mml_status check_devices(mmli_device *const *devices, size_t n)
{
    mml_status st = MML_OK;

    MML_CHECK(n > 0, MML_E_INTERNAL, "a group of no devices");
    MML_CHECK(devices[0]->k.group, MML_E_BACKEND, "several devices of backend %s cannot work together", devices[0]->k.name);
    for (size_t i = 1; i < n; i++)
        MML_CHECK(strcmp(devices[i]->k.name, devices[0]->k.name) == 0, MML_E_BACKEND,
                  "devices of one training must be of one kind, not %s and %s", devices[0]->k.name, devices[i]->k.name);
out:
    return st;
}

mml_status mmli_group_open(mmli_group **out, mmli_device *const *devices, size_t n)
{
    mml_status st = MML_OK;
    mmli_group *g = NULL;

    *out = NULL;
    MML_TRY(check_devices(devices, n));
    MML_TRY(mmli_calloc(&g, 1, sizeof *g));
    g->devices = devices;
    g->n = n;
    pthread_mutex_init(&g->mutex, NULL);
    pthread_cond_init(&g->change, NULL);
    for (size_t s = 0; s < MMLI_GROUP_SLOTS; s++) {
        MML_TRY(mmli_calloc(&g->slots[s].x, n, sizeof *g->slots[s].x));
        MML_TRY(mmli_calloc(&g->slots[s].taken, n, sizeof *g->slots[s].taken));
    }
    MML_TRY(devices[0]->k.group->open(&g->impl, devices, n));
    *out = g;
    g = NULL;
out:
    mmli_group_close(g);
    return st;
}

void mmli_group_close(mmli_group *g)
{
    if (!g)
        return;
    if (g->impl)
        g->devices[0]->k.group->close(g->impl);
    for (size_t s = 0; s < MMLI_GROUP_SLOTS; s++) {
        mmli_free(g->slots[s].x);
        mmli_free(g->slots[s].taken);
    }
    pthread_cond_destroy(&g->change);
    pthread_mutex_destroy(&g->mutex);
    mmli_free(g);
}

static mml_status stopped(void)
{
    return mmli_fail(MML_E_STOPPED, "another device of the training failed");
}

/* With the lock. */
static mml_status give(mmli_group *g, size_t i, size_t at, mmli_mem *x, size_t n, mmli_group_type type)
{
    const mmli_backend_group *k = g->devices[0]->k.group;
    slot *s = &g->slots[at];
    mml_status st = MML_OK;

    MML_TRY(g->failed ? stopped() : MML_OK);
    MML_CHECK(s->given == 0 || s->n == n, MML_E_INTERNAL, "device %zu has %zu numbers for sum %zu, others have %zu", i, n, at, s->n);
    s->n = n;
    s->x[i] = x;
    MML_TRY(k->mark(g->impl, i, at));
    if (++s->given < g->n)
        goto out;
    MML_TRY(k->sum(g->impl, at, s->x, n, type));
    s->given = 0;
    s->sums++;
    pthread_cond_broadcast(&g->change);
out:
    return st;
}

mml_status mmli_group_give(mmli_group *g, size_t i, size_t at, mmli_mem *x, size_t n, mmli_group_type type)
{
    mml_status st;

    if (at >= MMLI_GROUP_SLOTS)
        return mmli_fail(MML_E_INTERNAL, "sum %zu of a group", at);
    pthread_mutex_lock(&g->mutex);
    st = give(g, i, at, x, n, type);
    pthread_mutex_unlock(&g->mutex);
    return st;
}

mml_status mmli_group_take(mmli_group *g, size_t i, size_t at)
{
    slot *s = &g->slots[at];
    mml_status st;

    pthread_mutex_lock(&g->mutex);
    while (!g->failed && s->sums == s->taken[i])
        pthread_cond_wait(&g->change, &g->mutex);
    st = g->failed ? stopped() : g->devices[0]->k.group->wait(g->impl, i, at);
    s->taken[i]++;
    pthread_mutex_unlock(&g->mutex);
    return st;
}

void mmli_group_fail(mmli_group *g)
{
    pthread_mutex_lock(&g->mutex);
    if (!g->failed)
        g->devices[0]->k.group->abort(g->impl);
    g->failed = true;
    pthread_cond_broadcast(&g->change);
    pthread_mutex_unlock(&g->mutex);
}
