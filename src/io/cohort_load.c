/* cohort_load.c - everything of a cohort file but the tokens is read at once, and nothing of it is believed. */
#include "io/cohort.h"

#include <math.h>
#include <string.h>

#include "io/index.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

static const char *const modality_kinds[] = {"table", "series", "image", "bag"};
static const char *const task_kinds[] = {"binary", "multiclass", "survival", "regression"};

const char *mmli_modality_kind_name(mml_modality_kind kind)
{
    return (unsigned)kind < 4 ? modality_kinds[kind] : NULL;
}

const char *mmli_task_kind_name(mml_task_kind kind)
{
    return (unsigned)kind < 4 ? task_kinds[kind] : NULL;
}

bool mmli_modality_kind_of(mml_modality_kind *out, const char *word)
{
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(word, modality_kinds[i]) == 0) {
            *out = (mml_modality_kind)i;
            return true;
        }
    return false;
}

bool mmli_task_kind_of(mml_task_kind *out, const char *word)
{
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(word, task_kinds[i]) == 0) {
            *out = (mml_task_kind)i;
            return true;
        }
    return false;
}

/* Length of the UTF-8 character at s (not at the end), or 0 when it is not one. */
static size_t utf8(const unsigned char *s)
{
    const size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : s[0] >= 0xE0 && s[0] < 0xF0 ? 3
                     : s[0] >= 0xF0 && s[0] < 0xF5                 ? 4
                                                                   : 0;

    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF0 && s[1] < 0x90) ||
        (s[0] == 0xF4 && s[1] > 0x8F)) /* a longer spelling than needed, a surrogate, beyond U+10FFFF */
        return 0;
    return n;
}

const char *mmli_bad_id(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n;

    if (s[0] == '\0')
        return "it is empty";
    if (strlen(text) > 4096)
        return "it is longer than 4096 bytes";
    for (; *s != '\0'; s += n) {
        if (*s < 0x20 || *s == 0x7F)
            return "it has a control character (tab, line break, ...)";
        if ((n = utf8(s)) == 0)
            return "it is not UTF-8";
    }
    return NULL;
}

const char *mmli_bad_name(const char *text)
{
    const char *bad = mmli_bad_id(text);

    if (bad != NULL)
        return bad;
    return strchr(text, '/') != NULL ? "it has a /" : strcmp(text, ".") == 0 ? "a dot is not a name" : NULL;
}

/* ---- samples and text columns ------------------------------------------------------------------------------ */

/* A text data set of N entries below a group. */
static mml_status texts_of_n(char ***out, mml_cohort *c, hid_t group, const char *where, const char *name)
{
    mml_status st = MML_OK;
    char **texts = NULL;
    size_t n = 0;

    MML_TRY(mmli_h5_get_texts(&texts, &n, group, c->path, name));
    MML_CHECK(n == c->n, MML_E_SHAPE, "%s: %s/%s has %zu entries, the cohort %zu samples", c->path, where, name, n,
              c->n);
    *out = texts;
    texts = NULL;
out:
    mmli_h5_texts_free(texts, n);
    return st;
}

static mml_status load_samples(mml_cohort *c)
{
    mml_status st = MML_OK;
    hid_t group = -1;
    mmli_index index = {0};
    size_t first, second;
    bool there;

    MML_TRY(mmli_h5_group(&group, c->file, c->path, "samples"));
    MML_TRY(mmli_h5_get_texts(&c->ids, &c->n, group, c->path, "id"));
    for (size_t i = 0; i < c->n; i++)
        MML_CHECK(mmli_bad_id(c->ids[i]) == NULL, MML_E_DATA, "%s: id of sample %zu: %s", c->path, i,
                  mmli_bad_id(c->ids[i]));
    MML_TRY(mmli_index_make(&index, (const char *const *)c->ids, c->n, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: samples %zu and %zu have the same id %s", c->path, first, second,
              c->ids[second]);
    MML_TRY(mmli_h5_exists(&there, group, c->path, "group"));
    if (there)
        MML_TRY(texts_of_n(&c->groups, c, group, "samples", "group"));
    for (size_t i = 0; there && i < c->n; i++)
        MML_CHECK(mmli_bad_id(c->groups[i]) == NULL, MML_E_DATA, "%s: group of sample %s: %s", c->path, c->ids[i],
                  mmli_bad_id(c->groups[i]));
out:
    mmli_index_free(&index);
    mmli_h5_drop(group);
    return st;
}

/* Members of an optional group, their names checked. *group = -1 when it is absent. */
static mml_status open_list(hid_t *group, char ***names, size_t *n, mml_cohort *c, const char *name)
{
    mml_status st = MML_OK;
    bool there;

    *group = -1;
    *names = NULL;
    *n = 0;
    MML_TRY(mmli_h5_exists(&there, c->file, c->path, name));
    if (!there)
        goto out;
    MML_TRY(mmli_h5_group(group, c->file, c->path, name));
    MML_TRY(mmli_h5_members(names, n, *group, c->path, "."));
    for (size_t i = 0; i < *n; i++)
        MML_CHECK(mmli_bad_name((*names)[i]) == NULL, MML_E_FORMAT, "%s: a name in %s cannot be used: %s", c->path, name,
                  mmli_bad_name((*names)[i]));
out:
    return st;
}

static mml_status load_columns(mml_cohort *c)
{
    mml_status st = MML_OK;
    hid_t group = -1;
    char **names = NULL;
    size_t n = 0;

    MML_TRY(open_list(&group, &names, &n, c, "columns"));
    MML_TRY(mmli_calloc(&c->columns, n, sizeof *c->columns));
    for (size_t i = 0; i < n; i++) {
        mmli_cohort_column *column = &c->columns[c->n_columns++];

        column->name = names[i];
        names[i] = NULL;
        MML_TRY(texts_of_n(&column->text, c, group, "columns", column->name));
        for (size_t k = 0; k < c->n; k++)
            MML_CHECK(column->text[k][0] == '\0' || mmli_bad_id(column->text[k]) == NULL, MML_E_DATA,
                      "%s: column %s of sample %s: %s", c->path, column->name, c->ids[k], mmli_bad_id(column->text[k]));
    }
out:
    mmli_h5_texts_free(names, n);
    mmli_h5_drop(group);
    return st;
}

/* ---- tasks --------------------------------------------------------------------------------------------------- */

/* Class codes: 0 .. k-1, and -1 or NaN for unknown, which becomes NaN. */
static mml_status check_codes(mml_cohort *c, mmli_cohort_task *t)
{
    mml_status st = MML_OK;

    MML_CHECK(t->n_classes >= 2, MML_E_DATA, "%s: task %s has %zu class names, at least 2 are needed", c->path, t->name,
              t->n_classes);
    MML_CHECK(t->kind != MML_BINARY || t->n_classes == 2, MML_E_DATA,
              "%s: task %s is binary but has %zu class names; make it multiclass", c->path, t->name, t->n_classes);
    for (size_t i = 0; i < c->n; i++) {
        double *v = &t->value[i];

        if (isnan(*v) || *v == -1.0) {
            *v = NAN;
            continue;
        }
        MML_CHECK(*v >= 0 && *v < (double)t->n_classes && floor(*v) == *v, MML_E_DATA,
                  "%s: task %s: class code %g of sample %s; 0 to %zu are possible, and -1 = unknown", c->path, t->name,
                  *v, c->ids[i], t->n_classes - 1);
        if (*v == 0)
            *v = 0.0; /* not -0.0: the hash of equal labels is equal */
    }
out:
    return st;
}

static mml_status check_classes(mml_cohort *c, mmli_cohort_task *t)
{
    mml_status st = MML_OK;
    mmli_index index = {0};
    size_t first, second;

    for (size_t i = 0; i < t->n_classes; i++)
        MML_CHECK(mmli_bad_id(t->classes[i]) == NULL, MML_E_DATA, "%s: task %s: class name %zu: %s", c->path, t->name, i,
                  mmli_bad_id(t->classes[i]));
    MML_TRY(mmli_index_make(&index, (const char *const *)t->classes, t->n_classes, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: task %s: class name %s occurs twice", c->path, t->name,
              t->classes[second]);
out:
    mmli_index_free(&index);
    return st;
}

static mml_status load_survival(mml_cohort *c, mmli_cohort_task *t, hid_t group)
{
    mml_status st = MML_OK;
    double *event = NULL;

    MML_TRY(mmli_calloc(&t->event, c->n, sizeof *t->event));
    MML_TRY(mmli_calloc(&event, c->n, sizeof *event));
    MML_TRY(mmli_h5_get(t->value, MMLI_H5_F64, 1, &c->n, group, c->path, "time"));
    MML_TRY(mmli_h5_get(event, MMLI_H5_F64, 1, &c->n, group, c->path, "event"));
    for (size_t i = 0; i < c->n; i++) {
        if (isnan(t->value[i]) || isnan(event[i])) {
            t->value[i] = NAN;
            continue;
        }
        MML_CHECK(event[i] == 0 || event[i] == 1, MML_E_DATA,
                  "%s: task %s: event of sample %s is %g; 1 = event and 0 = censored are possible", c->path, t->name,
                  c->ids[i], event[i]);
        MML_CHECK(t->value[i] >= 0 && isfinite(t->value[i]), MML_E_DATA, "%s: task %s: time of sample %s is %g", c->path,
                  t->name, c->ids[i], t->value[i]);
        t->event[i] = event[i] == 1;
    }
out:
    mmli_free(event);
    return st;
}

static mml_status load_task(mml_cohort *c, mmli_cohort_task *t, hid_t group)
{
    mml_status st = MML_OK;
    char *kind = NULL;
    bool there;

    MML_TRY(mmli_h5_attr_text(&kind, group, c->path, "kind"));
    MML_CHECK(mmli_task_kind_of(&t->kind, kind), MML_E_FORMAT,
              "%s: task %s is of kind %s; binary, multiclass, survival and regression are known", c->path, t->name, kind);
    MML_TRY(mmli_h5_has_attr(&there, group, c->path, "unit"));
    if (there)
        MML_TRY(mmli_h5_attr_text(&t->unit, group, c->path, "unit"));
    else
        MML_TRY(mmli_strdup(&t->unit, ""));
    MML_CHECK(t->unit[0] == '\0' || mmli_bad_id(t->unit) == NULL, MML_E_DATA, "%s: unit of task %s: %s", c->path, t->name,
              mmli_bad_id(t->unit));
    MML_TRY(mmli_calloc(&t->value, c->n, sizeof *t->value));
    if (t->kind == MML_SURVIVAL) {
        MML_TRY(load_survival(c, t, group));
        goto out;
    }
    if (t->kind == MML_REGRESSION) {
        MML_TRY(mmli_h5_get(t->value, MMLI_H5_F64, 1, &c->n, group, c->path, "value"));
        for (size_t i = 0; i < c->n; i++)
            MML_CHECK(!isinf(t->value[i]), MML_E_DATA, "%s: task %s: value of sample %s is infinite", c->path, t->name,
                      c->ids[i]);
        goto out;
    }
    MML_TRY(mmli_h5_get_texts(&t->classes, &t->n_classes, group, c->path, "classes"));
    MML_TRY(check_classes(c, t));
    MML_TRY(mmli_h5_get(t->value, MMLI_H5_F64, 1, &c->n, group, c->path, "code"));
    MML_TRY(check_codes(c, t));
out:
    mmli_free(kind);
    return st;
}

static mml_status load_tasks(mml_cohort *c)
{
    mml_status st = MML_OK;
    hid_t list = -1, group = -1;
    char **names = NULL;
    size_t n = 0;

    MML_TRY(open_list(&list, &names, &n, c, "tasks"));
    MML_TRY(mmli_calloc(&c->tasks, n, sizeof *c->tasks));
    for (size_t i = 0; i < n; i++) {
        mmli_cohort_task *task = &c->tasks[c->n_tasks++];

        task->name = names[i];
        names[i] = NULL;
        MML_TRY(mmli_h5_group(&group, list, c->path, task->name));
        MML_TRY(load_task(c, task, group));
        mmli_h5_drop(group);
        group = -1;
    }
out:
    mmli_h5_texts_free(names, n);
    mmli_h5_drop(group);
    mmli_h5_drop(list);
    return st;
}

/* ---- modalities ------------------------------------------------------------------------------------------------ */

static mml_status check_offsets(mml_cohort *c, mmli_cohort_modality *m)
{
    mml_status st = MML_OK;

    MML_CHECK(m->offsets[0] == 0, MML_E_DATA, "%s: modality %s: offsets begin with %lld, not 0", c->path, m->name,
              (long long)m->offsets[0]);
    for (size_t i = 0; i < c->n; i++) {
        MML_CHECK(m->offsets[i + 1] >= m->offsets[i], MML_E_DATA,
                  "%s: modality %s: offsets descend at sample %s (%lld after %lld)", c->path, m->name, c->ids[i],
                  (long long)m->offsets[i + 1], (long long)m->offsets[i]);
        m->n_present += m->offsets[i + 1] > m->offsets[i];
    }
    MML_CHECK((uint64_t)m->offsets[c->n] == m->n_tokens, MML_E_SHAPE,
              "%s: modality %s: offsets end at %lld but there are %zu tokens", c->path, m->name,
              (long long)m->offsets[c->n], m->n_tokens);
out:
    return st;
}

static mml_status check_features(mml_cohort *c, mmli_cohort_modality *m, size_t n)
{
    mml_status st = MML_OK;
    mmli_index index = {0};
    size_t first, second;

    MML_CHECK(n == m->width, MML_E_SHAPE, "%s: modality %s: %zu feature names for tokens of width %zu", c->path, m->name,
              n, m->width);
    for (size_t i = 0; i < n; i++)
        MML_CHECK(mmli_bad_id(m->features[i]) == NULL, MML_E_DATA, "%s: modality %s: name of feature %zu: %s", c->path,
                  m->name, i, mmli_bad_id(m->features[i]));
    MML_TRY(mmli_index_make(&index, (const char *const *)m->features, n, &first, &second));
    MML_CHECK(first == SIZE_MAX, MML_E_DATA, "%s: modality %s: features %zu and %zu have the same name %s", c->path,
              m->name, first, second, m->features[second]);
out:
    mmli_index_free(&index);
    return st;
}

bool mmli_is_category_of(const char *feature, const char *column)
{
    const size_t n = strlen(column);

    return strncmp(feature, column, n) == 0 && feature[n] == '=';
}

/* Which features are one number for each category of a column; a file need not say. */
static mml_status load_categories(mml_cohort *c, mmli_cohort_modality *m, hid_t group)
{
    mml_status st = MML_OK;
    char **of = NULL;
    size_t n = 0;
    bool there;

    MML_TRY(mmli_h5_exists(&there, group, c->path, "category_of"));
    if (!there)
        return MML_OK;
    MML_TRY(mmli_h5_get_texts(&of, &n, group, c->path, "category_of"));
    MML_CHECK(n == m->width, MML_E_SHAPE, "%s: modality %s: category_of has %zu entries for tokens of width %zu", c->path, m->name, n,
              m->width);
    for (size_t i = 0; i < n; i++)
        MML_CHECK(of[i][0] == '\0' || (mmli_bad_id(of[i]) == NULL && mmli_is_category_of(m->features[i], of[i])), MML_E_DATA,
                  "%s: modality %s: category_of: feature %zu is `%s`, which is no category of a column `%.80s`", c->path, m->name, i,
                  m->features[i], of[i]);
    m->category_of = of;
    of = NULL;
out:
    mmli_h5_texts_free(of, n);
    return st;
}

static mml_status check_float(mml_cohort *c, const mmli_cohort_modality *m, hid_t set, const char *name)
{
    const hid_t type = H5Dget_type(set);
    const H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);

    mmli_h5_drop(type);
    if (kind == H5T_FLOAT || kind == H5T_INTEGER)
        return MML_OK;
    return mmli_fail(MML_E_FORMAT, "%s: modality %s: %s are not numbers", c->path, m->name, name);
}

static mml_status load_modality(mml_cohort *c, mmli_cohort_modality *m, hid_t group)
{
    mml_status st = MML_OK;
    size_t dims[2] = {0}, axes[2] = {0}, n = 0, total;
    char *kind = NULL;
    bool there;

    MML_TRY(mmli_h5_attr_text(&kind, group, c->path, "kind"));
    MML_CHECK(mmli_modality_kind_of(&m->kind, kind), MML_E_FORMAT,
              "%s: modality %s is of kind %s; table, series, image and bag are known", c->path, m->name, kind);
    MML_TRY(mmli_h5_dataset(&m->values_set, dims, 2, group, c->path, "values"));
    MML_TRY(check_float(c, m, m->values_set, "values"));
    MML_TRY(mmli_rows_open(&m->values, m->values_set, 0, c->path, m->name));
    m->n_tokens = dims[0];
    m->width = dims[1];
    MML_CHECK(m->width > 0, MML_E_SHAPE, "%s: modality %s: tokens of width 0", c->path, m->name);
    MML_TRY(mmli_h5_exists(&there, group, c->path, "positions"));
    if (there) {
        MML_TRY(mmli_h5_dataset(&m->axes_set, axes, 2, group, c->path, "positions"));
        MML_TRY(check_float(c, m, m->axes_set, "positions"));
        MML_TRY(mmli_rows_open(&m->axes, m->axes_set, 0, c->path, m->name));
        m->n_axes = axes[1];
        MML_CHECK(axes[0] == m->n_tokens && axes[1] >= 1 && axes[1] <= 8, MML_E_SHAPE,
                  "%s: modality %s: positions have shape (%zu, %zu) for %zu tokens", c->path, m->name, axes[0], axes[1],
                  m->n_tokens);
    }
    MML_CHECK(mmli_mul_size(&total, m->n_tokens, (m->width + m->n_axes) * sizeof(float)), MML_E_NOMEM,
              "%s: modality %s is too large for this machine", c->path, m->name);
    m->bytes = total;
    n = c->n + 1;
    MML_TRY(mmli_calloc(&m->offsets, n, sizeof *m->offsets));
    MML_TRY(mmli_h5_get(m->offsets, MMLI_H5_I64, 1, &n, group, c->path, "offsets"));
    MML_TRY(check_offsets(c, m));
    MML_TRY(mmli_h5_get_texts(&m->features, &n, group, c->path, "features"));
    if ((st = check_features(c, m, n)) != MML_OK && n != m->width) {
        mmli_h5_texts_free(m->features, n); /* closing frees `width` of them */
        m->features = NULL;
    }
    if (st == MML_OK)
        st = load_categories(c, m, group);
out:
    mmli_free(kind);
    return st;
}

static mml_status load_modalities(mml_cohort *c)
{
    mml_status st = MML_OK;
    hid_t list = -1, group = -1;
    char **names = NULL;
    size_t n = 0;

    MML_TRY(open_list(&list, &names, &n, c, "modalities"));
    MML_TRY(mmli_calloc(&c->modalities, n, sizeof *c->modalities));
    for (size_t i = 0; i < n; i++) {
        mmli_cohort_modality *m = &c->modalities[c->n_modalities++];

        m->values_set = m->axes_set = -1;
        m->name = names[i];
        names[i] = NULL;
        MML_TRY(mmli_h5_group(&group, list, c->path, m->name));
        MML_TRY(load_modality(c, m, group));
        mmli_h5_drop(group);
        group = -1;
    }
out:
    mmli_h5_texts_free(names, n);
    mmli_h5_drop(group);
    mmli_h5_drop(list);
    return st;
}

mml_status mmli_cohort_load(mml_cohort *c)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_h5_check_format(NULL, c->file, c->path, MMLI_COHORT_FORMAT, MMLI_COHORT_VERSION));
    MML_TRY(mmli_h5_has_attr(&c->has_hash, c->file, c->path, "data_hash"));
    if (c->has_hash)
        MML_TRY(mmli_h5_attr_u64(&c->hash, c->file, c->path, "data_hash"));
    MML_TRY(load_samples(c));
    MML_TRY(load_columns(c));
    MML_TRY(load_tasks(c));
    MML_TRY(load_modalities(c));
out:
    return st;
}
