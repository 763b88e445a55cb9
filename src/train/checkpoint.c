/* checkpoint.c - everything a training needs to go on bit for bit, in one HDF5 file that appears whole or not at all.
 *
 * Flat buffers (parameters, both moments, best weights) as they are; where the training is, as numbers; its settings as
 * JSON, compared on resuming.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/h5.h"
#include "model/file.h"
#include "model/options.h"
#include "train/trainer.h"
#include "util/alloc.h"
#include "util/atomic.h"
#include "util/error.h"

enum { CHECKPOINT_VERSION = 2, N_COUNTS = 6, N_NUMBERS = 9 };

static const char *const buffer_names[] = {"parameters", "first_moment", "second_moment", "best"};
enum { N_BUFFERS = 4 };

static mmli_mem *buffer(const mmli_trainer *t, int i)
{
    mmli_mem *const list[N_BUFFERS] = {t->model->params->data, t->optim->m, t->optim->v, t->best};

    return list[i];
}

static mml_status save_buffers(const mmli_trainer *t, hid_t file, const char *path)
{
    mml_status st = MML_OK;
    mmli_device *dv = t->model->params->dv;
    const size_t n = t->model->params->total;
    float *host = NULL;

    MML_TRY(mmli_calloc(&host, n, sizeof *host));
    for (int i = 0; i < N_BUFFERS; i++) {
        MML_TRY(dv->k.download(dv, host, buffer(t, i), n * sizeof *host));
        MML_TRY(mmli_h5_put(MMLI_H5_F32, 1, &n, host, file, path, buffer_names[i]));
    }
out:
    mmli_free(host);
    return st;
}

static mml_status load_buffers(mmli_trainer *t, hid_t file, const char *path)
{
    mml_status st = MML_OK;
    mmli_device *dv = t->model->params->dv;
    const size_t n = t->model->params->total;
    float *host = NULL;

    MML_TRY(mmli_calloc(&host, n, sizeof *host));
    for (int i = 0; i < N_BUFFERS; i++) {
        MML_TRY(mmli_h5_get(host, MMLI_H5_F32, 1, &n, file, path, buffer_names[i]));
        MML_TRY(dv->k.upload(dv, buffer(t, i), host, n * sizeof *host));
    }
out:
    mmli_free(host);
    return st;
}

/* Whole and fractional numbers of a progress, in one order for both ways. */
static void list_counts(uint64_t *out, const mmli_progress *p)
{
    const uint64_t list[N_COUNTS] = {p->epoch, p->in_epoch, p->step, p->best_epoch, p->since_best, p->plateau_bad};

    memcpy(out, list, sizeof list);
}

static void take_counts(mmli_progress *p, const uint64_t *in)
{
    p->epoch = (size_t)in[0];
    p->in_epoch = (size_t)in[1];
    p->step = in[2];
    p->best_epoch = (size_t)in[3];
    p->since_best = (size_t)in[4];
    p->plateau_bad = (size_t)in[5];
}

static void list_numbers(double *out, const mmli_progress *p)
{
    const double list[N_NUMBERS] = {p->loss_sum,       p->weight_sum,   p->norm_sum, p->best_score,
                                    p->plateau_factor, p->plateau_best, p->seconds,  p->best_loss, p->best_value};

    memcpy(out, list, sizeof list);
}

static void take_numbers(mmli_progress *p, const double *in)
{
    p->loss_sum = in[0];
    p->weight_sum = in[1];
    p->norm_sum = in[2];
    p->best_score = in[3];
    p->plateau_factor = in[4];
    p->plateau_best = in[5];
    p->seconds = in[6];
    p->best_loss = in[7];
    p->best_value = in[8];
}

static mml_status load_history(mmli_trainer *t, hid_t file, const char *path)
{
    mml_status st = MML_OK;
    mml_epoch *history = NULL;
    size_t n;

    MML_TRY(mmli_history_read(&history, &n, file, path));
    MML_CHECK(n == t->at.epoch && n <= t->o->epochs, MML_E_FORMAT, "%s: a history of %zu epochs does not go with epoch %zu",
              path, n, t->at.epoch);
    if (n > 0)
        memcpy(t->history, history, n * sizeof *history);
    t->n_history = n;
out:
    mmli_free(history);
    return st;
}

mml_status mmli_checkpoint_save(const mmli_trainer *t, const char *path)
{
    mml_status st = MML_OK;
    mmli_atomic *atomic = NULL;
    char *settings = json_dumps(t->settings, MMLI_JSON_REALS | JSON_COMPACT | JSON_SORT_KEYS);
    const char *texts[1] = {settings};
    uint64_t counts[N_COUNTS];
    double numbers[N_NUMBERS];
    const size_t n_counts = N_COUNTS, n_numbers = N_NUMBERS;
    hid_t file = -1;

    MML_CHECK(settings != NULL, MML_E_NOMEM, "no memory for the settings of the training");
    list_counts(counts, &t->at);
    list_numbers(numbers, &t->at);
    MML_TRY(mmli_atomic_begin(&atomic, path));
    MML_TRY(mmli_h5_create(&file, mmli_atomic_path(atomic), path));
    MML_TRY(mmli_h5_set_format(file, path, MMLI_CHECKPOINT_FORMAT, CHECKPOINT_VERSION));
    MML_TRY(mmli_h5_put_texts(texts, 1, file, path, "settings"));
    MML_TRY(mmli_h5_put(MMLI_H5_U64, 1, &n_counts, counts, file, path, "counts"));
    MML_TRY(mmli_h5_put(MMLI_H5_F64, 1, &n_numbers, numbers, file, path, "numbers"));
    MML_TRY(save_buffers(t, file, path));
    MML_TRY(mmli_history_write(t->history, t->n_history, file, path));
    MML_TRY(mmli_h5_finish(&file, path));
    MML_TRY(mmli_atomic_commit(atomic));
out:
    mmli_h5_drop(file);
    mmli_atomic_abort(atomic);
    free(settings);
    return st;
}

/* Path of the first difference between two settings, into name; false when equal. */
static bool first_difference(char *name, size_t size, json_t *a, json_t *b)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_object(a) && json_is_object(b)) {
        json_object_foreach(a, key, value) {
            char inner[160] = "";
            if (json_equal(value, json_object_get(b, key)))
                continue;
            if (!first_difference(inner, sizeof inner, value, json_object_get(b, key)))
                continue;
            snprintf(name, size, "%s%s%s", key, inner[0] ? "." : "", inner);
            return true;
        }
        return json_object_size(a) != json_object_size(b);
    }
    if (json_is_array(a) && json_is_array(b) && json_array_size(a) == json_array_size(b)) {
        json_array_foreach(a, i, value) {
            char inner[160] = "";
            if (!first_difference(inner, sizeof inner, value, json_array_get(b, i)))
                continue;
            snprintf(name, size, "%zu%s%s", i, inner[0] ? "." : "", inner);
            return true;
        }
        return false;
    }
    return !json_equal(a, b);
}

static mml_status check_settings(const mmli_trainer *t, const char *text, const char *path)
{
    mml_status st = MML_OK;
    json_t *now = NULL, *then = json_loads(text, 0, NULL);
    /* through text, so that numbers compare as they were written */
    char *dump = json_dumps(t->settings, MMLI_JSON_REALS | JSON_COMPACT | JSON_SORT_KEYS), name[200] = "";

    now = dump ? json_loads(dump, 0, NULL) : NULL;
    MML_CHECK(now != NULL, MML_E_NOMEM, "no memory for the settings of the training");
    MML_CHECK(json_is_object(then), MML_E_FORMAT, "%s: its settings are not JSON", path);
    MML_CHECK(!first_difference(name, sizeof name, then, now), MML_E_DATA,
              "%s is the checkpoint of another training: %s differs; give the same settings and data, or start anew with another "
              "checkpoint file",
              path, name[0] ? name : "a setting");
out:
    json_decref(now);
    json_decref(then);
    free(dump);
    return st;
}

mml_status mmli_checkpoint_load(mmli_trainer *t, const char *path, bool *found)
{
    mml_status st = MML_OK;
    uint64_t counts[N_COUNTS];
    double numbers[N_NUMBERS];
    const size_t n_counts = N_COUNTS, n_numbers = N_NUMBERS;
    char **texts = NULL;
    size_t n_texts = 0;
    hid_t file = -1;

    *found = access(path, F_OK) == 0;
    if (!*found)
        goto out;
    MML_TRY(mmli_h5_open(&file, path));
    MML_TRY(mmli_h5_check_format(NULL, file, path, MMLI_CHECKPOINT_FORMAT, CHECKPOINT_VERSION));
    MML_TRY(mmli_h5_get_texts(&texts, &n_texts, file, path, "settings"));
    MML_CHECK(n_texts == 1, MML_E_FORMAT, "%s: %zu settings instead of one", path, n_texts);
    MML_TRY(check_settings(t, texts[0], path));
    MML_TRY(mmli_h5_get(counts, MMLI_H5_U64, 1, &n_counts, file, path, "counts"));
    MML_TRY(mmli_h5_get(numbers, MMLI_H5_F64, 1, &n_numbers, file, path, "numbers"));
    take_counts(&t->at, counts);
    take_numbers(&t->at, numbers);
    MML_CHECK(t->at.epoch <= t->o->epochs && t->at.in_epoch <= t->steps && t->at.best_epoch <= t->at.epoch, MML_E_FORMAT,
              "%s: epoch %zu, step %zu are beyond the training (%zu epochs of %zu steps)", path, t->at.epoch, t->at.in_epoch,
              t->o->epochs, t->steps);
    MML_TRY(load_history(t, file, path));
    MML_TRY(load_buffers(t, file, path));
out:
    st = mmli_h5_guard_verdict(st, file, path);
    mmli_h5_drop(file);
    mmli_h5_texts_free(texts, n_texts);
    return st;
}
