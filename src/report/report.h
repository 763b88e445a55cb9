/* report.h - comparisons as one HTML page that stands alone: no script, nothing loaded, plots as SVG, light and dark, printable.
 *
 * Layer: sees util, metrics and Jansson, nothing of models and cohorts. svg.h and markup.h serve other layers too.
 */
#ifndef MMLI_REPORT_REPORT_H
#define MMLI_REPORT_REPORT_H

#include <jansson.h>

#include "mmlego/base.h"

/* *html: new, mmli_free() (or mml_string_free()); the same bytes for the same JSON. n >= 1 comparisons (doc/report.md), of which anything
 * may be missing. MML_E_ARG: n = 0. MML_E_FORMAT: one is not a comparison, or of a newer version; the message says which. */
mml_status mmli_report_html(char **html, const json_t *const *comparisons, size_t n);

#endif
