dnl mml_libs.m4 - libraries that have one provider. Each sets NAME_CFLAGS and NAME_LIBS and errs with
dnl the Debian package to install.

dnl MML_NEED_PC(PREFIX, MODULES, WHAT, DEBIAN PACKAGE)
AC_DEFUN([MML_NEED_PC], [
  PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$3 is missing (pkg-config finds no $2): apt-get install $4])])
])

dnl Headers that do not pass our warnings are not our business: -I becomes -isystem.
AC_DEFUN([MML_AS_SYSTEM], [
  $1=`AS_ECHO(["$$1"]) | $SED 's/\(^\| \)-I/\1-isystem /g'`
])

dnl Debian has a serial and two MPI builds side by side; the serial one is wanted.
AC_DEFUN([MML_LIB_HDF5], [
  PKG_CHECK_EXISTS([hdf5-serial], [mml_hdf5=hdf5-serial], [mml_hdf5=hdf5])
  MML_NEED_PC([HDF5], [$mml_hdf5 >= 1.10], [HDF5 1.10 or newer], [libhdf5-dev])
  MML_AS_SYSTEM([HDF5_CFLAGS])
  mml_save_CPPFLAGS=$CPPFLAGS; mml_save_LIBS=$LIBS
  CPPFLAGS="$CPPFLAGS $HDF5_CFLAGS"; LIBS="$HDF5_LIBS $LIBS"
  AC_MSG_CHECKING([whether HDF5 is serial and links])
  AC_LINK_IFELSE([AC_LANG_PROGRAM([
#include <hdf5.h>
#ifdef H5_HAVE_PARALLEL
#error "HDF5 for MPI"
#endif
], [return H5open() < 0;])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([$mml_hdf5 of pkg-config is built for MPI, or hdf5.h does not compile (config.log says why): apt-get install libhdf5-dev])])
  CPPFLAGS=$mml_save_CPPFLAGS; LIBS=$mml_save_LIBS
])

AC_DEFUN([MML_LIB_ZLIB], [MML_NEED_PC([ZLIB], [zlib], [zlib], [zlib1g-dev])])
AC_DEFUN([MML_LIB_LIBZIP], [MML_NEED_PC([LIBZIP], [libzip >= 1.7], [libzip 1.7 or newer], [libzip-dev])])
AC_DEFUN([MML_LIB_JANSSON], [MML_NEED_PC([JANSSON], [jansson >= 2.12], [Jansson 2.12 or newer (JSON)], [libjansson-dev])])
AC_DEFUN([MML_LIB_INIH], [MML_NEED_PC([INIH], [inih], [inih (INI files)], [libinih-dev])])

dnl libcsv comes without a file for pkg-config.
AC_DEFUN([MML_LIB_CSV], [
  AC_CHECK_HEADER([csv.h], [], [mml_no_csv=header])
  mml_save_LIBS=$LIBS
  AC_CHECK_LIB([csv], [csv_parse], [CSV_LIBS=-lcsv], [mml_no_csv=library])
  LIBS=$mml_save_LIBS
  AS_IF([test -n "$mml_no_csv"], [AC_MSG_ERROR([libcsv is missing (no $mml_no_csv): apt-get install libcsv-dev])])
  AC_SUBST([CSV_LIBS])
])

dnl exp, tanh, ... for whole vectors: libmvec of glibc 2.35 or newer, or SLEEF, or plain loops over libm.
AC_DEFUN([MML_LIB_VECMATH], [
  AC_ARG_WITH([vecmath],
    [AS_HELP_STRING([--with-vecmath=NAME],
      [exp, tanh and such on whole vectors: libmvec (comes with glibc), sleef, none (slower), or auto: the
       first of them that is there @<:@auto@:>@])],
    [], [with_vecmath=auto])
  AS_CASE([$with_vecmath], [yes], [with_vecmath=auto], [no], [with_vecmath=none])
  VECMATH_LIBS=-lm
  VECMATH_CFLAGS=
  mml_vecmath=none
  AS_CASE([$with_vecmath], [auto|libmvec], [
    mml_save_LIBS=$LIBS
    AC_CHECK_LIB([mvec], [_ZGVbN4v_tanhf], [mml_vecmath=libmvec], [], [-lm])
    LIBS=$mml_save_LIBS
  ])
  AS_IF([test $mml_vecmath = none], [AS_CASE([$with_vecmath], [auto|sleef],
    [PKG_CHECK_MODULES([SLEEF], [sleef], [mml_vecmath=sleef], [:])])])
  AS_CASE([$with_vecmath:$mml_vecmath],
    [auto:*|none:none|libmvec:libmvec|sleef:sleef], [],
    [sleef:*], [AC_MSG_ERROR([SLEEF is missing (pkg-config finds no sleef): apt-get install libsleef-dev])],
    [libmvec:*], [AC_MSG_ERROR([this C library has no libmvec with tanhf: use --with-vecmath=sleef and apt-get install libsleef-dev])],
    [AC_MSG_ERROR([--with-vecmath=$with_vecmath: not one of auto | libmvec | sleef | none])])
  AS_CASE([$mml_vecmath],
    [libmvec], [VECMATH_LIBS="-lmvec -lm"
      AC_DEFINE([HAVE_LIBMVEC], [1], [Vector math is libmvec of glibc.])],
    [sleef], [VECMATH_LIBS="$SLEEF_LIBS -lm"; VECMATH_CFLAGS=$SLEEF_CFLAGS
      AC_DEFINE([HAVE_SLEEF], [1], [Vector math is SLEEF.])])
  AC_SUBST([VECMATH_LIBS])
  AC_SUBST([VECMATH_CFLAGS])
])

dnl Only tests need it: `make check' says so when it is missing.
AC_DEFUN([MML_LIB_CHECK], [
  PKG_CHECK_MODULES([CHECK], [check >= 0.13], [mml_have_check=yes], [mml_have_check=no])
  AM_CONDITIONAL([HAVE_CHECK], [test "x$mml_have_check" = xyes])
])
