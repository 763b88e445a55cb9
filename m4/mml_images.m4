dnl mml_images.m4 - libjpeg-turbo (or the library of the IJG) and libpng decode folders of images for `mmlego import'.
dnl Needed, not optional: a file that is read on one machine should be read on every machine.

AC_DEFUN([MML_LIB_JPEG], [
  MML_NEED_PC([JPEG], [libjpeg], [libjpeg (JPEG images)], [libjpeg62-turbo-dev])
])

AC_DEFUN([MML_LIB_PNG], [
  MML_NEED_PC([PNG], [libpng >= 1.6], [libpng 1.6 or newer (PNG images)], [libpng-dev])
])
