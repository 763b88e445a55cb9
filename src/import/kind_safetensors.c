/* kind_safetensors.c - a safetensors file: described, but no data of samples; what is meant is mostly a model. */
#include <stdio.h>
#include <string.h>

#include "formats/safetensors.h"
#include "import/probe.h"
#include "util/alloc.h"
#include "util/error.h"

/* A length below 16 MiB, then the brace of the header. */
static mml_status tensors_probe(mmli_sureness *out, char *what, const mmli_probe *p)
{
    if (p->folder || p->n < 10 || p->bytes[3] != 0 || memcmp(p->bytes + 4, "\0\0\0\0", 4) != 0 || p->bytes[8] != '{')
        return MML_OK;
    (void)snprintf(what, MMLI_WHAT_BYTES, "a safetensors file");
    *out = mmli_probe_ends(p, ".safetensors") || p->bytes[9] == '"' ? MMLI_CERTAIN : MMLI_PERHAPS;
    return MML_OK;
}

static mml_status refuse(const char *path)
{
    return mmli_fail(MML_E_FORMAT, "%s: is a safetensors file, whose tensors have no samples; a model is read by mmlego convert; of "
                     "an array, in Python: numpy.save(\"x.npy\", safetensors.numpy.load_file(FILE)[NAME])", path);
}

static mml_status tensors_open(mmli_source *s)
{
    return refuse(s->m->file);
}

static mml_status tensors_suggest(mmli_suggestion *out, const char *path)
{
    (void)out;
    return refuse(path);
}

static mml_status describe(mmli_facts *facts, const mmli_tensor *x)
{
    mml_status st = MML_OK;
    mmli_buf b = {0};

    MML_TRY(mmli_buf_printf(&b, "%s (", mmli_tensor_type_name(x)));
    for (int i = 0; i < x->rank; i++)
        MML_TRY(mmli_buf_printf(&b, "%s%zu", i > 0 ? ", " : "", x->dims[i]));
    MML_TRY(mmli_buf_puts(&b, ")"));
    MML_TRY(mmli_fact_column(facts, x->name, b.text, 0, ""));
out:
    mmli_buf_free(&b);
    return st;
}

static mml_status tensors_inspect(mmli_facts *facts, const char *path)
{
    mml_status st = MML_OK;
    mmli_tensors *t = NULL;
    size_t numbers = 0;

    MML_TRY(mmli_tensors_open(&t, path));
    for (size_t i = 0; i < t->n; i++)
        numbers += t->list[i].count;
    MML_TRY(mmli_fact(facts, "tensors", "%zu", t->n));
    MML_TRY(mmli_fact(facts, "numbers", "%zu", numbers));
    if (mmli_tensors_metadata(t, "mmlego.version") != NULL)
        MML_TRY(mmli_fact(facts, "written by", "mmlego %.40s", mmli_tensors_metadata(t, "mmlego.version")));
    for (size_t i = 0; i < t->n; i++)
        MML_TRY(describe(facts, &t->list[i]));
out:
    mmli_tensors_close(t);
    return st;
}

const mmli_source_kind mmli_kind_safetensors = {
    .name = "safetensors",
    .what = "a safetensors file",
    .probe = tensors_probe,
    .open = tensors_open,
    .inspect = tensors_inspect,
    .suggest = tensors_suggest,
};
