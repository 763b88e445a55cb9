dnl mml_fft.m4 - the library of the Fourier transform: FFTW 3 (GPL) or KISS FFT (BSD).

AC_DEFUN([MML_LIB_FFT], [
  AC_ARG_WITH([fft],
    [AS_HELP_STRING([--with-fft=NAME],
      [Fourier transform of the cpu backend: fftw3 (faster; the whole is then under the GPL) or
       kissfft (the whole stays under permissive licences) @<:@fftw3@:>@])],
    [], [with_fft=fftw3])
  AS_CASE([$with_fft],
    [fftw3|yes], [
      with_fft=fftw3; mml_fft_module=fftw3f
      MML_NEED_PC([FFT], [fftw3f >= 3.3], [FFTW 3.3 or newer in single precision], [libfftw3-dev (or configure --with-fft=kissfft)])
      AC_DEFINE([HAVE_FFTW3], [1], [The Fourier transform is FFTW 3.])
      mml_licence="GPL-2.0-or-later as a whole, because of FFTW (--with-fft=kissfft: permissive)"],
    [kissfft], [
      mml_fft_module=kissfft-float
      MML_NEED_PC([FFT], [kissfft-float], [KISS FFT in single precision], [libkissfft-dev (or configure --with-fft=fftw3)])
      AC_DEFINE([HAVE_KISSFFT], [1], [The Fourier transform is KISS FFT.])
      mml_licence="BSD-3-Clause; libraries under permissive licences or the LGPL"],
    [AC_MSG_ERROR([--with-fft=$with_fft: not one of fftw3 | kissfft])])
  MML_AS_SYSTEM([FFT_CFLAGS])
  AC_SUBST([MML_FFT], [$with_fft])
  AC_DEFINE_UNQUOTED([MML_FFT_NAME], ["$with_fft `$PKG_CONFIG --modversion $mml_fft_module`"],
    [Name and version of the library of the Fourier transform.])
])
