# contrib: what surrounds erad, one line a file.
EXTRA_DIST += .ci/run .clang-format
EXTRA_DIST += contrib/check contrib/install-deps
EXTRA_DIST += contrib/examples/charter.txt contrib/examples/erad.conf
# bash finds completions here by the program's name.
completionsdir = $(datadir)/bash-completion/completions
dist_completions_DATA = contrib/completions/eractl.bash contrib/completions/erasim.bash
EXTRA_DIST += contrib/bench-serf
EXTRA_DIST += contrib/demo contrib/demo.d/lib.sh contrib/demo.d/network.sh
EXTRA_DIST += contrib/demo.d/meter-1.0.0/Makefile contrib/demo.d/meter-1.0.0/meter.c
EXTRA_DIST += contrib/demo.d/meter-2.0.0/Makefile contrib/demo.d/meter-2.0.0/meter.c
