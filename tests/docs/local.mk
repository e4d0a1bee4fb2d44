# Checks that keep the documents true, and the documents at the top.
TESTS += tests/docs/check.sh tests/docs/selftest.sh
EXTRA_DIST += tests/docs/check.sh tests/docs/selftest.sh
EXTRA_DIST += README.md CONTRIBUTING.md CHANGELOG.md
