/* devices.c - names of several devices, for trainings that share their batches. */
#include <stdio.h>
#include <string.h>

#include "backends/backend.h"
#include "backends/cuda/module.h"
#include "util/error.h"

bool mmli_devices_are_several(const char *name)
{
    return name && (strchr(name, ',') || strcmp(name, "cuda:all") == 0);
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Adds the device `part` of the list `name`; "1" is cuda:1 behind another GPU. */
static mml_status add(mmli_devices *out, const char *part, const char *name)
{
    const bool behind_gpu = out->n > 0 && strcmp(out->table[0].name, "cuda") == 0;
    mml_status st = MML_OK;
    char text[64];

    MML_CHECK(out->n < MMLI_DEVICES_MOST, MML_E_BACKEND, "device `%s`: at most %d at once", name, MMLI_DEVICES_MOST);
    MML_CHECK(strcmp(part, "cpu") != 0, MML_E_BACKEND,
              "device `%s`: the cpu is one device, which uses all its processors (--threads)", name);
    MML_CHECK(strncmp(part, "cuda", 4) == 0 || strcmp(part, "reference") == 0 || (behind_gpu && is_number(part)), MML_E_BACKEND,
              "device `%s`: several devices are GPUs, as in cuda:0,1 or cuda:all", name);
    snprintf(text, sizeof text, "%s%s", is_number(part) ? "cuda:" : "", part);
    MML_TRY(mmli_device_find(&out->table[out->n], text));
    for (size_t i = 0; i < out->n; i++) {
        const mmli_backend *a = &out->table[i], *b = &out->table[out->n];

        MML_CHECK(strcmp(a->name, b->name) == 0, MML_E_BACKEND, "device `%s`: %s and %s do not work together", name, a->name,
                  b->name);
        MML_CHECK(strcmp(a->name, "cuda") != 0 || a->index != b->index, MML_E_BACKEND, "device `%s`: GPU %d is named twice", name,
                  a->index);
    }
    out->n++;
out:
    return st;
}

static mml_status add_all_gpus(mmli_devices *out)
{
    mml_status st = MML_OK;
    const mmli_module *m = NULL;
    int n = 0;

    MML_TRY(mmli_device_find(&out->table[0], "cuda:0")); /* the messages of a machine without any */
    MML_TRY(mmli_module_open(&m));
    MML_TRY(m->count(&n));
    for (out->n = 1; out->n < (size_t)n && out->n < MMLI_DEVICES_MOST; out->n++) {
        out->table[out->n] = out->table[0];
        out->table[out->n].index = (int)out->n;
    }
out:
    return st;
}

mml_status mmli_devices_find(mmli_devices *out, const char *name)
{
    const char *at = name;
    mml_status st = MML_OK;

    out->n = 0;
    if (!mmli_devices_are_several(name)) {
        out->n = 1;
        return mmli_device_find(&out->table[0], name);
    }
    if (strcmp(name, "cuda:all") == 0)
        return add_all_gpus(out);
    while (at) {
        const char *comma = strchr(at, ',');
        const size_t length = comma ? (size_t)(comma - at) : strlen(at);
        char part[32];

        MML_CHECK(length > 0 && length < sizeof part, MML_E_BACKEND, "device `%s`: several devices are named as in cuda:0,1", name);
        memcpy(part, at, length);
        part[length] = '\0';
        MML_TRY(add(out, part, name));
        at = comma ? comma + 1 : NULL;
    }
out:
    return st;
}
