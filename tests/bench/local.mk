# Benchmarks: programs that print ratios measured in one run. `make bench` builds and runs them.
#   BENCHES += tests/bench/bench_intake
#   tests_bench_bench_intake_SOURCES = tests/bench/bench_intake.c
#   tests_bench_bench_intake_LDADD = $(FLOOR_STORE)
