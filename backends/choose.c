/* choose.c - names of devices: which backend, and which of its devices, a name stands for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "backends/cuda/module.h"
#include "util/error.h"

#define GIB (1024.0 * 1024.0 * 1024.0)

/* ---- GPUs ---------------------------------------------------------------------------------------------------------------- */

/* "cuda" or "cuda:N": true, and *index = N; -1 where what follows the colon is no number. */
static bool is_cuda(int *index, const char *name)
{
    *index = 0;
    if (strncmp(name, "cuda", 4) != 0 || (name[4] != '\0' && name[4] != ':'))
        return false;
    if (name[4] == ':') {
        const size_t digits = strspn(name + 5, "0123456789");

        *index = digits >= 1 && digits <= 4 && name[5 + digits] == '\0' ? (int)strtol(name + 5, NULL, 10) : -1;
    }
    return true;
}

/* The module and its number of GPUs, which is not 0. */
static mml_status open_gpus(const mmli_module **m, int *n)
{
    mml_status st = MML_OK;

    *n = 0;
    MML_TRY(mmli_module_open(m));
    MML_TRY((*m)->count(n));
    MML_CHECK(*n > 0, MML_E_BACKEND, "there is no NVIDIA GPU in this machine, or none that this process may use "
              "(CUDA_VISIBLE_DEVICES)");
out:
    *n = st == MML_OK ? *n : 0;
    return st;
}

static mml_status find_cuda(mmli_backend *table, int index, const char *name)
{
    mml_status st = MML_OK;
    const mmli_module *m = NULL;
    int n = 0;

    MML_CHECK(index >= 0, MML_E_BACKEND, "device `%s`: cuda, or cuda:N with the number of a GPU from 0", name);
    if ((st = open_gpus(&m, &n)) != MML_OK)
        return mmli_fail_prefix(st, "device %s", name);
    MML_CHECK(index < n, MML_E_BACKEND, "device %s: the GPUs of this machine are cuda:0 to cuda:%d", name, n - 1);
    *table = *m->backend;
    table->index = index;
out:
    return st;
}

static mml_status gpu_words(char *text, size_t size, const mmli_module *m, int index)
{
    mml_status st = MML_OK;
    mmli_module_device d = {.name = ""};

    MML_TRY(m->look(&d, index));
    snprintf(text, size, "%s, %.1f GiB, compute capability %d.%d", d.name, (double)d.bytes / GIB, d.major, d.minor);
out:
    return st;
}

/* ---- names --------------------------------------------------------------------------------------------------------------- */

static mml_status unknown(const char *name)
{
    char list[256] = "";
    size_t used = 0;

    for (size_t i = 0; mmli_backend_at(i) && used < sizeof list - 1; i++) {
        const int n = snprintf(list + used, sizeof list - used, "%s, ", mmli_backend_at(i)->name);

        used += n > 0 ? (size_t)n : 0;
    }
    return mmli_fail(MML_E_BACKEND, "no device `%s`; there are: %scuda, cuda:N, auto", name, list);
}

static bool has_gpu(const mmli_module **m)
{
    int n = 0;

    return open_gpus(m, &n) == MML_OK;
}

mml_status mmli_device_find(mmli_backend *table, const char *name)
{
    const mmli_module *m = NULL;
    int index;

    if (mmli_devices_are_several(name))
        return mmli_fail(MML_E_BACKEND, "device `%s` names several: blocks and fuses are trained with several GPUs at once, everything "
                         "else is done with one (cuda:N)", name);
    if (name && is_cuda(&index, name))
        return find_cuda(table, index, name);
    if (name && strcmp(name, "auto") == 0 && has_gpu(&m)) {
        *table = *m->backend;
        return MML_OK;
    }
    if (!name || strcmp(name, "auto") == 0) {
        *table = *mmli_backend_at(0);
        return MML_OK;
    }
    for (size_t i = 0; mmli_backend_at(i); i++)
        if (strcmp(mmli_backend_at(i)->name, name) == 0) {
            *table = *mmli_backend_at(i);
            return MML_OK;
        }
    return unknown(name);
}

static mml_status words_of_one(char *text, size_t size, const char *name)
{
    mml_status st = MML_OK;
    const mmli_module *m = NULL;
    mmli_backend table;
    char words[400];
    int n;

    MML_TRY(mmli_device_find(&table, name));
    if (strcmp(table.name, "cuda") == 0) {
        MML_TRY(open_gpus(&m, &n));
        MML_TRY(gpu_words(words, sizeof words, m, table.index));
        snprintf(text, size, "cuda:%d (%s)", table.index, words);
    } else if (name && strcmp(name, "auto") == 0 && !has_gpu(&m))
        snprintf(text, size, "%s (%s)", table.name, mml_last_error());
    else
        snprintf(text, size, "%s", table.name);
out:
    return st;
}

mml_status mmli_device_words(char *text, size_t size, const char *name)
{
    mml_status st = MML_OK;
    mmli_devices all;
    size_t used = 0;

    if (!mmli_devices_are_several(name))
        return words_of_one(text, size, name);
    text[0] = '\0';
    MML_TRY(mmli_devices_find(&all, name));
    for (size_t i = 0; i < all.n && used < size; i++) {
        char one[400], device[32];
        int wrote;

        if (strcmp(all.table[i].name, "cuda") == 0)
            snprintf(device, sizeof device, "cuda:%d", all.table[i].index);
        else
            snprintf(device, sizeof device, "%s", all.table[i].name);
        MML_TRY(words_of_one(one, sizeof one, device));
        wrote = snprintf(text + used, size - used, "%s%s", i ? ", " : "", one);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
out:
    return st;
}

/* ---- for mmlego version --build ----------------------------------------------------------------------------------------- */

void mmli_cuda_describe(char *text, size_t size)
{
    const mmli_module *m = NULL;
    char words[400];
    size_t used = 0;
    int n = 0, wrote;

    if (mmli_module_open(&m) != MML_OK) {
        snprintf(text, size, "cuda devices: none (%s)\n", mml_last_error());
        return;
    }
    wrote = snprintf(text, size, "cuda module: %s (%s)\n", mmli_module_path(), m->built);
    used = wrote > 0 ? (size_t)wrote : 0;
    if (open_gpus(&m, &n) != MML_OK && used < size)
        snprintf(text + used, size - used, "cuda devices: none (%s)\n", mml_last_error());
    for (int i = 0; i < n && used < size; i++) {
        const mml_status st = gpu_words(words, sizeof words, m, i);

        wrote = snprintf(text + used, size - used, "%scuda:%d %s%s", i ? "; " : "cuda devices: ", i,
                         st == MML_OK ? words : mml_last_error(), i + 1 == n ? "\n" : "");
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}
