/* h5lock.c - the one mutex of the library's HDF5 use, and the application's error handler put aside.
 *
 * HDF5's state is one per process, so this lock is too. With the drivers of h5disk.c and h5guard.c these are the only global variables
 * of the library beside the error text, written only by the thread that holds the mutex.
 */
#include "io/h5lock.h"

#include <hdf5.h>
#include <pthread.h>

static pthread_mutex_t mutex;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned depth; /* how often the holder has taken the lock */

/* How the application prints HDF5 errors: version 2 of the interface, or 1 of HDF5 1.6 programs. */
static unsigned auto_version;
static H5E_auto2_t saved2;
static void *saved_data;
#ifndef H5_NO_DEPRECATED_SYMBOLS
static H5E_auto1_t saved1;
#endif

static void make_mutex(void)
{
    pthread_mutexattr_t kind;

    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&mutex, &kind);
    pthread_mutexattr_destroy(&kind);
}

static void put_aside(void)
{
    unsigned is_v2 = 1;

    auto_version = 0;
    if (H5Eauto_is_v2(H5E_DEFAULT, &is_v2) < 0)
        return;
    if (is_v2) {
        if (H5Eget_auto2(H5E_DEFAULT, &saved2, &saved_data) >= 0 &&
            H5Eset_auto2(H5E_DEFAULT, NULL, NULL) >= 0)
            auto_version = 2;
        return;
    }
#ifndef H5_NO_DEPRECATED_SYMBOLS
    if (H5Eget_auto1(&saved1, &saved_data) >= 0 && H5Eset_auto1(NULL, NULL) >= 0)
        auto_version = 1;
#endif
}

static void put_back(void)
{
    H5Eclear2(H5E_DEFAULT); /* failures that were dealt with must not surface in the application */
    if (auto_version == 2)
        H5Eset_auto2(H5E_DEFAULT, saved2, saved_data);
#ifndef H5_NO_DEPRECATED_SYMBOLS
    if (auto_version == 1)
        H5Eset_auto1(saved1, saved_data);
#endif
}

void mmli_h5_lock(void)
{
    pthread_once(&once, make_mutex);
    pthread_mutex_lock(&mutex);
    if (depth++ == 0)
        put_aside();
}

void mmli_h5_unlock(void)
{
    if (--depth == 0)
        put_back();
    pthread_mutex_unlock(&mutex);
}
