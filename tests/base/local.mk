# Tests of floor base: one line a file.
check_PROGRAMS += tests/base/test_base
TESTS += tests/base/test_base
tests_base_test_base_LDADD = $(FLOOR_BASE) $(CRITERION_LIBS)
tests_base_test_base_SOURCES = tests/base/test_bytes.c
tests_base_test_base_SOURCES += tests/base/test_verdict.c
tests_base_test_base_SOURCES += tests/base/test_semver.c
tests_base_test_base_SOURCES += tests/base/test_textkey.c
tests_base_test_base_SOURCES += tests/base/test_fraction.c tests/base/test_nearest.c
tests_base_test_base_SOURCES += tests/base/test_prng.c
tests_base_test_base_SOURCES += tests/base/test_table.c
tests_base_test_base_SOURCES += tests/base/test_numbers.c
