/* tape.h - one forward pass: variables, what was computed from what, and the way back.
 *
 * Memory of a pass comes from two arenas (device, host) that are kept between passes: after the largest
 * batch has been seen, a pass allocates nothing. Errors stick: an op on a failed tape, or given NULL,
 * returns NULL and does nothing; mmli_tape_status() says what happened. So layers are written as formulas.
 */
#ifndef MMLI_OPS_TAPE_H
#define MMLI_OPS_TAPE_H

#include <stdbool.h>

#include "backends/backend.h"
#include "mmlego/tensor.h"
#include "ops/arena.h"
#include "util/stream.h"

typedef struct mmli_tape mmli_tape;
typedef struct mml_var mmli_var;

struct mml_var {
    size_t rows, cols;
    mmli_mem *data; /* (rows, cols) */
    mmli_mem *grad; /* NULL until something flows back (mmli_tape_grad) */
    bool need;      /* a gradient is wanted */
    bool blank;     /* grad has its place, but nothing has flowed into it: what it holds does not count */
    const mmli_stream *stream; /* not NULL: data is NULL, rows are read piece by piece (ops/pieces.h), without gradients */
};

enum { MMLI_RECORD = 1 /* gradients will be asked for */, MMLI_TRAINING = 2 /* dropout is active */ };

mml_status mmli_tape_new(mmli_tape **out, mmli_device *dv);
void mmli_tape_free(mmli_tape *tape);

/* Forgets the last pass and starts one. (seed, step) key the random numbers of dropout. */
mml_status mmli_tape_begin(mmli_tape *tape, int mode, uint64_t seed, uint64_t step);

mmli_device *mmli_tape_device(const mmli_tape *tape);
bool mmli_tape_training(const mmli_tape *tape);
bool mmli_tape_recording(const mmli_tape *tape);
/* Key of the stream `name` of this pass: (seed, name, step). */
uint64_t mmli_tape_key(const mmli_tape *tape, const char *name);
mml_status mmli_tape_status(const mmli_tape *tape);
/* Records a failure (the first one stays). */
void mmli_tape_fail(mmli_tape *tape, mml_status st);
/* true when the tape has not failed */
bool mmli_tape_ok(const mmli_tape *tape);

/* Memory until the next mmli_tape_begin; 64-byte aligned, contents undefined. NULL: the tape has failed. */
mmli_mem *mmli_tape_mem(mmli_tape *tape, size_t bytes);
void *mmli_tape_host(mmli_tape *tape, size_t bytes);

/* Memory that is needed for a moment only: what was asked for after the mark - by ops, too: variables, nodes, gradients -
 * is given again to others after the release. */
typedef struct mmli_tape_mark {
    mmli_arena_mark mem, host;
} mmli_tape_mark;
mmli_tape_mark mmli_tape_get_mark(mmli_tape *tape);
void mmli_tape_release(mmli_tape *tape, mmli_tape_mark mark);

/* A variable with data of its own. */
mmli_var *mmli_tape_var(mmli_tape *tape, size_t rows, size_t cols, bool need);
/* A variable on memory that is somebody else's; grad may be NULL. */
mmli_var *mmli_tape_wrap(mmli_tape *tape, mmli_mem *data, mmli_mem *grad, size_t rows, size_t cols, bool need);
/* A variable that is never in memory as a whole; the stream is lent for the pass. */
mmli_var *mmli_tape_stream(mmli_tape *tape, const mmli_stream *stream);
/* A variable filled from a host array. */
mmli_var *mmli_tape_input(mmli_tape *tape, const float *values, size_t rows, size_t cols, bool need);
/* An array of any element type on the device. */
mmli_mem *mmli_tape_upload(mmli_tape *tape, const void *src, size_t bytes);

/* A gradient is the sum of what flows back to its variable. Four ways to give it a part, all NULL or nothing when none is
 * wanted (x->need false) or the tape has failed:
 * zero before the first part: to be added to */
mmli_mem *mmli_tape_grad(mmli_tape *tape, mmli_var *x);
/* for what can overwrite as well as add: *add false says that this is the first part and that what the memory holds does
 * not count, so all of it has to be written */
mmli_mem *mmli_tape_grad_first(mmli_tape *tape, mmli_var *x, bool *add);
/* the same, for what may also overwrite dy, the gradient of a variable of the same size that nobody needs any more: the first
 * part may get the memory of dy */
mmli_mem *mmli_tape_grad_over(mmli_tape *tape, mmli_var *x, mmli_mem *dy, bool *add);
/* all of dy, the gradient of a variable of the same size that nobody needs any more; the first part may be dy itself, so it
 * can be given to one variable only */
mml_status mmli_tape_pass(mmli_tape *tape, mmli_var *x, mmli_mem *dy);
/* Has something flowed back to x? */
static inline bool mmli_tape_reached(const mmli_var *x)
{
    return x && x->grad && !x->blank;
}

/* One step back. Inputs, outputs and settings of the op are fields; unused ones stay 0. */
typedef struct mmli_node mmli_node;
struct mmli_node {
    mml_status (*back)(mmli_tape *tape, mmli_node *node);
    mmli_var *in[7];
    mmli_var *out[2];
    mmli_mem *mem[4];
    size_t n[8];
    float f[2];
    uint64_t key;
    int kind;
    bool reads_more; /* variables that are not in `in` */
    void *ptr;
    mmli_node *prev;
};
/* A node to fill in; NULL when this pass does not record, or has failed (then there is nothing to do). */
mmli_node *mmli_tape_node(mmli_tape *tape, mml_status (*back)(mmli_tape *, mmli_node *));

/* Somebody who is shown how the tokens of a pass were weighted (ops/watch.h); lent until the next mmli_tape_begin, which
 * forgets it. NULL: nobody looks, and nothing is computed for it. */
typedef struct mmli_watch mmli_watch;
void mmli_tape_watch(mmli_tape *tape, const mmli_watch *watch);
const mmli_watch *mmli_tape_watched(const mmli_tape *tape);

/* Runs the recorded ops backwards from variables whose grad has been set. Outputs nothing flowed into are skipped. */
mml_status mmli_tape_backward(mmli_tape *tape);
/* The same; `after` is told of every op when it has been walked back, or skipped. Its failure is the tape's. */
mml_status mmli_tape_backward_told(mmli_tape *tape, mml_status (*after)(void *user, const mmli_node *node), void *user);
/* The newest op; the others are behind `prev`. NULL: none was recorded. */
const mmli_node *mmli_tape_last(const mmli_tape *tape);

#endif
