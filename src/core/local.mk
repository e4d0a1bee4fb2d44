# core: the rules, pure. One line a module: src_core_libcore_a_SOURCES += src/core/X.c src/core/X.h
noinst_LIBRARIES += src/core/libcore.a
src_core_libcore_a_SOURCES =
src_core_libcore_a_SOURCES += src/core/charter.c src/core/charter.h
