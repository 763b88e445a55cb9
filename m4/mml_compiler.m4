dnl mml_compiler.m4 - language, warnings, OpenMP, visibility. Sets MML_CFLAGS, MML_LDFLAGS, WARN_CFLAGS.

dnl MML_CHECK_FLAG(VARIABLE, FLAG): adds FLAG to VARIABLE when the compiler takes it without a word.
AC_DEFUN([MML_CHECK_FLAG], [
  AS_VAR_PUSHDEF([cache], [mml_cv_flag_$2])
  AC_CACHE_CHECK([whether $CC takes $2], [cache], [
    mml_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $2"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
    CFLAGS=$mml_save_CFLAGS
  ])
  AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
  AS_VAR_POPDEF([cache])
])

AC_DEFUN([MML_PROG_C11], [
  AC_MSG_CHECKING([whether $CC compiles C11 with the extensions of GNU])
  mml_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -std=c11 -D_GNU_SOURCE"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([
#include <stdalign.h>
#include <string.h>
_Static_assert(sizeof(float) == 4, "float32");
static _Thread_local int per_thread;
static int __attribute__((visibility("hidden"), format(printf, 1, 2))) f(const char *t, ...) { return t[[0]]; }
], [alignas(64) char a[[64]]; per_thread = f("x"); memset(a, 0, sizeof a); return a[[0]] + per_thread - 'x';])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([$CC is no C11 compiler of the GNU family: apt-get install gcc, or use CC=clang])])
  CFLAGS=$mml_save_CFLAGS
  AS_VAR_APPEND([MML_CFLAGS], [" -std=c11"])
  # One product plus one sum is rounded twice unless the source says fmaf(): the same bits from every compiler.
  MML_CHECK_FLAG([MML_CFLAGS], [-ffp-contract=off])
  # Nothing here reads errno after a call of <math.h>: lets the compiler use vector instructions.
  MML_CHECK_FLAG([MML_CFLAGS], [-fno-math-errno])
  AC_SUBST([MML_CFLAGS])
  AC_SUBST([MML_LDFLAGS])
])

AC_DEFUN([MML_CHECK_OPENMP], [
  AC_OPENMP
  AS_IF([test "x$ac_cv_prog_c_openmp" = xunsupported],
    [AC_MSG_ERROR([$CC has no OpenMP: apt-get install gcc (its OpenMP, libgomp, comes along), or for clang: apt-get install libomp-dev])],
    [test "x$enable_openmp" = xno],
    [AC_MSG_ERROR([--disable-openmp: the cpu backend is written with OpenMP; run with OMP_NUM_THREADS=1 for one thread])])
])

dnl Kept apart from MML_CFLAGS: they are no part of how the code runs.
AC_DEFUN([MML_CHECK_WARNINGS], [
  for mml_flag in -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
                  -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wwrite-strings \
                  -Wformat=2 -Wundef -Wvla -Wduplicated-cond -Wlogical-op; do
    MML_CHECK_FLAG([WARN_CFLAGS], [$mml_flag])
  done
  AS_IF([test "x$enable_werror" != xno], [AS_VAR_APPEND([WARN_CFLAGS], [" -Werror"])])
  AC_SUBST([WARN_CFLAGS])
])

dnl Hidden unless marked MML_API, and a version script so that nothing else can slip out
dnl (symbols of the compiler's run-time, of a statically linked library).
AC_DEFUN([MML_CHECK_VISIBILITY], [
  MML_CHECK_FLAG([MML_CFLAGS], [-fvisibility=hidden])
  AC_CACHE_CHECK([whether the linker takes a version script], [mml_cv_version_script], [
    echo "MML_TEST { global: main; local: *; };" >conftest.map
    mml_save_LDFLAGS=$LDFLAGS
    LDFLAGS="$LDFLAGS -Wl,--version-script=conftest.map"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [mml_cv_version_script=yes], [mml_cv_version_script=no])
    LDFLAGS=$mml_save_LDFLAGS
    rm -f conftest.map
  ])
  AM_CONDITIONAL([VERSION_SCRIPT], [test "x$mml_cv_version_script" = xyes])
])

dnl Programs of the tests are linked by the first of these that works, several times faster than the usual one.
AC_DEFUN([MML_CHECK_TEST_LINKER], [
  AC_CACHE_CHECK([for a fast linker for the tests], [mml_cv_test_linker], [
    mml_cv_test_linker=none
    mml_save_LDFLAGS=$LDFLAGS
    for mml_linker in gold lld; do
      LDFLAGS="$mml_save_LDFLAGS -fuse-ld=$mml_linker"
      AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [mml_cv_test_linker=$mml_linker; break])
    done
    LDFLAGS=$mml_save_LDFLAGS
  ])
  AS_IF([test $mml_cv_test_linker != none], [MML_TEST_LDFLAGS=-fuse-ld=$mml_cv_test_linker], [MML_TEST_LDFLAGS=])
  AC_SUBST([MML_TEST_LDFLAGS])
])
