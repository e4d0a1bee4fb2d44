# Tests of floor p2p. With the first test uncomment; then one line a file.
#check_PROGRAMS += tests/p2p/test_p2p
#TESTS += tests/p2p/test_p2p
#tests_p2p_test_p2p_LDADD = $(FLOOR_LINK) $(CRITERION_LIBS)
#tests_p2p_test_p2p_SOURCES = tests/p2p/test_X.c
