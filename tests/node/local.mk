# Tests of floor node. One line a file.
check_PROGRAMS += tests/node/test_node
TESTS += tests/node/test_node
tests_node_test_node_LDADD = $(FLOOR_NODE) $(CRITERION_LIBS)
tests_node_test_node_SOURCES = tests/lib/given.c tests/lib/given.h
tests_node_test_node_SOURCES += tests/lib/given_charter.c tests/lib/given_internal.h
tests_node_test_node_SOURCES += tests/node/world.c tests/node/world.h tests/node/world_internal.h
tests_node_test_node_SOURCES += tests/node/world_seen.c
tests_node_test_node_SOURCES += tests/node/test_durability.c
tests_node_test_node_SOURCES += tests/node/test_voting.c
tests_node_test_node_SOURCES += tests/node/test_gate.c
tests_node_test_node_SOURCES += tests/node/test_lease.c
tests_node_test_node_SOURCES += tests/node/test_lock.c
tests_node_test_node_SOURCES += tests/node/test_chain.c
tests_node_test_node_SOURCES += tests/node/test_events.c
tests_node_test_node_SOURCES += tests/node/test_convergence.c
tests_node_test_node_SOURCES += tests/node/test_adoption.c
tests_node_test_node_SOURCES += tests/node/test_evidence.c tests/node/test_checkpoint.c
