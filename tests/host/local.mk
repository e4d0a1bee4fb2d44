# Tests of floor host. With the first test uncomment; then one line a file.
#check_PROGRAMS += tests/host/test_host
#TESTS += tests/host/test_host
#tests_host_test_host_LDADD = $(FLOOR_HOST) $(CRITERION_LIBS)
#tests_host_test_host_SOURCES = tests/host/test_X.c
