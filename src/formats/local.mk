# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/formats/bag_h5.c src/formats/bag_h5.h \
	src/formats/csv_file.c src/formats/csv_file.h \
	src/formats/input.c src/formats/input.h \
	src/formats/npy.c src/formats/npy.h \
	src/formats/npy_header.c src/formats/npy_header.h \
	src/formats/npy_write.c src/formats/npy_write.h \
	src/formats/number.c src/formats/number.h \
	src/formats/safetensors.c src/formats/safetensors.h \
	src/formats/safetensors_write.c \
	src/formats/zip.c src/formats/zip.h

libmmlego_core_la_SOURCES += \
	src/formats/anndata.c src/formats/anndata.h src/formats/anndata_inside.h \
	src/formats/anndata_column.c \
	src/formats/anndata_frame.c \
	src/formats/anndata_matrix.c \
	src/formats/anndata_sparse.c \
	src/formats/anndata_transpose.c \
	src/formats/mudata.c src/formats/mudata.h

libmmlego_core_la_SOURCES += \
	src/formats/image.c src/formats/image.h src/formats/image_inside.h \
	src/formats/image_jpeg.c \
	src/formats/image_png.c \
	src/formats/image_resize.c
