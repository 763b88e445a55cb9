# The reference backend once more, with addresses that the host cannot touch (tests/hidden/hidden.h),
# as part of libmmlt.a. table.c is left out: hidden.c has the table.
tests_support_libmmlt_a_CPPFLAGS += -include $(top_srcdir)/tests/hidden/build.h
tests_support_libmmlt_a_SOURCES += \
	tests/hidden/build.h tests/hidden/hidden.c tests/hidden/hidden.h \
	backends/reference/attention.c \
	backends/reference/complex.c \
	backends/reference/dense.c \
	backends/reference/dropout.c \
	backends/reference/elements.c \
	backends/reference/feed_forward.c \
	backends/reference/fourier.c \
	backends/reference/layernorm.c \
	backends/reference/losses.c \
	backends/reference/memory.c \
	backends/reference/optim.c \
	backends/reference/rows.c \
	backends/reference/segments.c
