# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/data/blank.c \
	src/data/labels.c src/data/labels.h src/data/labels_inside.h \
	src/data/labels_file.c \
	src/data/labels_fit.c \
	src/data/labels_map.c \
	src/data/match.c src/data/match.h \
	src/data/prep.c src/data/prep.h src/data/prep_inside.h \
	src/data/prep_apply.c \
	src/data/prep_file.c \
	src/data/prep_fit.c \
	src/data/quantiles.c src/data/quantiles.h
