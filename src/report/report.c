/* report.c - the order of the page, and the public way to it. */
#include "report/report.h"

#include <errno.h>
#include <stdio.h>

#include "mmlego/report.h"
#include "report/page.h"
#include "util/alloc.h"
#include "util/error.h"

static void put_comparison(mmli_markup *m, const mmli_comparison *c, size_t number, bool alone)
{
    mmli_putf(m, "<h2 id=\"c%zu\">", number);
    mmli_put_text(m, c->title);
    mmli_put(m, "</h2>\n");
    mmli_put_facts(m, c);
    mmli_put_table(m, c);
    mmli_put_scores(m, c);
    if (alone)
        mmli_put_uplift(m, c, 1);
    mmli_put_roc(m, c);
    mmli_put_survival(m, c);
    mmli_put_calibration(m, c);
    mmli_put_cost(m, c);
    mmli_put_studies(m, c);
    mmli_put_learning(m, c);
    mmli_put_problems(m, c);
}

static void put_links(mmli_markup *m, const mmli_comparison *c, size_t n)
{
    mmli_put(m, "<nav aria-label=\"Data sets\"><ul>\n");
    for (size_t i = 0; i < n; i++) {
        mmli_putf(m, "<li><a href=\"#c%zu\">", i + 1);
        mmli_put_text(m, c[i].title);
        mmli_put(m, "</a></li>\n");
    }
    mmli_put(m, "</ul></nav>\n");
}

static void put_page(mmli_markup *m, const mmli_comparison *c, size_t n)
{
    mmli_page_begin(m, n == 1 ? c[0].title : "Comparison of data sets");
    mmli_put(m, "<h1>");
    mmli_put_text(m, n == 1 ? "Comparison of systems" : "Comparison of systems on several data sets");
    mmli_put(m, "</h1>\n");
    if (n > 1) {
        put_links(m, c, n);
        mmli_put_overview(m, c, n);
        mmli_put_uplift(m, c, n);
    }
    for (size_t i = 0; i < n; i++)
        put_comparison(m, &c[i], i + 1, n == 1);
    mmli_page_end(m);
}

mml_status mmli_report_html(char **html, const json_t *const *comparisons, size_t n)
{
    mmli_comparison *c = NULL;
    mmli_markup m = {0};
    mml_status st = MML_OK;

    *html = NULL;
    MML_CHECK(n > 0, MML_E_ARG, "a report needs at least one comparison");
    MML_TRY(mmli_calloc(&c, n, sizeof *c));
    for (size_t i = 0; i < n; i++)
        if ((st = mmli_comparison_read(&c[i], comparisons[i])) != MML_OK) {
            if (n > 1)
                st = mmli_fail_prefix(st, "comparison %zu of %zu", i + 1, n);
            goto out;
        }
    put_page(&m, c, n);
    MML_TRY(mmli_markup_take(&m, html));
out:
    for (size_t i = 0; c != NULL && i < n; i++)
        mmli_comparison_free(&c[i]);
    mmli_free(c);
    mmli_markup_free(&m);
    return st;
}

/* ---- from files ------------------------------------------------------------------------------------------------------- */

static mml_status load(json_t **out, const char *path)
{
    json_error_t error;
    FILE *file = fopen(path, "rb");
    char reason[MMLI_ERRNO_BYTES];

    *out = NULL;
    if (file == NULL)
        return mmli_fail(MML_E_IO, "%s: %s", path, mmli_errno_text(reason, errno));
    *out = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    fclose(file);
    if (*out == NULL)
        return mmli_fail(MML_E_FORMAT, "%s: line %d, column %d: not JSON: %s", path, error.line, error.column, error.text);
    return MML_OK;
}

mml_status mml_report_html(char **html, const char *const *files, size_t n)
{
    json_t **all = NULL;
    mml_status st = MML_OK;

    MML_GIVEN(html);
    *html = NULL;
    MML_GIVEN(files);
    MML_CHECK(n > 0, MML_E_ARG, "mml_report_html: a report needs at least one comparison");
    MML_TRY(mmli_calloc(&all, n, sizeof *all));
    for (size_t i = 0; i < n; i++) {
        mmli_comparison looked;

        MML_CHECK(files[i] != NULL, MML_E_ARG, "mml_report_html: file %zu of %zu is NULL", i + 1, n);
        MML_TRY(load(&all[i], files[i]));
        /* Read here once more only to name the file in the message. */
        st = mmli_comparison_read(&looked, all[i]);
        mmli_comparison_free(&looked);
        if (st != MML_OK) {
            st = mmli_fail_prefix(st, "%s", files[i]);
            goto out;
        }
    }
    MML_TRY(mmli_report_html(html, (const json_t *const *)all, n));
out:
    for (size_t i = 0; all != NULL && i < n; i++)
        json_decref(all[i]);
    mmli_free(all);
    return st;
}
