# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/nn/abmil.c src/nn/abmil.h \
	src/nn/custom.c src/nn/custom.h \
	src/nn/encoder.c src/nn/encoder.h \
	src/nn/graph.c src/nn/graph.h \
	src/nn/params.c src/nn/params.h \
	src/nn/ready.c src/nn/ready.h
