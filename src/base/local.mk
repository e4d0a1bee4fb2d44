# base: no I/O, knows nothing.
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = src/base/bytes.c src/base/bytes.h
src_base_libbase_a_SOURCES += src/base/verdict.c src/base/verdict.h
src_base_libbase_a_SOURCES += src/base/semver.c src/base/semver.h
src_base_libbase_a_SOURCES += src/base/textkey.c src/base/textkey.h
src_base_libbase_a_SOURCES += src/base/fraction.c src/base/fraction.h
src_base_libbase_a_SOURCES += src/base/prng.c src/base/prng.h src/base/table.h
src_base_libbase_a_SOURCES += src/base/nearest.c src/base/nearest.h
src_base_libbase_a_SOURCES += src/base/numbers.c src/base/numbers.h
