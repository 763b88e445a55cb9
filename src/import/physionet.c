/* physionet.c - see physionet.h: folders and records. */
#include "import/physionet.h"

#include <math.h>
#include <string.h>

#include "formats/csv_file.h"
#include "import/folder_list.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

const char *const mmli_p12_channels[MMLI_P12_CHANNELS] = {
    "Albumin", "ALP",      "ALT",  "AST",    "Bilirubin", "BUN",       "Cholesterol", "Creatinine", "DiasABP", "FiO2",
    "GCS",     "Glucose",  "HCO3", "HCT",    "HR",        "K",         "Lactate",     "Mg",         "MAP",     "MechVent",
    "Na",      "NIDiasABP", "NIMAP", "NISysABP", "PaCO2", "PaO2",      "pH",          "Platelets",  "RespRate", "SaO2",
    "SysABP",  "Temp",     "TroponinI", "TroponinT", "Urine", "WBC",   "Weight",
};

/* Values outside are errors of entry (a line flushed, a sensor off, -1 for missing); the limits are wide: what a living
 * patient can have stays. */
static const struct limits {
    double least, most;
} limits[MMLI_P12_CHANNELS] = {
    {0.5, 10}, {1, 10000}, {1, 50000}, {1, 50000}, {0, 100}, /* Albumin, ALP, ALT, AST, Bilirubin */
    {0, 300}, {10, 1000}, {0.05, 50}, {5, 250}, {0.2, 1}, /* BUN, Cholesterol, Creatinine, DiasABP, FiO2 */
    {3, 15}, {5, 2000}, {1, 80}, {5, 75}, {5, 300}, /* GCS, Glucose, HCO3, HCT, HR */
    {1, 25}, {0, 40}, {0.1, 20}, {5, 300}, {0, 1}, /* K, Lactate, Mg, MAP, MechVent */
    {80, 200}, {5, 250}, {5, 300}, {10, 300}, {5, 200}, /* Na, NIDiasABP, NIMAP, NISysABP, PaCO2 */
    {10, 700}, {6.5, 8}, {1, 3000}, {1, 100}, {20, 100}, /* PaO2, pH, Platelets, RespRate, SaO2 */
    {10, 300}, {25, 45}, {0, 100}, {0, 50}, {0, 12000}, /* SysABP, Temp, TroponinI, TroponinT, Urine */
    {0, 600}, {20, 300}, /* WBC, Weight */
};

const char *const mmli_p12_statics[MMLI_P12_STATICS] = {
    "age_years", "gender_male", "height_cm", "weight_kg", "icu_coronary", "icu_cardiac_surgery_recovery", "icu_medical", "icu_surgical",
};

enum { AGE, GENDER, HEIGHT, WEIGHT, ICU, N_ICU = 4 };

/* ---- folders ------------------------------------------------------------------------------------------------------------ */

void mmli_p12_folder_free(mmli_p12_folder *f)
{
    for (size_t i = 0; i < f->n; i++) {
        mmli_free(f->stays[i].id);
        mmli_free(f->stays[i].file);
    }
    mmli_free(f->stays);
    for (size_t i = 0; i < f->n_outcomes; i++)
        mmli_free(f->outcomes[i]);
    mmli_free(f->outcomes);
    *f = (mmli_p12_folder){0};
}

/* "132539.txt" */
static bool is_record(const char *name)
{
    const size_t digits = strspn(name, "0123456789");

    return digits > 0 && strcmp(name + digits, ".txt") == 0;
}

static mml_status add_stays(mmli_p12_folder *f, const char *path)
{
    mml_status st = MML_OK;
    mmli_folder_list list;

    MML_TRY(mmli_folder_list_read(&list, path, false));
    for (size_t i = 0; i < list.n; i++) {
        mmli_p12_stay *s;

        if (!is_record(list.names[i]))
            continue;
        MML_TRY(mmli_grow(&f->stays, &f->cap, f->n + 1, sizeof *f->stays));
        s = &f->stays[f->n];
        *s = (mmli_p12_stay){0};
        f->n++; /* freed from now on */
        MML_TRY(mmli_strf(&s->file, "%s/%s", path, list.names[i]));
        MML_TRY(mmli_strdup(&s->id, list.names[i]));
        s->id[strlen(s->id) - 4] = '\0';
    }
out:
    mmli_folder_list_free(&list);
    return st;
}

static mml_status add_outcomes(mmli_p12_folder *f, const char *path)
{
    mml_status st = MML_OK;
    char *name = NULL;

    for (char set = 'a'; set <= 'c'; set++) {
        mmli_free(name);
        name = NULL;
        MML_TRY(mmli_strf(&name, "%s/Outcomes-%c.txt", path, set));
        if (!mmli_file_is(name))
            continue;
        MML_TRY(mmli_grow(&f->outcomes, &f->cap_outcomes, f->n_outcomes + 1, sizeof *f->outcomes));
        f->outcomes[f->n_outcomes++] = name;
        name = NULL;
    }
out:
    mmli_free(name);
    return st;
}

mml_status mmli_p12_folder_read(mmli_p12_folder *f, const char *path)
{
    mml_status st = MML_OK;
    char *below = NULL;

    *f = (mmli_p12_folder){0};
    for (char set = 'a'; set <= 'c'; set++) {
        mmli_free(below);
        below = NULL;
        MML_TRY(mmli_strf(&below, "%s/set-%c", path, set));
        if (mmli_folder_is(below))
            MML_TRY(add_stays(f, below));
    }
    if (f->n == 0)
        MML_TRY(add_stays(f, path));
    MML_TRY(add_outcomes(f, path));
    if (f->n_outcomes == 0) {
        mmli_free(below);
        below = NULL;
        MML_TRY(mmli_strf(&below, "%s/..", path));
        MML_TRY(add_outcomes(f, below));
    }
out:
    mmli_free(below);
    if (st != MML_OK)
        mmli_p12_folder_free(f);
    return st;
}

/* ---- records ------------------------------------------------------------------------------------------------------------- */

typedef struct reading {
    float *statics;
    mmli_bins *bins;
    mmli_p12_counts *counts;
    const mmli_p12_stay *stay;
    bool weighed; /* the first Weight at 00:00 is the descriptor */
} reading;

static mml_status on_header(void *user, const mmli_cell *names, size_t n)
{
    const reading *r = user;

    if (n == 3 && strcmp(names[0].text, "Time") == 0 && strcmp(names[1].text, "Parameter") == 0 && strcmp(names[2].text, "Value") == 0)
        return MML_OK;
    return mmli_fail(MML_E_FORMAT, "%s: row 1: the header Time,Parameter,Value is needed", r->stay->file);
}

/* A descriptor; *is = false: it is none. */
static mml_status take_static(bool *is, float *statics, const reading *r, size_t row, const char *name, double x)
{
    *is = true;
    if (strcmp(name, "RecordID") == 0)
        return MML_OK;
    if (strcmp(name, "Age") == 0) {
        statics[AGE] = x >= 0 && x <= 130 ? (float)x : NAN; /* years */
    } else if (strcmp(name, "Gender") == 0) {
        statics[GENDER] = x == 0 || x == 1 ? (float)x : NAN;
        if (x != 0 && x != 1 && x != -1)
            return mmli_fail(MML_E_DATA, "%s: row %zu, Gender: 0, 1 or -1 (missing) is needed", r->stay->file, row);
    } else if (strcmp(name, "Height") == 0) {
        statics[HEIGHT] = x >= 100 && x <= 230 ? (float)x : NAN; /* cm; others are errors of entry */
    } else if (strcmp(name, "ICUType") == 0) {
        if (x != 1 && x != 2 && x != 3 && x != 4 && x != -1)
            return mmli_fail(MML_E_DATA, "%s: row %zu, ICUType: 1, 2, 3, 4 or -1 (missing) is needed", r->stay->file, row);
        for (int k = 0; k < N_ICU; k++)
            statics[ICU + k] = x < 0 ? NAN : x == k + 1 ? 1.0f : 0.0f;
    } else {
        *is = false;
    }
    return MML_OK;
}

static size_t channel_of(const char *name)
{
    size_t c = 0;

    while (c < MMLI_P12_CHANNELS && strcmp(mmli_p12_channels[c], name) != 0)
        c++;
    return c;
}

static bool is_plausible(size_t channel, double x)
{
    return x >= limits[channel].least && x <= limits[channel].most;
}

static void take_measurement(reading *r, const char *name, double seconds, double x)
{
    const size_t c = channel_of(name);
    const double hour = floor(seconds / 3600);

    if (c == MMLI_P12_CHANNELS) {
        r->counts->unknown++;
        return;
    }
    if (seconds == 0 && strcmp(name, "Weight") == 0 && !r->weighed) { /* a descriptor, and the first of the series */
        r->weighed = true;
        if (r->statics != NULL && is_plausible(c, x))
            r->statics[WEIGHT] = (float)x;
    }
    if (!is_plausible(c, x)) {
        r->counts->implausible += x != -1; /* -1 says missing */
        return;
    }
    r->counts->late += hour >= MMLI_P12_HOURS;
    if (r->bins != NULL)
        mmli_bins_add(r->bins, hour >= MMLI_P12_HOURS ? MMLI_P12_HOURS - 1 : (size_t)hour, c, seconds, x);
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    reading *r = user;
    const char *name = cells[1].text;
    float own[MMLI_P12_STATICS];
    double seconds, x;
    bool is;

    (void)n;
    MML_CHECK(mmli_parse_clock(&seconds, cells[0].text, cells[0].n), MML_E_DATA,
              "%s: row %zu, Time: \"%.80s\" is no time HH:MM", r->stay->file, row, cells[0].text);
    if (strcmp(name, "RecordID") == 0)
        MML_CHECK(strcmp(cells[2].text, r->stay->id) == 0, MML_E_DATA,
                  "%s: row %zu: RecordID is %.80s, the name of the file says %s", r->stay->file, row, cells[2].text, r->stay->id);
    if (mmli_is_missing(cells[2].text, cells[2].n))
        goto out;
    MML_CHECK(mmli_parse_double(&x, cells[2].text, cells[2].n) && isfinite(x), MML_E_DATA,
              "%s: row %zu, Value: \"%.80s\" is not a number", r->stay->file, row, cells[2].text);
    MML_TRY(take_static(&is, r->statics != NULL ? r->statics : own, r, row, name, x));
    if (!is)
        take_measurement(r, name, seconds, x);
out:
    return st;
}

mml_status mmli_p12_read(float *statics, mmli_bins *bins, mmli_p12_counts *counts, const mmli_p12_stay *stay)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    reading r = {statics, bins, counts, stay, false};

    for (size_t k = 0; statics != NULL && k < MMLI_P12_STATICS; k++)
        statics[k] = NAN;
    if (bins != NULL)
        mmli_bins_clear(bins);
    return mmli_csv_file_read(stay->file, &handler, &r);
}

void mmli_p12_values(float *out, const mmli_bins *bins)
{
    for (size_t t = 0; t < bins->steps; t++)
        for (size_t c = 0; c < bins->channels; c++) {
            const char *name = mmli_p12_channels[c];

            *out++ = (float)mmli_bins_get(bins, t, c, strcmp(name, "Urine") == 0      ? MMLI_SUM
                                                      : strcmp(name, "MechVent") == 0 ? MMLI_MAX
                                                                                      : MMLI_MEAN);
        }
}
