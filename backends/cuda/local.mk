# The library's side of mmlego-cuda.so: it looks for the module in pkglibdir, whether this build makes one or not.
noinst_LTLIBRARIES += libmmli_module.la
libmmli_module_la_SOURCES = backends/cuda/module.c backends/cuda/module.h
libmmli_module_la_CPPFLAGS = $(AM_CPPFLAGS) -DMMLI_MODULE_DIR='"$(pkglibdir)"'
libmmli_module_la_LDFLAGS = $(AM_LDFLAGS)
libmmlego_core_la_LIBADD += libmmli_module.la

# The module itself, made by nvcc alone: libtool knows no CUDA. Every object depends on every header, there are few.
cuda_sources = \
	backends/cuda/ahead.cu \
	backends/cuda/attention.cu \
	backends/cuda/attention_grad.cu \
	backends/cuda/attention_join.cu \
	backends/cuda/complex.cu \
	backends/cuda/device.cu \
	backends/cuda/dropout.cu \
	backends/cuda/elements.cu \
	backends/cuda/entry.cu \
	backends/cuda/errors.cu \
	backends/cuda/feed_forward.cu \
	backends/cuda/fft.cu \
	backends/cuda/gemm.cu \
	backends/cuda/group.cu \
	backends/cuda/layernorm.cu \
	backends/cuda/linear.cu \
	backends/cuda/losses.cu \
	backends/cuda/optim.cu \
	backends/cuda/rows.cu \
	backends/cuda/segments.cu \
	backends/cuda/segments_dft.cu \
	backends/cuda/staging.cu \
	backends/cuda/step.cu \
	backends/cuda/table.cu
cuda_headers = \
	backends/cuda/activate.h \
	backends/cuda/attention.h \
	backends/cuda/calls.h \
	backends/cuda/cuda.h \
	backends/cuda/host.h \
	backends/cuda/lanes.h \
	backends/cuda/layernorm.h \
	backends/cuda/map.h \
	backends/cuda/philox.h \
	backends/cuda/ragged.h \
	backends/cuda/step.h \
	backends/cuda/sums.h
EXTRA_DIST += $(cuda_sources) $(cuda_headers) backends/cuda/host.c
if CUDA
AM_V_NVCC = $(AM_V_NVCC_@AM_V@)
AM_V_NVCC_ = $(AM_V_NVCC_@AM_DEFAULT_V@)
AM_V_NVCC_0 = @echo "  NVCC    " $@;

cuda_objects = $(cuda_sources:.cu=.o) backends/cuda/host_of_module.o
cuda_cppflags = -DHAVE_CONFIG_H -I. -I$(top_srcdir) -I$(top_srcdir)/src -I$(top_srcdir)/include
SUFFIXES = .cu
.cu.o:
	@$(MKDIR_P) $(@D)
	$(AM_V_NVCC)$(NVCC) $(cuda_cppflags) $(MML_NVCCFLAGS) $(NVCCFLAGS) -c -o $@ $<
backends/cuda/host_of_module.o: backends/cuda/host.c
	@$(MKDIR_P) $(@D)
	$(AM_V_CC)$(CC) $(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) $(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) -fPIC -c -o $@ $(srcdir)/backends/cuda/host.c
$(cuda_objects): config.h backends/backend.h backends/kernels.def backends/cuda/module.h $(cuda_headers)
# One symbol is for the library, those of CUDA's static library are for nobody.
backends/cuda/mmlego-cuda.so: $(cuda_objects)
	$(AM_V_NVCC)$(NVCC) -shared $(MML_CUDA_LDFLAGS) -Xlinker --exclude-libs=ALL -Xlinker -z -Xlinker defs \
		-o $@ $(cuda_objects) -lcublas -lcublasLt -lcufft -ldl -lpthread
cudamoduledir = $(pkglibdir)
cudamodule_DATA = backends/cuda/mmlego-cuda.so
CLEANFILES += $(cuda_objects) $(cudamodule_DATA)
endif
