# Tests of the simulator. One line a file.
check_PROGRAMS += tests/erasim/test_erasim
TESTS += tests/erasim/test_erasim
tests_erasim_test_erasim_LDADD = $(FLOOR_ERASIM) $(CRITERION_LIBS)
tests_erasim_test_erasim_LDFLAGS = $(AM_LDFLAGS) $(SIM_MEMO_WRAP)
tests_erasim_test_erasim_SOURCES = tests/lib/given.c tests/lib/given.h
tests_erasim_test_erasim_SOURCES += tests/erasim/seven.c tests/erasim/seven.h
tests_erasim_test_erasim_SOURCES += tests/erasim/test_sim.c tests/erasim/test_sim_disk.c
tests_erasim_test_erasim_SOURCES += tests/erasim/checked.c tests/erasim/checked.h
tests_erasim_test_erasim_SOURCES += tests/erasim/test_check.c tests/erasim/test_check_held.c tests/erasim/test_proof.c
tests_erasim_test_erasim_SOURCES += tests/erasim/test_cast.c
tests_erasim_test_erasim_SOURCES += tests/erasim/test_rotate.c
tests_erasim_test_erasim_SOURCES += tests/erasim/test_neighbours.c tests/erasim/test_spread.c
