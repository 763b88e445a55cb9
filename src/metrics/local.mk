# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/metrics/bins.c \
	src/metrics/bootstrap.c \
	src/metrics/check.c src/metrics/check.h \
	src/metrics/cindex.c \
	src/metrics/classes.c \
	src/metrics/compute.c src/metrics/compute.h \
	src/metrics/core.h \
	src/metrics/curves.c src/metrics/curves.h \
	src/metrics/normal.c \
	src/metrics/rank.c \
	src/metrics/regression.c \
	src/metrics/survival.c
