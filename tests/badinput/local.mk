# Bad inputs, their table, and the check that every row has its test.
TESTS += tests/badinput/check.sh tests/badinput/selftest.sh
EXTRA_DIST += tests/badinput/check.sh tests/badinput/selftest.sh
EXTRA_DIST += tests/badinput/table.tsv tests/badinput/exceptions.tsv tests/lib/bodies.bash
TESTS += tests/cli/badinput_daemon.bats
EXTRA_DIST += tests/cli/badinput_daemon.bats tests/cli/lib.bash
tests_node_test_node_SOURCES += tests/node/test_badinput.c
