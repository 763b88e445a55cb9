# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/train/baseline.c \
	src/train/checkpoint.c \
	src/train/committee.c src/train/cross.c src/train/cross.h \
	src/train/drops.c \
	src/train/linear.c \
	src/train/loop.c \
	src/train/optim.c src/train/optim.h \
	src/train/parallel.c src/train/parallel.h \
	src/train/pass.c \
	src/train/schedule.c src/train/schedule.h \
	src/train/settings.c \
	src/train/shard.c src/train/shard.h \
	src/train/sums.c src/train/sums.h \
	src/train/train.c \
	src/train/trainer.c src/train/trainer.h \
	src/train/validate.c
