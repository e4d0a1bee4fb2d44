# base: no I/O, knows nothing.
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = src/base/bytes.c src/base/bytes.h
src_base_libbase_a_SOURCES += src/base/verdict.c src/base/verdict.h
