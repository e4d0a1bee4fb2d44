# erad: the daemon. Everything but main.c is in liberad.a, so that tests can link it.
noinst_LIBRARIES += src/erad/liberad.a
src_erad_liberad_a_SOURCES =

# With the first main.c:
#bin_PROGRAMS += erad
#erad_SOURCES = src/erad/main.c
#erad_LDADD = src/erad/liberad.a $(FLOOR_ERAD)
