# Tests of floor erad. With the first test uncomment; then one line a file.
#check_PROGRAMS += tests/erad/test_erad
#TESTS += tests/erad/test_erad
#tests_erad_test_erad_LDADD = src/erad/liberad.a $(FLOOR_ERAD) $(CRITERION_LIBS)
#tests_erad_test_erad_SOURCES = tests/erad/test_X.c
