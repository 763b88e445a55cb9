# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/baselines/baseline.c src/baselines/baseline.h \
	src/baselines/options.c \
	src/baselines/parts.c src/baselines/parts.h \
	src/baselines/single.c
