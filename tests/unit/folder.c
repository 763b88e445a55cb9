/* folder.c - see folder.h. */
#include "tests/unit/folder.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char folder[200];

void mmlt_folder_make(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/mmlt-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *what, int type, struct FTW *where)
{
    (void)what;
    (void)type;
    (void)where;
    (void)remove(path);
    return 0;
}

void mmlt_remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void mmlt_folder_remove(void)
{
    mmlt_remove_tree(folder);
}

size_t mmlt_folder_files(void)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    size_t n = 0;

    ck_assert_ptr_nonnull(d);
    while ((e = readdir(d)) != NULL)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

const char *mmlt_path(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];

    ck_assert_int_lt(snprintf(path, sizeof paths[0], "%s/%s", folder, name), (int)sizeof paths[0]);
    return path;
}

void mmlt_write_bytes(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(mmlt_path(name), "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

void mmlt_write(const char *name, const char *text)
{
    mmlt_write_bytes(name, text, strlen(text));
}

void mmlt_write_gz(const char *name, const char *text)
{
    gzFile f = gzopen(mmlt_path(name), "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(gzwrite(f, text, (unsigned)strlen(text)), (int)strlen(text));
    ck_assert_int_eq(gzclose(f), Z_OK);
}

char *mmlt_read(const char *path, size_t *n)
{
    struct stat is;
    FILE *f = fopen(path, "rb");
    char *bytes;

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(stat(path, &is), 0);
    *n = (size_t)is.st_size;
    bytes = malloc(*n + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, *n, f), *n);
    bytes[*n] = '\0';
    fclose(f);
    return bytes;
}

void mmlt_h5_array(hid_t file, const char *name, hid_t disk, hid_t memory, int rank, const hsize_t *dims,
                   const void *data)
{
    const hid_t links = H5Pcreate(H5P_LINK_CREATE), space = H5Screate_simple(rank, dims, NULL);
    hid_t set;

    H5Pset_create_intermediate_group(links, 1);
    set = H5Dcreate2(file, name, disk, space, links, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(set, 0);
    if (data != NULL)
        ck_assert_int_ge(H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(links);
}

void mmlt_h5_texts(hid_t file, const char *name, const char *const *texts, size_t n)
{
    const hid_t type = H5Tcopy(H5T_C_S1);

    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    mmlt_h5_array(file, name, type, type, 1, (hsize_t[]){n}, texts);
    H5Tclose(type);
}

const char *mmlt_shared(void)
{
    static char path[512];
    const char *given = getenv("MMLEGO_SHARED"), *source = getenv("MMLT_SRCDIR");
    struct stat is;

    if (given != NULL)
        snprintf(path, sizeof path, "%s/data", given);
    else
        snprintf(path, sizeof path, "%s/../shared/data", source == NULL ? "." : source);
    return stat(path, &is) == 0 && S_ISDIR(is.st_mode) ? path : NULL;
}
