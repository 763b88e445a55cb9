/* survival_look.c - see survival_look.h.
 *
 * A name is an endpoint (OS, PFI, ...; often none) and a word: `OS.time`, `OS_Months`, `survival_months_dss`, `days`. The time and the
 * event of one endpoint are a task, if there is one of each. What is in them must fit: an event is 0 and 1, or two words that say
 * which is which. A wrong guess would turn the living into the dead, so what is not certain is left to the reader of the ini. */
#include "import/survival_look.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "import/csv_look.h"
#include "util/error.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { NAME_BYTES = 40, CANDIDATES = 8 };

/* ---- names ---------------------------------------------------------------------------------------------------------------- */

static const char *const endpoints[] = {"", "os", "dss", "dfi", "pfi", "dfs", "pfs", "rfs"};

/* The same stem in another unit is the same time. */
static const struct time_word {
    const char *stem;
    bool alone; /* also without a unit */
} time_words[] = {
    {"time", true},        {"", false},              {"survival", false},      {"survival_time", true},  {"survival_in", false},
    {"survtime", true},    {"overall_survival", false}, {"overall_survival_time", true}, {"time_to_event", true}, {"futime", true},
    {"followup", false},   {"followup_time", true},  {"follow_up", false},     {"follow_up_time", true}, {"duration", true},
};
static const char *const units[] = {"days", "months", "years"};

/* In the order in which they are preferred: only the first two leave no doubt what they are beside others. */
static const char *const event_words[] = {"event", "censorship", "status", "death", "died", "dead", "deceased", "vital_status", "fustat",
                                          "event_observed", "event_occurred"};
enum { CERTAIN = 2 };

/* "OS.Time" -> "os_time"; false = too long for any name that is known. */
static bool plain_name(char out[NAME_BYTES], const char *name)
{
    size_t n = 0;

    for (; name[n] != '\0' && n < NAME_BYTES - 1; n++)
        out[n] = strchr(" .-", name[n]) != NULL ? '_' : (char)tolower((unsigned char)name[n]);
    out[n] = '\0';
    return name[n] == '\0' && n > 0;
}

/* What is left of a plain name without its endpoint, before or behind; NULL = it is of another. Changes the name. */
static char *without_endpoint(char *name, const char *endpoint)
{
    const size_t n = strlen(name), e = strlen(endpoint);

    if (e == 0)
        return name;
    if (strncmp(name, endpoint, e) == 0 && (name[e] == '_' || name[e] == '\0'))
        return name + e + (name[e] == '_');
    if (n > e && strcmp(name + n - e, endpoint) == 0 && name[n - e - 1] == '_') {
        name[n - e - 1] = '\0';
        return name;
    }
    return NULL;
}

typedef struct candidate {
    const mmli_survey_column *column;
    size_t word;      /* place in time_words or event_words */
    const char *unit; /* or NULL */
} candidate;

typedef struct found {
    candidate times[CANDIDATES], events[CANDIDATES];
    size_t n_times, n_events;
} found;

static bool is_time(candidate *out, char *word)
{
    char *last = strrchr(word, '_');

    out->unit = NULL;
    for (size_t u = 0; u < COUNT(units); u++)
        if (strcmp(last != NULL ? last + 1 : word, units[u]) == 0) {
            out->unit = units[u];
            *(last != NULL ? last : word) = '\0';
            break;
        }
    for (out->word = 0; out->word < COUNT(time_words); out->word++)
        if (strcmp(word, time_words[out->word].stem) == 0 && (out->unit != NULL || time_words[out->word].alone))
            return true;
    return false;
}

static bool is_event(candidate *out, const char *word)
{
    for (out->word = 0; out->word < COUNT(event_words); out->word++)
        if (strcmp(word, event_words[out->word]) == 0)
            return true;
    return false;
}

static bool is_zero_or_one(const mmli_survey_column *c)
{
    return c->n_texts == 0 && c->n_numbers > 0 && c->whole && c->least >= 0 && c->most <= 1;
}

static bool is_since(const mmli_survey_column *c)
{
    return c->n_texts == 0 && c->n_numbers > 0 && c->least >= 0;
}

static void add(candidate *list, size_t *n, candidate c)
{
    if (*n < CANDIDATES)
        list[(*n)++] = c;
}

static void look(found *f, const mmli_survey *s, const char *endpoint)
{
    *f = (found){.n_times = 0};
    for (size_t i = 0; i < s->n_columns; i++) {
        candidate c = {.column = &s->columns[i]};
        char name[NAME_BYTES], *word;

        if (i == s->id || !plain_name(name, c.column->name) || (word = without_endpoint(name, endpoint)) == NULL)
            continue;
        if (word[0] == '\0') { /* OS alone: the event beside OS.time, or the time beside OS_status */
            if (is_zero_or_one(c.column))
                add(f->events, &f->n_events, c);
            else if (is_since(c.column))
                add(f->times, &f->n_times, c);
        } else if (is_event(&c, word)) {
            add(f->events, &f->n_events, c);
        } else if (is_time(&c, word) && is_since(c.column)) {
            if (c.unit == NULL && endpoint[0] != '\0' && strchr(c.column->name, '.') != NULL)
                c.unit = "days"; /* OS.time of the TCGA clinical data resource, and of Xena */
            add(f->times, &f->n_times, c);
        }
    }
}

/* ---- which of them ---------------------------------------------------------------------------------------------------------- */

/* The only one, or the first in days, months, years of one stem. NULL: several. */
static const candidate *one_time(const found *f)
{
    for (size_t i = 1; i < f->n_times; i++)
        if (f->times[i].word != f->times[0].word || f->times[i].unit == NULL || f->times[0].unit == NULL)
            return NULL;
    return &f->times[0];
}

/* The only one, or the one whose name leaves no doubt. NULL: several. */
static const candidate *one_event(const found *f)
{
    const candidate *best = &f->events[0];

    for (size_t i = 1; i < f->n_events; i++)
        best = f->events[i].word < best->word ? &f->events[i] : best;
    return f->n_events == 1 || best->word < CERTAIN ? best : NULL;
}

/* ---- what is in an event ------------------------------------------------------------------------------------------------------ */

static bool is_among(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

/* 1: the word says that it happened, 0: that it did not, -1: neither. `1:DECEASED` is of cBioPortal. Yes and no are an answer to
 * `death`, but not to `status`. */
static int meaning(const char *text, const char *name)
{
    static const char *const happened[] = {"dead", "died", "deceased", "death", "event", "relapsed", "relapse", "recurred", "progressed", "recurred/progressed"};
    static const char *const not_yet[] = {"alive", "living", "censored", "disease free", "diseasefree", "disease-free", "progression free",
                                          "no event", "not progressed"};

    if ((text[0] == '0' || text[0] == '1') && text[1] == ':')
        return text[0] == '1';
    if (is_among(text, happened, COUNT(happened)) || (strcasecmp(text, "yes") == 0 && strcasestr(name, "stat") == NULL))
        return 1;
    if (is_among(text, not_yet, COUNT(not_yet)) || (strcasecmp(text, "no") == 0 && strcasestr(name, "stat") == NULL))
        return 0;
    return -1;
}

/* The word that says that it happened; "" = none is needed, 0 and 1 do (or false and true); NULL = it cannot be told. */
static const char *event_word(const candidate *event)
{
    static const char *const booleans[] = {"true", "false"};
    const mmli_survey_column *c = event->column;
    const bool censorship = strcmp(event_words[event->word], "censorship") == 0;
    int first, second;

    if (is_zero_or_one(c) || (censorship && c->n_texts == 0 && c->n_numbers > 0 && c->whole && c->least >= -1 && c->most <= 1))
        return "";
    if (c->n_texts > 0 && c->n_values <= 2 && is_among(c->values[0], booleans, 2) && is_among(c->values[c->n_values - 1], booleans, 2))
        return "";
    if (censorship || c->n_numbers > 0 || c->n_values != 2 || !mmli_fits_list(c->values[0]) || !mmli_fits_list(c->values[1]))
        return NULL; /* words are written into an ini: one with a line end would go on as lines of it */
    first = meaning(c->values[0], c->name);
    second = meaning(c->values[1], c->name);
    return first < 0 || second < 0 || first == second ? NULL : c->values[first ? 0 : 1];
}

/* ---- suggested ---------------------------------------------------------------------------------------------------------------- */

/* That of OS is the survival where no other is: what is only in doubt is none. */
static mml_status suggest_task(mmli_suggestion *out, const char *endpoint, const candidate *time, const candidate *event, const char *word)
{
    mml_status st = MML_OK;
    const bool named = endpoint[0] != '\0' && (strcmp(endpoint, "os") != 0 || out->n_tasks > 0);
    char name[NAME_BYTES];
    const char *key = strcmp(event_words[event->word], "censorship") == 0 ? "censorship" : "event";

    snprintf(name, sizeof name, "survival%s%s", named ? "_" : "", named ? endpoint : "");
    MML_TRY(mmli_suggest_task(out, name, MML_SURVIVAL));
    MML_TRY(mmli_buf_printf(&out->tasks, "time = %s\n", time->column->name));
    if (word[0] != '\0')
        MML_TRY(mmli_buf_printf(&out->tasks, "; after the colon: the word that says that it happened; there are %s and %s\n",
                                event->column->values[0], event->column->values[1]));
    MML_TRY(mmli_buf_printf(&out->tasks, "%s = %s%s%s\n", key, event->column->name, word[0] != '\0' ? ":" : "", word));
    if (time->unit != NULL)
        MML_TRY(mmli_buf_printf(&out->tasks, "unit = %s\n", time->unit));
out:
    return st;
}

static mml_status put_names(mmli_buf *b, const candidate *list, size_t n)
{
    mml_status st = MML_OK;

    for (size_t i = 0; i < n; i++)
        MML_TRY(mmli_buf_printf(b, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", list[i].column->name));
out:
    return st;
}

/* There are a time and an event, but not one of each that is certain. */
static mml_status tell_doubt(mmli_suggestion *out, const found *f, const candidate *time, const candidate *event)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_buf_puts(&out->tasks, "\n; No survival task was made of the time "));
    MML_TRY(put_names(&out->tasks, f->times, f->n_times));
    MML_TRY(mmli_buf_puts(&out->tasks, " and the event "));
    MML_TRY(put_names(&out->tasks, f->events, f->n_events));
    MML_TRY(mmli_buf_puts(&out->tasks, time == NULL || event == NULL
                                           ? ": say which are meant, by time = and event =.\n"
                                           : ", which is not 0 and 1: say which word or number means that it happened, by event = COLUMN:WORD.\n"));
out:
    return st;
}

mml_status mmli_suggest_survival(mmli_suggestion *out, const mmli_survey *s)
{
    mml_status st = MML_OK;
    found f;

    for (size_t i = 0; i < COUNT(endpoints); i++) {
        const candidate *time, *event;
        const char *word;

        look(&f, s, endpoints[i]);
        if (f.n_times == 0 || f.n_events == 0)
            continue;
        time = one_time(&f);
        event = one_event(&f);
        word = time != NULL && event != NULL ? event_word(event) : NULL;
        if (word != NULL)
            MML_TRY(suggest_task(out, endpoints[i], time, event, word));
        else
            MML_TRY(tell_doubt(out, &f, time, event));
    }
out:
    return st;
}
