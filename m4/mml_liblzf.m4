dnl mml_liblzf.m4 - liblzf unpacks LZF, the second filter of h5py, which anndata writes on request and HDF5 does not bring.
dnl Needed, not optional: a file that is read on one machine should be read on every machine, and the library is 20 KiB.

AC_DEFUN([MML_LIB_LZF], [
  MML_NEED_PC([LZF], [liblzf], [liblzf (LZF-packed HDF5 data, as in AnnData files)], [liblzf-dev])
])
