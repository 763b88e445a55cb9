# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/formats/csv_file.c src/formats/csv_file.h \
	src/formats/input.c src/formats/input.h \
	src/formats/zip.c src/formats/zip.h
