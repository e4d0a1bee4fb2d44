# Tests of floor proto: one line a file. Vectors are shared with whoever implements the protocol anew.
check_PROGRAMS += tests/proto/test_proto
TESTS += tests/proto/test_proto
tests_proto_test_proto_LDADD = $(FLOOR_PROTO) $(CRITERION_LIBS)
tests_proto_test_proto_SOURCES = tests/proto/samples.c tests/proto/samples.h
tests_proto_test_proto_SOURCES += tests/proto/test_statement.c
tests_proto_test_proto_SOURCES += tests/proto/test_ids.c
tests_proto_test_proto_SOURCES += tests/proto/test_peer_record.c
tests_proto_test_proto_SOURCES += tests/proto/test_frame_peers.c
tests_proto_test_proto_SOURCES += tests/proto/test_envelope.c
tests_proto_test_proto_SOURCES += tests/proto/test_carrier.c
tests_proto_test_proto_SOURCES += tests/proto/test_evidence.c
tests_proto_test_proto_SOURCES += tests/proto/test_succession.c
tests_proto_test_proto_SOURCES += tests/proto/test_charter.c
tests_proto_test_proto_SOURCES += tests/proto/test_frame.c
tests_proto_test_proto_SOURCES += tests/proto/test_control.c
EXTRA_DIST += tests/vectors/ids.txt
