/* report.h - comparisons of systems as a web page. */
#ifndef MMLEGO_REPORT_H
#define MMLEGO_REPORT_H

#include "mmlego/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One HTML page of one or several comparisons, as `mmlego compare` writes them (doc/report.md): the table of systems, what merging
 * gains, every fold, ROC or Kaplan-Meier curves, calibration, cost, studies and learning curves.
 *
 * The page stands alone: it loads nothing and needs no JavaScript, follows the reader's choice of light or dark, and prints. Texts of
 * the files are shown as texts, whatever they contain. What is missing in a file is missing in the page, never 0. The same files give
 * the same bytes.
 *
 * @param[out] html   new, yours: mml_string_free(). NULL on failure.
 * @param      files  (n) paths of JSON files, shown in this order
 * @param      n      >= 1
 * @return MML_OK, or
 *   MML_E_ARG     a pointer is NULL, n is 0
 *   MML_E_IO      a file cannot be read
 *   MML_E_FORMAT  a file is not JSON, not a comparison, or one of a newer version
 *   MML_E_NOMEM
 * @since 0.1
 */
MML_API MML_MUST_USE mml_status mml_report_html(char **html, const char *const *files, size_t n);

#ifdef __cplusplus
}
#endif
#endif
