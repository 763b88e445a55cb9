dnl mml_simd.m4 - flags of the files that are compiled for newer processors (backends/cpu/vec_avx2.c,
dnl vec_avx512.c) and chosen when the program runs; every other file stays with the common baseline.

AC_DEFUN([MML_CHECK_SIMD], [
  AC_REQUIRE([AC_CANONICAL_HOST])
  AVX2_CFLAGS=
  AVX512_CFLAGS=
  AS_CASE([$host_cpu], [x86_64|amd64], [
    MML_CHECK_FLAG([AVX2_CFLAGS], [-mavx2])
    MML_CHECK_FLAG([AVX2_CFLAGS], [-mfma])
    # gcc checks every access to a variable that could be out of scope, constant index or not: sums would be in memory, each
    # access looked up, and products a third as fast. Loops of one function have no such variable; all else is checked.
    AS_CASE([$mml_sanitizers], [*address*], [MML_CHECK_FLAG([AVX2_CFLAGS], [-fno-sanitize-address-use-after-scope])])
    AVX512_CFLAGS=$AVX2_CFLAGS
    for mml_flag in -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512; do
      MML_CHECK_FLAG([AVX512_CFLAGS], [$mml_flag])
    done
  ])
  AC_SUBST([AVX2_CFLAGS])
  AC_SUBST([AVX512_CFLAGS])
])
