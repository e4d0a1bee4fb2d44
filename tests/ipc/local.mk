# Tests of floor ipc; one line a file.
check_PROGRAMS += tests/ipc/test_ipc
TESTS += tests/ipc/test_ipc
tests_ipc_test_ipc_LDADD = $(FLOOR_IPC) $(CRITERION_LIBS)
tests_ipc_test_ipc_SOURCES = tests/ipc/lib_ipc.c tests/ipc/lib_ipc.h
tests_ipc_test_ipc_SOURCES += tests/ipc/test_control.c
tests_ipc_test_ipc_SOURCES += tests/ipc/test_nng.c
tests_ipc_test_ipc_SOURCES += tests/ipc/test_signal.c
