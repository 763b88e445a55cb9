/* Fuzz target: a file of which nothing is known, recognised, described, and imported as import suggests. */
#include <string.h>

#include "mmlego/data.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "look";

static int is_of_the_file(mml_status st)
{
    return st == MML_OK || st == MML_E_FORMAT || st == MML_E_DATA || st == MML_E_SHAPE || st == MML_E_NOT_FOUND || st == MML_E_IO;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    char *text = NULL;
    mml_import_options o;
    mml_status st = mml_file_describe(&text, path, NULL);

    MMLT_PROMISE(is_of_the_file(st) && (text != NULL) == (st == MML_OK));
    MMLT_PROMISE(st == MML_OK || strstr(mml_last_error(), path) != NULL);
    mml_string_free(text);
    text = NULL;
    st = mml_suggest_cohort(&text, &path, 1, NULL);
    MMLT_PROMISE(is_of_the_file(st) && (text != NULL) == (st == MML_OK));
    mml_string_free(text);
    text = NULL;
    mml_import_options_init(&o);
    o.dry_run = 1;
    st = mml_import_with(path, NULL, &o, &text);
    MMLT_PROMISE(is_of_the_file(st));
    MMLT_PROMISE(st != MML_OK || text != NULL);
    mml_string_free(text);
    unlink(path);
    return 0;
}
