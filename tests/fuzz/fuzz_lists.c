/* Fuzz target: lists of ids as parts of a division, and lists of genes as signatures. */
#include <string.h>

#include "import/folds.h"
#include "import/signatures.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "lists";

enum { N = 3, SLIDES = 4, COLUMNS = 4 };

static int is_of_the_file(mml_status st)
{
    return st == MML_OK || st == MML_E_FORMAT || st == MML_E_DATA || st == MML_E_NOT_FOUND || st == MML_E_IO;
}

static void divide(const char *path)
{
    static char a[] = "a", b[] = "b", c[] = "c", s1[] = "s1.svs", s2[] = "s2", s3[] = "s3.svs", s4[] = "s4";
    static char *ids[N] = {a, b, c}, *slides[SLIDES] = {s1, s2, s3, s4};
    static size_t at[SLIDES] = {0, 1, 1, 2};
    const mmli_table labels = {.other = slides, .other_at = at, .n_other = SLIDES};
    mmli_index index = {0};
    mmli_folds f;
    size_t first, second;
    mml_status st;
    bool is;

    MMLT_PROMISE(mmli_index_make(&index, (const char *const *)ids, N, &first, &second) == MML_OK);
    MMLT_PROMISE(is_of_the_file(mmli_is_folds(&is, path)));
    st = mmli_folds_read(&f, path, &index, ids, N, &labels);
    MMLT_PROMISE(is_of_the_file(st) && (st == MML_OK || strstr(mml_last_error(), path) != NULL));
    MMLT_PROMISE(st != MML_OK || f.count[0] + f.count[1] + f.count[2] + f.count[3] == N);
    mmli_folds_free(&f);
    mmli_index_free(&index);
}

static void sign(const char *path)
{
    static const char *const columns[COLUMNS] = {"B_mut", "A_rnaseq", "A_mut", "C"};
    mmli_signatures s;
    mmli_buf notes = {0};
    const mml_status st = mmli_signatures_read(&s, &notes, path, columns, COLUMNS);

    MMLT_PROMISE(is_of_the_file(st) && (st == MML_OK || strstr(mml_last_error(), path) != NULL));
    MMLT_PROMISE(st != MML_OK || (s.n > 0 && s.width > 0 && s.width <= COLUMNS));
    for (size_t k = 0; k < s.width; k++)
        MMLT_PROMISE(s.columns[k] < COLUMNS && (k == 0 || strcmp(columns[s.columns[k - 1]], columns[s.columns[k]]) < 0));
    mmli_signatures_free(&s);
    mmli_buf_free(&notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);

    divide(path);
    sign(path);
    unlink(path);
    return 0;
}
