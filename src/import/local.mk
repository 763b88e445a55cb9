# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/import/config.c \
	src/import/copy.c src/import/copy.h \
	src/import/import.c src/import/import.h \
	src/import/kind_csv.c \
	src/import/kind_hdf5.c \
	src/import/kinds.c \
	src/import/probe.c src/import/probe.h \
	src/import/source.c src/import/source.h \
	src/import/table.c \
	src/import/tasks.c \
	src/import/tokens.c
