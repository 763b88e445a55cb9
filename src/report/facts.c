/* facts.c - what was compared, on what, with what: the head of a comparison. */
#include <math.h>

#include "report/page.h"

static void term(mmli_markup *m, const char *name)
{
    mmli_put(m, "<dt>");
    mmli_put_text(m, name);
    mmli_put(m, "</dt><dd>");
}

static void fact(mmli_markup *m, const char *name, const char *text, const char *tag)
{
    if (text == NULL || text[0] == '\0')
        return;
    term(m, name);
    mmli_putf(m, "%s%s%s", tag != NULL ? "<" : "", tag != NULL ? tag : "", tag != NULL ? ">" : "");
    mmli_put_text(m, text);
    mmli_putf(m, "%s%s%s</dd>\n", tag != NULL ? "</" : "", tag != NULL ? tag : "", tag != NULL ? ">" : "");
}

static void count(mmli_markup *m, const char *name, double x)
{
    if (isnan(x))
        return;
    term(m, name);
    mmli_put_count(m, x);
    mmli_put(m, "</dd>\n");
}

/* "cpu: EPYC, threads: 2" */
static void machine(mmli_markup *m, const json_t *machine)
{
    const char *key;
    json_t *value;
    bool any = false;
    json_t *object = (json_t *)machine; /* only read, but the iterators do not say so */

    for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i)) {
        key = json_object_iter_key(i);
        value = json_object_iter_value(i);
        if (!json_is_string(value) && isnan(mmli_json_number(value)))
            continue;
        if (!any)
            term(m, "Machine");
        mmli_put(m, any ? ", " : "");
        mmli_put_text(m, key);
        mmli_put(m, " ");
        if (json_is_string(value))
            mmli_put_text(m, json_string_value(value));
        else
            mmli_put_count(m, mmli_json_number(value));
        any = true;
    }
    if (any)
        mmli_put(m, "</dd>\n");
}

static void modalities(mmli_markup *m, const json_t *cohort)
{
    const json_t *list = json_object_get(cohort, "modalities");
    const double samples = mmli_json_number_at(cohort, "samples");

    if (json_array_size(list) == 0)
        return;
    mmli_put(m, "<div class=\"scroll\"><table>\n<caption>Modalities of the cohort</caption>\n<thead><tr><th scope=\"col\" class=\"l\">Modality</th>"
                "<th scope=\"col\" class=\"l\">Kind</th><th scope=\"col\">Samples that have it</th><th scope=\"col\">Width</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const double present = mmli_json_number_at(one, "present");

        mmli_put(m, "<tr><th scope=\"row\">");
        mmli_put_text(m, mmli_json_text(one, "name"));
        mmli_put(m, "</th><td class=\"l\">");
        mmli_put_text(m, mmli_json_text(one, "kind"));
        mmli_put(m, "</td><td>");
        mmli_put_count(m, present);
        if (samples > 0 && present >= 0 && present <= samples) {
            mmli_put(m, " (");
            mmli_put_number(m, 100.0 * present / samples, 0);
            mmli_put(m, " %)");
        }
        mmli_put(m, "</td><td>");
        mmli_put_count(m, mmli_json_number_at(one, "width"));
        mmli_put(m, "</td></tr>\n");
    }
    mmli_put(m, "</tbody></table></div>\n");
}

void mmli_put_facts(mmli_markup *m, const mmli_comparison *c)
{
    const json_t *cohort = json_object_get(c->json, "cohort"), *task = json_object_get(c->json, "task");

    mmli_put(m, "<section class=\"part\">\n<h3>What was compared</h3>\n<div class=\"facts\">\n<dl>\n");
    fact(m, "Cohort", mmli_json_text(cohort, "path"), NULL);
    count(m, "Samples", mmli_json_number_at(cohort, "samples"));
    fact(m, "Task", mmli_json_text(task, "name"), NULL);
    fact(m, "Kind of task", mmli_json_text(task, "kind"), NULL);
    fact(m, "Score", c->metric_title, NULL);
    count(m, "Folds", mmli_json_number_at(c->json, "folds"));
    count(m, "Seed", mmli_json_number_at(c->json, "seed"));
    fact(m, "Date", mmli_json_text(c->json, "date"), NULL);
    machine(m, json_object_get(c->json, "machine"));
    fact(m, "Command", mmli_json_text(c->json, "command"), "code");
    mmli_put(m, "</dl>\n");
    modalities(m, cohort);
    mmli_put(m, "</div>\n</section>\n");
}
