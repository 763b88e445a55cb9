/* case.h - a kernel called with made-up data, so that the same call can be run on any device and its
 * results compared.
 *
 * A case makes buffers, calls kernels by CALL, and is done; the runner keeps what the output buffers
 * held. All data follow from the name of the case, the number of the variant and the order of the
 * buffers, never from the device. Every buffer lies between guards, and inputs must come back
 * unchanged. In odd variants buffers start one element off the alignment of `alloc`: addresses may be
 * moved by mmli_at, so no kernel may count on it.
 */
#ifndef MMLT_OPS_CASE_H
#define MMLT_OPS_CASE_H

#include "tests/support/mmlt.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { RUN_BUFFERS = 32, RUN_CALLS = 16 };

typedef enum run_type { RUN_F32, RUN_F64, RUN_I32, RUN_I64 } run_type;

typedef struct run_buffer {
    mmli_mem *block; /* as allocated */
    mmli_mem *mem;   /* as the kernel gets it */
    run_type type;
    size_t n;
    void *host;      /* before the run: what was uploaded, guards included; after: what came back */
    const char *out; /* its label, NULL for an input */
    mmlt_tol tol;
    double least;    /* the norm is at least this: of_terms */
} run_buffer;

typedef struct run {
    mmli_device *dv;
    uint64_t key;
    bool shifted;
    size_t n;
    run_buffer buffer[RUN_BUFFERS];
    size_t calls;
    const char *called[RUN_CALLS];
} run;

/* Variant i of a case; shape and options follow from i. */
typedef struct kernel_case {
    const char *name;
    size_t variants;
    void (*fn)(run *r, size_t i);
} kernel_case;

/* Inputs: random with mean 0 and variance 1, uniform between two numbers, or given. */
mmli_mem *in_random(run *r, size_t n);
mmli_mem *in_uniform(run *r, size_t n, float low, float high);
mmli_mem *in_floats(run *r, const float *x, size_t n);
mmli_mem *in_ints(run *r, const int32_t *x, size_t n);
/* Offsets of segments with these lengths; *tokens = their sum. */
mmli_mem *in_offsets(run *r, const size_t *len, size_t segs, size_t *tokens);

/* What they are on the host; until the case is over. */
const int64_t *host_offsets(const run *r, const mmli_mem *off);

/* Outputs: `new_` ones hold NaN before the call (all must be written, none may be read), `sum_` ones
 * random numbers (added to, or updated). */
mmli_mem *new_floats(run *r, const char *label, size_t n, mmlt_tol tol);
mmli_mem *sum_floats(run *r, const char *label, size_t n, mmlt_tol tol);
mmli_mem *sum_double(run *r, const char *label, mmlt_tol tol);
mmli_mem *sum_doubles(run *r, const char *label, size_t n, mmlt_tol tol);

/* Of an output that is a sum of terms of about this size, and so few that none may come out as large:
 * where all cancel, their roundings do not, so `norm` is taken of this size at least. */
mmli_mem *of_terms(run *r, mmli_mem *out, double size);

/* Calls a kernel of the table, notes its name, and insists on success. */
#define CALL(r, kernel, ...) run_call(r, #kernel, (r)->dv->k.kernel((r)->dv, __VA_ARGS__))
void run_call(run *r, const char *kernel, mml_status st);

/* Runs variant i of a case; run_free ends it. */
void run_case(run *r, const kernel_case *c, size_t i, mmli_device *dv);
void run_free(run *r);
/* Results agree within the tolerance of each buffer, or bit for bit. `who` and `c`, `i` for messages. */
void assert_runs_agree(const run *got, const run *want, const kernel_case *c, size_t i, const char *who);
void assert_runs_equal(const run *got, const run *want, const kernel_case *c, size_t i, const char *who);

/* The cases, by family. */
extern const kernel_case element_cases[], row_cases[], segment_cases[], attention_cases[], dense_cases[],
    fourier_cases[], loss_cases[], optim_cases[], large_cases[];
/* Case i over all families, NULL past the end. */
const kernel_case *case_at(size_t i);
size_t n_cases(void);

#endif
