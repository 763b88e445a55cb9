/* table.c - the systems in numbers, and the runs that did not go well. */
#include <math.h>
#include <string.h>

#include "report/page.h"

static void put_difference(mmli_markup *m, const mmli_comparison *c, const mmli_entry *e)
{
    if (c->baseline < c->n && e == &c->entry[c->baseline]) {
        mmli_put(m, "<td>best baseline</td><td></td>");
        return;
    }
    mmli_put(m, "<td>");
    if (e->difference > 0)
        mmli_put(m, "+");
    mmli_put_number(m, e->difference, 3);
    mmli_put(m, "</td><td>");
    if (!isnan(e->low) && !isnan(e->high)) {
        mmli_put(m, "[");
        mmli_put_number(m, e->low, 3);
        mmli_put(m, ", ");
        mmli_put_number(m, e->high, 3);
        mmli_put(m, "]");
    }
    mmli_put(m, "</td>");
}

static void put_row(mmli_markup *m, const mmli_comparison *c, size_t i)
{
    const mmli_entry *e = &c->entry[i];
    const char *remark = mmli_json_text(e->json, "remark");

    mmli_putf(m, "<tr%s><th scope=\"row\">", i == c->best ? " class=\"first\"" : i == c->second ? " class=\"second\"" : "");
    mmli_put_text(m, e->title);
    mmli_put(m, i == c->best ? "<span class=\"tag\">best</span>" : i == c->second ? "<span class=\"tag\">second</span>" : "");
    if (remark != NULL && remark[0] != '\0') {
        mmli_put(m, "<span class=\"soft\">");
        mmli_put_text(m, remark);
        mmli_put(m, "</span>");
    }
    mmli_put(m, "</th><td>");
    mmli_put_mean_sd(m, e->mean, e->sd, 3);
    mmli_put(m, "</td>");
    for (size_t k = 0; k < c->folds; k++) {
        mmli_put(m, "<td class=\"fold\">");
        mmli_put_number(m, e->score[k], 3);
        mmli_put(m, "</td>");
    }
    put_difference(m, c, e);
    mmli_put(m, "<td>");
    mmli_put_count(m, e->parameters);
    mmli_put(m, "</td><td>");
    mmli_put_seconds(m, e->train_seconds);
    mmli_put(m, "</td><td>");
    mmli_put_bytes(m, e->peak_bytes);
    mmli_put(m, "</td></tr>\n");
}

static void put_header(mmli_markup *m, const mmli_comparison *c)
{
    mmli_put(m, "<div class=\"scroll\"><table class=\"systems\">\n<caption>");
    mmli_put_text(m, c->metric_title);
    mmli_putf(m, " on the test parts, %s is better: mean ± standard deviation over the folds, then every fold. ",
              c->higher ? "higher" : "lower");
    if (c->baseline < c->n) {
        mmli_put(m, "Differences are to the best baseline (");
        mmli_put_text(m, c->entry[c->baseline].title);
        mmli_put(m, "), with their 95 % interval (paired bootstrap). ");
    }
    mmli_put(m, "Time and peak memory are those of one run; the time of a merge, an ensemble or a fuse includes that of its blocks.</caption>\n<thead><tr><th scope=\"col\" class=\"l\">System</th><th scope=\"col\">Mean ± sd</th>");
    for (size_t k = 0; k < c->folds; k++)
        mmli_putf(m, "<th scope=\"col\"><abbr title=\"Fold %zu\">%zu</abbr></th>", k, k);
    mmli_put(m, "<th scope=\"col\">Difference</th><th scope=\"col\">Interval</th><th scope=\"col\">Parameters</th>"
                "<th scope=\"col\">Training</th><th scope=\"col\">Memory</th></tr></thead>\n");
}

void mmli_put_table(mmli_markup *m, const mmli_comparison *c)
{
    if (c->n == 0) {
        mmli_put(m, "<section class=\"part\"><h3>Systems</h3><p>No system has been run yet.</p></section>\n");
        return;
    }
    mmli_put(m, "<section class=\"part\">\n<h3>Systems</h3>\n");
    put_header(m, c);
    for (size_t i = 0; i < c->n; i++) {
        if (i == 0 || c->entry[i].group != c->entry[i - 1].group)
            mmli_putf(m, "%s<tbody>\n<tr><th scope=\"rowgroup\" colspan=\"%zu\">%s</th></tr>\n", i > 0 ? "</tbody>\n" : "", c->folds + 7,
                      mmli_group_title(c->entry[i].group));
        put_row(m, c, i);
    }
    mmli_put(m, "</tbody></table></div>\n</section>\n");
}

/* ---- what did not go well ------------------------------------------------------------------------------------------- */

static void put_problem(mmli_markup *m, const mmli_comparison *c, const json_t *job, const char *status)
{
    const size_t i = mmli_entry_find(c, mmli_json_text(job, "system"));
    const double fold = mmli_json_number_at(job, "fold");
    const char *title = i < c->n ? c->entry[i].title : mmli_json_text(job, "title"), *message = mmli_json_text(job, "message");

    mmli_put(m, "<li>");
    mmli_put_text(m, title != NULL ? title : mmli_json_text(job, "system"));
    if (!isnan(fold)) {
        mmli_put(m, ", fold ");
        mmli_put_count(m, fold);
    }
    mmli_put(m, ": ");
    mmli_put_text(m, status);
    if (message != NULL && message[0] != '\0') {
        mmli_put(m, ": ");
        mmli_put_text(m, message);
    }
    mmli_put(m, "</li>\n");
}

void mmli_put_problems(mmli_markup *m, const mmli_comparison *c)
{
    const json_t *jobs = json_object_get(c->json, "jobs");
    size_t found = 0;

    for (size_t j = 0; j < json_array_size(jobs); j++) {
        const json_t *job = json_array_get(jobs, j);
        const char *status = mmli_json_text(job, "status");

        if (status == NULL || strcmp(status, "ok") == 0)
            continue;
        if (found++ == 0)
            mmli_put(m, "<section class=\"part\">\n<h3>Runs without a result</h3>\n<ul class=\"plain\">\n");
        put_problem(m, c, job, status);
    }
    if (found > 0)
        mmli_put(m, "</ul>\n</section>\n");
}
