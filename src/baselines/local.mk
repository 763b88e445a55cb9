# local.mk - see Makefile.am
libmmlego_core_la_SOURCES += \
	src/baselines/arrange.c src/baselines/arrange.h \
	src/baselines/baseline.c src/baselines/baseline.h \
	src/baselines/bilinear.c src/baselines/bilinear.h \
	src/baselines/glm.c src/baselines/glm.h src/baselines/glm_inside.h \
	src/baselines/glm_dense.c src/baselines/glm_loss.c src/baselines/glm_path.c \
	src/baselines/late.c src/baselines/late.h \
	src/baselines/latent.c \
	src/baselines/linear.c src/baselines/linear.h \
	src/baselines/mcat.c \
	src/baselines/multimodn.c \
	src/baselines/options.c \
	src/baselines/parts.c src/baselines/parts.h \
	src/baselines/single.c \
	src/baselines/transformer.c src/baselines/transformer.h
