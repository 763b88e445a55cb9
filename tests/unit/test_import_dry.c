/* A cohort.ini that is looked at and not imported: all that is wrong with it is told at once. */
#include "tests/unit/import_help.h"

/* cohort.ini is looked at, nothing is written; what is told of it is in `mmlt_text`. */
static mml_status dry_run(const char *out_path)
{
    mml_import_options o;

    mml_import_options_init(&o);
    o.dry_run = 1;
    return mml_import_with(mmlt_path("cohort.ini"), out_path, &o, &mmlt_text);
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
    ck_assert(mmlt_has(mmlt_text, "row 2, column e: \"2\" is neither 0 nor 1"));
    ck_assert(mmlt_has(mmlt_text, "row 3, column t: the time -3 is negative"));
    ck_assert(mmlt_has(mmlt_text, "row 2, column x: \"one\" is not a number"));
    ck_assert(mmlt_has(mmlt_text, "row 3, column y: \"two\" is not a number"));
    ck_assert(mmlt_has(mmlt_text, "nowhere.csv: cannot be opened"));
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
    ck_assert_msg(mmlt_has(mmlt_text, "parts.csv: rows 2 and 3"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "l.csv: row 3, column site: the group cannot be used: it is empty"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "l.csv: row 3, column t: \"x\""), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "words.csv: row 3, column v: \"2,5\" is not a number: it has a decimal comma"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "words.csv: row 4, column v: 1e39 is too large for a 32-bit float"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "twice.csv: rows 2 and 4 have the same id a"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "other.csv: modality other: none of its 2 ids is in"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "nowhere.csv: cannot be opened"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "long.csv: row 3, column time: \"noon\" is no time"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "long.csv: row 4, column value: \"fast\" is not a number"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "cut.npy: is no array of NumPy (too short)"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "m.h5: modality array: sample b, c1: the value is infinite"), "%s", mmlt_text);
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
    ck_assert_msg(mmlt_has(mmlt_text, "l.csv: rows 2 and 4 have the same id a"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "s.csv: no column w"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "m.csv: row 3, column x: \"two\" is not a number"), "%s", mmlt_text);
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
    ck_assert_msg(mmlt_has(mmlt_text, "l.csv: no column z"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "m.csv: no column w"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "nowhere.csv: cannot be opened"), "%s", mmlt_text);
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
    ck_assert_msg(mmlt_has(mmlt_text, "l.csv: no column idd (did you mean id?)"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "l.csv: no column g"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "l.csv: no column yy"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "l.csv: no column t"), "%s", mmlt_text); /* wanted by two, told once */
    ck_assert_msg(mmlt_has(mmlt_text, "l.csv: no column e"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "l.csv: no column own_e"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "s.csv: no column idd"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "s.csv: no column p1"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "s.csv: no column p2"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "m.csv: no column v"), "%s", mmlt_text);
    ck_assert_msg(mmlt_has(mmlt_text, "m.csv: no column w"), "%s", mmlt_text);
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
    ck_assert_msg(mmlt_has(mmlt_text, "y.npy: no field z") && mmlt_has(mmlt_text, "y.npy: no field w") && mmlt_has(mmlt_text, "y.npy: no field v"), "%s", mmlt_text);
}
END_TEST

START_TEST(a_dry_run_of_a_good_ini_reports_and_writes_nothing)
{
    mmlt_write("l.csv", "id\na\n");
    mmlt_write("m.csv", "id,x\na,1\n");
    mmlt_write("cohort.ini", "[cohort]\nlabels = l.csv\nid = id\n[modality m]\nkind = table\nfile = m.csv\n");
    mmlt_assert_ok(dry_run(mmlt_path("out.h5")));
    ck_assert(mmlt_has(mmlt_text, "modality m (table): 1 of 1 sample,"));
    ck_assert_uint_eq(mmlt_folder_files(), 3);
}
END_TEST

START_TEST(a_check_of_a_wrong_ini_says_all_that_is_wrong_with_it)
{
    mmlt_write("cohort.ini", "[cohort]\nlabels = l.csv\nid = id\n[task os]\nkind = survival\ntime = t\n"
                             "[modality m]\nkind = tabel\nfile = m.csv\n");
    mmlt_assert_fails(dry_run(NULL), MML_E_DATA, "2 problems found");
    ck_assert(mmlt_has(mmlt_text, "exactly one of event") && mmlt_has(mmlt_text, "did you mean table?"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("import, dry");
    TCase *tc = tcase_create("dry");

    tcase_add_checked_fixture(tc, mmlt_text_make, mmlt_text_free);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_dry_run_says_all_that_is_wrong_and_writes_nothing);
    tcase_add_test(tc, a_dry_run_tells_what_is_wrong_with_every_file_at_once);
    tcase_add_test(tc, a_dry_run_looks_at_the_modalities_of_a_wrong_labels_file);
    tcase_add_test(tc, a_dry_run_tells_everything_once);
    tcase_add_test(tc, a_dry_run_tells_all_columns_that_are_not_there);
    tcase_add_test(tc, a_dry_run_tells_all_fields_that_an_array_has_not);
    tcase_add_test(tc, a_dry_run_of_a_good_ini_reports_and_writes_nothing);
    tcase_add_test(tc, a_check_of_a_wrong_ini_says_all_that_is_wrong_with_it);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
