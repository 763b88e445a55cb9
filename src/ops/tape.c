/* tape.c - variables, nodes and the way back. */
#include "ops/tape.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

struct mmli_tape {
    mmli_device *dv;
    mmli_arena mem, host;
    mmli_arena sent[2]; /* what is uploaded in training passes, in turns: see `send` in backend.h */
    int turn;
    bool ahead;  /* this pass uses it */
    int marks;   /* that have not been released */
    mmli_node *last; /* newest node; nodes are linked backwards */
    mml_status st;
    int mode;
    uint64_t seed, step;
    const mmli_watch *watch;
};

mml_status mmli_tape_new(mmli_tape **out, mmli_device *dv)
{
    mml_status st = MML_OK;
    mmli_tape *tape = NULL;

    *out = NULL;
    MML_TRY(mmli_calloc(&tape, 1, sizeof *tape));
    tape->dv = dv;
    tape->mem.dv = tape->sent[0].dv = tape->sent[1].dv = dv;
    *out = tape;
out:
    return st;
}

void mmli_tape_free(mmli_tape *tape)
{
    if (!tape)
        return;
    mmli_arena_clear(&tape->mem);
    mmli_arena_clear(&tape->sent[0]);
    mmli_arena_clear(&tape->sent[1]);
    mmli_arena_clear(&tape->host);
    mmli_free(tape);
}

mml_status mmli_tape_begin(mmli_tape *tape, int mode, uint64_t seed, uint64_t step)
{
    mml_status st = MML_OK;

    tape->last = NULL;
    tape->mode = mode;
    tape->seed = seed;
    tape->step = step;
    tape->watch = NULL;
    tape->marks = 0;
    tape->ahead = (mode & MMLI_TRAINING) && tape->dv->k.send; /* others read back what they compute: the next batch comes too late */
    MML_TRY(mmli_arena_reset(&tape->mem));
    if (tape->ahead) {
        tape->turn = 1 - tape->turn;
        MML_TRY(mmli_arena_reset(&tape->sent[tape->turn]));
        MML_TRY(tape->dv->k.turn(tape->dv));
    }
    MML_TRY(mmli_arena_reset(&tape->host));
out:
    tape->st = st;
    return st;
}

mmli_device *mmli_tape_device(const mmli_tape *tape)
{
    return tape->dv;
}

bool mmli_tape_training(const mmli_tape *tape)
{
    return (tape->mode & MMLI_TRAINING) != 0;
}

bool mmli_tape_recording(const mmli_tape *tape)
{
    return (tape->mode & MMLI_RECORD) != 0;
}

uint64_t mmli_tape_key(const mmli_tape *tape, const char *name)
{
    return mmli_rng_key(tape->seed, name, tape->step);
}

void mmli_tape_watch(mmli_tape *tape, const mmli_watch *watch)
{
    tape->watch = watch;
}

const mmli_watch *mmli_tape_watched(const mmli_tape *tape)
{
    return tape->watch;
}

mml_status mmli_tape_status(const mmli_tape *tape)
{
    return tape->st;
}

bool mmli_tape_ok(const mmli_tape *tape)
{
    return tape->st == MML_OK;
}

void mmli_tape_fail(mmli_tape *tape, mml_status st)
{
    if (tape->st == MML_OK)
        tape->st = st;
}

static void *from(mmli_tape *tape, mmli_arena *arena, size_t bytes)
{
    void *p = NULL;

    if (tape->st == MML_OK)
        tape->st = mmli_arena_get(&p, arena, bytes);
    return tape->st == MML_OK ? p : NULL;
}

mmli_mem *mmli_tape_mem(mmli_tape *tape, size_t bytes)
{
    return from(tape, &tape->mem, bytes);
}

void *mmli_tape_host(mmli_tape *tape, size_t bytes)
{
    return from(tape, &tape->host, bytes);
}

mmli_tape_mark mmli_tape_get_mark(mmli_tape *tape)
{
    tape->marks++;
    return (mmli_tape_mark){mmli_arena_get_mark(&tape->mem), mmli_arena_get_mark(&tape->host)};
}

void mmli_tape_release(mmli_tape *tape, mmli_tape_mark mark)
{
    tape->marks--;
    mmli_arena_release(&tape->mem, mark.mem);
    mmli_arena_release(&tape->host, mark.host);
}

mmli_var *mmli_tape_wrap(mmli_tape *tape, mmli_mem *data, mmli_mem *grad, size_t rows, size_t cols, bool need)
{
    mmli_var *x = mmli_tape_host(tape, sizeof *x);

    if (x)
        *x = (mmli_var){.rows = rows, .cols = cols, .data = data, .grad = grad, .need = need && mmli_tape_recording(tape)};
    return x;
}

mmli_var *mmli_tape_stream(mmli_tape *tape, const mmli_stream *stream)
{
    mmli_var *x = mmli_tape_wrap(tape, NULL, NULL, stream->rows, stream->cols, false);

    if (x)
        x->stream = stream;
    return x;
}

/* *bytes = those of a matrix; false: the tape has failed. */
static bool measure(size_t *bytes, mmli_tape *tape, size_t rows, size_t cols)
{
    size_t n = 0;

    if (mmli_tape_ok(tape) && (!mmli_mul_size(&n, rows, cols) || !mmli_mul_size(bytes, n, sizeof(float))))
        mmli_tape_fail(tape, mmli_fail(MML_E_NOMEM, "a matrix of %zu x %zu is too large", rows, cols));
    return mmli_tape_ok(tape);
}

mmli_var *mmli_tape_var(mmli_tape *tape, size_t rows, size_t cols, bool need)
{
    size_t bytes = 0;
    mmli_mem *data;

    if (!measure(&bytes, tape, rows, cols))
        return NULL;
    data = mmli_tape_mem(tape, bytes);
    return data ? mmli_tape_wrap(tape, data, NULL, rows, cols, need) : NULL;
}

/* What is released before the pass ends is read by calls that are still queued when the memory is somebody else's: nothing may be sent to
 * it. That goes the ordinary way. */
mmli_mem *mmli_tape_upload(mmli_tape *tape, const void *src, size_t bytes)
{
    const bool ahead = tape->ahead && tape->marks == 0;
    mmli_mem *mem = from(tape, ahead ? &tape->sent[tape->turn] : &tape->mem, bytes);

    if (mem)
        mmli_tape_fail(tape, ahead ? tape->dv->k.send(tape->dv, mem, src, bytes) : tape->dv->k.upload(tape->dv, mem, src, bytes));
    return mmli_tape_ok(tape) ? mem : NULL;
}

mmli_var *mmli_tape_input(mmli_tape *tape, const float *values, size_t rows, size_t cols, bool need)
{
    size_t bytes = 0;
    mmli_mem *data = measure(&bytes, tape, rows, cols) ? mmli_tape_upload(tape, values, bytes) : NULL;

    return data ? mmli_tape_wrap(tape, data, NULL, rows, cols, need) : NULL;
}

mmli_mem *mmli_tape_grad_first(mmli_tape *tape, mmli_var *x, bool *add)
{
    *add = mmli_tape_reached(x);
    if (!x || !x->need || !mmli_tape_ok(tape))
        return NULL;
    if (!x->grad)
        x->grad = mmli_tape_mem(tape, x->rows * x->cols * sizeof(float));
    x->blank = false;
    return x->grad;
}

mmli_mem *mmli_tape_grad_over(mmli_tape *tape, mmli_var *x, mmli_mem *dy, bool *add)
{
    if (x->need && !x->grad && mmli_tape_ok(tape))
        x->grad = dy, x->blank = true;
    return mmli_tape_grad_first(tape, x, add);
}

mmli_mem *mmli_tape_grad(mmli_tape *tape, mmli_var *x)
{
    bool add;
    mmli_mem *grad = mmli_tape_grad_first(tape, x, &add);

    if (grad && !add)
        mmli_tape_fail(tape, tape->dv->k.fill(tape->dv, grad, x->rows * x->cols, 0.0f));
    return grad;
}

mml_status mmli_tape_pass(mmli_tape *tape, mmli_var *x, mmli_mem *dy)
{
    const size_t n = x->rows * x->cols;
    bool add;
    mmli_mem *dx;

    if (x->need && !x->grad)
        x->grad = dy;
    else if ((dx = mmli_tape_grad_first(tape, x, &add)) != NULL)
        mmli_tape_fail(tape, add ? tape->dv->k.axpy(tape->dv, dx, dy, n, 1.0f)
                                 : tape->dv->k.scale(tape->dv, dx, dy, n, 1.0f));
    return tape->st;
}

mmli_node *mmli_tape_node(mmli_tape *tape, mml_status (*back)(mmli_tape *, mmli_node *))
{
    mmli_node *node;

    if (!mmli_tape_recording(tape) || !mmli_tape_ok(tape))
        return NULL;
    node = mmli_tape_host(tape, sizeof *node);
    if (!node)
        return NULL;
    memset(node, 0, sizeof *node);
    node->back = back;
    node->prev = tape->last;
    tape->last = node;
    return node;
}

const mmli_node *mmli_tape_last(const mmli_tape *tape)
{
    return tape->last;
}

mml_status mmli_tape_backward(mmli_tape *tape)
{
    return mmli_tape_backward_told(tape, NULL, NULL);
}

mml_status mmli_tape_backward_told(mmli_tape *tape, mml_status (*after)(void *user, const mmli_node *node), void *user)
{
    for (mmli_node *node = tape->last; node && tape->st == MML_OK; node = node->prev) {
        const bool reached = (node->out[0] && node->out[0]->grad) || (node->out[1] && node->out[1]->grad);
        if (reached)
            mmli_tape_fail(tape, node->back(tape, node));
        if (after && tape->st == MML_OK)
            mmli_tape_fail(tape, after(user, node));
    }
    return tape->st;
}
