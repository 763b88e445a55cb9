# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/baselines/arrange.c src/baselines/arrange.h \
	src/baselines/baseline.c src/baselines/baseline.h \
	src/baselines/bilinear.c src/baselines/bilinear.h \
	src/baselines/late.c src/baselines/late.h \
	src/baselines/latent.c \
	src/baselines/multimodn.c \
	src/baselines/options.c \
	src/baselines/parts.c src/baselines/parts.h \
	src/baselines/single.c
