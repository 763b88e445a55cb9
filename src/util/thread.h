/* thread.h - threads of the library's own. */
#ifndef MMLI_UTIL_THREAD_H
#define MMLI_UTIL_THREAD_H

#include <pthread.h>
#include <signal.h>

/* pthread_create() of a thread that gets no signals: those are for the application's threads. 0 or the error number. */
static inline int mmli_thread_start(pthread_t *thread, void *(*work)(void *), void *user)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(thread, NULL, work, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

#endif
