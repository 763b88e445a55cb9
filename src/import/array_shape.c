/* array_shape.c - what the dimensions of an array say of pieces and rows, whatever file it is in. */
#include <string.h>

#include "import/source.h"
#include "util/alloc.h"
#include "util/error.h"

static const char *wanted_shape(mml_modality_kind kind)
{
    switch (kind) {
    case MML_TABLE: return "(samples, features)";
    case MML_SERIES: return "(samples, steps, channels)";
    case MML_IMAGE: return "(samples, height, width) or (samples, height, width, channels)";
    case MML_BAG: return "(instances, features) or (samples, instances, features)";
    }
    return "";
}

static bool fits(mml_modality_kind kind, int rank)
{
    switch (kind) {
    case MML_TABLE: return rank == 2;
    case MML_SERIES: return rank == 3;
    case MML_IMAGE: return rank == 3 || rank == 4;
    case MML_BAG: return rank == 2 || rank == 3;
    }
    return false;
}

mml_status mmli_source_use_array(mmli_source *s, const size_t *dims, int rank, const char *name, const char *zero)
{
    mml_status st = MML_OK;
    const mml_modality_kind kind = s->m->kind;

    MML_CHECK(fits(kind, rank), MML_E_SHAPE, "%s: %s has %d dimension%s; for a%s %s it must be %s", s->m->file, name, rank,
              rank == 1 ? "" : "s", kind == MML_IMAGE ? "n" : "", mmli_modality_kind_name(kind), wanted_shape(kind));
    for (int i = 1; i < rank; i++)
        MML_CHECK(dims[i] > 0, MML_E_SHAPE, "%s: %s has an %s dimension", s->m->file, name, zero);
    if (kind == MML_BAG && rank == 3) {
        MML_TRY(mmli_calloc(&s->counts, dims[0], sizeof *s->counts));
        for (size_t i = 0; i < dims[0]; i++)
            s->counts[i] = dims[1];
    }
    s->rank = s->counts != NULL ? 1 : rank - 1;
    memcpy(s->dims, dims + (rank - s->rank), (size_t)s->rank * sizeof *s->dims);
    if (kind == MML_IMAGE && rank == 3)
        s->dims[s->rank++] = 1; /* grey */
out:
    return st;
}
