/* plot_study.c - studies: a score over something that was varied, a line with a band for each series. */
#include <math.h>
#include <string.h>

#include "report/page.h"
#include "util/alloc.h"
#include "util/error.h"

enum { MOST_SERIES = 24 };

typedef struct series {
    double *x, *mean, *low, *high; /* (n); low and high may be NULL */
    size_t n;
} series;

static void series_free(series *s)
{
    mmli_free(s->x);
    mmli_free(s->mean);
    mmli_free(s->low);
    mmli_free(s->high);
}

static mml_status series_read(series *s, const json_t *json)
{
    size_t n;
    mml_status st = MML_OK;

    MML_TRY(mmli_json_numbers(&s->x, &s->n, json_object_get(json, "x")));
    MML_TRY(mmli_json_numbers(&s->mean, &n, json_object_get(json, "mean")));
    s->n = n < s->n ? n : s->n;
    MML_TRY(mmli_json_numbers(&s->low, &n, json_object_get(json, "low")));
    if (n < s->n) {
        mmli_free(s->low);
        s->low = NULL;
    }
    MML_TRY(mmli_json_numbers(&s->high, &n, json_object_get(json, "high")));
    if (n < s->n) {
        mmli_free(s->high);
        s->high = NULL;
    }
out:
    return st;
}

static const char *title_of(const json_t *study)
{
    static const char *const known[][2] = {{"overlap", "Unpaired training"},
                                           {"missing", "Missing modalities"},
                                           {"modalities", "Number of modalities"},
                                           {"interference", "Interference of signals"}};
    const char *title = mmli_json_text(study, "title"), *name = mmli_json_text(study, "study");

    for (size_t i = 0; title == NULL && name != NULL && i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i][0]) == 0)
            title = known[i][1];
    return title != NULL ? title : name != NULL ? name : "Study";
}

static void put_series(mmli_plot *p, const series *s, int style, const char *title)
{
    if (s->low != NULL && s->high != NULL)
        mmli_plot_band(p, s->x, s->low, s->high, s->n, style);
    mmli_plot_line(p, s->x, s->mean, s->n, style);
    for (size_t i = 0; i < s->n; i++)
        mmli_plot_point(p, s->x[i], s->mean[i], style, title);
}

static void put_study(mmli_markup *m, const json_t *study)
{
    const json_t *list = json_object_get(study, "series");
    series *all = NULL;
    mmli_key keys[MOST_SERIES];
    mmli_range xs = MMLI_NOTHING, ys = MMLI_NOTHING;
    const size_t n = json_array_size(list) < MOST_SERIES ? json_array_size(list) : MOST_SERIES;
    mmli_figure f = {.title = title_of(study), .description = "A line a series: means, with a band where an interval is known.", .width = 540,
                     .height = 280, .keys = keys, .n_keys = n};
    mmli_plot p;
    mml_status st = MML_OK;

    MML_TRY(mmli_calloc(&all, MOST_SERIES, sizeof *all));
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        const char *title = mmli_json_text(one, "title");

        MML_TRY(series_read(&all[i], one));
        keys[i] = (mmli_key){title != NULL ? title : "", (int)i, MMLI_SIGN_LINE_POINT};
        for (size_t k = 0; k < all[i].n; k++)
            if (!isnan(all[i].mean[k]))
                mmli_range_add(&xs, all[i].x[k]);
        mmli_range_add_all(&ys, all[i].mean, all[i].n);
        if (all[i].low != NULL && all[i].high != NULL) {
            mmli_range_add_all(&ys, all[i].low, all[i].n);
            mmli_range_add_all(&ys, all[i].high, all[i].n);
        }
    }
    if (mmli_range_empty(&xs))
        goto out;
    f.x = (mmli_axis){.title = mmli_json_text(study, "x_title"), .range = mmli_range_padded(xs, 0.03)};
    f.y = (mmli_axis){.title = mmli_json_text(study, "y_title"), .range = mmli_range_padded(ys, 0.05)};
    mmli_plot_begin(&p, m, &f);
    for (size_t i = n; i-- > 0;) /* the first one on top */
        put_series(&p, &all[i], (int)i, keys[i].text);
    mmli_plot_end(&p);
out:
    for (size_t i = 0; all != NULL && i < MOST_SERIES; i++)
        series_free(&all[i]);
    mmli_free(all);
    if (m->st == MML_OK)
        m->st = st;
}

void mmli_put_studies(mmli_markup *m, const mmli_comparison *c)
{
    const json_t *studies = json_object_get(c->json, "studies");
    mmli_part part;

    mmli_part_begin(&part, m, "Studies", "Means over the folds; bands are the intervals of the study. Styles beyond the seventh are dashed.");
    for (size_t i = 0; i < json_array_size(studies); i++)
        put_study(m, json_array_get(studies, i));
    mmli_part_end(&part, m);
}
