/* h5lock.h - one thread at a time inside HDF5, and HDF5's own error printing off while it is there.
 *
 * The serial HDF5 library may be built without thread safety, so every use of it, in every file of the
 * library, stands between these two. The lock is recursive: a function that holds it may call another that
 * takes it. The mmli_h5_* functions of io/h5.h take it themselves; raw H5* calls need it around them.
 *
 * The first lock saves how the application prints HDF5 errors and turns that off; the last unlock puts it
 * back as it was: the text of a failure goes through mmli_fail() and nowhere else.
 */
#ifndef MMLI_IO_H5LOCK_H
#define MMLI_IO_H5LOCK_H

void mmli_h5_lock(void);
void mmli_h5_unlock(void);

#endif
