# Tests of floor store: one line a file.
check_PROGRAMS += tests/store/test_store
TESTS += tests/store/test_store
tests_store_test_store_LDADD = $(FLOOR_STORE) $(CRITERION_LIBS) -lpthread
tests_store_test_store_SOURCES = tests/store/given.c tests/store/given.h
tests_store_test_store_SOURCES += tests/store/test_record.c
tests_store_test_store_SOURCES += tests/store/test_store.c
tests_store_test_store_SOURCES += tests/store/test_store_mem.c
tests_store_test_store_SOURCES += tests/store/test_store_lmdb.c
tests_store_test_store_SOURCES += tests/store/test_store_writer.c
tests_store_test_store_SOURCES += tests/store/test_store_power.c
