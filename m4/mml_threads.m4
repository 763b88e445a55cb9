dnl mml_threads.m4 - who runs the parallel loops of the cpu backend.
dnl Under ThreadSanitizer only the pool can be: libgomp is not instrumented, and its barriers would look like races.

AC_DEFUN([MML_ARG_THREADS], [
  AC_ARG_WITH([threads],
    [AS_HELP_STRING([--with-threads=KIND],
      [parallel loops of the cpu backend: pool, threads of its own that sleep when idle, or openmp;
       results are the same to the bit @<:@pool@:>@])],
    [], [with_threads=default])
  AS_CASE([$with_threads],
    [default], [with_threads=pool],
    [openmp|pool], [],
    [AC_MSG_ERROR([--with-threads=$with_threads: openmp or pool])])
  AM_CONDITIONAL([THREADS_POOL], [test $with_threads = pool])
  AC_DEFINE_UNQUOTED([MML_THREADS], ["$with_threads"], [Parallel loops of the cpu backend: openmp or pool.])
])
