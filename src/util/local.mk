# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/util/alloc.c src/util/alloc.h \
	src/util/atomic.c src/util/atomic.h \
	src/util/base64.c src/util/base64.h \
	src/util/clock.h \
	src/util/error.c src/util/error.h \
	src/util/half.c src/util/half.h \
	src/util/hash.c src/util/hash.h \
	src/util/json.c src/util/json.h \
	src/util/memory.c src/util/memory.h \
	src/util/number.c \
	src/util/output.c src/util/output.h \
	src/util/rng.c src/util/rng.h \
	src/util/sort.c src/util/sort.h \
	src/util/spool.c src/util/spool.h \
	src/util/stream.h \
	src/util/text.c src/util/text.h \
	src/util/thread.h \
	src/util/version.c
