/* train_merge_fuse.c - the main job through the C API: from tables to a cohort, a block for each kind of data, both
 * merged without training, both fused by fine-tuning, how good all of them are, and predictions.
 *
 *     cc train_merge_fuse.c $(pkg-config --cflags --libs mmlego) && ./a.out [FOLDER]
 *
 * The patients are made up: two hospitals, laboratory values (one row a patient, some patients have none), and visits
 * (any number of rows a patient). Everything is written into FOLDER, by default a new one for temporary files. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#include <stdio.h>
#include <stdlib.h>

#include <mmlego/mmlego.h>

enum { PATIENTS = 400, PATH_BYTES = 1024, SHOWN = 6 };
static const char *const task = "death";

/* Every call that can fail gives a status; mml_last_error() has the words for the last one that did. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        if ((st = (call)) != MML_OK)                                                               \
            goto out;                                                                              \
    } while (0)

/* ---- 1. tables, as a hospital has them ---------------------------------------------------------------------- */

static double noise(void) /* evenly in (-1, 1), the same on every machine */
{
    static unsigned long long seed = 2024;

    seed = seed * 16807 % 2147483647;
    return 2.0 * (double)seed / 2147483647.0 - 1.0;
}

static void write_patients(FILE *labels, FILE *labs, FILE *visits)
{
    fprintf(labels, "id,site,death\n");
    fprintf(labs, "id,sodium,lactate,creatinine\n");
    fprintf(visits, "id,heart_rate,temperature\n");
    for (int i = 0; i < PATIENTS; i++) {
        const double kidney = noise(), heart = noise(), luck = noise();
        const int n = (int)(2.5 * (noise() + 1.0)); /* 0 to 4 visits */

        fprintf(labels, "p%03d,%s,%s\n", i, i % 2 ? "north" : "south", kidney + heart + luck / 2 > 0.3 ? "yes" : "no");
        if (i % 5 != 0) { /* one in five has no laboratory values, one in three no lactate: an empty cell */
            fprintf(labs, "p%03d,%.1f,", i, 138.0 - 5.0 * kidney + 3.0 * noise());
            if (i % 3 != 0)
                fprintf(labs, "%.2f", 2.0 + kidney + noise());
            fprintf(labs, ",%.2f\n", 1.6 + kidney + noise() / 2);
        }
        for (int v = 0; v < n; v++) {
            const double rate = 90.0 + 20.0 * heart + 15.0 * noise();

            fprintf(visits, "p%03d,%.0f,%.1f\n", i, rate, 37.0 + noise());
        }
    }
}

/* doc/cohort.md explains the keys. Of a table a row is a patient, of a bag a patient has any number of rows; one who is
 * not in the file lacks the modality. */
static const char *const ini = "[cohort]\nlabels = labels.csv\nid = id\ncolumns = site\n"
                               "[task death]\nkind = binary\nlabel = death\n"
                               "[modality labs]\nkind = table\nfile = labs.csv\n"
                               "[modality visits]\nkind = bag\nfile = visits.csv\n";

static const char *in(char path[PATH_BYTES], const char *folder, const char *name)
{
    return snprintf(path, PATH_BYTES, "%s/%s", folder, name) < PATH_BYTES ? path : "(a name that is too long)";
}

static int write_tables(const char *folder)
{
    static const char *const names[] = {"labels.csv", "labs.csv", "visits.csv", "cohort.ini"};
    FILE *file[4];
    char path[PATH_BYTES];
    int good = 1;

    for (int i = 0; i < 4; i++)
        good = (file[i] = fopen(in(path, folder, names[i]), "w")) != NULL && good;
    if (good) {
        write_patients(file[0], file[1], file[2]);
        fputs(ini, file[3]);
    }
    for (int i = 0; i < 4; i++)
        if (file[i] != NULL) {
            good = ferror(file[i]) == 0 && good;
            good = fclose(file[i]) == 0 && good;
        }
    return good;
}

/* ---- 2. models ------------------------------------------------------------------------------------------------ */

/* All models learn from one hospital (15 % of it choose the best epoch) and are tested at the other. */
static void divide(mml_split_options *split)
{
    split->train = "site=north";
    split->test = "site=south";
}

static mml_status train(mml_model **out, mml_cohort *cohort, const char *modality)
{
    mml_status st = MML_OK;
    mml_modality_info info;
    mml_block_options block;
    mml_prep_options prep;
    mml_train_options options;

    TRY(mml_cohort_modality(&info, cohort, modality));
    /* Defaults first, for this kind of data; then what is to be different. */
    TRY(mml_block_options_init(&block, &prep, "mmlego", info.kind, MML_BINARY));
    TRY(mml_train_options_init(&options, "mmlego", info.kind, MML_BINARY));
    options.epochs = 12;
    options.learning_rate = 5e-3;
    options.seed = 1; /* the same for all blocks: those that start alike merge better */
    divide(&options.split);
    TRY(mml_train_block(out, cohort, modality, task, &block, &prep, NULL, &options));
out:
    return st;
}

static mml_status fuse(mml_model **out, mml_cohort *cohort, const mml_model *const *blocks, size_t n)
{
    mml_status st = MML_OK;
    mml_fuse_options how;
    mml_train_options options;

    TRY(mml_fuse_options_init(&how, "mmlego"));
    TRY(mml_train_options_init_fuse(&options, "mmlego", MML_BINARY));
    options.seed = 1;
    divide(&options.split);
    TRY(mml_train_fuse(out, cohort, blocks, n, &how, &options));
out:
    return st;
}

/* ---- 3. what comes out ------------------------------------------------------------------------------------------ */

static mml_status show_score(const char *name, const mml_model *model, mml_cohort *cohort)
{
    mml_status st = MML_OK;
    mml_evaluate_options options;
    mml_evaluation e;

    mml_evaluate_options_init(&options); /* on the test part, which the model remembers */
    options.strict = 1;                  /* refuses if any of them was trained on */
    TRY(mml_evaluate(&e, model, cohort, &options));
    printf("%-10s %s %.3f  (%.3f to %.3f)  %zu patients, %zu without its data\n", name, e.metrics[0].name,
           e.metrics[0].value, e.metrics[0].low, e.metrics[0].high, e.n, e.n_prior);
out:
    return st;
}

typedef struct shown {
    const mml_model *model;
    const char *const *ids;
} shown;

/* Gets predictions chunk by chunk: row b of the chunk is sample samples[b] of the cohort. */
static int show_predictions(void *user, const mml_prediction *p, const size_t *samples)
{
    const shown *s = user;

    for (size_t b = 0; b < p->n; b++) {
        printf("%s  %s %.3f  from", s->ids[samples[b]], mml_model_class(s->model, p->k - 1), p->score[b]);
        for (size_t i = 0; i < mml_model_n_blocks(s->model) && i < 64; i++)
            if (p->used[b] >> i & 1)
                printf(" %s", mml_model_block_name(s->model, i));
        printf("%s\n", p->prior[b] ? " nothing: the rate of the training patients" : "");
    }
    return 0;
}

/* As another program would, days later: the model from its file, a predictor, the patients. */
static mml_status predict(const char *path, mml_cohort *cohort)
{
    const size_t samples[SHOWN] = {0, 2, 4, 6, 8, 10};
    mml_status st = MML_OK;
    mml_model *model = NULL;
    mml_predictor *predictor = NULL;
    shown s;

    TRY(mml_model_load(&model, path, NULL, 0));
    TRY(mml_predictor_new(&predictor, model, NULL, 0));
    s = (shown){model, mml_cohort_ids(cohort)};
    TRY(mml_predict_cohort(predictor, cohort, samples, SHOWN, 0, show_predictions, &s));
out:
    mml_predictor_free(predictor);
    mml_model_free(model);
    return st;
}

int main(int argc, char **argv)
{
    static const char *const files[] = {"labs.h5", "visits.h5", "merged.h5", "fused.h5"};
    mml_model *models[4] = {NULL, NULL, NULL, NULL};
    char fresh[] = P_tmpdir "/mmlego-XXXXXX", cohort_path[PATH_BYTES], path[PATH_BYTES], *report = NULL;
    const char *folder = argc > 1 ? argv[1] : mkdtemp(fresh);
    mml_cohort *cohort = NULL;
    mml_status st = MML_OK;

    if (folder == NULL || !write_tables(folder)) {
        fprintf(stderr, "%s: cannot write into %s\n", argv[0], folder != NULL ? folder : P_tmpdir);
        return 1;
    }
    in(cohort_path, folder, "cohort.h5");
    TRY(mml_import(in(path, folder, "cohort.ini"), cohort_path, &report, NULL, NULL));
    printf("%s\n", report);
    TRY(mml_cohort_open(&cohort, cohort_path));

    TRY(train(&models[0], cohort, "labs"));
    TRY(train(&models[1], cohort, "visits"));
    TRY(mml_merge(&models[2], (const mml_model *const[]){models[0], models[1]}, 2, NULL));
    TRY(fuse(&models[3], cohort, (const mml_model *const[]){models[0], models[1]}, 2));

    for (size_t i = 0; i < 4; i++) {
        TRY(mml_model_save(models[i], in(path, folder, files[i])));
        TRY(show_score(files[i], models[i], cohort));
    }
    printf("\n");
    TRY(predict(in(path, folder, "merged.h5"), cohort));
    printf("\ntables, cohort and models are in %s\n", folder);
out:
    if (st != MML_OK)
        fprintf(stderr, "%s: %s (%s)\n", argv[0], mml_last_error(), mml_status_name(st));
    for (size_t i = 0; i < 4; i++)
        mml_model_free(models[i]);
    mml_cohort_close(cohort);
    mml_string_free(report);
    return st != MML_OK;
}
