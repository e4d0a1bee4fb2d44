# Tests of floor node. With the first test uncomment; then one line a file.
#check_PROGRAMS += tests/node/test_node
#TESTS += tests/node/test_node
#tests_node_test_node_LDADD = $(FLOOR_NODE) $(CRITERION_LIBS)
#tests_node_test_node_SOURCES = tests/node/test_X.c
