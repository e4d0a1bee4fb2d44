# Tests of floor host. One line a file.
check_PROGRAMS += tests/host/test_host
TESTS += tests/host/test_host
tests_host_test_host_LDADD = $(FLOOR_HOST) $(CRITERION_LIBS)
tests_host_test_host_SOURCES = tests/host/test_charter_text.c
tests_host_test_host_SOURCES += tests/host/test_config.c
tests_host_test_host_SOURCES += tests/host/given_directory.c tests/host/given_directory.h
tests_host_test_host_SOURCES += tests/host/test_files.c
tests_host_test_host_SOURCES += tests/host/test_keyfile.c
tests_host_test_host_SOURCES += tests/host/test_dirhash.c
