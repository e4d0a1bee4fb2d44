# Tests of floor proto. With the first test uncomment; then one line a file.
#check_PROGRAMS += tests/proto/test_proto
#TESTS += tests/proto/test_proto
#tests_proto_test_proto_LDADD = $(FLOOR_PROTO) $(CRITERION_LIBS)
#tests_proto_test_proto_SOURCES = tests/proto/test_X.c
