/* Fuzz target: an array of NumPy, or an archive of them. */
#include <string.h>

#include "formats/npy.h"
#include "import/import.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"
#include "util/alloc.h"

const char mmlt_fuzz_name[] = "npy";

static void read_field(mmli_npy *a, size_t field)
{
    const size_t rows = mmli_npy_n_rows(a), some = rows < 3 ? rows : 3;
    double *doubles = calloc(some * a->row_values + 1, sizeof *doubles);
    float *floats = calloc(some * a->row_values + 1, sizeof *floats);
    char **texts = calloc(some * a->row_values + 1, sizeof *texts), type[64];
    mml_status st = mmli_npy_doubles(doubles, a, field, rows - some, some);

    MMLT_PROMISE(doubles != NULL && floats != NULL && texts != NULL);
    MMLT_PROMISE(strlen(mmli_npy_type_name(type, &a->fields[field])) < sizeof type);
    MMLT_PROMISE(st == MML_OK || st == MML_E_FORMAT);
    MMLT_PROMISE(mmli_npy_floats(floats, a, field, 0, some) == st);
    st = mmli_npy_texts(texts, a, field, rows - some, some);
    MMLT_PROMISE(st == MML_OK || st == MML_E_FORMAT || st == MML_E_DATA);
    for (size_t i = 0; i < some * a->row_values; i++) {
        MMLT_PROMISE((texts[i] != NULL) == (st == MML_OK));
        mmli_free(texts[i]);
    }
    free(doubles);
    free(floats);
    free(texts);
}

static void read_array(mmli_npy *a)
{
    /* Elements are bounded by the file, but for rows of an array without any. */
    for (size_t i = 0; i < a->n_fields && i < 4 && mmli_npy_n_rows(a) > 0; i++)
        read_field(a, i);
    mmli_npy_close(a);
}

/* As inspect and import see it. */
static void look(const char *path)
{
    const mmli_sheet sheet = {.path = path};
    mmli_table table;
    char *text;

    if (mml_file_describe(&text, path, "npy") == MML_OK)
        mml_string_free(text);
    if (mml_suggest_cohort(&text, &path, 1, "npy") == MML_OK)
        mml_string_free(text);
    if (mmli_table_read(&table, &sheet, "@row", NULL, 0) == MML_OK) {
        for (size_t k = 0; k < table.n_columns; k++)
            for (size_t i = 0; i < table.n; i++)
                MMLT_PROMISE(table.texts[k][i] != NULL);
        mmli_table_free(&table);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    mmli_zip *zip;
    mmli_npy *a;
    mml_status st = mmli_npy_open(&a, path);

    MMLT_PROMISE(st == MML_OK || (st == MML_E_FORMAT && a == NULL && strstr(mml_last_error(), path) != NULL));
    if (st == MML_OK)
        read_array(a);
    if (mmli_zip_is(path) && mmli_zip_open(&zip, path) == MML_OK) {
        size_t at;

        (void)!mmli_npz_find(&at, zip, NULL);
        for (size_t i = 0; i < mmli_zip_n(zip) && i < 8; i++)
            if (mmli_zip_member(zip, i)->size < 1 << 20 && mmli_npz_member(&a, zip, i) == MML_OK)
                read_array(a);
        mmli_zip_close(zip);
    }
    look(path);
    unlink(path);
    return 0;
}
