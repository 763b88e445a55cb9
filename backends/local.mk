libmmlego_core_la_SOURCES += backends/backend.h backends/kernels.def backends/choose.c backends/devices.c backends/registry.c
libmmlego_core_la_SOURCES += backends/group.c backends/group.h
# The reference backend: compiled again under other names by tests/hidden and tests/cuda.
reference_sources = \
	backends/reference/ref.h \
	backends/reference/attention.c \
	backends/reference/complex.c \
	backends/reference/dense.c \
	backends/reference/dropout.c \
	backends/reference/elements.c \
	backends/reference/feed_forward.c \
	backends/reference/fourier.c \
	backends/reference/group.c \
	backends/reference/layernorm.c \
	backends/reference/losses.c \
	backends/reference/memory.c \
	backends/reference/optim.c \
	backends/reference/rows.c \
	backends/reference/segments.c \
	backends/reference/table.c
libmmlego_core_la_SOURCES += $(reference_sources)
libmmlego_core_la_SOURCES += \
	backends/cpu/cpu.h \
	backends/cpu/attention.h \
	backends/cpu/feed_forward.h \
	backends/cpu/fft_plan.h \
	backends/cpu/vec.h \
	backends/cpu/vec_attention.h \
	backends/cpu/vec_dots.h \
	backends/cpu/vec_elements.h \
	backends/cpu/vec_feed_forward.h \
	backends/cpu/vec_gemm.h \
	backends/cpu/vec_layernorm.h \
	backends/cpu/vec_math.h \
	backends/cpu/vec_random.h \
	backends/cpu/vec_rows.h \
	backends/cpu/vec_simd.h \
	backends/cpu/vec_table.h \
	backends/cpu/attention.c \
	backends/cpu/attention_grad.c \
	backends/cpu/attention_join.c \
	backends/cpu/blas.c \
	backends/cpu/complex.c \
	backends/cpu/cpuinfo.c \
	backends/cpu/device.c \
	backends/cpu/dots.c \
	backends/cpu/dropout.c \
	backends/cpu/elements.c \
	backends/cpu/feed_forward.c \
	backends/cpu/feed_forward_grad.c \
	backends/cpu/fft.c \
	backends/cpu/fft_fftw.c \
	backends/cpu/fft_kiss.c \
	backends/cpu/gemm.c \
	backends/cpu/layernorm.c \
	backends/cpu/optim.c \
	backends/cpu/panel.c \
	backends/cpu/parallel.c \
	backends/cpu/rows.c \
	backends/cpu/scratch.c \
	backends/cpu/segments.c \
	backends/cpu/thin.c \
	backends/cpu/vec_base.c \
	backends/cpu/vec_choose.c
# Two files are compiled for newer processors than the rest; which code runs is decided at run time.
noinst_LTLIBRARIES += libmmli_avx2.la libmmli_avx512.la
libmmli_avx2_la_SOURCES = backends/cpu/vec_avx2.c
libmmli_avx2_la_CFLAGS = $(AM_CFLAGS) $(AVX2_CFLAGS)
libmmli_avx512_la_SOURCES = backends/cpu/vec_avx512.c
libmmli_avx512_la_CFLAGS = $(AM_CFLAGS) $(AVX512_CFLAGS)
libmmlego_core_la_LIBADD += libmmli_avx2.la libmmli_avx512.la

# Who runs the tiles of the cpu backend: one of the two (configure --with-threads).
if THREADS_POOL
libmmlego_core_la_SOURCES += backends/cpu/pool.c
else
libmmlego_core_la_SOURCES += backends/cpu/team.c
endif

include backends/cuda/local.mk
