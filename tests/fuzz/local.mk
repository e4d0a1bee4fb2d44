# One fuzz target a decoder. tests/fuzz/fuzz_X.c defines LLVMFuzzerTestOneInput
# (tests/fuzz/fuzz.h); its corpus, never empty, is tests/fuzz/corpus/X/. With
# --enable-fuzzers it is a libFuzzer program (`make fuzz FUZZ_SECONDS=30`);
# always, `make check` replays the corpus. A target is these lines:
#   FUZZ_TARGETS += tests/fuzz/fuzz_statement
#   tests_fuzz_fuzz_statement_SOURCES = tests/fuzz/fuzz_statement.c $(FUZZ_MAIN)
#   tests_fuzz_fuzz_statement_LDADD = $(FLOOR_PROTO)
#   tests_fuzz_fuzz_statement_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
#   EXTRA_DIST += tests/fuzz/corpus/statement
FUZZ_TARGETS =
if FUZZERS
FUZZ_MAIN = tests/fuzz/fuzz.h
else
FUZZ_MAIN = tests/fuzz/fuzz.h tests/fuzz/replay.c
endif

check_PROGRAMS += $(FUZZ_TARGETS)
# With the first target:
#TESTS += tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/replay.sh tests/fuzz/run tests/fuzz/replay.c tests/fuzz/fuzz.h

FUZZ_SECONDS = 30
fuzz: $(FUZZ_TARGETS)
if FUZZERS
	sh $(srcdir)/tests/fuzz/run $(abs_top_srcdir) $(FUZZ_SECONDS) $(FUZZ_TARGETS)
else
	@echo "fuzz: configure with CC=clang --enable-fuzzers first" >&2; exit 1
endif
.PHONY: fuzz
