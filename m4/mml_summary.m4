dnl mml_summary.m4 - what configure decided, and what to type next.

AC_DEFUN([MML_SUMMARY], [
  mml_note=
  AS_IF([test "x$mml_cuda" != xno], [mml_cuda="mmlego-cuda.so, CUDA $mml_cuda, for $with_cuda_arch"])
  mml_hdf5_version=`$PKG_CONFIG --modversion $mml_hdf5`
  mml_jobs=`nproc 2>/dev/null || echo 2`
  AS_IF([test "x$mml_have_check" = xno], [mml_note="
  Tests cannot be built: apt-get install check, then configure again."])
  AS_CASE([$OPENMP_CFLAGS:`$CC --version 2>/dev/null | head -n 1`], [*clang*], [AS_VAR_APPEND([mml_note], ["
  clang brings its own OpenMP (libomp) beside the one of OpenBLAS (libgomp): right, but slower than gcc."])])
  AC_MSG_NOTICE([

  $PACKAGE_NAME $PACKAGE_VERSION
    install to         $prefix
    compiler           $CC
    flags              $CFLAGS$MML_CFLAGS $OPENMP_CFLAGS
    Fourier transform  $with_fft
    matrix products    $with_blas $mml_blas_version, threads: $mml_blas_threads
    parallel loops     $with_threads
    vector math        $mml_vecmath
    NVIDIA GPUs        $mml_cuda
    HDF5               $mml_hdf5 $mml_hdf5_version
    static library     $enable_static
    sanitizers         ${mml_sanitizers:-no}
    coverage           $enable_coverage
    tests (Check)      $mml_have_check
    licence            $mml_licence
  $mml_note
  Next: make -j$mml_jobs && make check && make install
])
])
