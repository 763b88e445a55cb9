/* Fuzz target: cohort files; what opens is described, split and read to the last token. */
#include <math.h>
#include <string.h>

#include "io/cohort.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "cohort";

enum { READ_MOST = 64 << 20 }; /* bytes of tokens: a shape may be large and the file still valid */

static void read_modality(mml_cohort *c, size_t i)
{
    mml_modality_info m;
    mml_batch *b = NULL;
    mml_tokens t;
    size_t samples[64], n = mml_cohort_size(c) < 64 ? mml_cohort_size(c) : 64;

    MMLT_PROMISE(mml_cohort_modality_at(&m, c, i) == MML_OK);
    MMLT_PROMISE(m.width > 0 && m.offsets[0] == 0 && (uint64_t)m.offsets[mml_cohort_size(c)] == m.n_tokens);
    for (size_t k = 0; k < m.width; k++)
        MMLT_PROMISE(mmli_bad_id(m.features[k]) == NULL && (m.category_of == NULL || m.category_of[k][0] == '\0' ||
                                                            mmli_is_category_of(m.features[k], m.category_of[k])));
    if (m.n_tokens > READ_MOST / 4 / (m.width + m.n_axes))
        return;
    for (size_t k = 0; k < n; k++)
        samples[k] = n - 1 - k;
    MMLT_PROMISE(mml_batch_new(&b, 0) == MML_OK);
    if (mml_cohort_read(c, b, samples, n, &m.name, 1) == MML_OK) {
        MMLT_PROMISE(mml_batch_get(&t, b, m.name) == MML_OK && t.width == m.width && t.n_axes == m.n_axes);
        for (int64_t k = 0; k < t.offsets[n] * (int64_t)t.width; k++)
            MMLT_PROMISE(t.values[k] == t.values[k] || isnan(t.values[k])); /* every one can be looked at */
    }
    mml_batch_free(b);
}

static void use(mml_cohort *c)
{
    const size_t n = mml_cohort_size(c);
    char *json = NULL;
    mml_part *part = malloc(n * sizeof *part + 1);
    uint64_t hash;
    mml_task_info t;

    MMLT_PROMISE(part != NULL);
    for (size_t i = 0; i < mml_cohort_n_tasks(c); i++) {
        MMLT_PROMISE(mml_cohort_task_at(&t, c, i) == MML_OK);
        for (size_t k = 0; k < n; k++)
            MMLT_PROMISE(isnan(t.value[k]) || t.n_classes == 0 || (t.value[k] >= 0 && t.value[k] < (double)t.n_classes));
        (void)!mml_split(part, c, t.name, NULL);
    }
    MMLT_PROMISE(mmli_cohort_hash(&hash, c) == MML_OK);
    for (int kept = 0; kept < 2; kept++) {
        mml_cohort_set_memory(c, kept ? (size_t)READ_MOST : 0);
        for (size_t i = 0; i < mml_cohort_n_modalities(c); i++)
            read_modality(c, i);
    }
    if (mml_cohort_describe(&json, c) == MML_OK)
        MMLT_PROMISE(json[0] == '{');
    mml_string_free(json);
    free(part);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    mml_cohort *c = NULL;
    const mml_status st = mml_cohort_open(&c, path);

    MMLT_PROMISE((st == MML_OK) == (c != NULL));
    MMLT_PROMISE(st == MML_OK || strstr(mml_last_error(), path) != NULL || st == MML_E_NOMEM);
    if (c != NULL)
        use(c);
    mml_cohort_close(c);
    unlink(path);
    return 0;
}
