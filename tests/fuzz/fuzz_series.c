/* Fuzz target: time series as text. A record of PhysioNet 2012, one of the MIMIC-III benchmark, and a table of one measurement a
 * row, which is imported. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/mimic3.h"
#include "import/physionet.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

const char mmlt_fuzz_name[] = "series";

static int is_of_the_file(mml_status st)
{
    return st == MML_OK || st == MML_E_FORMAT || st == MML_E_DATA || st == MML_E_NOT_FOUND || st == MML_E_IO;
}

static void read_physionet(char *path)
{
    static char id[] = "132539";
    static float statics[MMLI_P12_STATICS], cells[MMLI_P12_HOURS * MMLI_P12_CHANNELS];
    const mmli_p12_stay stay = {.id = id, .file = path};
    mmli_p12_counts counts = {0};
    mmli_bins bins = {0};
    mml_status st;

    MMLT_PROMISE(mmli_bins_make(&bins, MMLI_P12_HOURS, MMLI_P12_CHANNELS) == MML_OK);
    st = mmli_p12_read(statics, &bins, &counts, &stay);
    MMLT_PROMISE(is_of_the_file(st) && (st == MML_OK || strstr(mml_last_error(), path) != NULL));
    if (st == MML_OK) {
        mmli_p12_values(cells, &bins);
        for (size_t i = 0; i < MMLI_P12_HOURS * MMLI_P12_CHANNELS; i++)
            MMLT_PROMISE(!isinf(cells[i]));
        for (size_t i = 0; i < MMLI_P12_STATICS; i++)
            MMLT_PROMISE(!isinf(statics[i]));
    }
    mmli_bins_free(&bins);
}

static void read_mimic(char *path)
{
    static char id[] = "7_episode1", subject[] = "7";
    enum { STEPS = 48 };
    const mmli_m3_sample sample = {.id = id, .subject = subject, .file = path, .until = INFINITY, .set = ""};
    mmli_bins bins = {0};
    mml_status st;

    MMLT_PROMISE(mmli_bins_make(&bins, STEPS, MMLI_M3_CHANNELS) == MML_OK);
    st = mmli_m3_read(&bins, 1.0, &sample);
    MMLT_PROMISE(is_of_the_file(st) && (st == MML_OK || strstr(mml_last_error(), path) != NULL));
    for (size_t t = 0; t < STEPS && st == MML_OK; t++)
        for (size_t c = 0; c < MMLI_M3_CHANNELS; c++) {
            const double x = mmli_bins_get(&bins, t, c, MMLI_LAST);

            MMLT_PROMISE(!isinf(x));
            /* a category is a place in its list */
            MMLT_PROMISE(mmli_m3_channels[c].n == 0 || isnan(x) || (x >= 0 && x < (double)mmli_m3_channels[c].n));
        }
    mmli_bins_free(&bins);
}

static void import_long(const char *path)
{
    char ini[320], out[320];
    char *report = NULL;
    FILE *f;
    mml_status st;

    snprintf(ini, sizeof ini, "%s.ini", path);
    snprintf(out, sizeof out, "%s.h5", path);
    f = fopen(ini, "w");
    if (f == NULL || fprintf(f, "[cohort]\nid = id\n[modality m]\nkind = series\nformat = long\nfile = %s\ntime = t\n"
                             "variable = what\nvalue = x\nbin = 1\nbins = 4\naggregate = mean\n", path) < 0 || fclose(f) != 0) {
        perror(ini);
        abort();
    }
    st = mml_import(ini, out, &report, NULL, NULL);
    MMLT_PROMISE(is_of_the_file(st) && (st == MML_OK || mml_last_error()[0] != '\0'));
    MMLT_PROMISE((st == MML_OK) == (access(out, F_OK) == 0)); /* the cohort appears whole or not at all */
    mml_string_free(report);
    unlink(out);
    unlink(ini);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[300];

    snprintf(path, sizeof path, "%s", fuzz_file(bytes, n));
    read_physionet(path);
    read_mimic(path);
    import_long(path);
    unlink(path);
    return 0;
}
