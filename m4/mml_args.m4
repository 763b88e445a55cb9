dnl mml_args.m4 - the switches of configure that are no library: sanitizers, coverage, native, werror.
dnl They add to MML_CFLAGS and MML_LDFLAGS; the optimisation level changes only when the user gave no CFLAGS.

AC_DEFUN([MML_ARG_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers@<:@=LIST@:>@],
      [for tests, not for use: compile with run-time checks of memory and arithmetic; LIST is
       address,undefined (the default), address, undefined or thread (data races) @<:@no@:>@])],
    [], [enable_sanitizers=no])
  AS_CASE([$enable_sanitizers],
    [no], [mml_sanitizers=],
    [yes], [mml_sanitizers=address,undefined],
    [address,undefined|undefined,address], [mml_sanitizers=address,undefined],
    [address|undefined|thread], [mml_sanitizers=$enable_sanitizers],
    [AC_MSG_ERROR([--enable-sanitizers=$enable_sanitizers: not one of address,undefined | address | undefined | thread])])
  AS_IF([test -n "$mml_sanitizers"], [
    AS_IF([test $mml_own_CFLAGS = yes], [CFLAGS="-g -O1"])
    mml_sanitize_flags="-fsanitize=$mml_sanitizers -fno-omit-frame-pointer"
    AS_CASE([$mml_sanitizers], [*undefined*], [AS_VAR_APPEND([mml_sanitize_flags], [" -fno-sanitize-recover=all"])])
    AC_MSG_CHECKING([whether $CC can build and run a program with -fsanitize=$mml_sanitizers])
    mml_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $mml_sanitize_flags"
    AC_RUN_IFELSE([AC_LANG_PROGRAM([], [])],
      [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([$CC cannot use -fsanitize=$mml_sanitizers: apt-get install libgcc-12-dev (gcc) or libclang-rt-14-dev (clang)])],
      [AC_MSG_RESULT([not tried: cross-compiling])])
    CFLAGS=$mml_save_CFLAGS
    AS_VAR_APPEND([MML_CFLAGS], [" $mml_sanitize_flags"])
    AS_VAR_APPEND([MML_LDFLAGS], [" -fsanitize=$mml_sanitizers"])
  ])
  AC_SUBST([MML_SANITIZERS], [$mml_sanitizers])
  AM_CONDITIONAL([SANITIZE], [test -n "$mml_sanitizers"])
  AM_CONDITIONAL([SANITIZE_THREAD], [test "x$mml_sanitizers" = xthread])
])

AC_DEFUN([MML_ARG_COVERAGE], [
  AC_ARG_ENABLE([coverage],
    [AS_HELP_STRING([--enable-coverage],
      [for tests, not for use: count the lines that run (gcov); then `make check coverage' gives the
       share of src/ and backends/ that the tests ran (needs gcovr) @<:@no@:>@])],
    [], [enable_coverage=no])
  AS_IF([test "x$enable_coverage" != xno], [
    AS_IF([test $mml_own_CFLAGS = yes], [CFLAGS="-g -O0"])
    AS_VAR_APPEND([MML_CFLAGS], [" --coverage -fprofile-update=atomic"])
    AS_VAR_APPEND([MML_LDFLAGS], [" --coverage"])
  ])
  AC_ARG_VAR([GCOVR], [program that sums up coverage])
  AC_CHECK_PROG([GCOVR], [gcovr], [gcovr])
  AM_CONDITIONAL([COVERAGE], [test "x$enable_coverage" != xno])
])

AC_DEFUN([MML_ARG_NATIVE], [
  AC_ARG_ENABLE([native],
    [AS_HELP_STRING([--enable-native],
      [compile for the processor of this machine only (-march=native). The hot loops choose
       their vector width at run time anyway: gains little, and the result may not start elsewhere @<:@no@:>@])],
    [], [enable_native=no])
  AS_IF([test "x$enable_native" != xno], [AS_VAR_APPEND([MML_CFLAGS], [" -march=native"])])
])

AC_DEFUN([MML_ARG_WERROR], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror],
      [for tests: a warning of the compiler stops the build @<:@no@:>@])],
    [], [enable_werror=no])
])
