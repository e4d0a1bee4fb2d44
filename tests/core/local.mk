# Tests of floor core. One line a file.
check_PROGRAMS += tests/core/test_core
TESTS += tests/core/test_core
tests_core_test_core_LDADD = $(FLOOR_CORE) $(CRITERION_LIBS)
tests_core_test_core_SOURCES = tests/core/test_charter.c
