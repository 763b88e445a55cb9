/* kinds.c - the formats there are. A new one is its file and a line here. */
#include <string.h>

#include "import/source.h"

static const mmli_source_kind *const kinds[] = {
    &mmli_kind_bags,
    &mmli_kind_physionet2012,
    &mmli_kind_mimic3,
    &mmli_kind_anndata,
    &mmli_kind_mudata,
    &mmli_kind_hdf5,
    &mmli_kind_npy,
    &mmli_kind_safetensors,
    &mmli_kind_images,
    &mmli_kind_long,
    &mmli_kind_mcat,
    &mmli_kind_csv, /* last: any text could be one */
};

const mmli_source_kind *const *mmli_source_kinds(size_t *n)
{
    *n = sizeof kinds / sizeof kinds[0];
    return kinds;
}

const mmli_source_kind *mmli_source_kind_named(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}
