/* Fuzz target: CSV, plain and gzip, as a stream and as a table of texts. */
#include <string.h>

#include "io/csv.h"
#include "import/import.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "csv";

static size_t width, last_row;

static mml_status on_header(void *user, const mmli_cell *names, size_t n)
{
    (void)user;
    MMLT_PROMISE(n > 0);
    for (size_t i = 0; i < n; i++)
        MMLT_PROMISE(strlen(names[i].text) == names[i].n);
    width = n;
    last_row = 1;
    return MML_OK;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    (void)user;
    MMLT_PROMISE(n == width && row >= last_row);
    for (size_t i = 0; i < n; i++)
        MMLT_PROMISE(strlen(cells[i].text) == cells[i].n);
    last_row = row;
    return MML_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    const char *path = fuzz_file(bytes, n);
    mmli_table table;
    mml_status st = mmli_csv_read(path, &handler, NULL);

    MMLT_PROMISE(st == MML_OK || st == MML_E_FORMAT);
    MMLT_PROMISE(st == MML_OK || strstr(mml_last_error(), path) != NULL);
    table = (mmli_table){.path = path};
    st = mmli_csv_texts(&table, &(mmli_sheet){.path = path}, "id", NULL, 0);
    MMLT_PROMISE(st == MML_OK || st == MML_E_FORMAT || st == MML_E_DATA || st == MML_E_NOT_FOUND);
    if (st == MML_OK) {
        MMLT_PROMISE(table.n > 0);
        for (size_t i = 0; i < table.n; i++) {
            MMLT_PROMISE(mmli_bad_id(table.ids[i]) == NULL);
            for (size_t k = 0; k < table.n_columns; k++)
                MMLT_PROMISE(table.texts[k][i] != NULL);
        }
    }
    mmli_table_free(&table);
    unlink(path);
    return 0;
}
