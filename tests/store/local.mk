# Tests of floor store. With the first test uncomment; then one line a file.
#check_PROGRAMS += tests/store/test_store
#TESTS += tests/store/test_store
#tests_store_test_store_LDADD = $(FLOOR_STORE) $(CRITERION_LIBS)
#tests_store_test_store_SOURCES = tests/store/test_X.c
