/* base.h - status codes, error text, versions: what every other header of libmmlego needs.
 *
 * The library never prints, exits or aborts. A call that can fail returns a status; the text that
 * says what was wrong, and where, is kept per thread until the next failure of that thread.
 *
 * A pointer must not be NULL where nothing else is said. A call that returns a status refuses it with MML_E_ARG and its name; those
 * that just tell something of an object (mml_cohort_size()) need the object.
 */
#ifndef MMLEGO_BASE_H
#define MMLEGO_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) && __GNUC__ >= 4
#define MML_API __attribute__((visibility("default")))
#define MML_MUST_USE __attribute__((warn_unused_result))
#else
#define MML_API
#define MML_MUST_USE
#endif

/** What a call came to. New values are added at the end. */
typedef enum mml_status {
    MML_OK = 0,
    MML_E_ARG = 1,        /**< an argument or option is wrong: the caller's mistake */
    MML_E_NOMEM = 2,      /**< memory could not be had, or a size overflows */
    MML_E_IO = 3,         /**< a file could not be opened, read, written or renamed */
    MML_E_FORMAT = 4,     /**< a file is not what it should be: truncated, wrong type, newer version */
    MML_E_DATA = 5,       /**< well-formed data that cannot be used: NaN label, duplicate id, empty part */
    MML_E_SHAPE = 6,      /**< sizes that do not agree; the message has both */
    MML_E_NOT_FOUND = 7,  /**< no such modality, task, column, parameter; the message lists what there is */
    MML_E_NOT_FINITE = 8, /**< NaN or infinity where a number must be: training has diverged */
    MML_E_BACKEND = 9,    /**< the backend failed or is not compiled in */
    MML_E_LEAK = 10,      /**< evaluation on training samples, refused in strict mode */
    MML_E_STOPPED = 11,   /**< stopped on request (signal, callback); a checkpoint was written if asked for */
    MML_E_INTERNAL = 12   /**< an invariant of the library broke: a bug, please report it */
} mml_status;

/** Text of the last failure in this thread; "" before the first. Lent: valid until the next failure. */
MML_API const char *mml_last_error(void);

/** Status of the last failure in this thread; MML_OK before the first. */
MML_API mml_status mml_last_status(void);

/** A word for a status: "argument", "io", ... Static. */
MML_API const char *mml_status_name(mml_status st);

/** Version of the library, "0.1.0". Static. */
MML_API const char *mml_version(void);

/**
 * How this library was built and what it runs on, as lines "key: value" (compiler, FFT, BLAS and its
 * kernels, vector width, processor; warns when an old OpenBLAS takes this processor for an older one; GPUs, or why there is
 * none).
 *
 * @param[out] text  new, yours: mml_string_free(). NULL on failure.
 * @return MML_OK or MML_E_NOMEM
 */
MML_API MML_MUST_USE mml_status mml_build_info(char **text);

/**
 * What computes, by name, wherever an option or an argument is called `device`:
 *
 *   "cpu"        this processor; the same as NULL, but where a function says otherwise
 *   "cuda:N"     NVIDIA GPU N, from 0; "cuda" is the first (doc/cuda.md)
 *   "auto"       the first GPU if there is one that can be used, else the cpu
 *   "reference"  plain loops, to compare with
 *
 * mml_train_block() and mml_train_fuse() also take several GPUs, which share each batch: "cuda:0,1", or "cuda:all"
 * ("reference,reference" does the same without a GPU, to compare with). All else takes one.
 *
 * A model is the same on all of them: one that was trained on a GPU predicts on the cpu. CUDA does not survive fork(): a process
 * that has used a GPU, by this call too, must not use one in a child.
 *
 * @param[out] text  which device a name stands for here: "cuda:0 (NVIDIA H100, 79.1 GiB, compute capability 9.0)"; for "auto"
 *                   without a GPU also why. Yours: mml_string_free(). NULL on failure
 * @return MML_E_BACKEND  no such device: the message says which there are, or what is missing
 */
MML_API MML_MUST_USE mml_status mml_device_describe(char **text, const char *device);

/**
 * Kernels OpenBLAS should run on this processor, when it has chosen older ones by mistake.
 *
 * OpenBLAS reads OPENBLAS_CORETYPE when it is loaded, so only a program can act on this, by setting
 * the variable and starting itself again.
 * @return a static name ("SkylakeX"), or NULL when the choice made is right or cannot be judged
 */
MML_API const char *mml_blas_better_coretype(void);

/** Frees a string that a call gave. NULL is fine. */
MML_API void mml_string_free(char *text);

#ifdef __cplusplus
}
#endif
#endif
