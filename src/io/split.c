/* split.c - training, validation and test parts: by group, stratified, the same whatever the order of rows.
 *
 * A group (a patient with several samples; else each sample is its own) gets a random number keyed by the seed
 * and its name. Within a class (survival: event or not) groups are put in the order of that number, and the
 * centre of a group on the axis of labelled samples, 0 to 1, says its part: below 0.7 training, and so on.
 * Groups of mixed labels count as the class that most of their samples have.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/cohort.h"
#include "io/condition.h"
#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"
#include "util/text.h"

/* Samples as groups. */
typedef struct grouping {
    size_t n_groups;
    size_t *of;           /* (N) group of a sample, SIZE_MAX without a label */
    const char **name;    /* (n_groups) */
    size_t *size, *class; /* (n_groups) labelled samples; stratum */
} grouping;

typedef struct ticket {
    uint64_t draw;
    const char *name;
    size_t group, class;
} ticket;

void mml_split_options_init(mml_split_options *options)
{
    *options = (mml_split_options){.struct_size = sizeof *options, .fold = -1, .valid_fraction = 0.15};
}

static bool has_label(const mmli_cohort_task *t, size_t i)
{
    return !isnan(t->value[i]);
}

static size_t stratum_of(const mmli_cohort_task *t, size_t i)
{
    if (t->kind == MML_SURVIVAL)
        return t->event[i];
    return t->kind == MML_REGRESSION ? 0 : (size_t)t->value[i];
}

/* ---- groups ------------------------------------------------------------------------------------------------ */

static void free_grouping(grouping *g)
{
    mmli_free(g->of);
    mmli_free(g->name);
    mmli_free(g->size);
    mmli_free(g->class);
}

/* Sizes of the groups, and the class that most of their samples have; of equals the later one, which is the
 * rarer in the usual coding (1 = event). */
static mml_status measure(grouping *g, const mml_cohort *c, const mmli_cohort_task *t)
{
    mml_status st = MML_OK;
    const size_t k = t->kind == MML_SURVIVAL ? 2 : t->kind == MML_REGRESSION ? 1 : t->n_classes;
    size_t *count = NULL, cells;

    MML_CHECK(mmli_mul_size(&cells, g->n_groups, k), MML_E_NOMEM, "%s: too many groups and classes", c->path);
    MML_TRY(mmli_calloc(&count, cells, sizeof *count));
    memset(g->size, 0, g->n_groups * sizeof *g->size);
    memset(g->class, 0, g->n_groups * sizeof *g->class);
    for (size_t i = 0; i < c->n; i++)
        if (g->of[i] != SIZE_MAX) {
            g->size[g->of[i]]++;
            count[g->of[i] * k + stratum_of(t, i)]++;
        }
    for (size_t j = 0; j < g->n_groups; j++)
        for (size_t s = 0; s < k; s++)
            if (count[j * k + s] >= count[j * k + g->class[j]])
                g->class[j] = s;
out:
    mmli_free(count);
    return st;
}

static mml_status make_grouping(grouping *g, const mml_cohort *c, const mmli_cohort_task *t)
{
    mml_status st = MML_OK;
    char *const *names = c->groups != NULL ? c->groups : c->ids;
    mmli_index index = {0};
    size_t first, second;

    MML_TRY(mmli_calloc(&g->of, c->n, sizeof *g->of));
    MML_TRY(mmli_calloc(&g->size, c->n, sizeof *g->size));
    MML_TRY(mmli_calloc(&g->class, c->n, sizeof *g->class));
    if (c->groups != NULL) {
        MML_TRY(mmli_distinct(&g->name, &g->n_groups, c->groups, c->n));
        MML_TRY(mmli_index_make(&index, g->name, g->n_groups, &first, &second));
    } else {
        g->n_groups = c->n;
        MML_TRY(mmli_calloc(&g->name, c->n, sizeof *g->name));
    }
    for (size_t i = 0; i < c->n; i++) {
        const size_t j = c->groups == NULL ? i : mmli_index_find(&index, names[i], strlen(names[i]));

        g->name[j] = names[i];
        g->of[i] = has_label(t, i) ? j : SIZE_MAX;
    }
    MML_TRY(measure(g, c, t));
out:
    mmli_index_free(&index);
    return st;
}

/* ---- fractions ------------------------------------------------------------------------------------------------ */

static int by_draw(const void *a, const void *b)
{
    const ticket *x = a, *y = b;

    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    if (x->draw != y->draw)
        return x->draw < y->draw ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Parts in the order of the axis, and where each ends (ascending, <= 1); beyond the last: none. */
typedef struct axis {
    mml_part part[3];
    double end[3];
} axis;

static mml_part part_at(const axis *a, double place)
{
    for (int i = 0; i < 3; i++)
        if (place < a->end[i])
            return a->part[i];
    return MML_PART_NONE;
}

/* Divides the groups whose part is `from` along the axis. part_of: (n_groups). */
static mml_status divide(mml_part *part_of, const grouping *g, mml_part from, uint64_t key, const axis *a)
{
    mml_status st = MML_OK;
    ticket *tickets = NULL;
    size_t n = 0, total, before;

    MML_TRY(mmli_calloc(&tickets, g->n_groups, sizeof *tickets));
    for (size_t j = 0; j < g->n_groups; j++)
        if (part_of[j] == from && g->size[j] > 0)
            tickets[n++] = (ticket){.draw = mmli_hash64(g->name[j], strlen(g->name[j]), key),
                                    .name = g->name[j],
                                    .group = j,
                                    .class = g->class[j]};
    qsort(tickets, n, sizeof *tickets, by_draw);
    for (size_t i = 0, end; i < n; i = end) {
        total = before = 0;
        for (end = i; end < n && tickets[end].class == tickets[i].class; end++)
            total += g->size[tickets[end].group];
        for (size_t k = i; k < end; k++) {
            const size_t size = g->size[tickets[k].group];

            part_of[tickets[k].group] = part_at(a, ((double)before + 0.5 * (double)size) / (double)total);
            before += size;
        }
    }
out:
    mmli_free(tickets);
    return st;
}

/* A number in (0, 1)? Something with '=' is a condition, anything else an error. */
static mml_status parse_part(double *fraction, const char *text, const char *which)
{
    *fraction = NAN;
    if (text == NULL || strchr(text, '=') != NULL)
        return MML_OK;
    if (!mmli_parse_double(fraction, text, strlen(text)) || !(*fraction > 0 && *fraction < 1))
        return mmli_fail(MML_E_ARG,
                         "%s part \"%s\": column=value (such as challenge_set=a) or a fraction between 0 and 1 (such as "
                         "0.7) is needed", which, text);
    return MML_OK;
}

/* ---- parts by column -------------------------------------------------------------------------------------------- */

static const char *part_name(mml_part part)
{
    return part == MML_PART_TRAIN ? "training" : part == MML_PART_VALID ? "validation" : "test";
}

/* Gives the groups of the labelled samples of a condition their part, and marks those samples; the same group may
 * not be in another part already. */
static mml_status claim(mml_part *part_of, uint8_t *claimed, const grouping *g, const mml_cohort *c,
                        const char *condition, mml_part part)
{
    mml_status st = MML_OK;
    uint8_t *chosen = NULL;

    MML_TRY(mmli_calloc(&chosen, c->n, 1));
    MML_TRY(mmli_condition(chosen, c, condition));
    for (size_t i = 0; i < c->n; i++) {
        const size_t j = g->of[i];

        if (!chosen[i] || j == SIZE_MAX)
            continue;
        MML_CHECK(part_of[j] == MML_PART_NONE || part_of[j] == part, MML_E_DATA,
                  "%s: %s %s is in the %s part and in the %s part (%s): what is learnt from it would be tested on it", c->path,
                  c->groups != NULL ? "group" : "sample", g->name[j], part_name(part_of[j]), part_name(part), condition);
        part_of[j] = part;
        claimed[i] = 1;
    }
out:
    mmli_free(chosen);
    return st;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

/* options with every field meant: NULL and a zeroed struct are the defaults. */
static mml_status complete(mml_split_options *o, const mml_split_options *given)
{
    mml_status st = MML_OK;
    size_t size;

    mml_split_options_init(o);
    if (given == NULL)
        goto out;
    size = given->struct_size;
    MML_CHECK(size == 0 || size >= sizeof given->struct_size + sizeof given->train, MML_E_ARG,
              "split options: struct_size %zu is wrong, call mml_split_options_init()", size);
    memcpy(o, given, size == 0 || size > sizeof *o ? sizeof *o : size);
    if (size == 0) { /* zeroed: 0 means "not said" */
        o->fold = o->train != NULL ? -1 : o->fold;
        o->valid_fraction = o->valid_fraction == 0 ? 0.15 : o->valid_fraction;
    }
    MML_CHECK(o->fold < 0 || (o->train == NULL && o->valid == NULL && o->test == NULL), MML_E_ARG,
              "a fold is a division of its own: give either the fold (%d) or train, valid and test", o->fold);
    MML_CHECK(o->train != NULL || (o->valid == NULL && o->test == NULL), MML_E_ARG,
              "the %s part is given but not the training part", o->test != NULL ? "test" : "validation");
    MML_CHECK(o->valid_fraction >= 0 && o->valid_fraction < 1, MML_E_ARG,
              "valid_fraction is %g; it must be at least 0 and below 1", o->valid_fraction);
out:
    return st;
}

/* valid_fraction, or `valid` as a fraction beside a training part by column: out of the training part. */
static mml_status take_validation(mml_part *part_of, const grouping *g, double fraction, uint64_t seed)
{
    const axis a = {{MML_PART_VALID, MML_PART_TRAIN, MML_PART_NONE}, {fraction, 2, 2}};

    if (!(fraction > 0))
        return MML_OK;
    return divide(part_of, g, MML_PART_TRAIN, mmli_rng_key(seed, "split/validation", 0), &a);
}

static mml_status by_fractions(mml_part *part_of, const grouping *g, double train, double valid, double test,
                               const mml_split_options *o)
{
    mml_status st = MML_OK;
    const bool own_valid = !isnan(valid), own_test = !isnan(test);
    const double end_valid = train + (own_valid ? valid : 0);
    const double end_test = own_test ? end_valid + test : 2;
    const axis a = {{MML_PART_TRAIN, MML_PART_VALID, MML_PART_TEST}, {train, end_valid, end_test}};

    MML_CHECK((own_test ? end_test : end_valid) <= 1 + 1e-9, MML_E_ARG,
              "the fractions of the parts add up to %g, more than 1", own_test ? end_test : end_valid);
    MML_TRY(divide(part_of, g, MML_PART_NONE, mmli_rng_key(o->seed, "split/fraction", 0), &a));
    if (!own_valid)
        MML_TRY(take_validation(part_of, g, o->valid_fraction, o->seed));
out:
    return st;
}

static mml_status by_columns(mml_part *part_of, grouping *g, const mml_cohort *c, const mmli_cohort_task *t,
                             double valid, const mml_split_options *o)
{
    mml_status st = MML_OK;
    uint8_t *claimed = NULL;

    MML_TRY(mmli_calloc(&claimed, c->n, 1));
    MML_TRY(claim(part_of, claimed, g, c, o->train, MML_PART_TRAIN));
    if (o->valid != NULL && isnan(valid))
        MML_TRY(claim(part_of, claimed, g, c, o->valid, MML_PART_VALID));
    if (o->test != NULL)
        MML_TRY(claim(part_of, claimed, g, c, o->test, MML_PART_TEST));
    for (size_t i = 0; i < c->n; i++)
        if (!claimed[i])
            g->of[i] = SIZE_MAX; /* also one whose group is in a part by another sample */
    MML_TRY(measure(g, c, t));
    if (o->valid == NULL || !isnan(valid))
        MML_TRY(take_validation(part_of, g, o->valid != NULL ? valid : o->valid_fraction, o->seed));
out:
    mmli_free(claimed);
    return st;
}

static mml_status by_options(mml_part *part_of, grouping *g, const mml_cohort *c, const mmli_cohort_task *t,
                             const mml_split_options *o)
{
    mml_status st = MML_OK;
    double train, valid, test;
    const axis paper = {{MML_PART_TRAIN, MML_PART_VALID, MML_PART_TEST}, {0.7, 0.85, 2}};

    if (o->train == NULL) {
        const uint64_t fold = o->fold < 0 ? 0 : (uint64_t)o->fold;

        MML_TRY(divide(part_of, g, MML_PART_NONE, mmli_rng_key(o->seed, "split/fold", fold), &paper));
        goto out;
    }
    MML_TRY(parse_part(&train, o->train, "training"));
    MML_TRY(parse_part(&valid, o->valid, "validation"));
    MML_TRY(parse_part(&test, o->test, "test"));
    if (isnan(train)) {
        MML_CHECK(isnan(test), MML_E_ARG,
                  "the training part is chosen by column (%s), so the test part must be too, not a fraction (%s)", o->train,
                  o->test);
        MML_TRY(by_columns(part_of, g, c, t, valid, o));
        goto out;
    }
    MML_CHECK((o->valid == NULL || !isnan(valid)) && (o->test == NULL || !isnan(test)), MML_E_ARG,
              "the training part is a fraction (%s), so the others must be too, not chosen by column (%s)", o->train,
              o->test != NULL && isnan(test) ? o->test : o->valid);
    MML_TRY(by_fractions(part_of, g, train, valid, test, o));
out:
    return st;
}

/* Every part that was asked for must have somebody in it. */
static mml_status check_parts(const mml_part *part, const mml_cohort *c, const mmli_cohort_task *t,
                              const mml_split_options *o)
{
    mml_status st = MML_OK;
    size_t count[4] = {0}, labelled = 0;
    const bool by_column = o->train != NULL && strchr(o->train, '=') != NULL;
    const bool wanted[4] = {false, true, o->train == NULL || o->valid != NULL || o->valid_fraction > 0,
                            !by_column || o->test != NULL};

    for (size_t i = 0; i < c->n; i++) {
        count[part[i]]++;
        labelled += has_label(t, i);
    }
    MML_CHECK(labelled > 0, MML_E_DATA, "%s: no sample has a label of task %s", c->path, t->name);
    for (mml_part p = MML_PART_TRAIN; p <= MML_PART_TEST; p = (mml_part)(p + 1))
        MML_CHECK(count[p] > 0 || !wanted[p], MML_E_DATA,
                  "%s: the %s part is empty (task %s has %zu labelled samples; training %zu, validation %zu, test %zu)",
                  c->path, part_name(p), t->name, labelled, count[MML_PART_TRAIN], count[MML_PART_VALID],
                  count[MML_PART_TEST]);
out:
    return st;
}

mml_status mmli_split_again(mml_part *part, const mml_cohort *c, const char *task, size_t fold, size_t folds, double valid,
                            uint64_t seed)
{
    const double n = (double)folds;
    const axis a = {{MML_PART_TRAIN, MML_PART_TEST, MML_PART_TRAIN}, {(double)fold / n, (double)(fold + 1) / n, 2}};
    mml_status st = MML_OK;
    grouping g = {0};
    mml_part *part_of = NULL;
    size_t at;

    MML_TRY(mmli_cohort_find_task(&at, c, task));
    MML_TRY(make_grouping(&g, c, &c->tasks[at]));
    for (size_t i = 0; i < c->n; i++)
        if (part[i] != MML_PART_TRAIN && part[i] != MML_PART_VALID)
            g.of[i] = SIZE_MAX;
    MML_TRY(measure(&g, c, &c->tasks[at]));
    MML_TRY(mmli_calloc(&part_of, g.n_groups, sizeof *part_of));
    MML_TRY(divide(part_of, &g, MML_PART_NONE, mmli_rng_key(seed, "split/cross", 0), &a));
    MML_TRY(take_validation(part_of, &g, valid, mmli_rng_key(seed, "split/cross", fold + 1)));
    for (size_t i = 0; i < c->n; i++)
        part[i] = g.of[i] == SIZE_MAX ? MML_PART_NONE : part_of[g.of[i]];
out:
    mmli_free(part_of);
    free_grouping(&g);
    return st;
}

mml_status mml_split(mml_part *part, const mml_cohort *c, const char *task, const mml_split_options *options)
{
    mml_status st = MML_OK;
    mml_split_options o;
    grouping g = {0};
    mml_part *part_of = NULL;
    size_t at;

    MML_GIVEN_AS("part, cohort, task", part, c, task);
    for (size_t i = 0; i < c->n; i++)
        part[i] = MML_PART_NONE;
    MML_TRY(complete(&o, options));
    MML_TRY(mmli_cohort_find_task(&at, c, task));
    MML_TRY(make_grouping(&g, c, &c->tasks[at]));
    MML_TRY(mmli_calloc(&part_of, g.n_groups, sizeof *part_of));
    MML_TRY(by_options(part_of, &g, c, &c->tasks[at], &o));
    for (size_t i = 0; i < c->n; i++)
        if (g.of[i] != SIZE_MAX)
            part[i] = part_of[g.of[i]];
    MML_TRY(check_parts(part, c, &c->tasks[at], &o));
out:
    mmli_free(part_of);
    free_grouping(&g);
    return st;
}
