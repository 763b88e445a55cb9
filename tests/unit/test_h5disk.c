/* Disks without room: a clean error, the old file intact, and HDF5 still closes everything when the program ends. A full
 * disk is played by a limit on the size of files, in a process of its own that ends by exit(), exit handlers included. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/h5.h"
#include "io/cohort_write.h"
#include "tests/unit/folder.h"
#include "tests/unit/make_model.h"

enum { ROWS = 600, PATIENTS = 60, TOKENS = 100, WIDE = 64 };

/* How a process of its own ended; it may write files of `room` bytes at most. */
enum { FINE = 0, NO_ROOM = 3, WRONG = 4 };

/* The files that the test program has open are not this process's: without a fork of its own (CK_FORK=no) Check keeps its
 * notes there, and exit() would move the place it writes to. */
static int let_go(void)
{
    const int nothing = open("/dev/null", O_RDWR);

    for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
        if (fd != nothing && fcntl(fd, F_GETFD) >= 0 && dup2(nothing, fd) < 0)
            return -1;
    return nothing < 0 ? -1 : 0;
}

/* Called after HDF5's own exit handler: what the compiler counts for coverage is written last, and has room. */
static void give_room(void)
{
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
}

static int in_process(int (*what)(void), rlim_t room)
{
    int how = -1, said[2];
    char text[400] = "";
    ssize_t n = 0;
    pid_t pid;

    fflush(NULL);
    ck_assert_int_eq(pipe(said), 0);
    if ((pid = fork()) == 0) {
        const struct rlimit limit = {room, RLIM_INFINITY};

        signal(SIGXFSZ, SIG_IGN); /* write() then fails with EFBIG */
        if (atexit(give_room) != 0 || dup2(said[1], STDERR_FILENO) < 0 || let_go() != 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0)
            exit(WRONG);
        exit(what());
    }
    ck_assert_int_gt(pid, 0);
    close(said[1]);
    while (n < (ssize_t)sizeof text - 1) {
        const ssize_t part = read(said[0], text + n, sizeof text - 1 - (size_t)n);

        if (part <= 0)
            break;
        n += part;
    }
    close(said[0]);
    ck_assert_int_eq(waitpid(pid, &how, 0), pid);
    ck_assert_msg(WIFEXITED(how), "with room for %llu bytes the program was ended by signal %d", (unsigned long long)room,
                  WIFSIGNALED(how) ? WTERMSIG(how) : 0);
    ck_assert_str_eq(text, ""); /* HDF5 complains there of what it cannot close */
    return WEXITSTATUS(how);
}

static off_t size_of(const char *name)
{
    struct stat is;

    ck_assert_int_eq(stat(mmlt_path(name), &is), 0);
    return is.st_size;
}

static int outcome(mml_status st)
{
    if (st == MML_OK)
        return FINE;
    return st == MML_E_IO && strstr(mml_last_error(), "could not be written: File too large") != NULL ? NO_ROOM : WRONG;
}

/* Numbers, texts, groups and attributes; what cannot be written can still be read while the file is open. */
static int write_arrays(void)
{
    float x[ROWS], back[ROWS];
    const char *const texts[3] = {"sepsis", "stroke", ""};
    const size_t n = ROWS;
    char name[20];
    hid_t file = -1, group = -1;
    mml_status st = mmli_h5_create(&file, mmlt_path("a.h5"), "a.h5");

    mmlt_normal(x, ROWS, 1);
    if (st == MML_OK)
        st = mmli_h5_set_format(file, "a.h5", "mmlego model", 1);
    for (int g = 0; g < 8 && st == MML_OK; g++) {
        snprintf(name, sizeof name, "block %d", g);
        st = mmli_h5_group_new(&group, file, "a.h5", name);
        if (st == MML_OK)
            st = mmli_h5_put_texts(texts, 3, group, "a.h5", "classes");
        if (st == MML_OK) {
            st = mmli_h5_put(MMLI_H5_F32, 1, &n, x, group, "a.h5", "weight");
            if (mmli_h5_get(back, MMLI_H5_F32, 1, &n, group, "a.h5", "weight") != MML_OK || memcmp(back, x, sizeof x) != 0)
                return WRONG;
            if (st != MML_OK && outcome(mmli_h5_put(MMLI_H5_F32, 1, &n, x, group, "a.h5", "bias")) != NO_ROOM)
                return WRONG; /* it stays so */
        }
        mmli_h5_drop(group);
    }
    if (st == MML_OK)
        st = mmli_h5_finish(&file, "a.h5");
    mmli_h5_drop(file); /* keeps the message */
    return outcome(st);
}

START_TEST(a_file_without_room_is_an_error_and_never_a_crash)
{
    off_t whole;

    ck_assert_int_eq(in_process(write_arrays, RLIM_INFINITY), FINE);
    whole = size_of("a.h5");
    ck_assert_int_gt(whole, 8 * ROWS * 4);
    for (off_t room = 0; room < whole; room += 1 + whole / 41)
        ck_assert_int_eq(in_process(write_arrays, (rlim_t)room), NO_ROOM);
    ck_assert_int_eq(in_process(write_arrays, (rlim_t)whole - 1), NO_ROOM);
    ck_assert_int_eq(in_process(write_arrays, (rlim_t)whole), FINE);
}
END_TEST

static int save_model(void)
{
    mml_model *model = mmlt_fused();
    const int how = outcome(mml_model_save(model, mmlt_path("m.h5")));

    mml_model_free(model);
    return how;
}

START_TEST(a_model_that_finds_no_room_leaves_the_old_one)
{
    mml_model *old = mmlt_merged(), *model = NULL;
    char *before, *after;
    size_t n, m;
    off_t whole;

    ck_assert_int_eq(in_process(save_model, RLIM_INFINITY), FINE);
    whole = size_of("m.h5");
    mmlt_assert_ok(mml_model_save(old, mmlt_path("m.h5")));
    before = mmlt_read(mmlt_path("m.h5"), &n);
    for (off_t room = 0; room < whole; room += 1 + whole / 7)
        ck_assert_int_eq(in_process(save_model, (rlim_t)room), NO_ROOM);
    after = mmlt_read(mmlt_path("m.h5"), &m);
    ck_assert_uint_eq(m, n);
    mmlt_assert_same_bits(after, before, n);
    ck_assert_uint_eq(mmlt_folder_files(), 1); /* and nothing beside it */
    mmlt_assert_ok(mml_model_load(&model, mmlt_path("m.h5"), NULL, 0));
    mmlt_assert_same_model(model, old);
    ck_assert_int_eq(in_process(save_model, (rlim_t)whole), FINE);
    free(before);
    free(after);
    mml_model_free(model);
    mml_model_free(old);
}
END_TEST

/* Tokens of more than the writer holds, 1 MiB, and the file closed by mmli_cohort_write_end() or on the way. */
static int write_cohort(void)
{
    static char ids[PATIENTS][8], features[WIDE][8];
    char *id[PATIENTS], *feature[WIDE];
    float *x = malloc(TOKENS * WIDE * sizeof *x);
    mmli_cohort_writer w;
    mmli_token_writer t;
    mml_status st;
    size_t written = 0;

    if (x == NULL)
        return WRONG;
    for (int i = 0; i < PATIENTS; i++) {
        snprintf(ids[i], sizeof ids[i], "p%d", i);
        id[i] = ids[i];
    }
    for (int i = 0; i < WIDE; i++) {
        snprintf(features[i], sizeof features[i], "f%d", i);
        feature[i] = features[i];
    }
    st = mmli_cohort_write_begin(&w, mmlt_path("c.h5"), "c.h5", id, NULL, PATIENTS, 0);
    if (st == MML_OK && (st = mmli_token_write_begin(&t, &w, "labs", MML_TABLE, WIDE, 0, feature, false)) == MML_OK) {
        for (; written < PATIENTS && st == MML_OK; written++) {
            mmlt_normal(x, TOKENS * WIDE, written);
            st = mmli_token_write(&t, written, x, NULL, TOKENS);
        }
        if (st == MML_OK)
            st = mmli_token_write_end(&t);
        mmli_token_write_free(&t);
    }
    if (st == MML_OK)
        st = mmli_cohort_write_end(&w);
    mmli_cohort_write_drop(&w);
    free(x);
    return outcome(st);
}

START_TEST(a_cohort_that_finds_no_room_is_an_error_and_never_a_crash)
{
    off_t whole;

    ck_assert_int_eq(in_process(write_cohort, RLIM_INFINITY), FINE);
    whole = size_of("c.h5");
    ck_assert_int_gt(whole, PATIENTS * TOKENS * WIDE * 4);
    for (off_t room = 0; room < whole; room += 1 + whole / 11)
        ck_assert_int_eq(in_process(write_cohort, (rlim_t)room), NO_ROOM);
    ck_assert_int_eq(in_process(write_cohort, (rlim_t)whole - 1), NO_ROOM);
}
END_TEST

START_TEST(the_driver_outlives_a_closing_of_hdf5)
{
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(write_arrays(), FINE);
        ck_assert_int_ge(H5close(), 0); /* as an application may */
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("h5 disk");
    TCase *tc = tcase_create("disk");

    tcase_add_checked_fixture(tc, mmlt_folder_make, mmlt_folder_remove);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_file_without_room_is_an_error_and_never_a_crash);
    tcase_add_test(tc, a_model_that_finds_no_room_leaves_the_old_one);
    tcase_add_test(tc, a_cohort_that_finds_no_room_is_an_error_and_never_a_crash);
    tcase_add_test(tc, the_driver_outlives_a_closing_of_hdf5);
    suite_add_tcase(s, tc);
    return mmlt_main(s);
}
