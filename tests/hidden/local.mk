# The reference backend once more, with addresses that the host cannot touch (tests/hidden/hidden.h),
# as part of libmmlt.a.
tests_support_libmmlt_a_CPPFLAGS += -include $(top_srcdir)/tests/hidden/build.h
tests_support_libmmlt_a_SOURCES += \
	tests/hidden/build.h tests/hidden/hidden.c tests/hidden/hidden.h \
	$(reference_sources)
