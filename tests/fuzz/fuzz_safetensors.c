/* Fuzz target: a safetensors file; what it says of itself must hold. */
#include <string.h>

#include "formats/safetensors.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "safetensors";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    mmli_tensors *t;
    mml_status st = mmli_tensors_open(&t, path);
    uint64_t total = 0;

    MMLT_PROMISE(st == MML_OK || (st == MML_E_FORMAT && t == NULL && strstr(mml_last_error(), path) != NULL));
    for (size_t i = 0; st == MML_OK && i < t->n; i++) {
        const mmli_tensor *x = &t->list[i];
        float *values = calloc(x->unread != NULL ? 1 : x->count + 1, sizeof *values);

        MMLT_PROMISE(values != NULL && mmli_tensors_find(t, x->name) == x);
        MMLT_PROMISE((mmli_tensors_floats(values, t, x, 0, x->count) == MML_OK) == (x->unread == NULL));
        total += x->bytes;
        free(values);
    }
    MMLT_PROMISE(st != MML_OK || total < n);
    for (size_t i = 0; st == MML_OK && i < t->n_metadata; i++)
        MMLT_PROMISE(mmli_tensors_metadata(t, t->keys[i]) == t->values[i]);
    mmli_tensors_close(t);
    unlink(path);
    return 0;
}
