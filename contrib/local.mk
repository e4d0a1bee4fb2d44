# contrib: what surrounds erad, one line a file.
EXTRA_DIST += .ci/run .clang-format
EXTRA_DIST += contrib/check contrib/install-deps
EXTRA_DIST += contrib/examples/charter.txt contrib/examples/erad.conf
