/* Import of data with one thing wrong each: a message that names file, row, column and value; nothing is written. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/import_help.h"

#define HEAD "[cohort]\nlabels = l.csv\nid = id\n"
#define M "[modality m]\nkind = table\nfile = m.csv\n"

static void make(void)
{
    mmlt_folder_make();
    mmlt_write("l.csv", "id,y,t,e,who\na,1,5,1,p\nb,0,6,0,p\nc,1,7,1,q\n");
    mmlt_write("m.csv", "id,x,z\na,1,2\nb,3,4\n");
}

static void refuses(const char *ini, mml_status status, const char *text)
{
    mmlt_assert_not_imported(ini, status, text);
}

/* A labels file that is refused with a task of one line. */
static void bad_labels(const char *csv, const char *task, mml_status status, const char *text)
{
    char ini[500];

    mmlt_write("l.csv", csv);
    snprintf(ini, sizeof ini, HEAD "[task k]\n%s\n" M, task);
    refuses(ini, status, text);
}

static void bad_table(const char *csv, const char *more, mml_status status, const char *text)
{
    char ini[500];

    mmlt_write("m.csv", csv);
    snprintf(ini, sizeof ini, HEAD M "%s\n", more);
    refuses(ini, status, text);
}

START_TEST(an_ini_that_says_too_little_or_nonsense_is_refused)
{
    refuses("", MML_E_FORMAT, "has no section [cohort]");
    refuses(M, MML_E_FORMAT, "has no section [cohort]");
    refuses(HEAD, MML_E_FORMAT, "has no section [modality NAME]");
    refuses("[cohort]\nid = id\nsamples = labels\n" M, MML_E_FORMAT, "cohort.ini:1: [cohort] samples = labels needs labels = ");
    refuses("[cohort]\nid = id\n[task k]\nkind = binary\nlabel = y\n" M, MML_E_FORMAT, "[task k] has no labels");
    refuses("[cohort]\nid = id\ngroup = g\n" M, MML_E_FORMAT, "group is for cohorts with a labels file only");
    refuses("[cohort]\nlabels = l.csv\n" M, MML_E_FORMAT, "[cohort] needs id = ");
    refuses(HEAD "grup = who\n" M, MML_E_FORMAT, "cohort.ini:4: [cohort] has no key grup (did you mean group?)");
    refuses(HEAD "[modalty m]\nkind = table\n", MML_E_FORMAT, "unknown section [modalty m] (did you mean modality?)");
    refuses(HEAD "[task]\nkind = binary\n" M, MML_E_FORMAT, "unknown section [task]");
    refuses(HEAD "compress = 10\n" M, MML_E_FORMAT, "a whole number from 0 to 9 is needed");
    refuses(HEAD "columns = ,\n" M, MML_E_FORMAT, "names of columns are needed");
    refuses(HEAD "columns = y, y\n" M, MML_E_FORMAT, "y is named twice");
    refuses(HEAD "group =\n" M, MML_E_FORMAT, "cohort.ini:4: [cohort] group = : a value is missing");
    refuses("[cohort]\nlabels = l.csv\n id2\nid = id\n" M, MML_E_FORMAT, "one value on one line is needed");
}
END_TEST

START_TEST(a_task_that_says_too_little_or_nonsense_is_refused)
{
    refuses(HEAD "[task k]\nlabel = y\n" M, MML_E_FORMAT, "[task k] needs kind = binary|multiclass|survival|regression");
    refuses(HEAD "[task k]\nkind = binry\nlabel = y\n" M, MML_E_FORMAT, "kind = binry (did you mean binary?)");
    refuses(HEAD "[task k]\nkind = binary\n" M, MML_E_FORMAT, "[task k] needs label = ");
    refuses(HEAD "[task k]\nkind = binary\nlabel = y\ntime = t\n" M, MML_E_FORMAT, "time is for survival tasks only");
    refuses(HEAD "[task k]\nkind = binary\nlabel = y\nunit = t\n" M, MML_E_FORMAT, "unit is for survival and regression");
    refuses(HEAD "[task k]\nkind = survival\nevent = e\n" M, MML_E_FORMAT, "[task k] needs time = ");
    refuses(HEAD "[task k]\nkind = survival\ntime = t\n" M, MML_E_FORMAT, "exactly one of event = COLUMN");
    refuses(HEAD "[task k]\nkind = survival\ntime = t\nevent = e\ncensorship = e\n" M, MML_E_FORMAT, "not guessed");
    refuses(HEAD "[task k]\nkind = survival\ntime = t\nevent = e\nlabel = y\n" M, MML_E_FORMAT, "not label");
    refuses(HEAD "[task a/b]\nkind = binary\nlabel = y\n" M, MML_E_FORMAT, "the name cannot be used: it has a /");
}
END_TEST

START_TEST(a_modality_that_says_too_little_or_nonsense_is_refused)
{
    refuses(HEAD "[modality m]\nfile = m.csv\n", MML_E_FORMAT, "needs kind = table|series|image|bag");
    refuses(HEAD "[modality m]\nkind = tabel\nfile = m.csv\n", MML_E_FORMAT, "did you mean table?");
    refuses(HEAD "[modality m]\nkind = table\n", MML_E_FORMAT, "needs file = ");
    refuses(HEAD M "tokens = steps\n", MML_E_FORMAT, "tokens is for a series only");
    refuses(HEAD M "steps = 0:3\n", MML_E_FORMAT, "steps is for a series only");
    refuses(HEAD M "patch = 4\n", MML_E_FORMAT, "patch is for an image only");
    refuses(HEAD M "channels = c\n", MML_E_FORMAT, "channels is for arrays in HDF5");
    refuses(HEAD M "transform = log2\n", MML_E_FORMAT, "possible are: none, log1p, rank");
    refuses(HEAD M "format = csw\n", MML_E_FORMAT, "did you mean csv?");
    refuses(HEAD M "format = hdf5\n", MML_E_FORMAT, "format = hdf5 needs dataset = ");
    refuses(HEAD M "drop_empty_rows = maybe\n", MML_E_FORMAT, "yes or no is needed");
    refuses(HEAD M "columns =\n", MML_E_FORMAT, "names or patterns of columns are needed");
    refuses(HEAD "[modality m]\nkind = series\nfile = m.csv\n", MML_E_FORMAT, "dataset = NAME of (samples, steps, channels)");
    refuses(HEAD "[modality m]\nkind = image\nfile = m.csv\n", MML_E_FORMAT, "(samples, height, width, channels)");
    refuses(HEAD "[modality m]\nkind = image\nfile = m.h5\ndataset = x\ndrop_empty_rows = no\n", MML_E_FORMAT, "a table or a bag");
    refuses(HEAD "[modality m]\nkind = series\nfile = m.h5\ndataset = x\nsteps = 5\n", MML_E_FORMAT, "a range of steps");
    refuses(HEAD "[modality m]\nkind = series\nfile = m.h5\ndataset = x\nsteps = 5:5\n", MML_E_FORMAT, "a range of steps");
    refuses(HEAD "[modality m]\nkind = image\nfile = m.h5\ndataset = x\npatch = 0\n", MML_E_FORMAT, "from 1 to 4096");
}
END_TEST

START_TEST(a_labels_file_that_cannot_be_used_is_refused)
{
    static const char y[] = "kind = binary\nlabel = y";

    bad_labels("id,y\na,1\nb,0\na,1\n", y, MML_E_DATA, "l.csv: rows 2 and 4 have the same id a");
    bad_labels("id,y\na,1\n,0\n", y, MML_E_DATA, "l.csv: row 3, column id: the id cannot be used: it is empty");
    bad_labels("id,y\na,1\n\xE9t\xE9,0\n", y, MML_E_DATA, "row 3, column id: the id cannot be used: it is not UTF-8");
    bad_labels("id,y\na,1\nb,\xE9t\xE9\n", y, MML_E_DATA, "row 3, column y: the text cannot be used: it is not UTF-8");
    bad_labels("idd,y\na,1\n", y, MML_E_NOT_FOUND, "l.csv: no column id (did you mean idd?); there are: idd, y");
    bad_labels("id,why\na,1\n", y, MML_E_NOT_FOUND, "l.csv: no column y; there are: id, why");
    bad_labels("id,y,y\na,1,0\n", y, MML_E_DATA, "l.csv: columns 2 and 3 are both named y");
    bad_labels("id,y\n", y, MML_E_DATA, "l.csv: has a header but no rows");
    refuses(HEAD "group = gone\n" M, MML_E_NOT_FOUND, "no column gone");
    mmlt_write("l.csv", "id,who\na,p\nb,\n");
    refuses(HEAD "group = who\n" M, MML_E_DATA, "l.csv: row 3, column who: the group cannot be used: it is empty");
    refuses("[cohort]\nlabels = none.csv\nid = id\n" M, MML_E_IO, "none.csv: cannot be opened");
    mmlt_write("s.csv", "id,set\na,x\na,y\n");
    refuses(HEAD "splits = s.csv\n" M, MML_E_DATA, "s.csv: rows 2 and 3 have the same id a");
    mmlt_write("s.csv", "id,set/1\na,x\n");
    refuses(HEAD "splits = s.csv\n" M, MML_E_DATA, "s.csv: column set/1 cannot be kept: it has a /");
    refuses(HEAD "splits = s.csv\ncolumns = fold\n" M, MML_E_NOT_FOUND, "s.csv: no column fold");
}
END_TEST

START_TEST(labels_that_are_no_labels_are_refused)
{
    bad_labels("id,y\na,1\nb,0\nc,2\n", "kind = binary\nlabel = y", MML_E_DATA, "has 3 classes: 0, 1, 2");
    bad_labels("id,y\na,2\nb,2\n", "kind = binary\nlabel = y", MML_E_DATA, "only one class, 2");
    bad_labels("id,y\na,x\nb,x\n", "kind = multiclass\nlabel = y", MML_E_DATA, "only one class, x");
    bad_labels("id,y\na,\nb,NA\n", "kind = binary\nlabel = y", MML_E_DATA, "no label at all");
    bad_labels("id,y\na,1\nb,long\n", "kind = regression\nlabel = y", MML_E_DATA,
               "l.csv: row 3, column y: \"long\" is not a number");
    bad_labels("id,y\na,1\nb,inf\n", "kind = regression\nlabel = y", MML_E_DATA, "row 3, column y: \"inf\" is not a number");
    bad_labels("id,y\na,\nb,\n", "kind = regression\nlabel = y", MML_E_DATA, "no row has a label of task k");
}
END_TEST

START_TEST(survival_is_never_guessed)
{
    static const char event[] = "kind = survival\ntime = t\nevent = e";

    bad_labels("id,t,e\na,1,1\nb,2,2\n", event, MML_E_DATA, "l.csv: row 3, column e: \"2\" is neither 0 nor 1");
    bad_labels("id,t,e\na,1,1\nb,2,DECEASED\n", event, MML_E_DATA, "row 3, column e: \"DECEASED\" is neither 0 nor 1");
    bad_labels("id,t,e\na,1,1\nb,2,-1\n", event, MML_E_DATA, "\"-1\" is neither");
    bad_labels("id,t,e\na,1,1\nb,2,yes\n", event, MML_E_DATA, "\"yes\" is neither");
    bad_labels("id,t,e\na,1,1\nb,-2,1\n", event, MML_E_DATA, "row 3, column t: the time -2 is negative");
    bad_labels("id,t,e\na,1,1\nb,soon,1\n", event, MML_E_DATA, "row 3, column t: \"soon\" is not a number");
    bad_labels("id,t,e\na,1,\nb,,1\n", event, MML_E_DATA, "no row has a label of task k");
}
END_TEST

START_TEST(a_table_that_is_not_numbers_is_refused)
{
    bad_table("id,x\na,1\nb,high\n", "", MML_E_DATA,
              "m.csv: row 3, column x: \"high\" is not a number; a column of text is left out with columns = all, -x");
    bad_table("id,x\na,1\nb,inf\n", "", MML_E_DATA, "row 3, column x: \"inf\" is not a measurement");
    bad_table("id,x\na,1\nb,1e39\n", "", MML_E_DATA, "row 3, column x: 1e39 is too large for a 32-bit float");
    bad_table("id,x\na,1\nb,\"1,5\"\n", "", MML_E_DATA, "row 3, column x: \"1,5\" is not a number");
    bad_table("id,x\na,1\nb,-0.5\n", "transform = log1p", MML_E_DATA, "sample b, x: -0.5 is negative; transform = log1p");
    bad_table("id,x\na,1\nb,2\na,3\n", "", MML_E_DATA, "rows 2 and 4 have the same id a; several rows a sample are kind = bag");
    bad_table("id,x\na,1\n\"\",2\n", "", MML_E_DATA, "row 3, column id: the id cannot be used: it is empty");
    bad_table("id,x\n", "", MML_E_DATA, "m.csv: modality m: there are no rows");
    bad_table("id,x,x\na,1,2\n", "", MML_E_DATA, "columns 2 and 3 are both named x");
    bad_table("id,x\na,1,2\n", "", MML_E_FORMAT, "row 2 has 3 cells but the header has 2");
    bad_table("pid,x\na,1\n", "", MML_E_NOT_FOUND, "m.csv: no column id");
    bad_table("id\na\n", "", MML_E_DATA, "modality m: no column is chosen");
    bad_table("id,HR,RR\na,1,2\n", "columns = HR, rr", MML_E_NOT_FOUND, "no column rr (did you mean RR?)");
    bad_table("id,HR,RR\na,1,2\n", "columns = all, -H*, -R*", MML_E_DATA, "no column is chosen");
    bad_table("id,HR\na,1\n", "columns = all, -T*", MML_E_NOT_FOUND, "no column T*");
    bad_table("id,x\nA,1\nB,2\n", "", MML_E_DATA, "none of its 2 ids is in ");
    bad_table("id,x\nA,1\nB,2\n", "", MML_E_DATA, "ids look like \"A\" here and \"a\" there");
    bad_table("id,a\tb\na,1\n", "", MML_E_DATA, "the name of column 2: it has a control character");
}
END_TEST

static hid_t file;

static void array(const char *name, int rank, const hsize_t *dims, const float *x)
{
    if (H5Lexists(file, name, H5P_DEFAULT) > 0)
        H5Ldelete(file, name, H5P_DEFAULT);
    mmlt_h5_array(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, rank, dims, x);
}

static void ids(const char *const *texts, size_t n)
{
    if (H5Lexists(file, "id", H5P_DEFAULT) > 0)
        H5Ldelete(file, "id", H5P_DEFAULT);
    mmlt_h5_texts(file, "id", texts, n);
}

static void bad_array(const char *modality, mml_status status, const char *text)
{
    char ini[500];

    H5Fflush(file, H5F_SCOPE_LOCAL);
    H5Fclose(file);
    snprintf(ini, sizeof ini, HEAD "[modality m]\nfile = m.h5\ndataset = x\n%s\n", modality);
    refuses(ini, status, text);
    file = H5Fopen(mmlt_path("m.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
}

START_TEST(an_array_that_does_not_fit_is_refused)
{
    const float x[24] = {0};

    file = H5Fcreate(mmlt_path("m.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    bad_array("kind = series", MML_E_FORMAT, "m.h5: has no x");
    array("x", 2, (hsize_t[]){2, 4}, x);
    bad_array("kind = series", MML_E_SHAPE, "x has 2 dimensions; for a series it must be (samples, steps, channels)");
    bad_array("kind = image", MML_E_SHAPE, "for an image it must be (samples, height, width)");
    bad_array("kind = table", MML_E_FORMAT, "m.h5: has no id");
    ids((const char *const[]){"a", "b", "c"}, 3);
    bad_array("kind = table", MML_E_SHAPE, "id has 3 ids for the 2 rows of x");
    ids((const char *const[]){"a", "a"}, 2);
    bad_array("kind = table", MML_E_DATA, "rows 0 and 1 have the same id a");
    ids((const char *const[]){"a", ""}, 2);
    bad_array("kind = table", MML_E_DATA, "id: id 1 cannot be used: it is empty");
    ids((const char *const[]){"a", "b"}, 2);
    mmlt_h5_texts(file, "names", (const char *const[]){"p", "q", "r"}, 3);
    bad_array("kind = table\nchannels = names", MML_E_SHAPE, "names has 3 names for the 4 channels of x");
    mmlt_h5_texts(file, "twice", (const char *const[]){"p", "q", "r", "q"}, 4);
    bad_array("kind = table\nchannels = twice", MML_E_DATA, "twice: names 1 and 3 are both q");
    bad_array("kind = table\nchannels = gone", MML_E_FORMAT, "has no gone");
    mmlt_h5_texts(file, "text", (const char *const[]){"p", "q"}, 2);
    array("x", 3, (hsize_t[]){2, 3, 4}, x);
    bad_array("kind = series\nsteps = 0:4", MML_E_SHAPE, "x has 3 steps; steps = 0:4 do not exist");
    bad_array("kind = table", MML_E_SHAPE, "x has 3 dimensions; for a table");
    array("x", 3, (hsize_t[]){2, 6, 2}, x);
    bad_array("kind = image", MML_E_SHAPE, "images of 6 x 2 cannot be cut into patches of 16 x 16 without a rest; patch can be: 1, 2");
    array("x", 2, (hsize_t[]){2, 2}, (float[]){1, INFINITY, 2, 3});
    bad_array("kind = table", MML_E_DATA, "sample a, c1: the value is infinite");
    array("x", 2, (hsize_t[]){2, 2}, (float[]){1, 2, -3, 3});
    bad_array("kind = table\ntransform = log1p", MML_E_DATA, "sample b, c0: -3 is negative");
    array("x", 2, (hsize_t[]){2, 0}, NULL);
    bad_array("kind = table", MML_E_SHAPE, "empty or too large dimension");
    array("x", 2, (hsize_t[]){0, 2}, NULL);
    ids(NULL, 0);
    bad_array("kind = table", MML_E_DATA, "there are no rows");
    H5Fclose(file);
}
END_TEST

START_TEST(a_file_given_for_another_kind_is_called_by_its_name)
{
    mmlt_write("m.h5", "id,x\na,1\n");
    refuses(HEAD "[modality m]\nkind = series\nfile = m.h5\ndataset = x\n", MML_E_FORMAT, "m.h5: is not an HDF5 file");
    file = H5Fcreate(mmlt_path("m.csv"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refuses(HEAD M, MML_E_FORMAT, "m.csv: is an HDF5 file, not a CSV; name the array in it (dataset = ...)");
    refuses(HEAD "[modality m]\nkind = table\nfile = gone.csv\n", MML_E_IO, "gone.csv: cannot be opened");
}
END_TEST

START_TEST(an_old_cohort_survives_a_failed_import)
{
    char *bytes;
    size_t n;
    mml_cohort *c = mmlt_imported(HEAD M);

    mml_cohort_close(c);
    bad_table("id,x\na,1\nb,high\n", "", MML_E_DATA, "high");
    bytes = mmlt_read(mmlt_path("out.h5"), &n);
    free(bytes);
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    mml_cohort_close(c);
    mmlt_assert_fails(mml_import(mmlt_path("cohort.ini"), mmlt_path("no/where.h5"), NULL, NULL, NULL), MML_E_IO, "does not exist");
    mmlt_assert_fails(mml_import(mmlt_path("none.ini"), mmlt_path("out.h5"), NULL, NULL, NULL), MML_E_IO, "none.ini");
}
END_TEST

/* Each in its turn is what import would write to, by another spelling of its name; all of them stay as they are. */
START_TEST(the_output_is_none_of_the_files_that_are_read)
{
    static const char *const ini =
        "[cohort]\nlabels = l.csv, l2.csv\nid = id\nsplits = s.csv\n[task t]\nkind = binary\nfile = y.csv\nid = id\nlabel = y\n"
        "[modality m]\nkind = table\nfile = m.csv, m2.csv\ntokens = g.csv\n[modality n]\nkind = table\nfile = n.csv\nheader = no\n"
        "names = n.names\nids = n.ids\nid = @ids\n";
    static const char *const files[] = {"cohort.ini", "l.csv", "l2.csv", "s.csv", "y.csv", "m.csv", "m2.csv", "g.csv", "n.csv", "n.names", "n.ids"};
    mml_import_options o;
    char *report;
    mml_cohort *c;

    mmlt_write("l.csv", "id\na\n");
    mmlt_write("l2.csv", "id\nb\n");
    mmlt_write("s.csv", "id,set\na,1\nb,2\n");
    mmlt_write("y.csv", "id,y\na,1\nb,0\n");
    mmlt_write("m.csv", "id,x\na,1\n");
    mmlt_write("m2.csv", "id,x\nb,2\n");
    mmlt_write("g.csv", "genes\nx\n");
    mmlt_write("n.csv", "5\n6\n");
    mmlt_write("n.names", "z\n");
    mmlt_write("n.ids", "a\nb\n");
    mml_cohort_close(mmlt_imported(ini));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[64], *before, *after;
        size_t n, m;

        snprintf(name, sizeof name, "./%s", files[i]);
        before = mmlt_read(mmlt_path(name), &n);
        mmlt_assert_fails(mml_import(mmlt_path("cohort.ini"), mmlt_path(name), NULL, NULL, NULL), MML_E_ARG, "is one of the files that are imported");
        after = mmlt_read(mmlt_path(name), &m);
        ck_assert_msg(n == m && memcmp(before, after, n) == 0, "%s is another", files[i]);
        free(before);
        free(after);
    }
    mml_import_options_init(&o);
    o.dry_run = 1;
    mmlt_assert_fails(mml_import_with(mmlt_path("cohort.ini"), mmlt_path("m.csv"), &o, &report), MML_E_DATA, "1 problem");
    ck_assert(strstr(report, "is one of the files that are imported") != NULL);
    mml_string_free(report);
    mmlt_assert_ok(mml_import(mmlt_path("cohort.ini"), mmlt_path("out.h5"), NULL, NULL, NULL)); /* an old cohort is replaced */
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    mml_cohort_close(c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import refused");
    TCase *tc = tcase_create("refused");

    tcase_add_checked_fixture(tc, make, mmlt_folder_remove);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, an_ini_that_says_too_little_or_nonsense_is_refused);
    tcase_add_test(tc, a_task_that_says_too_little_or_nonsense_is_refused);
    tcase_add_test(tc, a_modality_that_says_too_little_or_nonsense_is_refused);
    tcase_add_test(tc, a_labels_file_that_cannot_be_used_is_refused);
    tcase_add_test(tc, labels_that_are_no_labels_are_refused);
    tcase_add_test(tc, survival_is_never_guessed);
    tcase_add_test(tc, a_table_that_is_not_numbers_is_refused);
    tcase_add_test(tc, an_array_that_does_not_fit_is_refused);
    tcase_add_test(tc, a_file_given_for_another_kind_is_called_by_its_name);
    tcase_add_test(tc, an_old_cohort_survives_a_failed_import);
    tcase_add_test(tc, the_output_is_none_of_the_files_that_are_read);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
