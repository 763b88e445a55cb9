/* page.h - the parts of the page: what is around the plots, and the plots of a comparison, one function a heading.
 *
 * A part for which there is no data writes nothing. Failures stick to the markup.
 */
#ifndef MMLI_REPORT_PAGE_H
#define MMLI_REPORT_PAGE_H

#include "report/markup.h"
#include "report/record.h"
#include "report/svg.h"

/* ---- page.c */
void mmli_page_begin(mmli_markup *m, const char *title);
void mmli_page_end(mmli_markup *m);
/* <section> with heading, text and a grid of plots; mmli_part_end takes all of it back if nothing was put into the grid. `about` is
 * markup of our own. */
typedef struct mmli_part {
    size_t begin, filled;
} mmli_part;
void mmli_part_begin(mmli_part *part, mmli_markup *m, const char *heading, const char *about);
void mmli_part_end(mmli_part *part, mmli_markup *m);
/* A plot of every system: those of mmli_choose() first, the others in a <details>. A panel puts nothing where it has no data. */
typedef void mmli_panel(mmli_markup *m, const mmli_comparison *c, const mmli_entry *e);
void mmli_put_panels(mmli_markup *m, const mmli_comparison *c, mmli_panel *panel);

/* Style of the systems of a group. */
int mmli_group_style(mmli_group group);
/* "Single modality", ... */
const char *mmli_group_title(mmli_group group);

/* ---- facts.c, table.c, overview.c */
void mmli_put_facts(mmli_markup *m, const mmli_comparison *c);
void mmli_put_table(mmli_markup *m, const mmli_comparison *c);
void mmli_put_problems(mmli_markup *m, const mmli_comparison *c); /* runs that failed or were left out */
void mmli_put_overview(mmli_markup *m, const mmli_comparison *c, size_t n); /* a row a comparison */

/* ---- plot_*.c */
void mmli_put_uplift(mmli_markup *m, const mmli_comparison *c, size_t n); /* of several comparisons */
void mmli_put_scores(mmli_markup *m, const mmli_comparison *c);
void mmli_put_roc(mmli_markup *m, const mmli_comparison *c);
void mmli_put_survival(mmli_markup *m, const mmli_comparison *c);
void mmli_put_calibration(mmli_markup *m, const mmli_comparison *c);
void mmli_put_learning(mmli_markup *m, const mmli_comparison *c);
void mmli_put_cost(mmli_markup *m, const mmli_comparison *c);
void mmli_put_studies(mmli_markup *m, const mmli_comparison *c);

#endif
