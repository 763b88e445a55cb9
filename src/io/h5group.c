/* h5group.c - groups of HDF5 files, and the names of what is in them. */
#include "io/h5.h"
#include "io/h5_inside.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/error.h"

mml_status mmli_h5_group(hid_t *out, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t id = -1;

    *out = -1;
    mmli_h5_lock();
    MML_TRY(mmli_h5_object(&id, loc, path, name));
    MML_CHECK(H5Iget_type(id) == H5I_GROUP, MML_E_FORMAT, "%s: %s: a group is needed", path,
              mmli_h5_full_name(loc, name).text);
    *out = id;
    id = -1;
out:
    mmli_h5_drop(id);
    mmli_h5_unlock();
    return st;
}

mml_status mmli_h5_group_new(hid_t *out, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t list = -1;
    mmli_h5_note why;

    *out = -1;
    mmli_h5_lock();
    list = H5Pcreate(H5P_GROUP_CREATE);
    MML_CHECK(list >= 0 && H5Pset_obj_track_times(list, false) >= 0 && /* equal content is equal bytes */
                  H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0,
              MML_E_NOMEM, "%s: HDF5 has no memory left", path);
    if ((*out = H5Gcreate2(loc, name, H5P_DEFAULT, list, H5P_DEFAULT)) < 0) {
        why = mmli_h5_why();
        st = mmli_fail(MML_E_IO, "%s: group %s could not be made%s", path, mmli_h5_full_name(loc, name).text, why.text);
    }
out:
    mmli_h5_drop(list);
    mmli_h5_unlock();
    return st;
}

static bool order_is_tracked(hid_t group)
{
    unsigned flags = 0;
    hid_t list = H5Iget_type(group) == H5I_FILE ? H5Fget_create_plist(group) : H5Gget_create_plist(group);

    if (list >= 0 && H5Pget_link_creation_order(list, &flags) < 0)
        flags = 0;
    mmli_h5_drop(list);
    return (flags & H5P_CRT_ORDER_TRACKED) != 0;
}

/* Right after the call of HDF5 that failed. */
static mml_status damaged_group(hid_t loc, const char *path, const char *name)
{
    const mmli_h5_note why = mmli_h5_why();

    return mmli_fail(MML_E_FORMAT, "%s: group %s: damaged%s", path, mmli_h5_full_name(loc, name).text, why.text);
}

/* Links in the header of the group itself HDF5 1.10 lists by a table in any case (see mmli_h5_members). So all are decoded before, by the search
 * for a name that cannot be found early: longer than a message. */
static mml_status check_links(hid_t group, hid_t loc, const char *path, const char *name)
{
    enum { BEYOND = 1 << 16 };
    mml_status st = MML_OK;
    char *longest = NULL;

    MML_TRY(mmli_calloc(&longest, BEYOND + 1, 1));
    memset(longest, 'x', BEYOND);
    if (H5Lexists(group, longest, H5P_DEFAULT) < 0)
        st = damaged_group(loc, path, name);
out:
    mmli_free(longest);
    return st;
}

/* Links of a group on the way to their names. */
typedef struct member {
    char *name;
    int64_t order; /* of creation */
} member;

typedef struct members {
    member *list; /* (cap) */
    size_t n, cap;
    bool no_memory;
} members;

#if H5_VERSION_GE(1, 12, 0)
#define LITERATE H5Literate2
typedef H5L_info2_t link_info;
#else
#define LITERATE H5Literate
typedef H5L_info_t link_info;
#endif

static herr_t add_member(hid_t group, const char *name, const link_info *info, void *user)
{
    members *m = user;

    (void)group;
    if (m->n == m->cap) /* more than the header says */
        return -1;
    m->no_memory = mmli_strdup(&m->list[m->n].name, name) != MML_OK;
    m->list[m->n].order = info->corder;
    m->n += !m->no_memory;
    return m->no_memory ? -1 : 0;
}

static int by_creation(const void *a, const void *b)
{
    const member *x = a, *y = b;

    return (x->order > y->order) - (x->order < y->order);
}

static int by_name(const void *a, const void *b)
{
    const member *x = a, *y = b;

    return strcmp(x->name, y->name);
}

/* Links are asked for in the order in which they lie there, and sorted here: for any other order HDF5 1.10 makes a table of as many as the
 * group's header says, and when it cannot read one of them it frees all entries, also those that it has not filled in
 * (H5G__dense_build_table, H5G__link_release_table). */
mml_status mmli_h5_members(char ***out, size_t *n, hid_t loc, const char *path, const char *name)
{
    mml_status st = MML_OK;
    hid_t group = -1;
    H5G_info_t info = {0};
    members m = {0};
    char **names = NULL;
    hsize_t at = 0;

    *out = NULL;
    *n = 0;
    if (name == NULL)
        name = ".";
    mmli_h5_lock();
    if (strcmp(name, ".") != 0)
        MML_TRY(mmli_h5_group(&group, loc, path, name));
    if (H5Gget_info(group >= 0 ? group : loc, &info) < 0 || info.nlinks > SIZE_MAX / 2) {
        st = damaged_group(loc, path, name);
        goto out;
    }
    MML_TRY(check_links(group >= 0 ? group : loc, loc, path, name));
    m.cap = (size_t)info.nlinks;
    MML_TRY(mmli_calloc(&m.list, m.cap, sizeof *m.list));
    MML_TRY(mmli_calloc(&names, m.cap, sizeof *names));
    if (m.cap > 0 && (LITERATE(group >= 0 ? group : loc, H5_INDEX_NAME, H5_ITER_NATIVE, &at, add_member, &m) < 0 || m.n < m.cap)) {
        st = m.no_memory ? MML_E_NOMEM : damaged_group(loc, path, name);
        goto out;
    }
    if (m.n > 0)
        qsort(m.list, m.n, sizeof *m.list, order_is_tracked(group >= 0 ? group : loc) ? by_creation : by_name);
    for (size_t i = 0; i < m.n; i++)
        names[i] = m.list[i].name;
    *out = names;
    *n = m.n;
    names = NULL;
    m.n = 0;
out:
    for (size_t i = 0; i < m.n; i++)
        mmli_free(m.list[i].name);
    mmli_free(m.list);
    mmli_free((void *)names);
    mmli_h5_drop(group);
    mmli_h5_unlock();
    return st;
}
