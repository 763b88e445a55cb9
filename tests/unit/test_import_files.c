/* Import of what people have: tables without headers, in parts, of different samples; checks that find everything; files
 * without an ini; files that are recognised and not read. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/cohort.h"
#include "tests/unit/import_help.h"
#include "util/alloc.h"

static char *text; /* of the last call that gave one */

static void make(void)
{
    mmlt_folder_make();
    text = NULL;
}

static void clean(void)
{
    mml_string_free(text);
    mmlt_folder_remove();
}

static bool has(const char *in, const char *words)
{
    return strstr(in, words) != NULL;
}

/* ---- samples ---------------------------------------------------------------------------------------------------------- */

START_TEST(without_a_labels_file_the_samples_are_those_of_all_modalities)
{
    mml_cohort *c;
    const char *const *ids;

    mmlt_write("m.csv", "id,x\nb,1\na,2\n");
    mmlt_write("n.csv", "id,y\nc,3\na,4\n");
    mmlt_write("y.csv", "who,dead\nc,1\nz,0\n");
    c = mmlt_imported("[cohort]\nid = id\n[task death]\nkind = binary\nfile = y.csv\nid = who\nlabel = dead\n"
                      "[modality m]\nkind = table\nfile = m.csv\n[modality n]\nkind = table\nfile = n.csv\n");
    ids = mml_cohort_ids(c);
    ck_assert_uint_eq(mml_cohort_size(c), 4); /* of the task's file, of m, of n */
    ck_assert(strcmp(ids[0], "c") == 0 && strcmp(ids[1], "z") == 0 && strcmp(ids[2], "b") == 0 && strcmp(ids[3], "a") == 0);
    mmlt_assert_tokens(c, "m", (float[]){1, 2}, NULL);
    mmlt_assert_tokens(c, "n", (float[]){3, 4}, NULL);
    ck_assert(c->tasks[0].value[0] == 1 && c->tasks[0].value[1] == 0 && isnan(c->tasks[0].value[2]) && isnan(c->tasks[0].value[3]));
    ck_assert(has(mmlt_report(), "overlap: 1 sample has all 2 modalities, 1 has none\n"));
    mml_cohort_close(c);
}
END_TEST

/* The list of samples grows with the first table and moves; the second adds nobody. */
START_TEST(two_tables_of_the_same_samples_need_no_labels_file)
{
    enum { N = 3000 };
    char *rows = malloc((size_t)N * 16 + 16), *p = rows;
    mml_cohort *c;

    p += sprintf(p, "id,x\n");
    for (int i = 0; i < N; i++)
        p += sprintf(p, "sample%d,%d\n", i, i % 7);
    mmlt_write("m.csv", rows);
    mmlt_write("n.csv", rows);
    free(rows);
    c = mmlt_imported("[cohort]\nid = id\n[modality m]\nkind = table\nfile = m.csv\n[modality n]\nkind = table\nfile = n.csv\n");
    ck_assert_uint_eq(mml_cohort_size(c), N);
    ck_assert(has(mmlt_report(), "overlap: 3000 samples have all 2 modalities, 0 have none\n"));
    mml_cohort_close(c);
}
END_TEST

START_TEST(samples_all_keeps_those_that_the_labels_file_lacks)
{
    mml_cohort *c;

    mmlt_write("l.csv", "id,y,who\na,0,p\nb,1,p\n");
    mmlt_write("m.csv", "id,x\nq,5\nb,1\n");
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = id\nsamples = all\ngroup = who\n[task y]\nkind = binary\nlabel = y\n"
                      "[modality m]\nkind = table\nfile = m.csv\n");
    ck_assert_uint_eq(mml_cohort_size(c), 3);
    ck_assert_str_eq(mml_cohort_ids(c)[2], "q");
    ck_assert_str_eq(mml_cohort_groups(c)[1], "p");
    ck_assert_str_eq(mml_cohort_groups(c)[2], "q"); /* of nobody else */
    mmlt_assert_tokens(c, "m", (float[]){1, 5}, NULL);
    mml_cohort_close(c);
}
END_TEST

/* ---- tables that lack something ------------------------------------------------------------------------------------------ */

START_TEST(tables_without_header_and_ids_are_matched_by_row_over_several_files)
{
    mml_cohort *c;
    mml_modality_info m;
    mml_column_info part;

    mmlt_write("y_tr.csv", "0\n1\n");
    mmlt_write("y_te.csv", "1\n");
    mmlt_write("x_tr.csv", "1.5,2\n3,4\n");
    mmlt_write("x_te.csv", "5,6\n");
    mmlt_write("x_names.csv", "TP53\nEGFR\n");
    c = mmlt_imported("[cohort]\nlabels = y_tr.csv, y_te.csv\nheader = no\nid = @row\ncolumns = @file\n"
                      "[task ad]\nkind = binary\nlabel = c1\n"
                      "[modality x]\nkind = table\nfile = x_tr.csv, x_te.csv\nheader = no\nnames = x_names.csv\n");
    ck_assert_uint_eq(mml_cohort_size(c), 3);
    ck_assert_str_eq(mml_cohort_ids(c)[2], "3");
    mmlt_assert_ok(mml_cohort_modality(&m, c, "x"));
    ck_assert(m.width == 2 && strcmp(m.features[1], "EGFR") == 0);
    mmlt_assert_tokens(c, "x", (float[]){1.5f, 2, 3, 4, 5, 6}, NULL);
    mmlt_assert_ok(mml_cohort_column(&part, c, "@file"));
    ck_assert(strcmp(part.text[1], "y_tr") == 0 && strcmp(part.text[2], "y_te") == 0);
    mml_cohort_close(c);
}
END_TEST

START_TEST(ids_may_stand_in_a_file_of_their_own)
{
    mml_cohort *c;

    mmlt_write("l.csv", "id\nb\na\n");
    mmlt_write("m.csv", "7\n8\n");
    mmlt_write("ids.txt", "a\nb\n");
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = id\n"
                      "[modality m]\nkind = table\nfile = m.csv\nheader = no\nids = ids.txt\nid = @ids\n");
    mmlt_assert_tokens(c, "m", (float[]){8, 7}, NULL);
    mml_cohort_close(c);
    mmlt_write("ids.txt", "a\nb\nc\n");
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n"
                             "[modality m]\nkind = table\nfile = m.csv\nheader = no\nids = ids.txt\nid = @ids\n",
                             MML_E_DATA, "has 3 ids for the 2 rows");
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n"
                             "[modality m]\nkind = table\nfile = m.csv\nheader = no\nids = ids.txt\n", MML_E_NOT_FOUND,
                             "no column id; the ids of ids = ids.txt are the column @ids: say id = @ids");
    mmlt_assert_not_imported("[cohort]\n[modality m]\nkind = table\nfile = m.csv\nheader = no\nids = ids.txt\n", MML_E_FORMAT, "needs id = @ids");
}
END_TEST

START_TEST(parts_of_a_table_must_have_the_same_columns)
{
    mmlt_write("l.csv", "id\na\nb\n");
    mmlt_write("m1.csv", "id,x\na,1\n");
    mmlt_write("m2.csv", "id,y\nb,1\n");
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m1.csv, m2.csv\n",
                             MML_E_FORMAT, "column 2 is y, in");
}
END_TEST

START_TEST(tabs_and_semicolons_divide_cells_where_there_is_no_comma)
{
    mml_cohort *c;

    mmlt_write("l.csv", "\"\";x\n\"a\";1\nb;2\n");
    mmlt_write("m.csv", "id\tx y\nb\t2\na\t1\n");
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = @index\n[modality m]\nkind = table\nfile = m.csv\nid = id\n");
    mmlt_assert_tokens(c, "m", (float[]){1, 2}, NULL);
    mml_cohort_close(c);
}
END_TEST

START_TEST(samples_may_be_columns)
{
    mml_cohort *c;

    mmlt_write("l.csv", "id\na\nb\nc\n");
    mmlt_write("m.csv", "\"\",\"b\",\"zz\",\"a\"\n\"TP53\",1,9,NA\n\"EGFR\",2,9,4\nKRAS,3,9,5\n");
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\norientation = columns\n"
                      "columns = all, -KRAS\n");
    mmlt_assert_tokens(c, "m", (float[]){NAN, 4, 1, 2}, NULL);
    ck_assert_str_eq(c->modalities[0].features[0], "TP53");
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\n", MML_E_DATA,
                             "2 names of columns are ids of samples: if the samples are the columns, orientation = columns");
}
END_TEST

START_TEST(many_samples_in_columns_are_turned_round_in_bands)
{
    enum { N = 37, F = 300000 }; /* 44 MB: two tiles */
    char *csv = malloc((size_t)F * (N * 3 + 12) + 400), *p = csv;
    size_t one = 1;
    const char *name = "m";
    mml_batch *b;
    mml_tokens t;
    mml_cohort *c;

    mmlt_write("l.csv", "id\ns0\ns36\n");
    p += sprintf(p, "f");
    for (int i = 0; i < N; i++)
        p += sprintf(p, ",s%d", i);
    for (int f = 0; f < F; f++) {
        p += sprintf(p, "\ng%d", f);
        for (int i = 0; i < N; i++)
            p += sprintf(p, ",%d", (f + i) % 90);
    }
    mmlt_write("m.csv", csv);
    free(csv);
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = id\ncompress = 0\n[modality m]\nkind = table\nfile = m.csv\n"
                      "orientation = columns\n");
    mmlt_assert_ok(mml_batch_new(&b, 0));
    mmlt_assert_ok(mml_cohort_read(c, b, &one, 1, &name, 1));
    mmlt_assert_ok(mml_batch_get(&t, b, "m"));
    for (size_t f = 0; f < F; f++)
        ck_assert(t.values[f] == (float)((f + 36) % 90));
    mml_batch_free(b);
    mml_cohort_close(c);
}
END_TEST

START_TEST(categories_become_a_number_each)
{
    mml_cohort *c;
    const char ini[] = "[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\ncategorical = stage%s\n";
    char text_of_it[300];

    mmlt_write("l.csv", "id\na\nb\nc\nd\n");
    mmlt_write("m.csv", "id,age,stage,smokes\na,50,iv,True\nb,60, i ,False\nc,70,,yes\nd,80,ii,no\n");
    snprintf(text_of_it, sizeof text_of_it, ini, "");
    c = mmlt_imported(text_of_it);
    ck_assert_uint_eq(c->modalities[0].width, 5);
    ck_assert_str_eq(c->modalities[0].features[1], "stage=i");
    ck_assert_str_eq(c->modalities[0].features[3], "stage=iv");
    for (size_t f = 0; f < 5; f++)
        ck_assert_str_eq(c->modalities[0].category_of[f], f >= 1 && f <= 3 ? "stage" : "");
    mmlt_assert_tokens(c, "m", (float[]){50, 0, 0, 1, 1, 60, 1, 0, 0, 0, 70, NAN, NAN, NAN, 1, 80, 0, 1, 0, 0}, NULL);
    ck_assert(has(mmlt_report(), "  categories of stage: i, ii, iv\n"));
    mml_cohort_close(c);
    snprintf(text_of_it, sizeof text_of_it, ini, ":iv|i|x"); /* as another cohort had them: order kept, ii is none of them */
    c = mmlt_imported(text_of_it);
    ck_assert_str_eq(c->modalities[0].features[1], "stage=iv");
    mmlt_assert_tokens(c, "m", (float[]){50, 1, 0, 0, 1, 60, 0, 1, 0, 0, 70, NAN, NAN, NAN, 1, 80, 0, 0, 0, 0}, NULL);
    ck_assert(has(mmlt_report(), "WARNING: 1 cell of stage is of none of these categories\n"));
    mml_cohort_close(c);
    snprintf(text_of_it, sizeof text_of_it, ini, "s");
    mmlt_assert_not_imported(text_of_it, MML_E_NOT_FOUND, "stage");
    snprintf(text_of_it, sizeof text_of_it, ini, "\ncolumns = age, stage\ntransform = log1p\nclip = 2:9");
    c = mmlt_imported(text_of_it); /* amounts change, categories stay 0 and 1 */
    mmlt_assert_tokens(c, "m", (float[]){log1pf(9), 0, 0, 1, log1pf(9), 1, 0, 0, log1pf(9), NAN, NAN, NAN, log1pf(9), 0, 1, 0}, NULL);
    mml_cohort_close(c);
    snprintf(text_of_it, sizeof text_of_it, ini, "\ntransform = rank");
    mmlt_assert_not_imported(text_of_it, MML_E_FORMAT, "transform = rank is for numbers only");
    mmlt_write("m.csv", "id,age,stage\na,50,\nb,60,NA\n");
    snprintf(text_of_it, sizeof text_of_it, ini, "");
    c = mmlt_imported(text_of_it); /* patients to predict, of whom nobody's stage is known */
    ck_assert_str_eq(c->modalities[0].features[1], "stage=");
    ck_assert_str_eq(c->modalities[0].category_of[1], "stage");
    mmlt_assert_tokens(c, "m", (float[]){50, NAN, 60, NAN}, NULL);
    ck_assert(has(mmlt_report(), "WARNING: column stage is empty in all rows\n"));
    ck_assert(!has(mmlt_report(), "categories of stage"));
    mml_cohort_close(c);
}
END_TEST

START_TEST(ranks_and_limits_change_values_within_a_sample)
{
    mml_cohort *c;

    mmlt_write("l.csv", "id\na\nb\n");
    mmlt_write("m.csv", "id,p,q,r,s\na,5,1,5,NA\nb,-7,0,100,3\n");
    c = mmlt_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\ntransform = rank\n"
                      "[modality n]\nkind = table\nfile = m.csv\nclip = 0:10\n[modality o]\nkind = table\nfile = m.csv\nclip = 0:\n"
                      "transform = log1p\n");
    mmlt_assert_tokens(c, "m", (float[]){0.75f, 0, 0.75f, NAN, 0, (float)(1.0 / 3), 1, (float)(2.0 / 3)}, NULL);
    mmlt_assert_tokens(c, "n", (float[]){5, 1, 5, NAN, 0, 0, 10, 3}, NULL);
    mmlt_assert_tokens(c, "o", (float[]){(float)log1p(5), (float)log1p(1), (float)log1p(5), NAN, 0, 0, (float)log1p(100), (float)log1p(3)},
                       NULL);
    mml_cohort_close(c);
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\nclip = 3:1\n",
                             MML_E_FORMAT, "clip = 3:1: two numbers LEAST:MOST are needed");
}
END_TEST

START_TEST(a_decimal_comma_is_called_by_its_name)
{
    mmlt_write("l.csv", "id\na\n");
    mmlt_write("m.csv", "id;x\na;0,5\n");
    mmlt_assert_not_imported("[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\n", MML_E_DATA,
                             "row 2, column x: \"0,5\" is not a number: it has a decimal comma");
}
END_TEST

START_TEST(an_event_may_be_a_word)
{
    mml_cohort *c;
    const char ini[] = "[cohort]\nlabels = l.csv\nid = id\n[task os]\nkind = survival\ntime = t\nevent = status:1:DECEASED\n"
                       "[modality m]\nkind = table\nfile = m.csv\n";

    mmlt_write("l.csv", "id,t,status\na,1,1:DECEASED\nb,2,0:LIVING\nc,3,NA\n");
    c = mmlt_imported(ini);
    ck_assert(c->tasks[0].event[0] == 1 && c->tasks[0].event[1] == 0 && isnan(c->tasks[0].value[2]));
    mml_cohort_close(c);
    mmlt_write("l.csv", "id,t,status\na,1,1:Deceased\nb,2,0:LIVING\nc,3,NA\n");
    mmlt_assert_not_imported(ini, MML_E_DATA, "no cell of column status is 1:DECEASED (did you mean 1:Deceased?)");
}
END_TEST

/* ---- checks ------------------------------------------------------------------------------------------------------------------ */

/* cohort.ini is looked at, nothing is written; what is told of it is in `text`. */
static mml_status dry_run(const char *out_path)
{
    mml_import_options o;

    mml_import_options_init(&o);
    o.dry_run = 1;
    return mml_import_with(mmlt_path("cohort.ini"), out_path, &o, &text);
}

START_TEST(a_dry_run_says_all_that_is_wrong_and_writes_nothing)
{
    size_t before;

    mmlt_write("l.csv", "id,t,e\na,1,2\nb,-3,1\nc,5,0\n");
    mmlt_write("m.csv", "id,x,y\na,one,2\nb,1,two\nc,1,2\n");
    mmlt_write("cohort.ini", "[cohort]\nlabels = l.csv\nid = id\n[task os]\nkind = survival\ntime = t\nevent = e\n"
                             "[modality m]\nkind = table\nfile = m.csv\n[modality n]\nkind = table\nfile = nowhere.csv\n");
    before = mmlt_folder_files();
    mmlt_assert_fails(dry_run(NULL), MML_E_DATA, "5 problems found");
    ck_assert(has(text, "row 2, column e: \"2\" is neither 0 nor 1"));
    ck_assert(has(text, "row 3, column t: the time -3 is negative"));
    ck_assert(has(text, "row 2, column x: \"one\" is not a number"));
    ck_assert(has(text, "row 3, column y: \"two\" is not a number"));
    ck_assert(has(text, "nowhere.csv: cannot be opened"));
    ck_assert_uint_eq(mmlt_folder_files(), before);
}
END_TEST

/* Independent faults: one in each table and in each modality, none of which hides another. */
START_TEST(a_dry_run_tells_what_is_wrong_with_every_file_at_once)
{
    const float x[2][2] = {{1, 2}, {3, INFINITY}};
    hid_t file;
    size_t before;

    mmlt_write("l.csv", "id,site,label,t\na,s1,yes,4\nb,,no,x\nc,s2,yes,1\n"); /* b has no group; x is no number */
    mmlt_write("parts.csv", "id,part\na,train\na,test\n");                   /* a is in twice */
    mmlt_write("words.csv", "id,v\na,1\nb,\"2,5\"\nc,1e39\n");
    mmlt_write("twice.csv", "id,v\na,1\nb,2\na,3\n");
    mmlt_write("other.csv", "id,v\nx,1\ny,2\n");
    mmlt_write("long.csv", "id,time,what,value\na,0,hr,70\na,noon,hr,71\nb,0,hr,fast\n");
    mmlt_write_bytes("cut.npy", "\x93NUMPY\1\0", 8);
    file = H5Fcreate(mmlt_path("m.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    mmlt_h5_array(file, "x", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){2, 2}, x);
    mmlt_h5_texts(file, "ids", (const char *const[]){"a", "b"}, 2);
    H5Fclose(file);
    mmlt_write("cohort.ini", "[cohort]\nlabels = l.csv\nid = id\ngroup = site\nsplits = parts.csv\ncolumns = part\n"
                             "[task y]\nkind = binary\nlabel = label\n[task r]\nkind = regression\nlabel = t\n"
                             "[modality words]\nkind = table\nfile = words.csv\n[modality twice]\nkind = table\nfile = twice.csv\n"
                             "[modality other]\nkind = table\nfile = other.csv\n[modality none]\nkind = table\nfile = nowhere.csv\n"
                             "[modality long]\nkind = series\nformat = long\nfile = long.csv\nid = id\ntime = time\nvariable = what\n"
                             "value = value\nbin = 1\nbins = 2\n"
                             "[modality cut]\nkind = table\nfile = cut.npy\nid = @row\n"
                             "[modality array]\nkind = table\nfile = m.h5\ndataset = x\nid = ids\n");
    before = mmlt_folder_files();
    mmlt_assert_fails(dry_run(NULL), MML_E_DATA, "problems found");
    ck_assert_msg(has(text, "parts.csv: rows 2 and 3"), "%s", text);
    ck_assert_msg(has(text, "l.csv: row 3, column site: the group cannot be used: it is empty"), "%s", text);
    ck_assert_msg(has(text, "l.csv: row 3, column t: \"x\""), "%s", text);
    ck_assert_msg(has(text, "words.csv: row 3, column v: \"2,5\" is not a number: it has a decimal comma"), "%s", text);
    ck_assert_msg(has(text, "words.csv: row 4, column v: 1e39 is too large for a 32-bit float"), "%s", text);
    ck_assert_msg(has(text, "twice.csv: rows 2 and 4 have the same id a"), "%s", text);
    ck_assert_msg(has(text, "other.csv: modality other: none of its 2 ids is in"), "%s", text);
    ck_assert_msg(has(text, "nowhere.csv: cannot be opened"), "%s", text);
    ck_assert_msg(has(text, "long.csv: row 3, column time: \"noon\" is no time"), "%s", text);
    ck_assert_msg(has(text, "long.csv: row 4, column value: \"fast\" is not a number"), "%s", text);
    ck_assert_msg(has(text, "cut.npy: is no array of NumPy (too short)"), "%s", text);
    ck_assert_msg(has(text, "m.h5: modality array: sample b, c1: the value is infinite"), "%s", text);
    ck_assert_uint_eq(mmlt_folder_files(), before);
}
END_TEST

START_TEST(a_dry_run_looks_at_the_modalities_of_a_wrong_labels_file)
{
    mmlt_write("l.csv", "id,label,part\na,1,train\nb,0,test\na,1,train\n");
    mmlt_write("m.csv", "id,x\na,1\nb,two\n");
    mmlt_write("s.csv", "id,y\na,1\n");
    mmlt_write("cohort.ini", "[cohort]\nlabels = l.csv\nid = id\ngroup = part\ncolumns = part\n[task y]\nkind = binary\nlabel = label\n"
                             "[task z]\nkind = regression\nfile = s.csv\nlabel = w\n[modality m]\nkind = table\nfile = m.csv\n");
    mmlt_assert_fails(dry_run(NULL), MML_E_DATA, "3 problems found");
    ck_assert_msg(has(text, "l.csv: rows 2 and 4 have the same id a"), "%s", text);
    ck_assert_msg(has(text, "s.csv: no column w"), "%s", text);
    ck_assert_msg(has(text, "m.csv: row 3, column x: \"two\" is not a number"), "%s", text);
}
END_TEST

/* Without labels the modalities are asked for their samples first: what is wrong with one is met again when it is read. */
START_TEST(a_dry_run_tells_everything_once)
{
    mmlt_write("l.csv", "id,y\na,1\nb,0\n");
    mmlt_write("m.csv", "id,x\na,1\nb,2\n");
    mmlt_write("cohort.ini", "[cohort]\nlabels = l.csv\nid = id\n[task y]\nkind = binary\nlabel = z\n[modality m]\nkind = table\n"
                             "file = m.csv\ncolumns = w\n[modality n]\nkind = table\nfile = nowhere.csv\n[modality k]\nkind = table\nfile = m.csv\n");
    mmlt_assert_fails(dry_run(NULL), MML_E_DATA, "3 problems found");
    ck_assert_msg(has(text, "l.csv: no column z"), "%s", text);
    ck_assert_msg(has(text, "m.csv: no column w"), "%s", text);
    ck_assert_msg(has(text, "nowhere.csv: cannot be opened"), "%s", text);
}
END_TEST

/* Columns of the labels, of a task's own file, of the splits, of a modality: all that are not there, each once. */
START_TEST(a_dry_run_tells_all_columns_that_are_not_there)
{
    mmlt_write("l.csv", "id,y\na,1\nb,0\n");
    mmlt_write("s.csv", "id,part\na,1\nb,2\n");
    mmlt_write("m.csv", "id,x\na,1\nb,2\n");
    mmlt_write("cohort.ini", "[cohort]\nlabels = l.csv\nid = idd\ngroup = g\nsplits = s.csv\ncolumns = p1, part, p2\n"
                             "[task y]\nkind = binary\nlabel = yy\n[task os]\nkind = survival\ntime = t\nevent = e\n"
                             "[task own]\nkind = survival\nfile = l.csv\nid = id\ntime = t\nevent = own_e\n"
                             "[modality m]\nkind = table\nfile = m.csv\nid = id\ncolumns = v, x, w\n");
    mmlt_assert_fails(dry_run(NULL), MML_E_DATA, "11 problems found");
    ck_assert_msg(has(text, "l.csv: no column idd (did you mean id?)"), "%s", text);
    ck_assert_msg(has(text, "l.csv: no column g"), "%s", text);
    ck_assert_msg(has(text, "l.csv: no column yy"), "%s", text);
    ck_assert_msg(has(text, "l.csv: no column t"), "%s", text); /* wanted by two, told once */
    ck_assert_msg(has(text, "l.csv: no column e"), "%s", text);
    ck_assert_msg(has(text, "l.csv: no column own_e"), "%s", text);
    ck_assert_msg(has(text, "s.csv: no column idd"), "%s", text);
    ck_assert_msg(has(text, "s.csv: no column p1"), "%s", text);
    ck_assert_msg(has(text, "s.csv: no column p2"), "%s", text);
    ck_assert_msg(has(text, "m.csv: no column v"), "%s", text);
    ck_assert_msg(has(text, "m.csv: no column w"), "%s", text);
}
END_TEST

/* The same of labels that are no CSV. */
START_TEST(a_dry_run_tells_all_fields_that_an_array_has_not)
{
    mmlt_write_bytes("y.npy", "\x93NUMPY\1\0\x46\0{'descr': [('y', '<i4')], 'fortran_order': False, 'shape': (2,), }   \n\1\0\0\0\0\0\0\0", 88);
    mmlt_write("m.csv", "x\n1\n2\n");
    mmlt_write("cohort.ini", "[cohort]\nlabels = y.npy\nid = @row\n[task a]\nkind = binary\nlabel = z\n[task b]\nkind = binary\nlabel = w\n"
                             "[task d]\nkind = binary\nlabel = v\n"
                             "[task c]\nkind = binary\nfile = y.npy\nlabel = w\n[modality m]\nkind = table\nfile = m.csv\nid = @row\n");
    mmlt_assert_fails(dry_run(NULL), MML_E_DATA, "3 problems found");
    ck_assert_msg(has(text, "y.npy: no field z") && has(text, "y.npy: no field w") && has(text, "y.npy: no field v"), "%s", text);
}
END_TEST

START_TEST(a_dry_run_of_a_good_ini_reports_and_writes_nothing)
{
    mmlt_write("l.csv", "id\na\n");
    mmlt_write("m.csv", "id,x\na,1\n");
    mmlt_write("cohort.ini", "[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\n");
    mmlt_assert_ok(dry_run(mmlt_path("out.h5")));
    ck_assert(has(text, "modality m (table): 1 of 1 sample,"));
    ck_assert_uint_eq(mmlt_folder_files(), 3);
}
END_TEST

START_TEST(a_check_of_a_wrong_ini_says_all_that_is_wrong_with_it)
{
    mmlt_write("cohort.ini", "[cohort]\nlabels = l.csv\nid = id\n[task os]\nkind = survival\ntime = t\n"
                             "[modality m]\nkind = tabel\nfile = m.csv\n");
    mmlt_assert_fails(dry_run(NULL), MML_E_DATA, "2 problems found");
    ck_assert(has(text, "exactly one of event") && has(text, "did you mean table?"));
}
END_TEST

/* ---- without an ini ---------------------------------------------------------------------------------------------------------- */

static void suggest(const char *const *names, size_t n)
{
    const char *paths[4];

    for (size_t i = 0; i < n; i++)
        paths[i] = mmlt_path(names[i]);
    mml_string_free(text);
    mmlt_assert_ok(mml_suggest_cohort(&text, paths, n, NULL));
}

START_TEST(a_table_is_imported_without_an_ini)
{
    mml_cohort *c;
    mml_modality_info m;

    mmlt_write("tab.csv", "case_id,age,sex,survival_months,censorship,TP53\np1,50,m,3,1,0.5\np2,60,f,4.5,0,NA\n");
    mmlt_assert_ok(mml_import(mmlt_path("tab.csv"), mmlt_path("out.h5"), &text, NULL, NULL));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    mmlt_assert_ok(mml_cohort_modality(&m, c, "tab"));
    ck_assert(m.width == 2 && strcmp(m.features[0], "age") == 0 && strcmp(m.features[1], "TP53") == 0);
    ck_assert(c->n_tasks == 1 && c->tasks[0].kind == MML_SURVIVAL && c->tasks[0].event[0] == 0 && c->tasks[0].event[1] == 1);
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_suggestion_leaves_out_what_may_tell_the_outcome)
{
    mmlt_write("l.csv", "id,time,event,days_to_death,x\na,1,1,4,2\nb,2,0,5,3\n");
    mmlt_write("rna.csv", "id,g1,g2\na,1,2\nb,3,4\n");
    suggest((const char *const[]){"l.csv", "rna.csv"}, 2);
    ck_assert(has(text, "columns = all, -time, -event, -days_to_death\n"));
    ck_assert(has(text, "[task survival]\nkind = survival\ntime = time\nevent = event\n"));
    ck_assert(has(text, "[modality rna]\nkind = table\n"));
    mmlt_write("w.csv", "id,age,fstat,lenfol,TIMELESS_rnaseq\na,1,1,4,2\nb,2,0,5,3\n"); /* nothing says which is the outcome */
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert(has(text, "; No outcome was recognised") && has(text, "columns = all, -fstat, -lenfol\n"));
    mml_string_free(text);
    mmlt_assert_ok(mml_import(mmlt_path("w.csv"), mmlt_path("out.h5"), &text, NULL, NULL));
    ck_assert(has(text, "WARNING: no outcome was recognised"));
    /* Endpoints of the TCGA clinical data resource; a name that a list cannot hold is left out by a pattern. */
    mmlt_write("w.csv", "id,time,status,PFI,DSS,\"time to death, days\",-months,\"day\nof death\",g\na,1,1,0,1,3,4,5,2\nb,2,0,1,0,3,4,5,3\n");
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert(has(text, ", -PFI, -DSS, -time to death* days, -*months, -day*of death\n"));
    mml_string_free(text);
    mmlt_assert_ok(mml_import(mmlt_path("w.csv"), mmlt_path("out.h5"), &text, NULL, NULL));
    ck_assert(has(text, "modality w (table): 2 of 2 samples, 2 tokens of 1 feature"));
}
END_TEST

START_TEST(words_that_could_be_categories_are_told)
{
    mmlt_write("w.csv", "id,age,side,stage,note,status\na,1,left,I,,x\nb,2,right,II,,y\nc,3,left,II,so,x\n");
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert_msg(has(text, "columns = all, -side, -stage, -note, -status\n"), "%s", text);
    ck_assert_msg(has(text, "; for categories, unless it is an outcome: take its exclusion away, and add categorical = side, stage\n"), "%s", text);
}
END_TEST

START_TEST(answers_are_features)
{
    const float na = NAN;
    const float want[] = {1, 1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 2, na, na, na, na, 1, 0, na, 0, 1};
    mml_cohort *c;
    mml_modality_info m;

    mmlt_write("w.csv", "id,age,smoker,treated,er,status\na,1,yes,TRUE,Positive,yes\nb,1,No,true,negative,no\n"
                        "c,0,NO,False,negative,no\nd,2,,NA,,yes\ne,1,no,,negative,yes\n");
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert_msg(has(text, "columns = all, -status\n; an outcome among these belongs into a section [task NAME], and not here\ncategorical = er\n"), "%s", text);
    ck_assert_msg(has(text, "; yes is 1 and no is 0, unless it is an outcome, which belongs into a section [task NAME]: smoker, treated\n"), "%s", text);
    ck_assert_msg(!has(text, "for categories") && !has(text, "which it is left out"), "%s", text);
    mml_string_free(text);
    mmlt_assert_ok(mml_import(mmlt_path("w.csv"), mmlt_path("out.h5"), &text, NULL, NULL));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    mmlt_assert_ok(mml_cohort_modality(&m, c, "w"));
    ck_assert(m.width == 5 && strcmp(m.features[1], "smoker") == 0 && strcmp(m.features[3], "er=Positive") == 0 &&
              strcmp(m.features[4], "er=negative") == 0);
    mmlt_assert_tokens(c, "w", want, NULL);
    mml_cohort_close(c);
}
END_TEST

/* A column of these two cells: is it a feature? */
static const struct answer {
    const char *name, *first, *second;
    bool feature, categorical;
} answers[] = {
    {"x", "yes", "no", true, false},       {"x", "Yes", "No", true, false},          {"x", "TRUE", "FALSE", true, false},
    {"x", "1", "no", true, false},         {"x", "Y", "N", true, true},              {"x", "n", "y", true, true},
    {"x", "T", "F", true, true},           {"x", "negative", "positive", true, true}, {"x", "Neg", "Pos", true, true},
    {"x", "absent", "Present", true, true}, {"x", "Y", "no", false, false},          {"x", "yes", "unknown", false, false},
    {"x", "2", "no", false, false},        {"x", "Y", "y", false, false},            {"x", "positive", "equivocal", false, false},
    {"x:y", "Y", "N", false, false}, /* names a category in a list */
    {"relapse", "yes", "no", false, false}, {"responder", "yes", "no", false, false}, {"alive", "Y", "N", false, false},
    {"metastasis", "positive", "negative", false, false}, {"in_remission", "TRUE", "FALSE", false, false},
    {"death", "yes", "no", false, false},
};

START_TEST(a_column_of_two_words_is_a_feature_if_they_are_an_answer)
{
    const struct answer *a = &answers[_i];
    char csv[200], excluded[60];

    snprintf(csv, sizeof csv, "id,age,%s\na,1,%s\nb,2,%s\nc,3,\n", a->name, a->first, a->second);
    snprintf(excluded, sizeof excluded, ", -%s", a->name);
    mmlt_write("w.csv", csv);
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert_msg(has(text, excluded) == !a->feature, "%s", text);
    ck_assert_msg(has(text, "\ncategorical = x\n") == a->categorical, "%s", text);
    mml_string_free(text);
    mmlt_assert_ok(mml_import(mmlt_path("w.csv"), mmlt_path("out.h5"), &text, NULL, NULL));
    ck_assert_msg(has(text, !a->feature ? "of 1 feature," : a->categorical ? "of 3 features," : "of 2 features,"), "%s", text);
}
END_TEST

/* Each row: a header, two rows, and a part of the ini; NULL: no survival task. */
static const struct survival {
    const char *header, *first, *second, *ini, *says;
} survivals[] = {
    {"days,event", "3,1", "5,0", "[task survival]\nkind = survival\ntime = days\nevent = event\nunit = days\n", NULL},
    {"Months,Status", "3,1", "5,0", "time = Months\nevent = Status\nunit = months\n", NULL},
    {"years,vital_status", "3,Dead", "5,Alive", "time = years\n; after the colon: the word that says that it happened; there are Dead and Alive\n"
     "event = vital_status:Dead\nunit = years\n", NULL},
    {"TIME,DEATH", "3,no", "5,yes", "time = TIME\n; after the colon: the word that says that it happened; there are no and yes\nevent = DEATH:yes\n", NULL},
    {"survival_days,died", "3,1.0", "5,0.0", "time = survival_days\nevent = died\nunit = days\n", NULL},
    {"time,status", "3,TRUE", "5,FALSE", "time = time\nevent = status\n", NULL},
    {"duration,event_observed", "3,1", "5,0", "time = duration\nevent = event_observed\n", NULL},
    {"follow-up time,dead", "3,1", "5,0", "time = follow-up time\nevent = dead\n", NULL},
    {"OS,OS.time,PFI,PFI.time", "1,3,0,2", "0,5,1,4", "[task survival]\nkind = survival\ntime = OS.time\nevent = OS\nunit = days\n\n"
     "[task survival_pfi]\nkind = survival\ntime = PFI.time\nevent = PFI\nunit = days\n", NULL},
    {"DSS_MONTHS,DSS_STATUS", "3,0:ALIVE OR DEAD TUMOR FREE", "5,1:DEAD WITH TUMOR", "[task survival_dss]\nkind = survival\ntime = DSS_MONTHS\n"
     "; after the colon: the word that says that it happened; there are 0:ALIVE OR DEAD TUMOR FREE and 1:DEAD WITH TUMOR\n"
     "event = DSS_STATUS:1:DEAD WITH TUMOR\nunit = months\n", NULL},
    {"OS_MONTHS,OS_STATUS", "3,1:DECEASED", "5,0:LIVING", "event = OS_STATUS:1:DECEASED\n", NULL}, /* in whatever order they come */
    {"OS,OS_event", "3.5,1", "5,0", "time = OS\nevent = OS_event\n", NULL},
    {"time_days,time_months,event", "30,1,1", "60,2,0", "time = time_days\nevent = event\nunit = days\n", NULL},
    {"time,event,status", "3,1,0", "5,0,1", "time = time\nevent = event\n", NULL},
    {"time,event,days_to_death", "3,1,3", "5,0,", "time = time\nevent = event\n", NULL},
    /* not certain */
    {"days,status", "3,smoker", "5,former", NULL, "No survival task was made of the time days and the event status, which is not 0 and 1"},
    {"time,status", "3,1", "5,2", NULL, "which is not 0 and 1: say which word or number"},
    {"time,status", "3,yes", "5,no", NULL, "which is not 0 and 1: say which word or number"},
    {"time,days,event", "3,4,1", "5,6,0", NULL, "made of the time time or days and the event event: say which are meant"},
    {"time,death,status", "3,1,1", "5,0,1", NULL, "made of the time time and the event death or status: say which"},
    {"days,x", "3,1", "5,0", NULL, "No outcome was recognised"},
    {"status,x", "1,1", "0,0", NULL, "No outcome was recognised"},
    {"days,event", "-3,1", "5,0", NULL, "No outcome was recognised"},
    {"days,event", "soon,1", "later,0", NULL, "No outcome was recognised"},
    {"OS.time,PFI", "3,1", "5,0", NULL, "No outcome was recognised"},
};

START_TEST(a_time_and_an_event_are_a_survival_task_where_that_is_certain)
{
    const struct survival *s = &survivals[_i];
    char csv[400];

    snprintf(csv, sizeof csv, "id,%s,age\na,%s,50\nb,%s,60\n", s->header, s->first, s->second);
    mmlt_write("w.csv", csv);
    suggest((const char *const[]){"w.csv"}, 1);
    if (s->ini != NULL)
        ck_assert_msg(has(text, s->ini) && !has(text, "No "), "%s", text);
    else
        ck_assert_msg(!has(text, "[task survival]\nkind") && has(text, s->says) && has(text, "No outcome"), "%s", text);
    mml_string_free(text);
    mmlt_assert_ok(mml_import(mmlt_path("w.csv"), mmlt_path("out.h5"), &text, NULL, NULL));
    ck_assert_msg(has(text, "(survival): 2 labelled") == (s->ini != NULL), "%s", text);
    ck_assert_msg(has(text, "taken for task survival") == (s->ini != NULL), "%s", text);
    ck_assert_msg(has(text, has(s->header, ",x") ? "of 2 features," : "of 1 feature,"), "%s", text); /* none tells the outcome */
}
END_TEST

START_TEST(an_outcome_in_doubt_is_no_task)
{
    mmlt_write("w.csv", "id,days,status,OS.time,OS,age\na,3,smoker,4,1,50\nb,5,former,6,0,60\n");
    suggest((const char *const[]){"w.csv"}, 1);
    ck_assert_msg(has(text, "; No survival task was made of the time days and the event status"), "%s", text);
    ck_assert_msg(has(text, "\n[task survival]\nkind = survival\ntime = OS.time\nevent = OS\nunit = days\n"), "%s", text); /* not survival_os */
    ck_assert_msg(!has(text, "No outcome"), "%s", text);
}
END_TEST

START_TEST(arrays_of_an_hdf5_file_are_suggested_with_their_ids)
{
    hid_t file = H5Fcreate(mmlt_path("a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const float x[6] = {1, 2, 3, 4, 5, 6};
    mml_cohort *c;

    mmlt_h5_array(file, "expr", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, (hsize_t[]){2, 3}, x);
    mmlt_h5_texts(file, "genes", (const char *const[]){"A", "B", "C"}, 3);
    mmlt_h5_texts(file, "cases", (const char *const[]){"p", "q"}, 2);
    H5Fclose(file);
    mmlt_assert_ok(mml_import(mmlt_path("a.h5"), mmlt_path("out.h5"), &text, NULL, NULL));
    mmlt_assert_ok(mml_cohort_open(&c, mmlt_path("out.h5")));
    mmlt_assert_tokens(c, "expr", x, NULL);
    ck_assert_str_eq(c->modalities[0].features[2], "C");
    mml_cohort_close(c);
}
END_TEST

START_TEST(a_table_is_described_column_by_column)
{
    mmlt_write("t.tsv", "Unnamed: 0\tpatient_id\tage\tstage\n0\tp1\t50\tii\n1\tp2\tNA\tiv\n2\tp3\t61.5\t\n");
    mmlt_assert_ok(mml_file_describe(&text, mmlt_path("t.tsv"), NULL));
    ck_assert(has(text, "\"format\": \"csv\"") && has(text, "\"rows\": \"3\"") && has(text, "patient_id (p1 to p3)"));
    ck_assert(has(text, "\"values\": \"ii, iv\"") && has(text, "\"missing\": 1") && has(text, "\"type\": \"number\""));
}
END_TEST

/* ---- known and not read --------------------------------------------------------------------------------------------------------- */

START_TEST(files_that_are_not_read_are_answered_with_what_converts_them)
{
    const struct {
        const char *name, *bytes, *what, *recipe;
        size_t n;
    } files[] = {
        {"a.pt", NULL, "a PyTorch file", "weights_only=True", 0},
        {"b.pth", "\200\2}q\1.", "a PyTorch file", "save_file", 6},
        {"c.pkl", "\200\4]\224.", "a Python pickle", "read_pickle", 5},
        {"d.parquet", "PAR1\25\4\25", "a Parquet file", "read_parquet", 7},
        {"e.feather", "ARROW1\0\0", "a Feather (Arrow) file", "read_feather", 8},
        {"f.rds", "X\n\0\0\0\3\0\4", "an R object (.rds)", "readRDS", 8},
        {"g.RData", "RDX3\nX\n", "an R workspace (.RData)", "write.csv", 7},
    };
    char dicom[200] = "", zip[64];

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        size_t n = files[i].n;
        const char *bytes = files[i].bytes;

        if (n == 0) { /* header of the first member of a zip: 30 bytes, the name's length at 26 */
            memset(zip, 0, sizeof zip);
            memcpy(zip, "PK\3\4", 4);
            zip[26] = 12;
            memcpy(zip + 30, "abc/data.pkl", 12);
            bytes = zip;
            n = 42;
        }
        mmlt_write_bytes(files[i].name, bytes, n);
        mmlt_assert_fails(mml_file_describe(&text, mmlt_path(files[i].name), NULL), MML_E_FORMAT, files[i].what);
        ck_assert(has(mml_last_error(), files[i].recipe));
        ck_assert(has(mml_last_error(), files[i].name));
    }
    memcpy(dicom + 128, "DICM", 4);
    mmlt_write_bytes("h.dcm", dicom, sizeof dicom);
    mmlt_assert_fails(mml_import(mmlt_path("h.dcm"), mmlt_path("out.h5"), NULL, NULL, NULL), MML_E_FORMAT, "a DICOM image");
    mmlt_write("l.csv", "id\na\n");
    mmlt_write("cohort.ini", "[cohort]\nlabels = d.parquet\nid = id\n[modality m]\nkind = table\nfile = l.csv\n");
    mmlt_assert_fails(mml_import(mmlt_path("cohort.ini"), mmlt_path("out.h5"), NULL, NULL, NULL), MML_E_FORMAT, "read_parquet");
}
END_TEST

START_TEST(a_name_that_a_shell_would_run_is_not_put_into_a_recipe)
{
    mmlt_write_bytes("a'$(x).parquet", "PAR1PAR1", 8);
    mmlt_assert_fails(mml_file_describe(&text, mmlt_path("a'$(x).parquet"), NULL), MML_E_FORMAT, "read_parquet(\"FILE\")");
}
END_TEST

START_TEST(what_no_format_fits_is_said_to_be_so)
{
    mmlt_write_bytes("x.bin", "\1\2\3\4", 4);
    mmlt_assert_fails(mml_file_describe(&text, mmlt_path("x.bin"), NULL), MML_E_FORMAT, "a file of no format that import knows");
    mmlt_assert_fails(mml_file_describe(&text, mmlt_path("x.bin"), "csvv"), MML_E_NOT_FOUND, "csv");
    mmlt_assert_fails(mml_import(mmlt_path("nowhere"), mmlt_path("out.h5"), NULL, NULL, NULL), MML_E_IO, "nowhere");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import files");
    TCase *tc = tcase_create("files");

    tcase_add_checked_fixture(tc, make, clean);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, without_a_labels_file_the_samples_are_those_of_all_modalities);
    tcase_add_test(tc, two_tables_of_the_same_samples_need_no_labels_file);
    tcase_add_test(tc, samples_all_keeps_those_that_the_labels_file_lacks);
    tcase_add_test(tc, tables_without_header_and_ids_are_matched_by_row_over_several_files);
    tcase_add_test(tc, ids_may_stand_in_a_file_of_their_own);
    tcase_add_test(tc, parts_of_a_table_must_have_the_same_columns);
    tcase_add_test(tc, tabs_and_semicolons_divide_cells_where_there_is_no_comma);
    tcase_add_test(tc, samples_may_be_columns);
    tcase_add_test(tc, many_samples_in_columns_are_turned_round_in_bands);
    tcase_add_test(tc, categories_become_a_number_each);
    tcase_add_test(tc, ranks_and_limits_change_values_within_a_sample);
    tcase_add_test(tc, a_decimal_comma_is_called_by_its_name);
    tcase_add_test(tc, an_event_may_be_a_word);
    tcase_add_test(tc, a_dry_run_says_all_that_is_wrong_and_writes_nothing);
    tcase_add_test(tc, a_dry_run_tells_what_is_wrong_with_every_file_at_once);
    tcase_add_test(tc, a_dry_run_looks_at_the_modalities_of_a_wrong_labels_file);
    tcase_add_test(tc, a_dry_run_tells_everything_once);
    tcase_add_test(tc, a_dry_run_tells_all_columns_that_are_not_there);
    tcase_add_test(tc, a_dry_run_tells_all_fields_that_an_array_has_not);
    tcase_add_test(tc, a_dry_run_of_a_good_ini_reports_and_writes_nothing);
    tcase_add_test(tc, a_check_of_a_wrong_ini_says_all_that_is_wrong_with_it);
    tcase_add_test(tc, a_table_is_imported_without_an_ini);
    tcase_add_test(tc, a_suggestion_leaves_out_what_may_tell_the_outcome);
    tcase_add_test(tc, words_that_could_be_categories_are_told);
    tcase_add_test(tc, answers_are_features);
    tcase_add_loop_test(tc, a_column_of_two_words_is_a_feature_if_they_are_an_answer, 0, sizeof answers / sizeof answers[0]);
    tcase_add_loop_test(tc, a_time_and_an_event_are_a_survival_task_where_that_is_certain, 0, (int)(sizeof survivals / sizeof survivals[0]));
    tcase_add_test(tc, an_outcome_in_doubt_is_no_task);
    tcase_add_test(tc, arrays_of_an_hdf5_file_are_suggested_with_their_ids);
    tcase_add_test(tc, a_table_is_described_column_by_column);
    tcase_add_test(tc, files_that_are_not_read_are_answered_with_what_converts_them);
    tcase_add_test(tc, a_name_that_a_shell_would_run_is_not_put_into_a_recipe);
    tcase_add_test(tc, what_no_format_fits_is_said_to_be_so);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
