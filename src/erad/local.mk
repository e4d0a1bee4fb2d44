# erad: the daemon. Everything but main.c is in liberad.a, so that tests can link it.
noinst_LIBRARIES += src/erad/liberad.a
src_erad_liberad_a_SOURCES = src/erad/daemon.h
src_erad_liberad_a_SOURCES += src/erad/daemon.c src/erad/loop.c src/erad/effects.c src/erad/verbs.c
src_erad_liberad_a_SOURCES += src/erad/report.c src/erad/report.h src/erad/report_parts.c src/erad/report_parts.h
src_erad_liberad_a_SOURCES += src/erad/report_gate.c src/erad/report_lists.c src/erad/report_proposal.c
src_erad_liberad_a_SOURCES += src/erad/report_signal.c
src_erad_liberad_a_SOURCES += src/erad/metrics.c src/erad/metrics.h
src_erad_liberad_a_SOURCES += src/erad/http.c src/erad/http.h src/erad/http_head.c src/erad/http_head.h
src_erad_liberad_a_SOURCES += src/erad/hook.c src/erad/hook.h
src_erad_liberad_a_SOURCES += src/erad/hasher.c src/erad/hasher.h
src_erad_liberad_a_SOURCES += src/erad/heap.c src/erad/heap.h
src_erad_liberad_a_SOURCES += src/erad/log.c src/erad/log.h

bin_PROGRAMS += erad
erad_SOURCES = src/erad/main.c
erad_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)/erad"'
erad_LDADD = src/erad/liberad.a $(FLOOR_ERAD)
