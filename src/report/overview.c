/* overview.c - several comparisons beside each other: a row a data set. */
#include <math.h>

#include "report/page.h"

enum { COLUMNS = 6 };

static void find(size_t at[COLUMNS], const mmli_comparison *c)
{
    at[0] = c->block;
    at[1] = mmli_entry_find(c, "ensemble");
    at[2] = c->baseline;
    at[3] = mmli_entry_find(c, "merge");
    at[4] = mmli_entry_find(c, "fuse-stack");
    at[5] = mmli_entry_find(c, "fuse-weave");
}

static void put_cell(mmli_markup *m, const mmli_comparison *c, size_t i, bool named)
{
    mmli_put(m, "<td>");
    if (i < c->n && i == c->best)
        mmli_put(m, "<strong>");
    mmli_put_number(m, i < c->n ? c->entry[i].mean : (double)NAN, 3);
    if (i < c->n && i == c->best)
        mmli_put(m, "</strong><span class=\"tag\">best</span>");
    else if (i < c->n && i == c->second)
        mmli_put(m, "<span class=\"tag\">second</span>");
    if (named && i < c->n) {
        mmli_put(m, "<br><span class=\"soft\">");
        mmli_put_text(m, c->entry[i].title);
        mmli_put(m, "</span>");
    }
    mmli_put(m, "</td>");
}

void mmli_put_overview(mmli_markup *m, const mmli_comparison *c, size_t n)
{
    mmli_put(m, "<section class=\"part\">\n<h3>All data sets</h3>\n<div class=\"scroll\"><table>\n<caption>Mean score over the folds. Best and second "
                "are of all systems of a data set.</caption>\n<thead><tr><th scope=\"col\" class=\"l\">Data set</th><th scope=\"col\" class=\"l\">Score</th>"
                "<th scope=\"col\">Best block</th><th scope=\"col\">Ensemble</th><th scope=\"col\">Best baseline</th><th scope=\"col\">LegoMerge</th>"
                "<th scope=\"col\">LegoFuse (stack)</th><th scope=\"col\">LegoFuse (weave)</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n; i++) {
        size_t at[COLUMNS];

        find(at, &c[i]);
        mmli_putf(m, "<tr><th scope=\"row\"><a href=\"#c%zu\">", i + 1);
        mmli_put_text(m, c[i].title);
        mmli_put(m, "</a></th><td class=\"l\">");
        mmli_put_text(m, c[i].metric_title);
        mmli_put(m, "</td>");
        for (size_t k = 0; k < COLUMNS; k++)
            put_cell(m, &c[i], at[k], k == 0 || k == 2);
        mmli_put(m, "</tr>\n");
    }
    mmli_put(m, "</tbody></table></div>\n</section>\n");
}
