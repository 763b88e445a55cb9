/* Import of real data sets, with the numbers of their READMEs: the bundled ones, and those of ../shared/data where that
 * folder is there (MMLEGO_SHARED names another ../shared). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/import_help.h"
#include "util/alloc.h"

/* Imports data/cohorts/NAME.ini of the source tree, with another folder of data when one is given. */
static mml_cohort *import_set(const char *name, const char *folder)
{
    const char *source = getenv("MMLT_SRCDIR");
    char path[600], *text, *line, *end;
    char *ini, *real;
    size_t n;
    mml_cohort *c;

    snprintf(path, sizeof path, "%s/data/cohorts/%s.ini", source == NULL ? "." : source, name);
    text = mmlt_read(path, &n);
    line = strstr(text, "\nfolder = ");
    ck_assert_ptr_nonnull(line);
    line++;
    end = strchr(line, '\n');
    *end++ = '\0';
    *line = '\0';
    if (folder == NULL)
        snprintf(path, sizeof path, "%s/data/%s", source == NULL ? "." : source, name);
    else
        snprintf(path, sizeof path, "%s", folder);
    ck_assert_ptr_nonnull(real = realpath(path, NULL));
    mmlt_assert_ok(mmli_strf(&ini, "%sfolder = %s\n%s", text, real, end));
    free(real);
    mmlt_write("m.csv", "");
    c = mmlt_imported(ini);
    mmli_free(ini);
    free(text);
    return c;
}

static mml_modality_info modality(const mml_cohort *c, const char *name)
{
    mml_modality_info m;

    mmlt_assert_ok(mml_cohort_modality(&m, c, name));
    return m;
}

/* Share of NaN in feature j over the tokens of a modality. */
static double missing(mml_cohort *c, const char *name, size_t feature)
{
    const size_t n = mml_cohort_size(c);
    size_t *all, count = 0;
    mml_batch *b;
    mml_tokens t;
    double share;

    mmlt_assert_ok(mmli_calloc(&all, n, sizeof *all));
    for (size_t i = 0; i < n; i++)
        all[i] = i;
    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, all, n, &name, 1));
    mmlt_assert_ok(mml_batch_get(&t, b, name));
    for (int64_t i = 0; i < t.offsets[n]; i++)
        count += isnan(t.values[(size_t)i * t.width + feature]) ? 1u : 0u;
    share = (double)count / (double)t.offsets[n];
    mml_batch_free(b);
    mmli_free(all);
    return share;
}

static size_t count_label(const mml_cohort *c, const char *task, double value)
{
    mml_task_info t;
    size_t n = 0;

    mmlt_assert_ok(mml_cohort_task(&t, c, task));
    for (size_t i = 0; i < mml_cohort_size(c); i++)
        n += t.value[i] == value;
    return n;
}

START_TEST(tcga_acc_has_92_patients_and_seven_modalities)
{
    static const struct {
        const char *name;
        size_t present, width;
    } want[] = {{"clinical", 92, 9}, {"molecular", 90, 4}, {"cnv", 90, 198}, {"mutation", 90, 97},
                {"rna", 79, 198},    {"mirna", 80, 471},   {"rppa", 46, 33}};
    mml_cohort *c = import_set("tcga_acc", NULL);
    mml_task_info t;
    size_t events = 0;

    ck_assert_uint_eq(mml_cohort_size(c), 92);
    for (size_t i = 0; i < 7; i++) {
        const mml_modality_info m = modality(c, want[i].name);

        ck_assert_uint_eq(m.n_present, want[i].present);
        ck_assert_uint_eq(m.n_tokens, want[i].present);
        ck_assert_uint_eq(m.width, want[i].width);
    }
    mmlt_assert_ok(mml_cohort_task(&t, c, "overall_survival"));
    ck_assert_str_eq(t.unit, "months");
    ck_assert(t.value[0] == 44.517 && t.event[0] == 1); /* TCGA-OR-A5J1 */
    for (size_t i = 0; i < 92; i++)
        events += t.event[i];
    ck_assert_uint_eq(events, 34);
    mml_cohort_close(c);
}
END_TEST

START_TEST(the_bundled_physionet_has_2000_stays)
{
    mml_cohort *c = import_set("physionet2012", NULL);
    uint8_t *chosen;
    size_t b = 0;

    ck_assert_uint_eq(mml_cohort_size(c), 2000);
    ck_assert_uint_eq(modality(c, "static").n_present, 2000);
    ck_assert_uint_eq(modality(c, "series").width, 37);
    ck_assert_uint_eq(modality(c, "series").n_axes, 1);
    ck_assert_uint_eq(modality(c, "summary").width, 222);
    ck_assert_uint_eq(modality(c, "summary").n_tokens, modality(c, "series").n_present);
    mmlt_assert_ok(mmli_calloc(&chosen, 2000, 1));
    mmlt_assert_ok(mml_select(chosen, c, "challenge_set=b"));
    for (size_t i = 0; i < 2000; i++)
        b += chosen[i];
    ck_assert_uint_gt(b, 300);
    mmli_free(chosen);
    mml_cohort_close(c);
}
END_TEST

START_TEST(physionet_has_12000_stays_ten_of_them_without_a_measurement)
{
    char folder[600];
    mml_cohort *c;
    mml_modality_info m;
    mml_split_options o;
    mml_part *part;
    size_t n[4] = {0};
    double cells;

    snprintf(folder, sizeof folder, "%s/physionet2012", mmlt_shared());
    c = import_set("physionet2012", folder);
    ck_assert_uint_eq(mml_cohort_size(c), 12000);
    ck_assert_uint_eq(count_label(c, "in_hospital_death", 1), 1707); /* 14.2 % */
    m = modality(c, "static");
    ck_assert(m.n_present == 12000 && m.width == 8);
    ck_assert_str_eq(m.features[2], "height_cm");
    ck_assert_double_eq_tol(missing(c, "static", 2), 0.480, 6e-4);
    ck_assert_double_eq_tol(missing(c, "static", 3), 0.084, 6e-4); /* weight */
    ck_assert(missing(c, "static", 0) == 0); /* age */
    m = modality(c, "series");
    ck_assert(m.n_present == 11990 && m.width == 37);
    cells = 0;
    for (size_t j = 0; j < 37; j++)
        cells += 1.0 - missing(c, "series", j);
    /* 80.8 % of all (stay, hour, channel) cells are empty, those of hours without a token included */
    ck_assert_double_eq_tol(1.0 - cells * (double)m.n_tokens / (12000.0 * 48 * 37), 0.808, 5e-4);
    m = modality(c, "summary");
    ck_assert(m.n_present == 11990 && m.n_tokens == 11990);
    mml_split_options_init(&o);
    o.train = "challenge_set=a";
    o.test = "challenge_set=b";
    mmlt_assert_ok(mmli_calloc(&part, 12000, sizeof *part));
    mmlt_assert_ok(mml_split(part, c, "in_hospital_death", &o));
    for (size_t i = 0; i < 12000; i++)
        n[part[i]]++;
    ck_assert(n[MML_PART_TEST] == 4000 && n[MML_PART_NONE] == 4000 && n[MML_PART_TRAIN] == 3400 && n[MML_PART_VALID] == 600);
    mmli_free(part);
    mml_cohort_close(c);
}
END_TEST

START_TEST(eicu_has_145_stays_without_vitals_and_112_without_labs)
{
    char folder[600];
    mml_cohort *c;

    snprintf(folder, sizeof folder, "%s/eicu_demo", mmlt_shared());
    c = import_set("eicu_demo", folder);
    ck_assert_uint_eq(mml_cohort_size(c), 2520);
    ck_assert_uint_eq(modality(c, "static").n_present, 2520);
    ck_assert_uint_eq(modality(c, "vitals").n_present, 2520 - 145);
    ck_assert_uint_eq(modality(c, "labs").n_present, 2520 - 112);
    ck_assert(modality(c, "static").width == 13 && modality(c, "vitals").width == 28 && modality(c, "labs").width == 44);
    ck_assert_uint_eq(count_label(c, "prolonged_stay", 1), 549); /* 21.8 % */
    mml_cohort_close(c);
}
END_TEST

START_TEST(covid_has_279_images_of_154_patients)
{
    char folder[600];
    mml_cohort *c;
    mml_modality_info m;
    mml_part part[279];

    snprintf(folder, sizeof folder, "%s/covid_cxr", mmlt_shared());
    c = import_set("covid_cxr", folder);
    ck_assert_uint_eq(mml_cohort_size(c), 279);
    ck_assert(count_label(c, "covid19", 1) == 198 && count_label(c, "covid19", 0) == 81);
    ck_assert(count_label(c, "went_icu", 1) == 112 && count_label(c, "went_icu", 0) == 67);
    ck_assert(count_label(c, "survival", 1) == 101 && count_label(c, "survival", 0) == 17);
    m = modality(c, "image");
    ck_assert(m.width == 768 && m.n_tokens == 279 * 36 && m.n_axes == 2);
    ck_assert_double_eq_tol(missing(c, "static", 0), 0.37, 5e-3); /* age */
    mmlt_assert_ok(mml_split(part, c, "covid19", NULL));
    for (size_t i = 0; i < 279; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert(strcmp(mml_cohort_groups(c)[i], mml_cohort_groups(c)[j]) != 0 || part[i] == part[j]);
    mml_cohort_close(c);
}
END_TEST

START_TEST(wdbc_has_three_paired_views_without_a_missing_value)
{
    char folder[600];
    mml_cohort *c;

    snprintf(folder, sizeof folder, "%s/wdbc_three_views", mmlt_shared());
    c = import_set("wdbc_three_views", folder);
    ck_assert_uint_eq(mml_cohort_size(c), 569);
    ck_assert_uint_eq(count_label(c, "malignant", 1), 212);
    ck_assert_ptr_nonnull(strstr(mmlt_report(), "overlap: 569 samples have all 3 modalities"));
    ck_assert(missing(c, "worst", 9) == 0);
    mml_cohort_close(c);
}
END_TEST

START_TEST(the_miniacc_tables_are_those_that_are_bundled)
{
    char folder[600];
    mml_cohort *c;

    snprintf(folder, sizeof folder, "%s/tcga_acc_miniacc", mmlt_shared());
    c = import_set("tcga_acc", folder);
    ck_assert(mml_cohort_size(c) == 92 && modality(c, "rppa").n_present == 46 && modality(c, "mirna").width == 471);
    mml_cohort_close(c);
}
END_TEST

START_TEST(ham10000_has_479_melanomas_of_2875_lesions)
{
    static const struct {
        const char *name;
        size_t n;
    } classes[] = {{"akiec", 85}, {"bcc", 119}, {"bkl", 276}, {"df", 23}, {"mel", 479}, {"nv", 1862}, {"vasc", 31}};
    char folder[600];
    mml_cohort *c;
    mml_task_info t;

    snprintf(folder, sizeof folder, "%s/ham10000_melanoma_64", mmlt_shared());
    c = import_set("ham10000", folder);
    ck_assert(mml_cohort_size(c) == 2875 && count_label(c, "melanoma", 1) == 479);
    mmlt_assert_ok(mml_cohort_task(&t, c, "diagnosis"));
    ck_assert_uint_eq(t.n_classes, 7);
    for (size_t k = 0; k < 7; k++) {
        ck_assert_str_eq(t.classes[k], classes[k].name);
        ck_assert_uint_eq(count_label(c, "diagnosis", (double)k), classes[k].n);
    }
    ck_assert(modality(c, "static").width == 16 && modality(c, "shape").width == 10);
    ck_assert_double_eq_tol(missing(c, "static", 0), 0.007, 5e-4); /* age */
    ck_assert(modality(c, "image").n_present == 2875 && modality(c, "image").n_tokens == 2875 * 16 &&
              modality(c, "image").width == 16 * 16 * 3);
    mml_cohort_close(c);
    c = import_set("ham10000_tables", folder);
    ck_assert(mml_cohort_size(c) == 2875 && modality(c, "static").width == 16 && modality(c, "shape").width == 10);
    mml_cohort_close(c);
}
END_TEST

/* Value of a feature of the first sample that has the modality. */
static float first_value(mml_cohort *c, const char *name, size_t feature)
{
    const size_t zero = 0;
    mml_batch *b;
    mml_tokens t;
    float x;

    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, &zero, 1, &name, 1));
    mmlt_assert_ok(mml_batch_get(&t, b, name));
    x = t.values[feature];
    mml_batch_free(b);
    return x;
}

START_TEST(rosmap_is_read_without_header_and_ids)
{
    char folder[600];
    mml_cohort *c;
    mml_column_info file;
    size_t train = 0;

    snprintf(folder, sizeof folder, "%s/mogonet_rosmap", mmlt_shared());
    c = import_set("mogonet_rosmap", folder);
    ck_assert_uint_eq(mml_cohort_size(c), 245 + 106);
    ck_assert_uint_eq(count_label(c, "alzheimer", 1), 127 + 55);
    ck_assert_uint_eq(count_label(c, "alzheimer", 0), 118 + 51);
    mmlt_assert_ok(mml_cohort_column(&file, c, "@file"));
    for (size_t i = 0; i < 351; i++)
        train += strcmp(file.text[i], "labels_tr") == 0;
    ck_assert_uint_eq(train, 245);
    ck_assert_str_eq(modality(c, "mrna").features[0], "ENSG00000161896.6");
    ck_assert(modality(c, "methylation").width == 200 && modality(c, "mirna").n_present == 351);
    ck_assert(first_value(c, "mrna", 0) == 1.813813162555837355e-01f && first_value(c, "mrna", 1) == 1.253367340080431547e-01f);
    mml_cohort_close(c);
}
END_TEST

START_TEST(salmon_has_583_patients_in_columns_with_words_for_deaths)
{
    char folder[600];
    mml_cohort *c;
    mml_task_info t;
    size_t events = 0, zero = 0;

    snprintf(folder, sizeof folder, "%s/salmon_brca", mmlt_shared());
    c = import_set("salmon_brca", folder);
    ck_assert_uint_eq(mml_cohort_size(c), 583);
    ck_assert_str_eq(mml_cohort_ids(c)[0], "TCGA-A1-A0SB");
    mmlt_assert_ok(mml_cohort_task(&t, c, "overall_survival"));
    for (size_t i = 0; i < 583; i++) {
        events += t.event[i];
        zero += t.value[i] == 0;
    }
    ck_assert(events == 86 && zero == 2 && t.value[0] == 8.51 && t.event[0] == 0);
    ck_assert(modality(c, "mrna").width == 57 && modality(c, "mirna").width == 12 && modality(c, "tmb").width == 8);
    ck_assert_str_eq(modality(c, "mrna").features[0], "1");
    ck_assert(first_value(c, "mrna", 0) == -0.0296020155705392f);
    ck_assert(first_value(c, "cnv", 0) == (float)log1p((double)2231.821f));
    ck_assert_uint_eq(modality(c, "clinical").width, 5);
    ck_assert_str_eq(modality(c, "clinical").features[2], "ER_Status=Positive");
    ck_assert(first_value(c, "clinical", 0) == 70 && first_value(c, "clinical", 2) == 1 && first_value(c, "clinical", 4) == 0);
    mml_cohort_close(c);
}
END_TEST

static size_t feature(const mml_cohort *c, const char *name, const char *which)
{
    const mml_modality_info m = modality(c, name);

    for (size_t j = 0; j < m.width; j++)
        if (strcmp(m.features[j], which) == 0)
            return j;
    ck_abort_msg("no feature %s", which);
    return 0;
}

/* Deaths among the samples with this text in a column. */
static size_t deaths(const mml_cohort *c, const char *task, const char *column, const char *text)
{
    mml_column_info column_of;
    mml_task_info t;
    size_t n = 0;

    mmlt_assert_ok(mml_cohort_column(&column_of, c, column));
    mmlt_assert_ok(mml_cohort_task(&t, c, task));
    for (size_t i = 0; i < mml_cohort_size(c); i++)
        n += t.event[i] != 0 && strcmp(column_of.text[i], text) == 0;
    return n;
}

static const struct {
    const char *name, *first;
    size_t deaths, in_val[5];
    double most;     /* months */
    float aak1;      /* of the first case; NaN: no expression */
} porpoise[] = {
    {"tcga_porpoise_blca", "TCGA-2F-A9KO", 169, {34, 34, 34, 34, 33}, 163.17, -0.6734f},
    {"tcga_porpoise_brca", "TCGA-3C-AALI", 130, {26, 26, 26, 26, 26}, 282.69, -0.267f},
    {"tcga_porpoise_kirp", "TCGA-2K-A9WE", 40, {8, 8, 8, 8, 8}, 129.76, -0.4918f},
    {"tcga_porpoise_ucec", NULL, 75, {15, 15, 15, 15, 15}, 225.33, NAN},
    {"tcga_porpoise_ucec_mutsig", NULL, 75, {15, 15, 15, 15, 15}, 225.33, NAN},
};

START_TEST(the_cohorts_of_porpoise_have_the_deaths_of_their_folds)
{
    char folder[600], column[20];
    mml_cohort *c;
    mml_task_info t;
    double most = 0;

    snprintf(folder, sizeof folder, "%s/tcga_porpoise", mmlt_shared());
    c = import_set(porpoise[_i].name, folder);
    mmlt_assert_ok(mml_cohort_task(&t, c, "survival"));
    for (size_t i = 0; i < mml_cohort_size(c); i++)
        most = fmax(most, t.value[i]);
    ck_assert(most == porpoise[_i].most);
    ck_assert_uint_eq(deaths(c, "survival", "split_0", "train") + deaths(c, "survival", "split_0", "val"), porpoise[_i].deaths);
    for (size_t k = 0; k < 5; k++) {
        snprintf(column, sizeof column, "split_%zu", k);
        ck_assert_uint_eq(deaths(c, "survival", column, "val"), porpoise[_i].in_val[k]);
    }
    if (porpoise[_i].first != NULL) {
        ck_assert_str_eq(mml_cohort_ids(c)[0], porpoise[_i].first);
        ck_assert(first_value(c, "rnaseq", feature(c, "rnaseq", "AAK1_rnaseq")) == porpoise[_i].aak1);
    }
    mml_cohort_close(c);
}
END_TEST

START_TEST(the_first_rows_of_the_scikit_survival_tables_are_those_of_their_readme)
{
    static const struct {
        const char *feature;
        float value;
    } gbsg2[] = {{"age", 70}, {"estrec", 66}, {"horTh=no", 1}, {"horTh=yes", 0}, {"menostat=Post", 1}, {"pnodes", 3},
                 {"progrec", 48}, {"tgrade=I", 0}, {"tgrade=II", 1}, {"tsize", 21}},
      veterans[] = {{"Age_in_years", 69}, {"Celltype=squamous", 1}, {"Celltype=adeno", 0}, {"Karnofsky_score", 60},
                    {"Months_from_Diagnosis", 7}, {"Prior_therapy=no", 1}, {"Treatment=standard", 1}};
    char folder[600];
    mml_cohort *c;
    mml_task_info t;

    snprintf(folder, sizeof folder, "%s/user_files/sksurv_csv", mmlt_shared());
    c = import_set("gbsg2", folder);
    mmlt_assert_ok(mml_cohort_task(&t, c, "recurrence_free_survival"));
    ck_assert(t.value[0] == 1814 && t.event[0] == 1);
    for (size_t i = 0; i < sizeof gbsg2 / sizeof *gbsg2; i++)
        ck_assert_msg(first_value(c, "clinical", feature(c, "clinical", gbsg2[i].feature)) == gbsg2[i].value, "%s", gbsg2[i].feature);
    mml_cohort_close(c);
    c = import_set("veterans_lung_cancer", folder);
    mmlt_assert_ok(mml_cohort_task(&t, c, "survival"));
    ck_assert(t.value[0] == 72 && t.event[0] == 1);
    for (size_t i = 0; i < sizeof veterans / sizeof *veterans; i++)
        ck_assert_msg(first_value(c, "clinical", feature(c, "clinical", veterans[i].feature)) == veterans[i].value, "%s",
                      veterans[i].feature);
    mml_cohort_close(c);
    c = import_set("whas500", folder);
    mmlt_assert_ok(mml_cohort_task(&t, c, "survival"));
    ck_assert(t.value[0] == 2178 && t.event[0] == 0 && first_value(c, "clinical", feature(c, "clinical", "bmi")) == 25.54051f);
    mml_cohort_close(c);
}
END_TEST

START_TEST(survpath_joins_expression_by_id_and_mmp_keeps_its_parts)
{
    char folder[600];
    mml_cohort *c;
    mml_column_info part;
    size_t at = 0, train = 0;
    const char *name = "rna";
    mml_batch *b;
    mml_tokens t;

    snprintf(folder, sizeof folder, "%s/user_files/split_csv/survpath", mmlt_shared());
    c = import_set("survpath_blca", folder);
    while (strcmp(mml_cohort_ids(c)[at], "TCGA-MV-A51V") != 0) /* the first of the table of expression, not of the labels */
        ck_assert_uint_lt(++at, mml_cohort_size(c));
    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, &at, 1, &name, 1));
    mmlt_assert_ok(mml_batch_get(&t, b, name));
    ck_assert(t.values[feature(c, "rna", "FMO2")] == -1.9379f && t.values[feature(c, "rna", "APIP")] == 4.2736f);
    ck_assert_uint_lt(feature(c, "rna", "MT-ATP6"), feature(c, "rna", "MT-ATP8"));
    mml_batch_free(b);
    mml_cohort_close(c);
    snprintf(folder, sizeof folder, "%s/user_files/split_csv/mmp/TCGA_BLCA_overall_survival_k=0", mmlt_shared());
    c = import_set("mmp_blca", folder);
    mmlt_assert_ok(mml_cohort_column(&part, c, "@file"));
    for (size_t i = 0; i < mml_cohort_size(c); i++)
        train += strcmp(part.text[i], "train") == 0;
    ck_assert(train == 289 && deaths(c, "os", "@file", "train") == 128 && deaths(c, "os", "@file", "test") == 28);
    mml_cohort_close(c);
    snprintf(folder, sizeof folder, "%s/salmon_brca", mmlt_shared());
    c = import_set("salmon_brca", folder);
    for (size_t k = 0; k < 5; k++) {
        static const size_t want[] = {16, 19, 19, 15, 17};
        char column[20];

        snprintf(column, sizeof column, "split_%zu", k);
        ck_assert_uint_eq(deaths(c, "overall_survival", column, "test"), want[k]);
    }
    mml_cohort_close(c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import data");
    TCase *bundled = tcase_create("bundled"), *shared = tcase_create("shared");

    tcase_add_checked_fixture(bundled, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(bundled, 120);
    tcase_add_checked_fixture(shared, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(shared, 120);
    tcase_add_test(bundled, tcga_acc_has_92_patients_and_seven_modalities);
    tcase_add_test(bundled, the_bundled_physionet_has_2000_stays);
    tcase_add_test(shared, eicu_has_145_stays_without_vitals_and_112_without_labs);
    tcase_add_test(shared, covid_has_279_images_of_154_patients);
    tcase_add_test(shared, the_miniacc_tables_are_those_that_are_bundled);
    tcase_add_test(shared, ham10000_has_479_melanomas_of_2875_lesions);
    tcase_add_test(shared, rosmap_is_read_without_header_and_ids);
    tcase_add_test(shared, salmon_has_583_patients_in_columns_with_words_for_deaths);
    tcase_add_test(shared, wdbc_has_three_paired_views_without_a_missing_value);
    tcase_add_loop_test(shared, the_cohorts_of_porpoise_have_the_deaths_of_their_folds, 0, sizeof porpoise / sizeof *porpoise);
    tcase_add_test(shared, the_first_rows_of_the_scikit_survival_tables_are_those_of_their_readme);
    tcase_add_test(shared, survpath_joins_expression_by_id_and_mmp_keeps_its_parts);
    if (!mmlt_fast("physionet2012 is large"))
        tcase_add_test(shared, physionet_has_12000_stays_ten_of_them_without_a_measurement);
    suite_add_tcase(s, bundled);
    if (mmlt_shared() != NULL)
        suite_add_tcase(s, shared);
    else
        puts("skip - the data sets of ../shared/data are not there (MMLEGO_SHARED)");
    return mmlt_main(s);
}
