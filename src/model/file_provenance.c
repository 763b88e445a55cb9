/* file_provenance.c - where a training came from, in a model file. */
#include <endian.h>
#include <math.h>
#include <string.h>

#include "model/file.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/rng.h"

static const char *const id_sets[3] = {"train_ids", "valid_ids", "test_ids"};

uint64_t mmli_param_checksum(uint64_t before, const char *name, float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, &values[i], sizeof bits);
        bits = htole32(bits);
        memcpy(&values[i], &bits, sizeof bits);
    }
    return mmli_hash64(values, n * sizeof *values, mmli_hash64(name, strlen(name), before));
}

static void history_row(double row[MMLI_HISTORY_COLUMNS], const mml_epoch *e)
{
    row[0] = (double)e->epoch;
    row[1] = (double)e->epochs;
    row[2] = e->train_loss;
    row[3] = e->valid_loss;
    row[4] = e->valid_score;
    row[5] = e->learning_rate;
    row[6] = e->gradient_norm;
    row[7] = e->seconds;
    row[8] = e->best ? 1.0 : 0.0;
}

mml_status mmli_history_write(const mml_epoch *history, size_t n, hid_t group, const char *path)
{
    static const char names[] = MMLI_HISTORY_NAMES;
    const size_t dims[2] = {n, MMLI_HISTORY_COLUMNS};
    mml_status st = MML_OK;
    double(*rows)[MMLI_HISTORY_COLUMNS] = NULL;
    hid_t set = -1;

    MML_TRY(mmli_calloc(&rows, n, sizeof *rows));
    for (size_t i = 0; i < n; i++)
        history_row(rows[i], &history[i]);
    MML_TRY(mmli_h5_put(MMLI_H5_F64, 2, dims, rows, group, path, "history"));
    MML_TRY(mmli_h5_dataset(&set, NULL, 2, group, path, "history"));
    MML_TRY(mmli_h5_set_text(set, path, "columns", names));
out:
    mmli_h5_drop(set);
    mmli_free(rows);
    return st;
}

mml_status mmli_provenance_write(const mmli_provenance *p, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t group = -1;

    MML_TRY(mmli_h5_group_new(&group, loc, path, name));
    MML_TRY(mmli_h5_set_i64(group, path, "trained", p->version != NULL));
    if (!p->version)
        goto out;
    MML_TRY(mmli_h5_set_text(group, path, "version", p->version));
    MML_TRY(mmli_h5_set_text(group, path, "backend", p->backend));
    MML_TRY(mmli_h5_set_text(group, path, "split", p->split));
    MML_TRY(mmli_h5_set_text(group, path, "settings", p->settings));
    MML_TRY(mmli_h5_set_u64(group, path, "seed", p->seed));
    MML_TRY(mmli_h5_set_u64(group, path, "data_hash", p->data_hash));
    MML_TRY(mmli_h5_set_i64(group, path, "best_epoch", (int64_t)p->best_epoch));
    MML_TRY(mmli_h5_set_f64(group, path, "valid_score", p->valid_score));
    if (p->cross_folds > 0) {
        MML_TRY(mmli_h5_set_i64(group, path, "cross_folds", (int64_t)p->cross_folds));
        MML_TRY(mmli_h5_set_f64(group, path, "cross_score", p->cross_score));
    }
    if (p->committee > 0)
        MML_TRY(mmli_h5_set_i64(group, path, "committee", (int64_t)p->committee));
    MML_TRY(mmli_h5_set_f64(group, path, "seconds", p->seconds));
    for (size_t i = 0; i < 3; i++)
        MML_TRY(mmli_h5_put(MMLI_H5_U64, 1, &p->n_ids[i], p->ids[i], group, path, id_sets[i]));
    MML_TRY(mmli_history_write(p->history, p->n_history, group, path));
out:
    mmli_h5_drop(group);
    return st;
}

static mml_status ids_read(mmli_provenance *p, size_t which, hid_t group, const char *path)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_h5_get_new(&p->ids[which], MMLI_H5_U64, 1, &p->n_ids[which], group, path, id_sets[which]));
    for (size_t i = 1; i < p->n_ids[which]; i++) /* the leak guard looks ids up by bisection */
        MML_CHECK(p->ids[which][i - 1] <= p->ids[which][i], MML_E_FORMAT, "%s: %s: value %zu is out of order", path,
                  id_sets[which], i + 1);
out:
    return st;
}

/* A whole number of at most `most` that was stored as float64. */
static mml_status whole(size_t *out, double x, const char *path)
{
    if (!(x >= 0.0 && x <= 9007199254740992.0 && x == floor(x)))
        return mmli_fail(MML_E_FORMAT, "%s: history: a number of epochs is not a whole number", path);
    *out = (size_t)x;
    return MML_OK;
}

mml_status mmli_history_read(mml_epoch **out, size_t *n, hid_t group, const char *path)
{
    mml_status st = MML_OK;
    size_t dims[2];
    double *rows = NULL;
    mml_epoch *history = NULL;

    *out = NULL;
    *n = 0;
    MML_TRY(mmli_h5_get_new(&rows, MMLI_H5_F64, 2, dims, group, path, "history"));
    MML_CHECK(dims[1] == MMLI_HISTORY_COLUMNS, MML_E_FORMAT, "%s: history has %zu columns, %d needed", path, dims[1],
              (int)MMLI_HISTORY_COLUMNS);
    MML_TRY(mmli_calloc(&history, dims[0], sizeof *history));
    for (size_t i = 0; i < dims[0]; i++) {
        const double *row = rows + i * MMLI_HISTORY_COLUMNS;
        mml_epoch *e = &history[i];

        MML_TRY(whole(&e->epoch, row[0], path));
        MML_TRY(whole(&e->epochs, row[1], path));
        e->train_loss = row[2];
        e->valid_loss = row[3];
        e->valid_score = row[4];
        e->learning_rate = row[5];
        e->gradient_norm = row[6];
        e->seconds = row[7];
        e->best = row[8] > 0.5;
    }
    *out = history;
    *n = dims[0];
    history = NULL;
out:
    mmli_free(history);
    mmli_free(rows);
    return st;
}

/* A number from 1 that need not be there: 0 then. */
static mml_status optional_count(size_t *out, hid_t group, const char *path, const char *name)
{
    mml_status st = MML_OK;
    bool has;
    int64_t value;

    *out = 0;
    MML_TRY(mmli_h5_has_attr(&has, group, path, name));
    if (!has)
        goto out;
    MML_TRY(mmli_h5_attr_i64(&value, group, path, name));
    MML_CHECK(value >= 1, MML_E_FORMAT, "%s: %s is %lld", path, name, (long long)value);
    *out = (size_t)value;
out:
    return st;
}

mml_status mmli_provenance_read(mmli_provenance *p, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t group = -1;
    int64_t trained, best;

    mmli_provenance_clear(p);
    MML_TRY(mmli_h5_group(&group, loc, path, name));
    MML_TRY(mmli_h5_attr_i64(&trained, group, path, "trained"));
    if (!trained)
        goto out;
    MML_TRY(mmli_h5_attr_text(&p->version, group, path, "version"));
    MML_TRY(mmli_h5_attr_text(&p->backend, group, path, "backend"));
    MML_TRY(mmli_h5_attr_text(&p->split, group, path, "split"));
    MML_TRY(mmli_h5_attr_text(&p->settings, group, path, "settings"));
    MML_TRY(mmli_h5_attr_u64(&p->seed, group, path, "seed"));
    MML_TRY(mmli_h5_attr_u64(&p->data_hash, group, path, "data_hash"));
    MML_TRY(mmli_h5_attr_i64(&best, group, path, "best_epoch"));
    MML_CHECK(best >= 0, MML_E_FORMAT, "%s: best_epoch is %lld", path, (long long)best);
    p->best_epoch = (size_t)best;
    MML_TRY(mmli_h5_attr_f64(&p->valid_score, group, path, "valid_score"));
    MML_CHECK(!isinf(p->valid_score), MML_E_FORMAT, "%s: valid_score is infinite", path);
    MML_TRY(optional_count(&p->cross_folds, group, path, "cross_folds"));
    if (p->cross_folds > 0) {
        MML_TRY(mmli_h5_attr_f64(&p->cross_score, group, path, "cross_score"));
        MML_CHECK(isfinite(p->cross_score), MML_E_FORMAT, "%s: cross_score is not a number", path);
    }
    MML_TRY(optional_count(&p->committee, group, path, "committee"));
    MML_TRY(mmli_h5_attr_f64(&p->seconds, group, path, "seconds"));
    for (size_t i = 0; i < 3; i++)
        MML_TRY(ids_read(p, i, group, path));
    MML_TRY(mmli_history_read(&p->history, &p->n_history, group, path));
out:
    mmli_h5_drop(group);
    return st;
}
