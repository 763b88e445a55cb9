/* grid.cc - runs the threads of a block: one after the other on one stack, and one that waits is laid aside on that
 * stack while a fresh one goes on with the rest. See cuda_runtime.h. */
#include "cuda_runtime.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#ifndef __x86_64__
#include <ucontext.h>
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define STACK_BYTES ((size_t)512 << 10)
#else
#define STACK_BYTES ((size_t)128 << 10)
#endif

/* MMLT_CUDA_RACES: kernels are compiled with ThreadSanitizer (this file is not), for which every thread of a block is a thread of its own,
 * with a stack of its own. What orders their accesses is __syncthreads and __syncwarp, nothing else: no shuffle or vote does, says CUDA.
 * Blocks count as ordered, for they share the addresses of what is shared memory here. */
#ifdef MMLT_CUDA_RACES
#include <sanitizer/tsan_interface.h>
enum { RACES = 1 };
static void *watched(void) { return __tsan_create_fiber(0); }
static void *watched_now(void) { return __tsan_get_current_fiber(); }
static void watched_ends(void *fiber) { __tsan_destroy_fiber(fiber); }
static void watch(void *fiber) { __tsan_switch_to_fiber(fiber, __tsan_switch_to_fiber_no_sync); }
static void before(void *point) { __tsan_release(point); }
static void after(void *point) { __tsan_acquire(point); }
#else
enum { RACES = 0 };
static void *watched(void) { return nullptr; }
static void *watched_now(void) { return nullptr; }
static void watched_ends(void *) {}
static void watch(void *) {}
static void before(void *) {}
static void after(void *) {}
#endif

enum { MOST_THREADS = 1024, LANES = 32, BALLOT = LANES };

thread_local uint3 threadIdx, blockIdx;
thread_local dim3 blockDim, gridDim;

namespace {

/* A stack, and the thread of the grid that is on it. */
struct fiber {
#ifdef __x86_64__
    void *sp;
#else
    ucontext_t at;
#endif
    char *stack;
    size_t stack_bytes;
    void *fake;    /* AddressSanitizer's */
    void *watched; /* ThreadSanitizer's */
    unsigned thread;
    uint3 index;
    fiber *next; /* in a list */
};

struct list {
    fiber *first, *last;
};

/* Lanes that have come to a shuffle: with which mask, what they bring and want. */
struct warp {
    unsigned here, gone;
    unsigned mask[LANES], from[LANES];
    uint64_t bits[LANES], result[LANES];
    fiber *waiting[LANES];
    char points[2][LANES]; /* of each lane's last two __syncwarp */
    unsigned turns;        /* by lane, which of them is next */
};

struct team {
    fiber main, all[MOST_THREADS];
    unsigned made; /* stacks */
    fiber *current;
    list ready, idle, barrier;
    unsigned threads, next, done, at_barrier;
    bool reverse;
    warp warps[MOST_THREADS / LANES];
    char begin, end, barriers[2]; /* what comes before and after them: of the block, and of its barriers in turn, so that who leaves one late
                                     is not taken to come after who is at the next */
    unsigned barriers_passed;
    void (*run)(const void *);
    const void *ctx;
    alignas(16) unsigned char shared[228 << 10];
};

thread_local team *t;

void die(const char *why)
{
    fprintf(stderr, "emulated CUDA: block (%u, %u, %u), thread %u: %s\n", blockIdx.x, blockIdx.y, blockIdx.z,
            t && t->current ? t->current->thread : 0, why);
    abort();
}

void push(list *l, fiber *f)
{
    f->next = nullptr;
    if (l->last)
        l->last->next = f;
    else
        l->first = f;
    l->last = f;
}

fiber *pop(list *l)
{
    fiber *f = l->first;

    if (f && !(l->first = f->next))
        l->last = nullptr;
    return f;
}

void work(void);

/* From one stack to another: the registers that a function must keep are left on the stack. (swapcontext does the same with two
 * system calls, and with AddressSanitizer some more.) */
#ifdef __x86_64__
extern "C" void mmlt_cuda_switch(void **from, void *to);
asm(R"(
    .text
    .globl mmlt_cuda_switch
    .hidden mmlt_cuda_switch
    .type mmlt_cuda_switch, @function
mmlt_cuda_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size mmlt_cuda_switch, . - mmlt_cuda_switch
)");
void switch_to(fiber *from, fiber *to) { mmlt_cuda_switch(&from->sp, to->sp); }
/* As if `work` had been left at its first instruction: the return address, below it six registers. */
void begin_at_work(fiber *f)
{
    void **top = reinterpret_cast<void **>(f->stack + f->stack_bytes);

    top[-2] = reinterpret_cast<void *>(work);
    f->sp = top - 8;
}
#else
void switch_to(fiber *from, fiber *to) { swapcontext(&from->at, &to->at); }
void begin_at_work(fiber *f)
{
    if (getcontext(&f->at) != 0)
        abort();
    f->at.uc_stack.ss_sp = f->stack;
    f->at.uc_stack.ss_size = f->stack_bytes;
    f->at.uc_link = nullptr;
    makecontext(&f->at, work, 0);
}
#endif

/* Away from the thread that runs, which comes back here when somebody changes to it. */
void change(fiber *to)
{
    fiber *const from = t->current;

    if (from == to)
        return;
    t->current = to;
    threadIdx = to->index;
    watch(to->watched);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(&from->fake, to->stack, to->stack_bytes);
    switch_to(from, to);
    __sanitizer_finish_switch_fiber(from->fake, nullptr, nullptr);
#else
    switch_to(from, to);
#endif
}

void make_stack(fiber *f)
{
    void *p = mmap(nullptr, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        die("no memory for a stack");
    f->stack = static_cast<char *>(p);
    f->watched = watched();
    f->stack_bytes = STACK_BYTES - t->made % 61 * 320; /* their tops are not all in the same lines of the cache */
    begin_at_work(f);
}

/* A stack for the next thread. */
fiber *fresh(void)
{
    fiber *f = RACES ? &t->all[t->next] : pop(&t->idle);


    if (f)
        return f;
    if (t->made == MOST_THREADS)
        die("more threads wait than a block has");
    f = &t->all[t->made++];
    make_stack(f);
    return f;
}

/* Who goes on when this thread cannot. */
void yield(void)
{
    fiber *f = pop(&t->ready);

    if (!f && t->next < t->threads)
        f = fresh();
    if (!f && t->done == t->threads)
        f = &t->main;
    if (!f)
        die(t->at_barrier ? "__syncthreads: other threads of the block have ended or wait for their warp"
                          : "a shuffle or vote: a lane of the mask waits elsewhere");
    change(f);
}

/* All lanes of the mask are there (or have ended): each gets what it asked for. */
void complete(warp *w, unsigned mask)
{
    if (mask & ~(w->here | w->gone))
        return;
    for (unsigned l = 0; l < LANES; l++)
        if (mask & w->here & 1u << l && w->mask[l] != mask)
            return;
    for (unsigned l = 0; l < LANES; l++) {
        if (!(mask & w->here & 1u << l))
            continue;
        w->result[l] = 0;
        if (w->from[l] == BALLOT) {
            for (unsigned o = 0; o < LANES; o++)
                w->result[l] |= mask & w->here & 1u << o ? (w->bits[o] & 1u) << o : 0;
        } else { /* a lane that is not there gives NaN, or -1 */
            w->result[l] = mask & w->here & 1u << w->from[l] ? w->bits[w->from[l]] : UINT64_MAX;
        }
    }
    for (unsigned l = 0; l < LANES; l++)
        if (mask & w->here & 1u << l && w->waiting[l]) {
            push(&t->ready, w->waiting[l]);
            w->waiting[l] = nullptr;
        }
    w->here &= ~mask;
}

uint64_t meet(unsigned mask, uint64_t bits, unsigned from)
{
    const unsigned lane = t->current->thread % LANES, bit = 1u << lane;
    warp *w = &t->warps[t->current->thread / LANES];

    if (!(mask & bit))
        die("a shuffle or vote with a mask that leaves this lane out");
    w->here |= bit;
    w->mask[lane] = mask;
    w->from[lane] = from;
    w->bits[lane] = bits;
    complete(w, mask);
    if (w->here & bit) {
        w->waiting[lane] = t->current;
        yield();
    }
    return w->result[lane];
}

void run_thread(void)
{
    const unsigned n = t->next++, i = t->reverse ? t->threads - 1 - n : n;
    fiber *f = t->current;
    warp *w = &t->warps[i / LANES];

    f->thread = i;
    f->index = uint3{i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
    threadIdx = f->index;
    after(&t->begin);
    t->run(t->ctx);
    before(&t->end);
    t->done++;
    w->gone |= 1u << i % LANES;
    for (unsigned l = 0; l < LANES; l++)
        if (w->here >> l & 1u)
            complete(w, w->mask[l]);
}

void work(void)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
    for (;;) {
        do
            run_thread();
        while (!RACES && t->next < t->threads);
        if (!RACES)
            push(&t->idle, t->current);
        yield();
    }
}

void run_block(size_t shared)
{
    memset(t->shared, 0xff, shared);
    for (unsigned w = 0; w * LANES < t->threads; w++) {
        const unsigned left = t->threads - w * LANES;

        t->warps[w].here = 0;
        t->warps[w].gone = left >= LANES ? 0 : ~0u << left;
    }
    t->next = t->done = t->at_barrier = 0;
    before(&t->begin);
    change(fresh());
    after(&t->end);
}

} // namespace

void mmlt_cuda_barrier(void)
{
    char *point = &t->barriers[t->barriers_passed % 2];

    before(point);
    if (++t->at_barrier < t->threads) {
        push(&t->barrier, t->current);
        yield();
    } else {
        t->at_barrier = 0;
        t->barriers_passed++;
        while (fiber *f = pop(&t->barrier))
            push(&t->ready, f);
    }
    after(point);
}

/* Each lane tells at which of its points it has come. */
void mmlt_cuda_syncwarp(unsigned mask)
{
    const unsigned lane = t->current->thread % LANES;
    warp *w = &t->warps[t->current->thread / LANES];
    const unsigned turn = w->turns >> lane & 1u;
    uint64_t turns;

    w->turns ^= 1u << lane;
    before(&w->points[turn][lane]);
    turns = meet(mask, turn, BALLOT);
    for (unsigned l = 0; RACES && l < LANES; l++)
        if (mask >> l & 1u)
            after(&w->points[turns >> l & 1u][l]);
}

uint64_t mmlt_cuda_exchange(unsigned mask, uint64_t bits, unsigned from)
{
    return meet(mask, bits, from);
}

unsigned mmlt_cuda_ballot(unsigned mask, bool yes)
{
    return static_cast<unsigned>(meet(mask, yes, BALLOT));
}

unsigned mmlt_cuda_lane(void)
{
    return t->current->thread % LANES;
}

void *mmlt_cuda_dynamic_shared(void)
{
    return t->shared;
}

namespace {

/* A thread takes its team with it when it ends. */
struct leaving {
    bool made = false;

    ~leaving()
    {
        for (unsigned i = 0; t && i < t->made; i++) {
#ifdef __SANITIZE_ADDRESS__ /* the frames left on it stay forbidden to whoever is given the same addresses */
            __asan_unpoison_memory_region(t->all[i].stack, STACK_BYTES);
#endif
            munmap(t->all[i].stack, STACK_BYTES);
            watched_ends(t->all[i].watched);
        }
        free(t);
        t = nullptr;
    }
};
thread_local leaving at_end;

} // namespace

void mmlt_cuda_run(dim3 grid, dim3 block, size_t shared, bool reverse, void (*thread)(const void *), const void *ctx)
{
    const size_t blocks = (size_t)grid.x * grid.y * grid.z;

    if (!t)
        t = static_cast<team *>(calloc(1, sizeof *t));
    if (!t)
        die("out of memory");
    at_end.made = true; /* it is there from here on */
#ifdef __SANITIZE_ADDRESS__
    {
        pthread_attr_t attr;
        void *stack;
        size_t bytes;

        pthread_getattr_np(pthread_self(), &attr);
        pthread_attr_getstack(&attr, &stack, &bytes);
        pthread_attr_destroy(&attr);
        t->main.stack = static_cast<char *>(stack);
        t->main.stack_bytes = bytes;
    }
#endif
    t->main.watched = watched_now();
    t->current = &t->main;
    t->reverse = reverse;
    t->run = thread;
    t->ctx = ctx;
    t->threads = block.x * block.y * block.z;
    gridDim = grid;
    blockDim = block;
    /* Not when they are needed: what another thread has done until it makes one would come before all that the new one does. */
    while (RACES && t->made < t->threads)
        make_stack(&t->all[t->made++]);
    for (size_t n = 0; n < blocks; n++) {
        const size_t i = t->reverse ? blocks - 1 - n : n;

        blockIdx = uint3{(unsigned)(i % grid.x), (unsigned)(i / grid.x % grid.y), (unsigned)(i / grid.x / grid.y)};
        run_block(shared);
    }
}
