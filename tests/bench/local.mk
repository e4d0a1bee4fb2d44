# Benchmarks: programs that print ratios measured in one run. `make bench` builds and runs them.
BENCHES += tests/bench/bench_intake
tests_bench_bench_intake_SOURCES = tests/bench/bench_intake.c tests/bench/load.c tests/bench/load.h
tests_bench_bench_intake_LDADD = store/libstorelmdb.a $(FLOOR_NODE) $(LMDB_LIBS) -lpthread
BENCHES += tests/bench/bench_spread
tests_bench_bench_spread_SOURCES = tests/bench/bench_spread.c tests/p2p/field.c tests/p2p/field.h
tests_bench_bench_spread_LDADD = $(FLOOR_P2P)
# What contrib/bench-serf measures with: `make tests/bench/spread`.
EXTRA_PROGRAMS += tests/bench/spread
CLEANFILES += tests/bench/spread
tests_bench_spread_SOURCES = tests/bench/spread.c
tests_bench_spread_LDADD = src/ipc/libipc.a $(FLOOR_CORE) -lpthread
BENCHES += tests/bench/bench_reconcile
tests_bench_bench_reconcile_SOURCES = tests/bench/bench_reconcile.c
tests_bench_bench_reconcile_LDADD = $(FLOOR_P2P)
BENCHES += tests/bench/bench_memory
tests_bench_bench_memory_SOURCES = tests/bench/bench_memory.c tests/bench/load.c tests/bench/load.h
tests_bench_bench_memory_LDADD = store/libstorelmdb.a $(FLOOR_NODE) $(LMDB_LIBS) -lpthread
BENCHES += tests/bench/bench_link
tests_bench_bench_link_SOURCES = tests/bench/bench_link.c
tests_bench_bench_link_LDADD = $(FLOOR_LINK)
BENCHES += tests/bench/bench_frames
tests_bench_bench_frames_SOURCES = tests/bench/bench_frames.c tests/bench/load.c tests/bench/load.h
tests_bench_bench_frames_LDADD = $(FLOOR_NODE)
