/* bench.h - how fast this machine runs the method: named cases, what they cost, and the limits they stay under.
 *
 * A case is a model of fixed sizes on made-up numbers, and what is done with it: predicting a batch, or a whole step of
 * training (forward, loss, backward, AdamW). Nothing is read from files. The cost of a repeat - floating-point operations,
 * bytes that must move, calls, allocations - is counted, not estimated, and is the same on every machine; the time is
 * measured. A program that wants the peak memory of each case runs every case in a process of its own.
 */
#ifndef MMLEGO_BENCH_H
#define MMLEGO_BENCH_H

#include "mmlego/base.h"
#include "mmlego/data.h"
#include "mmlego/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A case of the list. All texts are static. */
typedef struct mml_bench_case {
    const char *name;  /**< "table-train-32" */
    const char *group; /**< "main", or the scaling study it belongs to: "tokens", "modalities", "batch", "latent-c",
                            "latent-d", "threads" */
    const char *what;  /**< one line for people */
    double at;         /**< scaling studies: the value of what is varied; else 0 */
    int threads;       /**< threads the case is about; 0 = those of the options */
} mml_bench_case;

/** Number of cases. */
MML_API size_t mml_bench_n_cases(void);

/** The i-th case, groups one after the other. @return MML_E_ARG past the end */
MML_API MML_MUST_USE mml_status mml_bench_case_at(mml_bench_case *out, size_t i);

typedef struct mml_bench_options {
    size_t struct_size;
    const char *device;  /**< mml_device_describe(); NULL = cpu. Borrowed */
    int threads;         /**< 0 = all; a case about threads uses its own number */
    double seconds;      /**< time to spend on repeats of a case after the warm-up [1]; at least 3 repeats are made, or
                              one where a single one takes five times as long as this */
    size_t repeats;      /**< at most [1000] */
    uint64_t seed;       /**< of the made-up numbers, and of the parameters [1] */
} mml_bench_options;
MML_API void mml_bench_options_init(mml_bench_options *options);

/** What a repeat of a case took and cost. NaN = not known on this system. */
typedef struct mml_bench_result {
    size_t struct_size;   /**< set by the caller to sizeof(mml_bench_result) */
    int threads;          /**< used at most */
    size_t repeats;       /**< measured */
    double median;        /**< seconds a repeat */
    double low, high;     /**< 10th and 90th percentile */
    double least;
    double matrix_flop;   /**< of matrix products, of one repeat */
    double other_flop;    /**< all other arithmetic */
    double bytes;         /**< read and written at least: every operand of every kernel once */
    uint64_t kernels;     /**< kernel calls */
    uint64_t host_allocations, device_allocations; /**< of a warm repeat */
    double input;         /**< bytes of the input */
    double parameters;    /**< scalars of the model */
    double device_peak;   /**< bytes of device memory at most, without the input; parameters and optimiser are in it */
    double peak;          /**< bytes of the process at most (resident), until now */
    double beyond_input;  /**< the same, above what was resident when the input had been made: an earlier, larger case of
                               this process hides this one */
    double p95;           /**< 95th percentile of the times: what a neighbour on the same processors costs */
} mml_bench_result;

/**
 * Runs one case: sets it up, warms up, repeats, and gives everything back. Takes from milliseconds to a minute, and
 * memory up to 5 GB (tokens-1000000).
 *
 * @param options  NULL = defaults
 * @return MML_E_ARG (unknown name: the message has the nearest), MML_E_NOMEM, MML_E_BACKEND
 */
MML_API MML_MUST_USE mml_status mml_bench_run(mml_bench_result *out, const char *name, const mml_bench_options *options);

/**
 * The model of a case, at its random start: to be saved, or predicted with.
 * @param[out] out  yours: mml_model_free(). NULL on failure. Of merge-build: the merged model
 */
MML_API MML_MUST_USE mml_status mml_bench_model(mml_model **out, const char *name, const mml_bench_options *options);

/**
 * The made-up input of a case as a batch for its model, to be predicted with; numbers in [-1, 1], cheap to make.
 * @param[out] out  yours: mml_batch_free(). NULL on failure
 */
MML_API MML_MUST_USE mml_status mml_bench_batch(mml_batch **out, const char *name);

/** A product (m, k) x (k, n) of matrices, and how fast it went. */
typedef struct mml_bench_product {
    size_t m, n, k;
    double flops; /**< floating-point operations a second */
} mml_bench_product;

/** The limits of a machine, with a number of threads. */
typedef struct mml_bench_limits {
    size_t struct_size; /**< set by the caller to sizeof(mml_bench_limits) */
    int threads;
    size_t n_products;
    mml_bench_product products[8]; /**< a large square one first, then shapes that matter here */
    double flops;                  /**< the fastest of them: the limit of arithmetic */
    double read, triad;            /**< bytes a second from memory: only read; a = b + s c (two read, one written). Of a GPU:
                                        copied, b into a; a = b + c */
    double bandwidth;              /**< the larger of the two */
} mml_bench_limits;

/** Measures them: about four seconds, and 400 MB. @return MML_E_NOMEM, MML_E_BACKEND */
MML_API MML_MUST_USE mml_status mml_bench_measure_limits(mml_bench_limits *out, const mml_bench_options *options);

#ifdef __cplusplus
}
#endif
#endif
