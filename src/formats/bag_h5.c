/* bag_h5.c - see bag_h5.h. */
#include "formats/bag_h5.h"

#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

/* Widths as the READMEs of TRIDENT and CLAM list them. */
static const struct {
    size_t width;
    const char *who;
} encoders[] = {
    {384, "Kaiko small, Lunit"},
    {512, "CONCH v1"},
    {768, "CONCH v1.5, Phikon, KEEP, CTransPath, Kaiko base, H0-mini"},
    {1024, "ResNet-50 (CLAM), UNI, Phikon-v2, MUSK, GPFM, Hibou-L, Kaiko large"},
    {1536, "UNI2-h, Prov-GigaPath, H-Optimus, H0-mini, OpenMidnight"},
    {2560, "Virchow, Virchow2"},
    {3072, "Midnight-12k"},
    {4608, "GenBio-PathFM"},
};

const char *mmli_bag_encoders(size_t width)
{
    for (size_t i = 0; i < sizeof encoders / sizeof *encoders; i++)
        if (encoders[i].width == width)
            return encoders[i].who;
    return "no encoder that is known here";
}

void mmli_bag_close(mmli_bag *b)
{
    if (b->path != NULL) { /* opened, or begun: ids are -1 where there is none */
        mmli_rows_close(b->features);
        mmli_rows_close(b->coords);
        mmli_h5_drop(b->features_set);
        mmli_h5_drop(b->coords_set);
        mmli_h5_drop(b->file);
    }
    mmli_free(b->encoder);
    mmli_free(b->path);
    *b = (mmli_bag){.file = -1, .features_set = -1, .coords_set = -1};
}

static mml_status no_features(const mmli_bag *b)
{
    mml_status st = MML_OK;
    bool coords, images;

    MML_TRY(mmli_h5_exists(&coords, b->file, b->path, "coords"));
    MML_TRY(mmli_h5_exists(&images, b->file, b->path, "imgs"));
    if (coords || images)
        st = mmli_fail(MML_E_FORMAT, "%s: is a patches file: it has %s but no features; give the file of this slide from h5_files "
                       "(CLAM) or features_* (TRIDENT)", b->path, coords ? "coordinates" : "images");
    else
        st = mmli_fail(MML_E_FORMAT, "%s: has no data set features", b->path);
out:
    return st;
}

/* (N, D), (1, N, D), (D), (0, D), (0) -> n, width, and the dimension of the rows. */
static mml_status read_shape(mmli_bag *b, int *axis)
{
    mml_status st = MML_OK;
    size_t dims[MMLI_H5_MAX_RANK] = {0};
    int rank;

    MML_TRY(mmli_h5_shape(dims, &rank, b->file, b->path, "features"));
    MML_CHECK(rank >= 1 && rank <= 3 && (rank < 3 || dims[0] == 1), MML_E_SHAPE,
              "%s: features has %d dimensions%s; (N, D), (1, N, D) or (D) are read", b->path, rank,
              rank == 3 ? ", and the first is not 1" : "");
    *axis = rank == 3;
    b->vector = rank == 1;
    b->n = b->vector ? dims[0] > 0 : dims[rank - 2];
    b->width = dims[rank - 1];
    MML_CHECK(b->n == 0 || b->width > 0, MML_E_SHAPE, "%s: features has %zu rows of width 0", b->path, b->n);
out:
    return st;
}

/* Two numbers for each row, or nothing. A vector for the whole slide may have the coordinates of its patches beside it. */
static mml_status open_coords(mmli_bag *b)
{
    mml_status st = MML_OK;
    size_t dims[MMLI_H5_MAX_RANK] = {0};
    int rank;
    bool there;

    MML_TRY(mmli_h5_exists(&there, b->file, b->path, "coords"));
    if (!there || b->vector || b->n == 0)
        goto out;
    MML_TRY(mmli_h5_shape(dims, &rank, b->file, b->path, "coords"));
    MML_CHECK((rank == 2 || (rank == 3 && dims[0] == 1)) && dims[rank - 1] == 2, MML_E_SHAPE,
              "%s: coords has %d dimensions, or is not of x and y; (N, 2) or (1, N, 2) are read", b->path, rank);
    MML_CHECK(dims[rank - 2] == b->n, MML_E_SHAPE, "%s: features has %zu rows, coords has %zu: they are not of the same patches",
              b->path, b->n, dims[rank - 2]);
    MML_TRY(mmli_h5_dataset(&b->coords_set, NULL, -1, b->file, b->path, "coords"));
    MML_TRY(mmli_rows_open(&b->coords, b->coords_set, rank - 2, b->path, "coords"));
    b->has_coords = true;
out:
    return st;
}

/* For messages only: whatever is wrong with it is not worth a failure. Lock held. */
static void note_encoder(mmli_bag *b)
{
    enum { MOST = 64 };
    bool there;
    char *text = NULL;

    if (mmli_h5_has_attr(&there, b->features_set, b->path, "encoder") != MML_OK || !there ||
        mmli_h5_attr_text(&text, b->features_set, b->path, "encoder") != MML_OK)
        return;
    if (strlen(text) <= MOST && text[0] != '\0' && strcmp(text, "None") != 0)
        b->encoder = text;
    else
        mmli_free(text);
}

mml_status mmli_bag_open(mmli_bag *out, const char *path)
{
    mml_status st = MML_OK;
    mmli_bag b = {.file = -1, .features_set = -1, .coords_set = -1};
    bool there;
    int axis = 0;

    *out = b;
    mmli_h5_lock();
    MML_TRY(mmli_strdup(&b.path, path));
    MML_TRY(mmli_h5_open(&b.file, path));
    MML_TRY(mmli_h5_exists(&there, b.file, path, "features"));
    if (!there) {
        st = no_features(&b);
        goto out;
    }
    MML_TRY(mmli_h5_dataset(&b.features_set, NULL, -1, b.file, path, "features"));
    MML_TRY(read_shape(&b, &axis));
    MML_TRY(mmli_rows_open(&b.features, b.features_set, axis, b.path, "features"));
    b.half = mmli_rows_are_half(b.features);
    note_encoder(&b);
    MML_TRY(open_coords(&b));
    *out = b;
    b = (mmli_bag){.file = -1, .features_set = -1, .coords_set = -1};
out:
    st = mmli_h5_guard_verdict(st, b.file, path);
    mmli_bag_close(&b);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_bag_read(float *values, float *coords, size_t first, size_t count, mmli_bag *b)
{
    mml_status st = MML_OK;

    MML_CHECK(first <= b->n && count <= b->n - first, MML_E_SHAPE, "%s: features has %zu rows, rows %zu to %zu needed", b->path,
              b->n, first, first + count - 1);
    MML_CHECK(coords == NULL || count == 0 || b->has_coords, MML_E_SHAPE, "%s: has no coordinates of its features", b->path);
    if (count == 0)
        goto out;
    MML_TRY(mmli_rows_get(values, b->vector ? 0 : first, b->vector ? b->width : count, b->features));
    if (coords != NULL)
        MML_TRY(mmli_rows_get(coords, first, count, b->coords));
out:
    return st;
}

mml_status mmli_bag_looks_like(bool *out, bool *has_features, const char *path)
{
    static const char *const names[] = {"features", "coords", "imgs"};
    mml_status st = MML_OK;
    hid_t file = -1;

    *out = *has_features = false;
    MML_TRY(mmli_h5_open(&file, path));
    for (size_t i = 0; i < 3 && !*out; i++) {
        MML_TRY(mmli_h5_exists(out, file, path, names[i]));
        *has_features = *out && i == 0;
    }
    MML_TRY(mmli_h5_guard_trouble(file, path));
out:
    st = mmli_h5_guard_verdict(st, file, path);
    mmli_h5_drop(file);
    return mmli_machine_failed(st) ? st : MML_OK;
}
