# Tests of floor base. With the first test uncomment; then one line a file.
#check_PROGRAMS += tests/base/test_base
#TESTS += tests/base/test_base
#tests_base_test_base_LDADD = $(FLOOR_BASE) $(CRITERION_LIBS)
#tests_base_test_base_SOURCES = tests/base/test_X.c
