/* hidden.c - the table of the hidden backend: the reference's, but that allocations are counted, and that it has turns. */
#include "tests/hidden/hidden.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "backends/reference/ref.h"
#include "util/error.h"

/* Devices are opened inside the library, by any thread, so the counters cannot belong to one. */
static atomic_size_t live, allocs, fail_at;

size_t mmlt_hidden_live(void)
{
    return atomic_load(&live);
}

size_t mmlt_hidden_allocs(void)
{
    return atomic_load(&allocs);
}

void mmlt_hidden_fail_at(size_t n)
{
    atomic_store(&fail_at, n ? atomic_load(&allocs) + n : 0);
}

/* ---- turns: what is sent is noted, and must not be sent over in the same turn or the next one */

typedef struct sent {
    uintptr_t from, to;
    size_t turn;
} sent;

typedef struct turns {
    size_t turn, n, cap;
    sent *list;
} turns;

static mml_status open_turns(mmli_device *dv, int threads)
{
    const mml_status st = REF(open)(dv, threads);

    if (st == MML_OK && !(dv->impl = calloc(1, sizeof(turns))))
        return mmli_fail(MML_E_NOMEM, "no memory for a hidden device");
    return st;
}

static void close_turns(mmli_device *dv)
{
    turns *t = dv->impl;

    free(t->list);
    free(t);
    dv->impl = NULL;
    REF(close)(dv);
}

static mml_status next_turn(mmli_device *dv)
{
    turns *t = dv->impl;
    size_t kept = 0;

    t->turn++;
    for (size_t i = 0; i < t->n; i++)
        if (t->list[i].turn + 1 == t->turn)
            t->list[kept++] = t->list[i];
    t->n = kept;
    return MML_OK;
}

static mml_status send_noted(mmli_device *dv, mmli_mem *dst, const void *src, size_t bytes)
{
    turns *t = dv->impl;
    const sent now = {(uintptr_t)dst, (uintptr_t)dst + bytes, t->turn};

    for (size_t i = 0; i < t->n; i++)
        if (now.from < t->list[i].to && t->list[i].from < now.to)
            return mmli_fail(MML_E_INTERNAL, "sent over what was sent in %s turn", t->list[i].turn == t->turn ? "the same" : "the last");
    if (t->n == t->cap) {
        sent *list = realloc(t->list, (t->cap = 2 * t->cap + 16) * sizeof *list);

        if (!list)
            return mmli_fail(MML_E_NOMEM, "no memory for what is sent");
        t->list = list;
    }
    t->list[t->n++] = now;
    return REF(upload)(dv, dst, src, bytes);
}

/* What was sent to memory that is now given out anew went with the memory that was freed. */
static void forget(turns *t, uintptr_t from, uintptr_t to)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->n; i++)
        if (t->list[i].to <= from || to <= t->list[i].from)
            t->list[kept++] = t->list[i];
    t->n = kept;
}

/* ---- allocations are counted */

static mml_status counted_alloc(mmli_device *dv, mmli_mem **out, size_t bytes)
{
    mml_status st;

    *out = NULL;
    if (atomic_fetch_add(&allocs, 1) + 1 == atomic_load(&fail_at))
        return mmli_fail(MML_E_NOMEM, "out of memory: %zu bytes (made to fail by the test)", bytes);
    if ((st = REF(alloc)(dv, out, bytes)) == MML_OK) {
        atomic_fetch_add(&live, 1);
        forget(dv->impl, (uintptr_t)*out, (uintptr_t)*out + bytes);
    }
    return st;
}

static void counted_free(mmli_device *dv, mmli_mem *p)
{
    if (p)
        atomic_fetch_sub(&live, 1);
    REF(free)(dv, p);
}

/* ---- the table */

extern const mmli_backend MMLI_REF_TABLE; /* backends/reference/table.c */

mmli_backend mmlt_backend_hidden;

/* Before main: a table is used by its address in initialisers, too. */
__attribute__((constructor)) static void fill_table(void)
{
    mmlt_backend_hidden = MMLI_REF_TABLE;
    mmlt_backend_hidden.open = open_turns;
    mmlt_backend_hidden.close = close_turns;
    mmlt_backend_hidden.alloc = counted_alloc;
    mmlt_backend_hidden.free = counted_free;
    mmlt_backend_hidden.turn = next_turn;
    mmlt_backend_hidden.send = send_noted;
}
