# host: what the programs share and touches the system (files, key files, charter texts).
noinst_LIBRARIES += src/host/libhost.a
src_host_libhost_a_SOURCES =
