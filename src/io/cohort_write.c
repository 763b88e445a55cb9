/* cohort_write.c - a cohort file from samples, columns, tasks and a stream of tokens. */
#include "io/cohort_write.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

#include "io/h5disk.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/half.h"
#include "util/rng.h"

enum {
    CHUNK_BYTES = 64 << 10,  /* small: a sample's tokens are unpacked alone */
    BUFFER_BYTES = 1 << 20,  /* written at once, a whole number of chunks */
    TRIAL_BYTES = 256 << 10  /* packed to see whether it is worth it */
};

static void hash_bytes(mmli_cohort_writer *w, const void *bytes, size_t n)
{
    w->hash = mmli_hash64(bytes, n, w->hash);
}

static void hash_text(mmli_cohort_writer *w, const char *text)
{
    hash_bytes(w, text, strlen(text) + 1);
}

static void hash_texts(mmli_cohort_writer *w, char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash_text(w, texts[i]);
}

static mml_status put_texts(mmli_cohort_writer *w, hid_t group, const char *name, char *const *texts, size_t n)
{
    hash_text(w, name);
    hash_texts(w, texts, n);
    return mmli_h5_put_texts((const char *const *)texts, n, group, w->path, name);
}

static mml_status put_doubles(mmli_cohort_writer *w, hid_t group, const char *name, const double *x)
{
    hash_text(w, name);
    for (size_t i = 0; i < w->n; i++) {
        const double v = isnan(x[i]) ? -1e300 : x[i]; /* NaN has many spellings */

        hash_bytes(w, &v, sizeof v);
    }
    return mmli_h5_put(MMLI_H5_F64, 1, &w->n, x, group, w->path, name);
}

mml_status mmli_cohort_write_begin(mmli_cohort_writer *w, const char *real, const char *path, char *const *ids,
                                   char *const *groups, size_t n, unsigned compress)
{
    mml_status st = MML_OK;
    hid_t samples = -1;

    *w = (mmli_cohort_writer){
        .file = -1, .columns = -1, .tasks = -1, .modalities = -1, .path = path, .n = n, .compress = compress};
    MML_TRY(mmli_h5_create(&w->file, real, path));
    MML_TRY(mmli_h5_set_format(w->file, path, MMLI_COHORT_FORMAT, MMLI_COHORT_VERSION));
    MML_TRY(mmli_h5_set_text(w->file, path, "writer", "libmmlego"));
    MML_TRY(mmli_h5_set_text(w->file, path, "writer_version", mml_version()));
    MML_TRY(mmli_h5_group_new(&samples, w->file, path, "samples"));
    MML_TRY(put_texts(w, samples, "id", ids, n));
    if (groups != NULL)
        MML_TRY(put_texts(w, samples, "group", groups, n));
    MML_TRY(mmli_h5_group_new(&w->columns, w->file, path, "columns"));
    MML_TRY(mmli_h5_group_new(&w->tasks, w->file, path, "tasks"));
    MML_TRY(mmli_h5_group_new(&w->modalities, w->file, path, "modalities"));
out:
    mmli_h5_drop(samples);
    if (st != MML_OK)
        mmli_cohort_write_drop(w);
    return st;
}

mml_status mmli_cohort_write_column(mmli_cohort_writer *w, const char *name, char *const *texts)
{
    if (H5Lexists(w->columns, name, H5P_DEFAULT) > 0)
        return mmli_fail(MML_E_DATA, "%s: two columns are named %s (a splits file names its column by its own name)", w->path, name);
    return put_texts(w, w->columns, name, texts, w->n);
}

/* Codes as integers, which is what others expect to find: -1 = unknown. */
static mml_status put_codes(mmli_cohort_writer *w, hid_t group, const double *value)
{
    mml_status st = MML_OK;
    int32_t *codes = NULL;

    MML_TRY(mmli_calloc(&codes, w->n, sizeof *codes));
    for (size_t i = 0; i < w->n; i++)
        codes[i] = isnan(value[i]) ? -1 : (int32_t)value[i];
    hash_bytes(w, codes, w->n * sizeof *codes);
    MML_TRY(mmli_h5_put(MMLI_H5_I32, 1, &w->n, codes, group, w->path, "code"));
out:
    mmli_free(codes);
    return st;
}

mml_status mmli_cohort_write_task(mmli_cohort_writer *w, const mmli_cohort_task *task)
{
    mml_status st = MML_OK;
    hid_t group = -1;

    hash_text(w, task->name);
    hash_text(w, mmli_task_kind_name(task->kind));
    MML_TRY(mmli_h5_group_new(&group, w->tasks, w->path, task->name));
    MML_TRY(mmli_h5_set_text(group, w->path, "kind", mmli_task_kind_name(task->kind)));
    if (task->unit[0] != '\0')
        MML_TRY(mmli_h5_set_text(group, w->path, "unit", task->unit));
    if (task->kind == MML_SURVIVAL) {
        MML_TRY(put_doubles(w, group, "time", task->value));
        hash_bytes(w, task->event, w->n);
        MML_TRY(mmli_h5_put(MMLI_H5_U8, 1, &w->n, task->event, group, w->path, "event"));
    } else if (task->kind == MML_REGRESSION) {
        MML_TRY(put_doubles(w, group, "value", task->value));
    } else {
        MML_TRY(put_texts(w, group, "classes", task->classes, task->n_classes));
        MML_TRY(put_codes(w, group, task->value));
    }
out:
    mmli_h5_drop(group);
    return st;
}

void mmli_cohort_write_drop(mmli_cohort_writer *w)
{
    mmli_h5_drop(w->columns);
    mmli_h5_drop(w->tasks);
    mmli_h5_drop(w->modalities);
    mmli_h5_drop(w->file);
    w->columns = w->tasks = w->modalities = w->file = -1;
}

mml_status mmli_cohort_write_end(mmli_cohort_writer *w)
{
    mml_status st = MML_OK;

    MML_TRY(mmli_h5_set_u64(w->file, w->path, "data_hash", w->hash));
    mmli_h5_drop(w->columns);
    mmli_h5_drop(w->tasks);
    mmli_h5_drop(w->modalities);
    w->columns = w->tasks = w->modalities = -1;
    MML_TRY(mmli_h5_finish(&w->file, w->path));
out:
    return st;
}

/* ---- tokens -------------------------------------------------------------------------------------------------------------------- */

/* IEEE binary16, little-endian: HDF5 has no name for it in all versions. Lock held; -1 on failure. */
static hid_t half_type(void)
{
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);

    if (type >= 0 && (H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, 2) < 0 || H5Tset_ebias(type, 15) < 0)) {
        H5Tclose(type);
        return -1;
    }
    return type;
}

/* A data set (0 so far, width) that grows. Lock held. */
static mml_status new_rows(hid_t *out, const mmli_token_writer *t, const char *name, size_t width, bool half, unsigned level)
{
    mml_status st = MML_OK;
    hid_t type = half ? half_type() : H5Tcopy(H5T_IEEE_F32LE);
    const hsize_t now[2] = {0, width}, most[2] = {H5S_UNLIMITED, width}, chunks[2] = {t->chunk, width};
    hid_t space = H5Screate_simple(2, now, most), list = H5Pcreate(H5P_DATASET_CREATE);

    *out = -1;
    if (type >= 0 && space >= 0 && list >= 0 && H5Pset_obj_track_times(list, false) >= 0 && H5Pset_chunk(list, 2, chunks) >= 0 &&
        (level == 0 || (H5Pset_shuffle(list) >= 0 && H5Pset_deflate(list, level) >= 0)))
        *out = H5Dcreate2(t->group, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    mmli_h5_drop(type);
    mmli_h5_drop(space);
    mmli_h5_drop(list);
    MML_CHECK(*out >= 0, MML_E_IO, "%s: modality %s: %s could not be made", t->w->path, t->name, name);
out:
    return st;
}

mml_status mmli_token_write_begin(mmli_token_writer *t, mmli_cohort_writer *w, const char *name, mml_modality_kind kind,
                                  size_t width, size_t n_axes, char *const *features, bool half)
{
    mml_status st = MML_OK;
    const size_t row = width * sizeof(float), chunk = CHUNK_BYTES / row > 0 ? CHUNK_BYTES / row : 1;

    *t = (mmli_token_writer){.w = w, .name = name, .group = -1, .values = -1, .axes = -1, .width = width, .n_axes = n_axes,
                             .chunk = chunk, .half = half};
    t->room = chunk * (BUFFER_BYTES / CHUNK_BYTES);
    while (t->room > chunk && t->room * row > (size_t)BUFFER_BYTES)
        t->room -= chunk; /* wide tokens: a chunk is more than CHUNK_BYTES */
    mmli_h5_lock();
    MML_TRY(mmli_calloc(&t->buffer, t->room, row));
    if (half)
        MML_TRY(mmli_calloc(&t->halves, t->room, width * sizeof *t->halves));
    MML_TRY(mmli_calloc(&t->axes_buffer, t->room, n_axes * sizeof(float)));
    MML_TRY(mmli_calloc(&t->offsets, w->n + 1, sizeof *t->offsets));
    MML_TRY(mmli_calloc(&t->measured, width, sizeof *t->measured));
    MML_TRY(mmli_h5_group_new(&t->group, w->modalities, w->path, name));
    hash_text(w, name);
    hash_text(w, mmli_modality_kind_name(kind));
    MML_TRY(mmli_h5_set_text(t->group, w->path, "kind", mmli_modality_kind_name(kind)));
    MML_TRY(put_texts(w, t->group, "features", features, width));
out:
    mmli_h5_unlock();
    if (st != MML_OK)
        mmli_token_write_free(t);
    return st;
}

/* rows: float32, or as the data set has them. */
static mml_status append(const mmli_token_writer *t, hid_t set, const void *rows, size_t width, bool as_they_are)
{
    mml_status st = MML_OK;
    const hsize_t size[2] = {t->written + t->held, width}, start[2] = {t->written, 0}, count[2] = {t->held, width};
    hid_t file = -1, memory = -1, type = -1;
    char why[240] = "";

    mmli_h5_lock();
    type = as_they_are ? H5Dget_type(set) : H5Tcopy(H5T_NATIVE_FLOAT);
    if (type < 0 || H5Dset_extent(set, size) < 0 || (file = H5Dget_space(set)) < 0 ||
        (memory = H5Screate_simple(2, count, NULL)) < 0 ||
        H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
        H5Dwrite(set, type, memory, file, H5P_DEFAULT, rows) < 0) {
        mmli_h5_reason(why, sizeof why);
        st = mmli_fail(MML_E_IO, "%s: tokens of modality %s could not be written; is the disk full?%s", t->w->path, t->name,
                       why);
    }
    mmli_h5_drop(type);
    mmli_h5_drop(memory);
    mmli_h5_drop(file);
    if (st == MML_OK)
        st = mmli_h5_disk_check(set, t->w->path);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_token_write_categories(mmli_token_writer *t, const char *const *category_of)
{
    for (size_t i = 0; i < t->width; i++)
        hash_text(t->w, category_of[i]);
    return mmli_h5_put_texts(category_of, t->width, t->group, t->w->path, "category_of");
}

/* Does packing make the first tokens smaller by a third? Measured as HDF5 would pack them: byte by byte of all numbers, then
 * deflate. What does not shrink (expression values, features of a network) would only be slow to write and to read. */
static mml_status is_worth_packing(bool *out, const mmli_token_writer *t)
{
    mml_status st = MML_OK;
    const size_t most = (size_t)TRIAL_BYTES / sizeof(float), all = t->held * t->width, n = all < most ? all : most;
    const unsigned char *from = (const unsigned char *)t->buffer;
    unsigned char *shuffled = NULL, *packed = NULL;
    uLongf size = compressBound((uLong)(n * sizeof(float)));

    *out = true;
    MML_TRY(mmli_calloc(&shuffled, n, sizeof(float)));
    MML_TRY(mmli_calloc(&packed, size, 1));
    for (size_t b = 0; b < sizeof(float); b++)
        for (size_t i = 0; i < n; i++)
            shuffled[b * n + i] = from[i * sizeof(float) + b];
    if (compress2(packed, &size, shuffled, (uLong)(n * sizeof(float)), 1) == Z_OK)
        *out = 3 * size <= 2 * n * sizeof(float);
out:
    mmli_free(shuffled);
    mmli_free(packed);
    return st;
}

/* The data sets, once the first tokens are there. */
static mml_status make_sets(mmli_token_writer *t)
{
    mml_status st = MML_OK;
    unsigned level = t->w->compress;
    bool pack = true;

    if (level == MMLI_COMPRESS_AUTO) {
        MML_TRY(is_worth_packing(&pack, t));
        level = pack ? 1 : 0;
    }
    mmli_h5_lock();
    st = new_rows(&t->values, t, "values", t->width, t->half, level);
    if (st == MML_OK && t->n_axes > 0)
        st = new_rows(&t->axes, t, "positions", t->n_axes, false, level);
    mmli_h5_unlock();
out:
    return st;
}

static mml_status flush(mmli_token_writer *t)
{
    mml_status st = MML_OK;

    if (t->values < 0)
        MML_TRY(make_sets(t));
    if (t->held == 0)
        return MML_OK;
    if (t->halves != NULL) /* HDF5 would take twenty times as long */
        mmli_half_from_float(t->halves, t->buffer, t->held * t->width);
    MML_TRY(append(t, t->values, t->halves != NULL ? (void *)t->halves : t->buffer, t->width, t->halves != NULL));
    if (t->n_axes > 0)
        MML_TRY(append(t, t->axes, t->axes_buffer, t->n_axes, false));
    t->written += t->held;
    t->held = 0;
out:
    return st;
}

mml_status mmli_token_write(mmli_token_writer *t, size_t sample, const float *values, const float *positions, size_t n)
{
    mml_status st = MML_OK;

    MML_CHECK(sample + 1 >= t->next && sample < t->w->n, MML_E_INTERNAL, "modality %s: samples out of order", t->name);
    if (n == 0)
        goto out;
    if (sample >= t->next) {
        while (t->next <= sample) { /* those in between have none */
            t->offsets[t->next] = (int64_t)(t->written + t->held);
            t->next++;
        }
        t->n_present++;
    }
    hash_bytes(t->w, &(uint64_t){sample}, sizeof(uint64_t));
    hash_bytes(t->w, values, n * t->width * sizeof *values);
    if (t->n_axes > 0)
        hash_bytes(t->w, positions, n * t->n_axes * sizeof *positions);
    for (size_t i = 0; i < n; i++) {
        const float *v = values + i * t->width;

        if (t->held == t->room)
            MML_TRY(flush(t));
        memcpy(t->buffer + t->held * t->width, v, t->width * sizeof *v);
        if (t->n_axes > 0)
            memcpy(t->axes_buffer + t->held * t->n_axes, positions + i * t->n_axes, t->n_axes * sizeof *positions);
        for (size_t j = 0; j < t->width; j++)
            t->measured[j] += isnan(v[j]) ? 0u : 1u;
        t->held++;
    }
out:
    return st;
}

mml_status mmli_token_write_end(mmli_token_writer *t)
{
    mml_status st = MML_OK;
    const size_t n = t->w->n + 1;

    MML_TRY(flush(t));
    for (; t->next < n; t->next++)
        t->offsets[t->next] = (int64_t)t->written;
    MML_TRY(mmli_h5_put(MMLI_H5_I64, 1, &n, t->offsets, t->group, t->w->path, "offsets"));
    MML_TRY(mmli_h5_put(MMLI_H5_U64, 1, &t->width, t->measured, t->group, t->w->path, "measured"));
out:
    return st;
}

void mmli_token_write_free(mmli_token_writer *t)
{
    mmli_h5_drop(t->values);
    mmli_h5_drop(t->axes);
    mmli_h5_drop(t->group);
    mmli_free(t->buffer);
    mmli_free(t->axes_buffer);
    mmli_free(t->halves);
    mmli_free(t->offsets);
    mmli_free(t->measured);
    *t = (mmli_token_writer){.group = -1, .values = -1, .axes = -1};
}
