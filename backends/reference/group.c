/* group.c - sums over devices whose memory the host reaches: taken at once, by whoever comes last (backends/group.c has the lock,
 * which is also what makes one thread's numbers seen by another). */
#include "backends/reference/ref.h"
#include "util/alloc.h"

typedef struct group {
    size_t n; /* devices */
} group;

static mml_status open_group(void **out, mmli_device *const *devices, size_t n)
{
    group *g = NULL;
    const mml_status st = mmli_calloc(&g, 1, sizeof *g);

    (void)devices;
    *out = g;
    if (g)
        g->n = n;
    return st;
}

static void close_group(void *state)
{
    mmli_free(state);
}

static void abort_group(void *state)
{
    (void)state; /* no sum is under way when nobody has the lock */
}

static mml_status mark(void *state, size_t i, size_t slot)
{
    (void)state;
    (void)i;
    (void)slot;
    return MML_OK;
}

/* In float64, from the first device to the last. */
static mml_status sum(void *state, size_t slot, mmli_mem *const *x, size_t n, mmli_group_type type)
{
    const group *g = state;

    (void)slot;
    for (size_t k = 0; k < n; k++) {
        double all = 0;

        for (size_t i = 0; i < g->n; i++)
            all += type == MMLI_GROUP_F64 ? ref_d(x[i])[k] : (double)ref_f(x[i])[k];
        for (size_t i = 0; i < g->n; i++)
            if (type == MMLI_GROUP_F64)
                ref_d(x[i])[k] = all;
            else
                ref_f(x[i])[k] = (float)all;
    }
    return MML_OK;
}

static mml_status wait_for(void *state, size_t i, size_t slot)
{
    (void)state;
    (void)i;
    (void)slot;
    return MML_OK;
}

const mmli_backend_group REF(group) = {open_group, close_group, abort_group, mark, sum, wait_for};
