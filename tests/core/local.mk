# Tests of floor core: one line a file.
check_PROGRAMS += tests/core/test_core
TESTS += tests/core/test_core
tests_core_test_core_LDADD = $(FLOOR_CORE) $(CRITERION_LIBS)
tests_core_test_core_SOURCES = tests/lib/given.c tests/lib/given.h
tests_core_test_core_SOURCES += tests/core/peer.c tests/core/peer.h
tests_core_test_core_SOURCES += tests/core/test_charter.c
tests_core_test_core_SOURCES += tests/core/test_verify.c
tests_core_test_core_SOURCES += tests/core/test_plan.c
tests_core_test_core_SOURCES += tests/core/test_ledger.c
tests_core_test_core_SOURCES += tests/core/test_announcements.c
tests_core_test_core_SOURCES += tests/core/test_view.c
tests_core_test_core_SOURCES += tests/core/test_gate.c
tests_core_test_core_SOURCES += tests/core/test_vote.c
tests_core_test_core_SOURCES += tests/core/test_adoption.c
tests_core_test_core_SOURCES += tests/core/test_events.c
tests_core_test_core_SOURCES += tests/core/test_epoch.c
tests_core_test_core_SOURCES += tests/core/test_order.c
