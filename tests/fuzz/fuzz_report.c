/* Fuzz target: a comparison as a page; what becomes one has no markup of the file's in it and is the same again. */
#include <stdlib.h>
#include <string.h>

#include "mmlego/report.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "report";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    char *html, *again;
    const mml_status st = mml_report_html(&html, &path, 1);

    MMLT_PROMISE((st == MML_OK) == (html != NULL));
    MMLT_PROMISE(st == MML_OK || st == MML_E_FORMAT);
    if (st == MML_OK) {
        MMLT_PROMISE(strstr(html, "<script") == NULL);
        MMLT_PROMISE(mml_report_html(&again, &path, 1) == MML_OK && strcmp(html, again) == 0);
        mml_string_free(again);
    }
    mml_string_free(html);
    unlink(path);
    return 0;
}
