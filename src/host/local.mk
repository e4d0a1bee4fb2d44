# host: what the programs share and touches the system (files, key files, charter texts).
noinst_LIBRARIES += src/host/libhost.a
src_host_libhost_a_SOURCES =
src_host_libhost_a_SOURCES += src/host/error.c src/host/error.h
src_host_libhost_a_SOURCES += src/host/files.c src/host/files.h
src_host_libhost_a_SOURCES += src/host/keyfile.c src/host/keyfile.h
src_host_libhost_a_SOURCES += src/host/dirhash.c src/host/dirhash.h
src_host_libhost_a_SOURCES += src/host/settings.c src/host/settings.h
src_host_libhost_a_SOURCES += src/host/charter_text.c src/host/charter_text.h
src_host_libhost_a_SOURCES += src/host/config.c src/host/config.h
