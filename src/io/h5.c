/* h5.c - files, groups and data sets of HDF5: opened with checks, made, closed.
 *
 * A file from somewhere else may name other files in three ways (external links, external storage, virtual data
 * sets) and loop through soft links; all of them are refused before HDF5 follows them (formats.md 10).
 */
#include "io/h5.h"
#include "io/h5_inside.h"
#include "io/h5disk.h"
#include "io/h5guard.h"
#include "io/h5heap.h"
#include "io/h5lzf.h"
#include "io/h5packed.h"
#include "io/inflate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* The driver adds the time, the descriptor and addresses to a system error, over two lines: of that only what the
 * system said. */
static herr_t first_reason(unsigned n, const H5E_error2_t *error, void *user)
{
    mmli_h5_note *note = user;
    const char *desc = error->desc == NULL ? "?" : error->desc;
    const char *detail = strstr(desc, ": time = "), *said = strstr(desc, "error message = '");
    const int length = (int)(detail != NULL ? (size_t)(detail - desc) : strcspn(desc, "\n"));

    (void)n;
    said = detail != NULL && said != NULL ? said + strlen("error message = '") : "";
    snprintf(note->text, sizeof note->text, " (HDF5: %.*s%s%.*s)", length, desc, said[0] != '\0' ? ": " : "",
             (int)strcspn(said, "'\n"), said);
    return 1; /* the innermost is enough */
}

void mmli_h5_reason(char *out, size_t size)
{
    mmli_h5_note note = {""};

    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first_reason, &note);
    snprintf(out, size, "%s", note.text);
}

mmli_h5_note mmli_h5_why(void)
{
    mmli_h5_note note = {""};

    mmli_h5_reason(note.text, sizeof note.text);
    return note;
}

/* "group/name" as far as HDF5 knows where loc is; for messages. */
mmli_h5_full mmli_h5_full_name(hid_t loc, const char *name)
{
    mmli_h5_full full = {""};
    char where[sizeof full.text / 2] = "";

    if (loc >= 0 && H5Iget_name(loc, where, sizeof where) < 0)
        where[0] = '\0';
    while (name[0] == '/')
        name++;
    if (where[0] == '/' && where[1] == '\0')
        where[0] = '\0';
    snprintf(full.text, sizeof full.text, "%s%s%s", where[0] == '/' ? where + 1 : where,
             where[0] != '\0' && name[0] != '\0' ? "/" : "", name);
    return full;
}

/* ---- files ------------------------------------------------------------------------------------------- */

static mml_status check_regular(const char *path)
{
    char text[MMLI_ERRNO_BYTES];
    struct stat is;

    if (stat(path, &is) != 0)
        return mmli_fail(MML_E_IO, "%s: cannot be opened: %s", path, mmli_errno_text(text, errno));
    if (!S_ISREG(is.st_mode))
        return mmli_fail(MML_E_IO, "%s: is a folder or a device, a file is needed", path);
    return MML_OK;
}

/* Access properties: no failure where the file system cannot lock (read-only mounts, some network ones). */
static hid_t file_access(bool writing)
{
    const hid_t list = H5Pcreate(H5P_FILE_ACCESS);

    if (list < 0)
        return list;
    /* Room for the chunks of each data set: a shuffled batch must not unpack a chunk once for every row. */
    H5Pset_cache(list, 0, 12421, 16 << 20, 0.75);
#if H5_VERSION_GE(1, 10, 7)
    H5Pset_file_locking(list, 1, 1);
#endif
    if ((writing ? mmli_h5_disk_use(list) : mmli_h5_guard_use(list, false)) < 0) {
        mmli_h5_drop(list);
        return -1;
    }
#if H5_VERSION_GE(1, 10, 2)
    /* The format of HDF5 1.8: metadata with checksums, attributes above 64 KiB, read by everything in use. */
    if (writing)
        H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_V18);
#endif
    return list;
}

mml_status mmli_h5_open(hid_t *out, const char *path)
{
    mml_status st = MML_OK;
    hid_t list = -1;
    mmli_h5_note why;
    htri_t is;

    *out = -1;
    mmli_h5_lock();
    MML_CHECK(path != NULL && path[0] != '\0', MML_E_ARG, "a file name is needed, this one is empty");
    MML_TRY(check_regular(path));
    MML_CHECK((list = file_access(false)) >= 0, MML_E_NOMEM, "%s: HDF5 has no memory left", path);
    *out = H5Fopen(path, H5F_ACC_RDONLY, list);
    if (*out < 0) {
        FILE *probe;
        char text[MMLI_ERRNO_BYTES];

        why = mmli_h5_why();
        MML_CHECK(!mmli_h5_guard_no_memory(), MML_E_NOMEM, "%s: no memory left to open it", path);
        probe = fopen(path, "rb");
        MML_CHECK(probe != NULL, MML_E_IO, "%s: cannot be read: %s", path, mmli_errno_text(text, errno));
        fclose(probe);
        is = H5Fis_hdf5(path);
        MML_CHECK(is > 0, MML_E_FORMAT, "%s: is not an HDF5 file", path);
        st = mmli_fail(MML_E_FORMAT, "%s: is damaged, truncated, or being written by another program%s", path,
                       why.text);
        st = mmli_h5_guard_verdict_open(st, path);
        goto out;
    }
out:
    mmli_h5_drop(list);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_create(hid_t *out, const char *real, const char *path)
{
    mml_status st = MML_OK;
    hid_t access = -1, creation = -1;
    mmli_h5_note why;

    *out = -1;
    mmli_h5_lock();
    access = file_access(true);
    creation = H5Pcreate(H5P_FILE_CREATE);
    MML_CHECK(access >= 0 && creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0 &&
                  H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0,
              MML_E_NOMEM, "%s: HDF5 has no memory left", path);
    if ((*out = H5Fcreate(real, H5F_ACC_TRUNC, creation, access)) < 0) {
        why = mmli_h5_why();
        MML_CHECK(!mmli_h5_disk_no_memory(), MML_E_NOMEM, "%s: no memory left to make it", path);
        st = mmli_fail(MML_E_IO, "%s: could not be made%s", path, why.text);
    }
out:
    mmli_h5_drop(access);
    mmli_h5_drop(creation);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_finish(hid_t *file, const char *path)
{
    mml_status st = MML_OK;
    const hid_t id = *file;
    mmli_h5_trouble *trouble;
    mmli_h5_note why = {""};
    bool ok;

    *file = -1;
    if (id < 0)
        return mmli_fail(MML_E_INTERNAL, "%s: finished although it is not open", path);
    mmli_h5_lock();
    trouble = mmli_h5_trouble_of(id);
    ok = H5Fflush(id, H5F_SCOPE_LOCAL) >= 0;
    if (!ok)
        why = mmli_h5_why();
    if (H5Fclose(id) < 0 && ok) {
        why = mmli_h5_why();
        ok = false;
    }
    st = mmli_h5_trouble_end(trouble, path);
    if (st == MML_OK && !ok)
        st = mmli_fail(MML_E_IO, "%s: could not be written to its end; is the disk full?%s", path, why.text);
    mmli_h5_unlock();
    return st;
}

void mmli_h5_drop(hid_t id)
{
    if (id < 0)
        return;
    mmli_h5_lock();
    switch (H5Iget_type(id)) {
    case H5I_FILE: H5Fclose(id); break;
    case H5I_GROUP: H5Gclose(id); break;
    case H5I_DATASET: H5Dclose(id); break;
    case H5I_DATATYPE: H5Tclose(id); break;
    case H5I_DATASPACE: H5Sclose(id); break;
    case H5I_ATTR: H5Aclose(id); break;
    case H5I_GENPROP_LST: H5Pclose(id); break;
    default: H5Idec_ref(id); break;
    }
    mmli_h5_unlock();
}

/* ---- links ---------------------------------------------------------------------------------------------- */

static const char *link_kind(H5L_type_t type)
{
    return type == H5L_TYPE_SOFT       ? "a soft link"
           : type == H5L_TYPE_EXTERNAL ? "an external link (to another file)"
                                       : "a link of an unknown kind";
}

/* Walks the components of a name: *there = all of them exist. Only hard links are walked. */
static mml_status walk(bool *there, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    char *part = NULL;
    H5L_info_t info;
    htri_t exists;

    *there = false;
    if (strcmp(name, ".") == 0) { /* loc itself */
        *there = true;
        goto out;
    }
    MML_TRY(mmli_strdup(&part, name));
    for (size_t i = 0; name[i] != '\0';) {
        while (name[i] == '/')
            i++;
        while (name[i] != '\0' && name[i] != '/')
            i++;
        part[i] = '\0';
        exists = H5Lexists(loc, part, H5P_DEFAULT);
        if (exists < 0) /* the parent is no group, unless it could not be read */
            st = mmli_h5_guard_trouble(loc, path);
        if (exists <= 0)
            goto out;
        MML_CHECK(H5Lget_info(loc, part, &info, H5P_DEFAULT) >= 0, MML_E_FORMAT, "%s: %s: unreadable link", path,
                  mmli_h5_full_name(loc, part).text);
        MML_CHECK(info.type == H5L_TYPE_HARD, MML_E_FORMAT,
                  "%s: %s is %s; only plain groups and data sets are read, copy the data into this file", path,
                  mmli_h5_full_name(loc, part).text, link_kind(info.type));
        if (name[i] == '/')
            part[i] = '/';
    }
    *there = true;
out:
    mmli_free(part);
    return st;
}

mml_status mmli_h5_exists(bool *out, hid_t loc, const char *path, const char *name)
{
    mml_status st;

    mmli_h5_lock();
    st = walk(out, loc, path, name);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_object(hid_t *out, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    mmli_h5_note why;
    bool there;

    *out = -1;
    mmli_h5_lock();
    MML_TRY(walk(&there, loc, path, name));
    MML_CHECK(there, MML_E_FORMAT, "%s: has no %s", path, mmli_h5_full_name(loc, name).text);
    (void)mmli_h5_guard_refused();
    if ((*out = H5Oopen(loc, name, H5P_DEFAULT)) < 0) {
        why = mmli_h5_why();
        switch (mmli_h5_guard_refused()) {
        case MMLI_H5_GLOBAL_HEAP:
            st = mmli_fail(MML_E_FORMAT, "%s: %s is a virtual data set (its values are in other files), or damaged; copy the values into this file",
                           path, mmli_h5_full_name(loc, name).text);
            goto out;
        case MMLI_H5_ELSEWHERE:
            st = mmli_fail(MML_E_FORMAT, "%s: %s keeps its values in another file (external storage); copy them into this file", path,
                           mmli_h5_full_name(loc, name).text);
            goto out;
        case MMLI_H5_NO_MEMORY:
            st = mmli_fail(MML_E_NOMEM, "%s: %s: no memory left to look at it", path, mmli_h5_full_name(loc, name).text);
            goto out;
        case MMLI_H5_NOTHING:
        case MMLI_H5_DAMAGED: break;
        }
        st = mmli_fail(MML_E_FORMAT, "%s: %s: damaged%s", path, mmli_h5_full_name(loc, name).text, why.text);
    }
out:
    mmli_h5_unlock();
    return st;
}

/* ---- data sets ---------------------------------------------------------------------------------------------- */

/* Filters that files of this field are met with and HDF5 does not bring, for files that give no name. */
static const char *filter_name(H5Z_filter_t id)
{
    static const struct {
        H5Z_filter_t id;
        const char *name;
    } known[] = {{4, "szip"},     {5, "nbit"},      {6, "scaleoffset"},    {307, "bzip2"},
                 {32000, "lzf"},  {32001, "blosc"}, {32004, "lz4"},
                 {32008, "bitshuffle"}, {32013, "zfp"}, {32015, "zstd"}, {32026, "blosc2"}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].id == id)
            return known[i].name;
    return "";
}

/* A data set small enough to lie in its header: HDF5 1.10 reads beyond what lies there when that is less than the shape says. */
static mml_status check_compact(hid_t dataset, const char *path, const char *full)
{
    mml_status st = MML_OK;
    const hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    const hssize_t n = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    const size_t each = type < 0 ? 0 : mmli_h5_bytes_in_file(type, dataset);
    size_t bytes;

    MML_CHECK(n >= 0 && each > 0 && mmli_mul_size(&bytes, (size_t)n, each) && bytes <= H5Dget_storage_size(dataset), MML_E_FORMAT,
              "%s: %s should hold %lld elements of %zu bytes but the file stores %llu bytes: truncated or damaged", path, full,
              (long long)n, each, (unsigned long long)H5Dget_storage_size(dataset));
out:
    mmli_h5_drop(type);
    mmli_h5_drop(space);
    return st;
}

/* To read one row of a packed chunk, HDF5 unpacks all of it: a small file must not make it ask for 4 GiB. */
static mml_status check_chunk(hid_t dataset, hid_t creation, const char *path, const char *full)
{
    mml_status st = MML_OK;
    hsize_t chunk[MMLI_H5_MAX_RANK];
    const hid_t type = H5Dget_type(dataset);
    const int rank = H5Pget_chunk(creation, MMLI_H5_MAX_RANK, chunk);
    double bytes = type < 0 ? 0 : (double)H5Tget_size(type);

    for (int i = 0; i < rank && i < MMLI_H5_MAX_RANK; i++)
        bytes *= (double)chunk[i];
    MML_CHECK(bytes <= (double)MMLI_INFLATE_FREE, MML_E_FORMAT,
              "%s: %s is packed in chunks of %.1f GiB, at most 1 GiB is read; repack it in smaller ones (h5repack -l CHUNK=...)", path,
              full, bytes / (1 << 30));
out:
    mmli_h5_drop(type);
    return st;
}

/* Where the bytes are and what packed them. Before anything that could read them. */
static mml_status check_storage(hid_t dataset, const char *path, const char *full)
{
    mml_status st = MML_OK;
    const hid_t list = mmli_h5_creation(dataset);
    int filters;

    MML_CHECK(list >= 0, MML_E_FORMAT, "%s: %s: damaged", path, full);
    MML_CHECK(H5Pget_layout(list) != H5D_VIRTUAL, MML_E_FORMAT,
              "%s: %s is a virtual data set (its values are in other files); copy the values into this file", path,
              full);
    MML_CHECK(H5Pget_external_count(list) <= 0, MML_E_FORMAT,
              "%s: %s keeps its values in another file (external storage); copy them into this file", path, full);
    if (H5Pget_layout(list) == H5D_COMPACT)
        MML_TRY(check_compact(dataset, path, full));
    filters = H5Pget_nfilters(list);
    if (filters > 0 && H5Pget_layout(list) == H5D_CHUNKED)
        MML_TRY(check_chunk(dataset, list, path, full));
    for (int i = 0; i < filters; i++) {
        unsigned flags = 0, config = 0;
        size_t n_values = 0;
        char name[64] = "";
        const H5Z_filter_t id =
            H5Pget_filter2(list, (unsigned)i, &flags, &n_values, NULL, sizeof name, name, &config);

        name[sizeof name - 1] = '\0';
        if (name[0] == '\0')
            snprintf(name, sizeof name, "%s", filter_name(id));
        if (id == MMLI_H5_LZF)
            mmli_h5_lzf_use();
        MML_CHECK(id != H5Z_FILTER_SZIP && id != H5Z_FILTER_NBIT && id != H5Z_FILTER_SCALEOFFSET, MML_E_FORMAT,
                  "%s: %s is packed with filter %d (%s), with which HDF5 believes what the file says of sizes; repack it with gzip "
                  "where it is (h5repack -f GZIP=4)", path, full, (int)id, name);
        MML_CHECK(id >= 0 && H5Zfilter_avail(id) > 0, MML_E_FORMAT,
                  "%s: %s is packed with filter %d%s%s%s, which is not installed; repack it with gzip "
                  "where it is (h5repack -f GZIP=4)", path, full, (int)id, name[0] != '\0' ? " (" : "", name,
                  name[0] != '\0' ? ")" : "");
    }
out:
    mmli_h5_drop(list);
    return st;
}

mml_status mmli_h5_shape_of(size_t *dims, int *rank, hid_t dataset, const char *path, const char *full)
{
    mml_status st = MML_OK;
    const hid_t space = H5Dget_space(dataset);
    hsize_t size[MMLI_H5_MAX_RANK];

    *rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    MML_CHECK(*rank >= 0 && H5Sget_simple_extent_type(space) != H5S_NULL, MML_E_FORMAT, "%s: %s has no shape", path,
              full);
    MML_CHECK(*rank <= MMLI_H5_MAX_RANK, MML_E_SHAPE, "%s: %s has %d dimensions, more than %d are not read", path, full,
              *rank, (int)MMLI_H5_MAX_RANK);
    MML_CHECK(H5Sget_simple_extent_dims(space, size, NULL) == *rank, MML_E_FORMAT, "%s: %s: damaged", path, full);
    for (int i = 0; i < *rank; i++) {
        MML_CHECK(size[i] <= SIZE_MAX, MML_E_NOMEM, "%s: %s: too large for this machine", path, full);
        dims[i] = (size_t)size[i];
    }
out:
    mmli_h5_drop(space);
    return st;
}

mml_status mmli_h5_dataset(hid_t *out, size_t *dims, int rank, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    size_t size[MMLI_H5_MAX_RANK] = {0};
    hid_t id = -1;
    int has;

    *out = -1;
    mmli_h5_lock();
    MML_TRY(mmli_h5_object(&id, loc, path, name));
    MML_CHECK(H5Iget_type(id) == H5I_DATASET, MML_E_FORMAT, "%s: %s: a data set is needed", path,
              mmli_h5_full_name(loc, name).text);
    MML_TRY(check_storage(id, path, mmli_h5_full_name(loc, name).text));
    if (rank >= 0) {
        MML_TRY(mmli_h5_shape_of(size, &has, id, path, mmli_h5_full_name(loc, name).text));
        MML_CHECK(has == rank, MML_E_SHAPE, "%s: %s has %d dimension%s, %d needed", path,
                  mmli_h5_full_name(loc, name).text, has, has == 1 ? "" : "s", rank);
        if (dims != NULL)
            memcpy(dims, size, (size_t)rank * sizeof *dims);
    }
    *out = id;
    id = -1;
out:
    mmli_h5_drop(id);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_shape(size_t *dims, int *rank, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t set = -1;

    *rank = -1;
    mmli_h5_lock();
    MML_TRY(mmli_h5_dataset(&set, NULL, -1, loc, path, name));
    MML_TRY(mmli_h5_shape_of(dims, rank, set, path, mmli_h5_full_name(loc, name).text));
out:
    mmli_h5_drop(set);
    mmli_h5_unlock();
    return st;
}
