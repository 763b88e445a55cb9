# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/ops/arena.c src/ops/arena.h \
	src/ops/cross.c src/ops/cross.h \
	src/ops/dense.c \
	src/ops/elements.c \
	src/ops/feed_forward.c \
	src/ops/fourier.c \
	src/ops/heads.c \
	src/ops/internal.h \
	src/ops/loss.c \
	src/ops/ops.h \
	src/ops/pieces.c src/ops/pieces.h \
	src/ops/ragged.c src/ops/ragged.h \
	src/ops/rows.c \
	src/ops/segments.c \
	src/ops/tape.c src/ops/tape.h \
	src/ops/watch.c src/ops/watch.h
