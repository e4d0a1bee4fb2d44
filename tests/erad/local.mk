# Tests of floor erad. One line a file.
check_PROGRAMS += tests/erad/test_erad
TESTS += tests/erad/test_erad
tests_erad_test_erad_LDADD = src/erad/liberad.a $(FLOOR_ERAD) $(CRITERION_LIBS)
tests_erad_test_erad_SOURCES = tests/lib/given.c tests/lib/given.h
tests_erad_test_erad_SOURCES += tests/lib/given_charter.c tests/lib/given_internal.h
tests_erad_test_erad_SOURCES += tests/erad/lone.c tests/erad/lone.h
tests_erad_test_erad_SOURCES += tests/erad/place.c tests/erad/place.h
tests_erad_test_erad_SOURCES += tests/erad/running.c tests/erad/running.h
tests_erad_test_erad_SOURCES += tests/erad/test_report.c
tests_erad_test_erad_SOURCES += tests/erad/test_gate_words.c
tests_erad_test_erad_SOURCES += tests/erad/test_metrics.c
tests_erad_test_erad_SOURCES += tests/erad/test_http.c
tests_erad_test_erad_SOURCES += tests/erad/test_hook.c
tests_erad_test_erad_SOURCES += tests/erad/test_hasher.c
tests_erad_test_erad_SOURCES += tests/erad/test_heap.c
tests_erad_test_erad_SOURCES += tests/erad/test_verbs.c
