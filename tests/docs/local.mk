# Checks that keep the documents true.
TESTS += tests/docs/check.sh tests/docs/selftest.sh
EXTRA_DIST += tests/docs/check.sh tests/docs/selftest.sh
