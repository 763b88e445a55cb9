/* Fuzz target: the record of a job, as collecting reads it: a difference of it to itself is 0 or undefined, curves are finite. */
#include <math.h>

#include "compare/collect.h"
#include "compare/record.h"
#include "compare/study.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "record";

static void to_itself(const json_t *record)
{
    static const mml_metric metrics[] = {MML_METRIC_AUC, MML_METRIC_MACRO_AUC, MML_METRIC_CINDEX, MML_METRIC_R2};

    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        mml_interval d;

        if (mmli_difference(&d, metrics[i], &record, &record, 1) != MML_OK)
            continue;
        MMLT_PROMISE(d.value >= 0 && d.value <= 0);
        MMLT_PROMISE(isnan(d.low) || (d.low >= 0 && d.high <= 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    json_t *record = NULL, *studies = NULL;
    char *table = NULL;
    const mml_status st = mmli_record_load(&record, path);

    MMLT_PROMISE((st == MML_OK) == (record != NULL));
    if (st == MML_OK) {
        to_itself(record);
        MMLT_PROMISE(mmli_studies_collect(&studies, (const json_t *const *)&record, 1) == MML_OK);
        for (size_t i = 0; i < json_array_size(studies); i++) {
            MMLT_PROMISE(mmli_study_table(&table, json_array_get(studies, i)) == MML_OK);
            mml_string_free(table);
        }
    }
    json_decref(studies);
    json_decref(record);
    unlink(path);
    return 0;
}
