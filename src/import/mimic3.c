/* mimic3.c - see mimic3.h: channels and the time series of a stay. */
#include "import/mimic3.h"

#include <math.h>
#include <string.h>

#include "formats/csv_file.h"
#include "util/alloc.h"
#include "util/error.h"
#include "util/text.h"

/* The words of the files (the benchmark's discretizer_config.json), in the order of its one-hot columns. */
static const char *const refill[] = {"0.0", "1.0"};
static const char *const eye[] = {"To Pain", "3 To speech", "1 No Response", "4 Spontaneously",
                                  "None",    "To Speech",   "Spontaneously", "2 To pain"};
static const char *const motor[] = {"1 No Response",  "3 Abnorm flexion", "Abnormal extension", "No response",
                                    "4 Flex-withdraws", "Localizes Pain", "Flex-withdraws",     "Obeys Commands",
                                    "Abnormal Flexion", "6 Obeys Commands", "5 Localizes Pain", "2 Abnorm extensn"};
static const char *const total[] = {"11", "10", "13", "12", "15", "14", "3", "5", "4", "7", "6", "9", "8"};
static const char *const verbal[] = {"1 No Response",  "No Response", "Confused",   "Inappropriate Words",
                                     "Oriented",       "No Response-ETT", "5 Oriented", "Incomprehensible sounds",
                                     "1.0 ET/Trach",   "4 Confused",  "2 Incomp sounds", "3 Inapprop words"};

#define WORDS(list) list, sizeof(list) / sizeof(list)[0]

const mmli_m3_channel mmli_m3_channels[MMLI_M3_CHANNELS] = {
    {"Capillary refill rate", WORDS(refill)},
    {"Diastolic blood pressure", NULL, 0},
    {"Fraction inspired oxygen", NULL, 0},
    {"Glascow coma scale eye opening", WORDS(eye)},
    {"Glascow coma scale motor response", WORDS(motor)},
    {"Glascow coma scale total", WORDS(total)},
    {"Glascow coma scale verbal response", WORDS(verbal)},
    {"Glucose", NULL, 0},
    {"Heart Rate", NULL, 0},
    {"Height", NULL, 0},
    {"Mean blood pressure", NULL, 0},
    {"Oxygen saturation", NULL, 0},
    {"Respiratory rate", NULL, 0},
    {"Systolic blood pressure", NULL, 0},
    {"Temperature", NULL, 0},
    {"Weight", NULL, 0},
    {"pH", NULL, 0},
};

static const double edge = 1e-6; /* hours: a value at the end of a bin belongs to it, as in the benchmark */

typedef struct reading {
    mmli_bins *bins;
    double width;
    const mmli_m3_sample *sample;
    size_t hours, at[MMLI_M3_CHANNELS]; /* columns; SIZE_MAX: the file has none */
    double order;                       /* of rows: the last value of a bin is that of the last row */
} reading;

static mml_status on_header(void *user, const mmli_cell *names, size_t n)
{
    mml_status st = MML_OK;
    reading *r = user;

    r->hours = SIZE_MAX;
    for (size_t c = 0; c < MMLI_M3_CHANNELS; c++)
        r->at[c] = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        size_t c = 0;

        if (strcmp(names[i].text, "Hours") == 0) {
            r->hours = i;
            continue;
        }
        while (c < MMLI_M3_CHANNELS && strcmp(mmli_m3_channels[c].name, names[i].text) != 0)
            c++;
        MML_CHECK(c < MMLI_M3_CHANNELS, MML_E_FORMAT, "%s: row 1: %.80s is no channel of the MIMIC-III benchmark", r->sample->file,
                  names[i].text);
        r->at[c] = i;
    }
    MML_CHECK(r->hours != SIZE_MAX, MML_E_FORMAT, "%s: row 1: there is no column Hours", r->sample->file);
out:
    return st;
}

/* A category by its word, or a number by its value: 15 and 15.0 are one. */
static size_t category_of(const mmli_m3_channel *channel, const mmli_cell *cell)
{
    double x, y;
    const bool number = mmli_parse_double(&x, cell->text, cell->n);

    for (size_t k = 0; k < channel->n; k++)
        if (strcmp(channel->categories[k], cell->text) == 0 ||
            (number && mmli_parse_double(&y, channel->categories[k], strlen(channel->categories[k])) && x == y))
            return k;
    return SIZE_MAX;
}

static mml_status take(reading *r, size_t row, size_t step, size_t c, const mmli_cell *cell)
{
    mml_status st = MML_OK;
    const mmli_m3_channel *channel = &mmli_m3_channels[c];
    double x;

    if (channel->n > 0 && cell->n > 0) {
        const size_t k = category_of(channel, cell); /* "None" is one */

        MML_CHECK(k != SIZE_MAX, MML_E_DATA, "%s: row %zu, column %s: \"%.80s\" is no category of the MIMIC-III benchmark",
                  r->sample->file, row, channel->name, cell->text);
        mmli_bins_add(r->bins, step, c, r->order, (double)k);
        goto out;
    }
    if (mmli_is_missing(cell->text, cell->n))
        goto out;
    MML_CHECK(mmli_parse_double(&x, cell->text, cell->n) && fabs(x) <= 3.4e38, MML_E_DATA,
              "%s: row %zu, column %s: \"%.80s\" is not a number", r->sample->file, row, channel->name, cell->text);
    mmli_bins_add(r->bins, step, c, r->order, x);
out:
    return st;
}

static mml_status on_row(void *user, size_t row, const mmli_cell *cells, size_t n)
{
    mml_status st = MML_OK;
    reading *r = user;
    const mmli_cell *hours = &cells[r->hours];
    double t, step;

    (void)n;
    MML_CHECK(mmli_parse_double(&t, hours->text, hours->n) && t > -edge, MML_E_DATA,
              "%s: row %zu, column Hours: \"%.80s\" is no time after the admission", r->sample->file, row, hours->text);
    step = trunc(t / r->width - edge); /* -1e-6 becomes 0 */
    if (t > r->sample->until + edge || !(step < (double)r->bins->steps))
        goto out;
    r->order++;
    for (size_t c = 0; c < MMLI_M3_CHANNELS; c++)
        if (r->at[c] != SIZE_MAX)
            MML_TRY(take(r, row, (size_t)step, c, &cells[r->at[c]]));
out:
    return st;
}

mml_status mmli_m3_read(mmli_bins *bins, double width, const mmli_m3_sample *sample)
{
    static const mmli_csv_handler handler = {on_header, on_row};
    reading r = {.bins = bins, .width = width, .sample = sample};

    mmli_bins_clear(bins);
    return mmli_csv_file_read(sample->file, &handler, &r);
}
