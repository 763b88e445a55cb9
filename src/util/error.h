/* error.h - one message per thread, and the macros by which functions fail.
 *
 * The lowest function that knows the facts writes the message (file, found, expected, what to do);
 * callers pass the status up untouched. A function that uses MML_TRY or MML_CHECK declares
 * `mml_status st = MML_OK;` and has one label `out`.
 */
#ifndef MMLI_UTIL_ERROR_H
#define MMLI_UTIL_ERROR_H

#include <stdbool.h>

#include "mmlego/base.h"

/* Is it the disk or memory that failed, and so nothing known of what a file holds? Who takes other failures for an answer ("not of this
 * format", "left out") passes these up. */
static inline bool mmli_machine_failed(mml_status st)
{
    return st == MML_E_NOMEM || st == MML_E_IO;
}

/* Formats into a fixed thread-local buffer (no allocation: it can report that there is no memory)
 * and gives `st` back. */
mml_status mmli_fail(mml_status st, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the message of the failure just recorded. */
mml_status mmli_fail_prefix(mml_status st, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For MML_GIVEN: MML_OK if none of n pointers is NULL, else MML_E_ARG; `names` are those of all, divided by ", ". */
mml_status mmli_given(const char *function, const char *names, const void *const *pointers, size_t n);

/* What a public function cannot do without, before anything else of it: leaves the function if one of these pointers is NULL. AS: with
 * the names that the header has, where they are others here. */
#define MML_GIVEN_AS(names, ...)                                                                                       \
    do {                                                                                                               \
        const void *const given_[] = {__VA_ARGS__};                                                                    \
        const mml_status are_ = mmli_given(__func__, names, given_, sizeof given_ / sizeof given_[0]);                 \
                                                                                                                       \
        if (are_ != MML_OK)                                                                                            \
            return are_;                                                                                               \
    } while (0)
#define MML_GIVEN(...) MML_GIVEN_AS(#__VA_ARGS__, __VA_ARGS__)

#define MML_TRY(call)                                                                              \
    do {                                                                                           \
        if ((st = (call)) != MML_OK)                                                               \
            goto out;                                                                              \
    } while (0)

#define MML_CHECK(cond, code, ...)                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            st = mmli_fail((code), __VA_ARGS__);                                                   \
            goto out;                                                                              \
        }                                                                                          \
    } while (0)

#endif
