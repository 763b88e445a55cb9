dnl mml_blas.m4 - the library of matrix products, through cblas.h: OpenBLAS, BLIS, or any by pkg-config name.
dnl It must be serial or threaded with OpenMP: a pool of POSIX threads beside OpenMP's fights for the same cores.

AC_DEFUN([MML_LIB_BLAS], [
  AC_ARG_WITH([blas],
    [AS_HELP_STRING([--with-blas=NAME],
      [matrix products of the cpu backend: openblas, blis, or the pkg-config name of another library
       with cblas.h; serial or built with OpenMP @<:@openblas@:>@])],
    [], [with_blas=openblas])
  AS_CASE([$with_blas],
    [yes], [with_blas=openblas],
    [no], [AC_MSG_ERROR([--without-blas: the cpu backend needs one; leave the switch out, or name another])])
  AS_CASE([$with_blas],
    [openblas], [
      MML_NEED_PC([BLAS], [openblas], [OpenBLAS], [libopenblas-openmp-dev])
      AC_DEFINE([HAVE_OPENBLAS], [1], [Matrix products are OpenBLAS.])
      mml_blas_version=`$PKG_CONFIG --modversion openblas`],
    [blis], [MML_BLAS_BLIS],
    [ MML_NEED_PC([BLAS], [$with_blas], [the BLAS of --with-blas=$with_blas], [the package that has it])
      mml_blas_version=`$PKG_CONFIG --modversion $with_blas`])
  MML_AS_SYSTEM([BLAS_CFLAGS])
  mml_save_CPPFLAGS=$CPPFLAGS; mml_save_LIBS=$LIBS; mml_save_CFLAGS=$CFLAGS
  CPPFLAGS="$CPPFLAGS $BLAS_CFLAGS"; LIBS="$BLAS_LIBS $LIBS"; CFLAGS="$CFLAGS $OPENMP_CFLAGS"
  AC_MSG_CHECKING([for cblas_sgemm in $with_blas])
  AC_LINK_IFELSE([AC_LANG_PROGRAM([@%:@include <cblas.h>],
      [float a = 1, c = 0; cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 1, 1, 1, 1, &a, 1, &a, 1, 0, &c, 1);])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([$with_blas has no cblas.h with cblas_sgemm (config.log says why): apt-get install libopenblas-openmp-dev, or libblis-openmp-dev with --with-blas=blis])])
  mml_blas_threads=unknown
  AS_IF([test $with_blas = openblas], [MML_BLAS_FLAVOUR])
  CPPFLAGS=$mml_save_CPPFLAGS; LIBS=$mml_save_LIBS; CFLAGS=$mml_save_CFLAGS
  AC_SUBST([MML_BLAS], [$with_blas])
  AC_DEFINE_UNQUOTED([MML_BLAS_NAME], ["$with_blas $mml_blas_version"], [Name and version of the BLAS.])
])

dnl Debian's BLIS has no file for pkg-config: header and library lie in a folder of the flavour.
AC_DEFUN([MML_BLAS_BLIS], [
  AC_DEFINE([HAVE_BLIS], [1], [Matrix products are BLIS.])
  PKG_CHECK_MODULES([BLAS], [blis], [mml_blas_version=`$PKG_CONFIG --modversion blis`], [
    mml_triplet=`$CC -print-multiarch 2>/dev/null`
    mml_blas_version=
    for mml_flavour in blis-openmp blis-serial; do
      AS_IF([test -z "$BLAS_LIBS" && test -f "/usr/include/$mml_triplet/$mml_flavour/cblas.h"], [
        BLAS_CFLAGS="-I/usr/include/$mml_triplet/$mml_flavour"
        BLAS_LIBS="-L/usr/lib/$mml_triplet/$mml_flavour -lblis"
        mml_blas_version="($mml_flavour)"
      ])
    done
    AS_IF([test -z "$BLAS_LIBS"], [AC_MSG_ERROR([BLIS is missing: apt-get install libblis-openmp-dev])])
  ])
])

dnl Three flavours of OpenBLAS share one name; the one that the loader takes is asked.
AC_DEFUN([MML_BLAS_FLAVOUR], [
  AC_CACHE_CHECK([how OpenBLAS makes its threads], [mml_cv_openblas_threads], [
    AC_RUN_IFELSE([AC_LANG_PROGRAM([@%:@include <cblas.h>], [return 10 + openblas_get_parallel();])],
      [mml_cv_openblas_threads=unknown],
      [AS_CASE([$?], [10], [mml_cv_openblas_threads=serial], [11], [mml_cv_openblas_threads=pthread],
                     [12], [mml_cv_openblas_threads=openmp], [mml_cv_openblas_threads=unknown])],
      [mml_cv_openblas_threads=unknown])
  ])
  mml_blas_threads=$mml_cv_openblas_threads
  AS_IF([test $mml_blas_threads = pthread], [
    AC_MSG_WARN([this OpenBLAS has threads of its own beside OpenMP's: slow on several cores.
  apt-get install libopenblas-openmp-dev
  update-alternatives --set libopenblas.so.0-$(${CC} -print-multiarch) /usr/lib/$(${CC} -print-multiarch)/openblas-openmp/libopenblas.so.0])
  ])
])
