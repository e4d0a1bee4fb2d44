# Tests of floor ipc. With the first test uncomment; then one line a file.
#check_PROGRAMS += tests/ipc/test_ipc
#TESTS += tests/ipc/test_ipc
#tests_ipc_test_ipc_LDADD = $(FLOOR_IPC) $(CRITERION_LIBS)
#tests_ipc_test_ipc_SOURCES = tests/ipc/test_X.c
