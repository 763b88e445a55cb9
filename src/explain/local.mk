# What mmlego/explain.h gives: why a model predicts what it predicts.
libmmlego_core_la_SOURCES += \
	src/explain/attention.c \
	src/explain/explainer.c src/explain/explainer.h \
	src/explain/features.c \
	src/explain/gradients.c src/explain/gradients.h \
	src/explain/merged.c src/explain/merged.h \
	src/explain/modalities.c \
	src/explain/path.c src/explain/path.h \
	src/explain/plots.c \
	src/explain/score.c \
	src/explain/summary.c src/explain/summary.h
