# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/io/ahead.c src/io/ahead.h \
	src/io/batch.c src/io/batch.h \
	src/io/chunks.c src/io/chunks.h \
	src/io/cohort.c src/io/cohort.h \
	src/io/cohort_load.c \
	src/io/cohort_write.c src/io/cohort_write.h \
	src/io/condition.c src/io/condition.h \
	src/io/csv.c src/io/csv.h \
	src/io/csv_cut.c src/io/csv_cut.h \
	src/io/describe.c \
	src/io/h5.c src/io/h5.h src/io/h5_inside.h \
	src/io/h5array.c \
	src/io/h5attr.c \
	src/io/h5check.c src/io/h5check.h \
	src/io/h5dense.c \
	src/io/h5disk.c src/io/h5disk.h \
	src/io/h5dtype.c \
	src/io/h5foreign.c src/io/h5foreign.h \
	src/io/h5group.c \
	src/io/h5guard.c src/io/h5guard.h \
	src/io/h5header.c src/io/h5header.h \
	src/io/h5heap.c src/io/h5heap.h \
	src/io/h5image.c src/io/h5image.h \
	src/io/h5index.c \
	src/io/h5lock.c src/io/h5lock.h \
	src/io/h5lzf.c src/io/h5lzf.h \
	src/io/h5message.c src/io/h5message.h \
	src/io/h5packed.c src/io/h5packed.h \
	src/io/h5symbols.c \
	src/io/h5tree2.c src/io/h5walk.h \
	src/io/hide.c \
	src/io/index.c src/io/index.h \
	src/io/inflate.c src/io/inflate.h \
	src/io/ini.c src/io/ini.h \
	src/io/own_file.c src/io/own_file.h \
	src/io/rows.c src/io/rows.h \
	src/io/split.c
