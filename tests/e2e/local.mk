# Real daemons on loopback. Quick ones are tests, long ones run with `make check-long` (.sh or .bats):
#   TESTS += tests/e2e/X.sh
#   CHECK_LONG += tests/e2e/Y.sh
#   EXTRA_DIST += tests/e2e/X.sh tests/e2e/Y.sh
