/* mmlt.h - what the tests share: tolerances with names and reasons, close comparisons, random data,
 * the loop over backends, and main().
 */
#ifndef MMLT_H
#define MMLT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/backend.h"
#include "tests/hidden/hidden.h"

/* ---- comparisons -------------------------------------------------------------------------------
 * got is close to want when |got - want| <= rel |want| + norm max|want|, the maximum over the finite
 * elements of the array. `norm` is how errors of sums behave: terms cancel, their roundings do not. A
 * NaN equals a NaN only, an infinity its like only. */
typedef struct mmlt_tol {
    double rel, norm;
} mmlt_tol;

/* Equal: data was moved, or one IEEE operation done on the same operands. (-0 equals 0.) */
#define MMLT_TOL_EXACT ((mmlt_tol){0, 0})
/* A handful of float32 roundings (2^-24 = 6e-8 each), no sum over data. */
#define MMLT_TOL_ROUND ((mmlt_tol){5e-7, 1e-7})
/* exp, tanh and such in float32: vector versions are good to 1-4 units in the last place, and 1 - x,
 * exp(x) - 1 cancel near 0, which `norm` forgives. */
#define MMLT_TOL_MATH ((mmlt_tol){2e-6, 5e-7})
/* Sums of up to some thousand float32 terms in any order, GEMM and FFT with them. */
#define MMLT_TOL_SUM ((mmlt_tol){5e-6, 2e-6})
/* Sums in float64 of float32 terms, in any order. */
#define MMLT_TOL_F64 ((mmlt_tol){1e-12, 1e-12})
/* Golden outputs and gradients of PyTorch in float32: the bound the project promises. */
#define MMLT_TOL_GOLDEN ((mmlt_tol){1e-4, 1e-5})
/* Gradients against central differences of float32 outputs: tests/ops/fd.h derives it. */
#define MMLT_TOL_DIFFERENCE ((mmlt_tol){1e-4, 5e-5})

/* Worst |got - want| / (rel |want| + norm max|want|): at most 1 is close. Its place in *at (may be
 * NULL). For exact tolerances: 0 or infinity. n = 0 gives 0. */
double mmlt_distance(const float *got, const float *want, size_t n, mmlt_tol tol, size_t *at);
double mmlt_distance_d(const double *got, const double *want, size_t n, mmlt_tol tol, size_t *at);
/* Worst |got - want| / max|want|, to be reported. */
double mmlt_relative_error(const float *got, const float *want, size_t n);

void mmlt_assert_close_at(const char *file, int line, const char *what, const float *got, const float *want,
                          size_t n, mmlt_tol tol);
void mmlt_assert_close_d_at(const char *file, int line, const char *what, const double *got, const double *want,
                            size_t n, mmlt_tol tol);
#define mmlt_assert_close(got, want, n, tol) mmlt_assert_close_at(__FILE__, __LINE__, #got, got, want, n, tol)
#define mmlt_assert_close_d(got, want, n, tol) mmlt_assert_close_d_at(__FILE__, __LINE__, #got, got, want, n, tol)
/* Byte for byte, NaN included: for results that must not depend on threads or on the batch. */
void mmlt_assert_same_bits_at(const char *file, int line, const char *what, const void *got, const void *want,
                              size_t bytes);
#define mmlt_assert_same_bits(got, want, bytes)                                                    \
    mmlt_assert_same_bits_at(__FILE__, __LINE__, #got, got, want, bytes)

/* A call that must succeed; the message of a failure is shown. */
void mmlt_assert_ok_at(const char *file, int line, const char *call, mml_status st);
#define mmlt_assert_ok(call) mmlt_assert_ok_at(__FILE__, __LINE__, #call, call)
/* A call that must fail with `status` and a message that contains `text` ("" = any, but not none). */
void mmlt_assert_fails_at(const char *file, int line, const char *call, mml_status got, mml_status status,
                          const char *text);
#define mmlt_assert_fails(call, status, text) mmlt_assert_fails_at(__FILE__, __LINE__, #call, call, status, text)

/* ---- random data: the same for a key on every machine ------------------------------------------ */
void mmlt_normal(float *x, size_t n, uint64_t key);                        /* N(0, 1) */
void mmlt_uniform(float *x, size_t n, uint64_t key, float low, float high);

/* ---- backends: those of this build, then the hidden one. MMLT_DEVICE=cuda in the environment: that device alone, for the
 * programs that loop over them (tests/cuda/emulated.sh lists some). ------------------------------- */
int mmlt_n_backends(void);
const char *mmlt_backend_name(int i);
/* Opened with that many threads (0 = default); mmli_device_close ends it. */
mmli_device *mmlt_device(int i, int threads);

/* Device memory from and to the host: mmlt_upload's is freed with dv->k.free. */
mmli_mem *mmlt_upload(mmli_device *dv, const void *data, size_t bytes);
void mmlt_download(void *data, mmli_device *dv, const mmli_mem *mem, size_t bytes);
#define mmlt_upload_array(dv, array) mmlt_upload(dv, array, sizeof(array))

/* ---- time: is there MMLT_FAST in the environment, so that the slowest cases are left out? Then it says so, with these words for
 * what is not run: called once, in main. -------------------------------------------------------------- */
bool mmlt_fast(const char *left_out);

/* ---- main: runs a suite, gives the exit status ------------------------------------------------- */
int mmlt_main(Suite *suite);

#endif
