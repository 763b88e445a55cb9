/* calls.h - calls of the table written down and done later (step.h). One template makes a slot of the table out of a function, whatever
 * its arguments are: numbers and addresses are a cell each. */
#ifndef MMLI_BACKENDS_CUDA_CALLS_H
#define MMLI_BACKENDS_CUDA_CALLS_H

#include "backends/cuda/cuda.h"

#include <string.h>

/* Bit i: argument i behind the device may differ in steps that are alike. The kernel takes it as mmli_varying, made by mmli_cuda_vary.
 * Of an mmli_ff, `key` always may. */
template <auto function> struct mmli_cuda_varies {
    static constexpr unsigned arguments = 0;
};
template <> struct mmli_cuda_varies<cuda_dropout> {
    static constexpr unsigned arguments = 1u << 4; /* key */
};
template <> struct mmli_cuda_varies<cuda_dropout_grad> {
    static constexpr unsigned arguments = 1u << 4;
};
template <> struct mmli_cuda_varies<cuda_alpha_dropout> {
    static constexpr unsigned arguments = 1u << 4;
};
template <> struct mmli_cuda_varies<cuda_alpha_dropout_grad> {
    static constexpr unsigned arguments = 1u << 4;
};
template <> struct mmli_cuda_varies<cuda_tally> {
    static constexpr unsigned arguments = 1u << 4 | 1u << 6; /* weight, step */
};
template <> struct mmli_cuda_varies<cuda_adamw> {
    static constexpr unsigned arguments = 1u << 7 | 1u << 11 | 1u << 12; /* lr, c1, c2 */
};

/* ---- one argument: put() writes it down, kept is what get() reads, give() what the function takes --------------------------- */

static inline void mmli_cuda_put(mmli_cuda_step *s, mmli_cuda_cells *to, const void *x, size_t bytes)
{
    const size_t cells = mmli_cuda_ceil_div(bytes, sizeof *to->p);

    if (bytes == 0)
        return;
    if (!mmli_cuda_cells_grow(to, cells)) {
        s->no_room = true;
        return;
    }
    to->p[to->n + cells - 1] = 0; /* what the argument does not fill */
    memcpy(to->p + to->n, x, bytes);
    to->n += cells;
}

template <class T> static inline T mmli_cuda_get(const uint64_t **at)
{
    T x;

    memcpy(&x, *at, sizeof x);
    *at += (sizeof x + sizeof **at - 1) / sizeof **at;
    return x;
}

/* What points to the host is somebody else's when the call is done: it needs a form of its own. */
template <class T> struct mmli_cuda_is_cell {
    static constexpr bool yes = sizeof(T) <= sizeof(uint64_t);
};
template <class T> struct mmli_cuda_is_cell<T *> {
    static constexpr bool yes = false;
};
template <> struct mmli_cuda_is_cell<mmli_mem *> {
    static constexpr bool yes = true;
};
template <> struct mmli_cuda_is_cell<const mmli_mem *> {
    static constexpr bool yes = true;
};

template <class T> struct mmli_cuda_argument {
    typedef T kept;
    static_assert(mmli_cuda_is_cell<T>::yes, "neither a number nor an address of the device");
    static void put(mmli_cuda_step *s, T x, bool varies) { mmli_cuda_put(s, varies ? &s->values : &s->calls, &x, sizeof x); }
    static kept get(mmli_cuda_reader *r, bool varies) { return mmli_cuda_get<T>(varies ? &r->value : &r->call); }
    static T give(const kept &x) { return x; }
};

template <> struct mmli_cuda_argument<const mmli_ff *> {
    typedef mmli_ff kept;
    static_assert(sizeof(mmli_ff) == 11 * sizeof(uint64_t), "no padding, whose bytes could be any");
    static void put(mmli_cuda_step *s, const mmli_ff *ff, bool)
    {
        mmli_ff same = *ff;

        same.key = 0;
        mmli_cuda_put(s, &s->calls, &same, sizeof same);
        mmli_cuda_put(s, &s->values, &ff->key, sizeof ff->key);
    }
    static kept get(mmli_cuda_reader *r, bool)
    {
        mmli_ff ff = mmli_cuda_get<mmli_ff>(&r->call);

        ff.key = mmli_cuda_get<uint64_t>(&r->value);
        return ff;
    }
    static const mmli_ff *give(const kept &x) { return &x; }
};

template <> struct mmli_cuda_argument<const mmli_ff_grad *> {
    typedef mmli_ff_grad kept;
    static void put(mmli_cuda_step *s, const mmli_ff_grad *g, bool)
    {
        mmli_mem *const to[] = {g->dx, g->gamma, g->beta, g->w1, g->b1, g->w2, g->b2};
        const uint64_t how = (g->add_x ? 1u : 0u) | (g->add ? 2u : 0u);

        static_assert(sizeof to + sizeof(uint64_t) == sizeof *g, "all of it is written down");
        mmli_cuda_put(s, &s->calls, to, sizeof to);
        mmli_cuda_put(s, &s->calls, &how, sizeof how);
    }
    static kept get(mmli_cuda_reader *r, bool)
    {
        mmli_ff_grad g = mmli_ff_grad();
        mmli_mem **const to[] = {&g.dx, &g.gamma, &g.beta, &g.w1, &g.b1, &g.w2, &g.b2};
        uint64_t how;

        for (mmli_mem **p : to)
            *p = mmli_cuda_get<mmli_mem *>(&r->call);
        how = mmli_cuda_get<uint64_t>(&r->call);
        g.add_x = how & 1u;
        g.add = how & 2u;
        return g;
    }
    static const mmli_ff_grad *give(const kept &x) { return &x; }
};

/* Offsets on the host, which decide what is queued: s->host_cells of them. They stay where they are written down. */
template <> struct mmli_cuda_argument<const int64_t *> {
    typedef const int64_t *kept;
    static void put(mmli_cuda_step *s, const int64_t *x, bool)
    {
        const uint64_t n = s->host_cells;

        mmli_cuda_put(s, &s->calls, &n, sizeof n);
        mmli_cuda_put(s, &s->calls, x, n * sizeof *x);
    }
    static kept get(mmli_cuda_reader *r, bool)
    {
        const uint64_t n = mmli_cuda_get<uint64_t>(&r->call);
        const int64_t *x = reinterpret_cast<const int64_t *>(r->call);

        r->call += n;
        return x;
    }
    static const int64_t *give(kept x) { return x; }
};

/* How many there are, from the other arguments: segment_dft_real and its gradient. */
template <class T> struct mmli_cuda_is_on_host {
    static constexpr bool yes = false;
};
template <> struct mmli_cuda_is_on_host<const int64_t *> {
    static constexpr bool yes = true;
};
template <class... A> static inline size_t mmli_cuda_host_cells(const A &...)
{
    static_assert(!(mmli_cuda_is_on_host<A>::yes || ...), "who says how long it is?");
    return 0;
}
static inline size_t mmli_cuda_host_cells(mmli_mem *const &, const mmli_mem *const &, const mmli_mem *const &, const int64_t *const &,
                                          const size_t &segs, const size_t &)
{
    return segs + 1;
}

/* ---- one call ------------------------------------------------------------------------------------------------------------ */

/* The arguments are read in their order, each before the next; then the function is called with all of them. */
template <auto function, unsigned at, class... Left> struct mmli_cuda_unpack;
template <auto function, unsigned at> struct mmli_cuda_unpack<function, at> {
    template <class... Read> static mml_status run(mmli_device *dv, mmli_cuda_reader *, Read... read) { return function(dv, read...); }
};
template <auto function, unsigned at, class First, class... Left> struct mmli_cuda_unpack<function, at, First, Left...> {
    template <class... Read> static mml_status run(mmli_device *dv, mmli_cuda_reader *r, Read... read)
    {
        typedef mmli_cuda_argument<First> argument;
        const typename argument::kept x = argument::get(r, mmli_cuda_varies<function>::arguments >> at & 1u);

        return mmli_cuda_unpack<function, at + 1, Left...>::run(dv, r, read..., argument::give(x));
    }
};

template <auto function> struct mmli_cuda_call;
template <class... A, mml_status (*function)(mmli_device *, A...)> struct mmli_cuda_call<function> {
    static mml_status run(mmli_device *dv, mmli_cuda_reader *r) { return mmli_cuda_unpack<function, 0, A...>::run(dv, r); }

    /* The slot of the table. */
    static mml_status slot(mmli_device *dv, A... a)
    {
        mmli_cuda_step *s = &mmli_cuda_of(dv)->step;
        const size_t calls = s->calls.n, values = s->values.n;
        const mmli_cuda_doing doing = run;
        unsigned i = 0;

        if (!s->open)
            return function(dv, a...);
        s->no_room = false;
        s->host_cells = mmli_cuda_host_cells(a...);
        mmli_cuda_put(s, &s->calls, &doing, sizeof doing);
        (mmli_cuda_argument<A>::put(s, a, mmli_cuda_varies<function>::arguments >> i++ & 1u), ...);
        if (s->no_room) { /* as if nobody had begun */
            s->calls.n = calls;
            s->values.n = values;
            mmli_cuda_step_hurry(s);
            return function(dv, a...);
        }
        s->waiting = true;
        return MML_OK;
    }
};

#endif
