# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/lego/block.h \
	src/lego/block_declare.c \
	src/lego/fuse.c src/lego/fuse.h \
	src/lego/heads.c src/lego/heads.h \
	src/lego/merge.c src/lego/merge.h \
	src/lego/preset.c \
	src/lego/state.c \
	src/lego/step.c
