# What mmlego/bench.h gives: cases, costs, limits.
libmmlego_core_la_SOURCES += \
	src/bench/cases.c src/bench/cases.h \
	src/bench/count.c src/bench/count.h src/bench/count_inside.h \
	src/bench/count_dense.c \
	src/bench/count_segments.c \
	src/bench/count_simple.c \
	src/bench/limits.c \
	src/bench/numbers.c \
	src/bench/rig.c src/bench/rig.h \
	src/bench/run.c src/bench/measure.h
