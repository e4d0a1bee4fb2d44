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

FUZZ_TARGETS += tests/fuzz/fuzz_statement
tests_fuzz_fuzz_statement_SOURCES = tests/fuzz/fuzz_statement.c $(FUZZ_MAIN)
tests_fuzz_fuzz_statement_LDADD = $(FLOOR_PROTO)
tests_fuzz_fuzz_statement_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/statement

FUZZ_TARGETS += tests/fuzz/fuzz_carrier
tests_fuzz_fuzz_carrier_SOURCES = tests/fuzz/fuzz_carrier.c $(FUZZ_MAIN)
tests_fuzz_fuzz_carrier_LDADD = $(FLOOR_PROTO)
tests_fuzz_fuzz_carrier_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/carrier

FUZZ_TARGETS += tests/fuzz/fuzz_charter
tests_fuzz_fuzz_charter_SOURCES = tests/fuzz/fuzz_charter.c $(FUZZ_MAIN)
tests_fuzz_fuzz_charter_LDADD = $(FLOOR_PROTO)
tests_fuzz_fuzz_charter_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/charter

FUZZ_TARGETS += tests/fuzz/fuzz_envelope
tests_fuzz_fuzz_envelope_SOURCES = tests/fuzz/fuzz_envelope.c $(FUZZ_MAIN)
tests_fuzz_fuzz_envelope_LDADD = $(FLOOR_PROTO)
tests_fuzz_fuzz_envelope_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/envelope

FUZZ_TARGETS += tests/fuzz/fuzz_frame
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c $(FUZZ_MAIN)
tests_fuzz_fuzz_frame_LDADD = $(FLOOR_PROTO)
tests_fuzz_fuzz_frame_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/frame

FUZZ_TARGETS += tests/fuzz/fuzz_channel
tests_fuzz_fuzz_channel_SOURCES = tests/fuzz/fuzz_channel.c $(FUZZ_MAIN)
tests_fuzz_fuzz_channel_LDADD = $(FLOOR_P2P)
tests_fuzz_fuzz_channel_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/channel

FUZZ_TARGETS += tests/fuzz/fuzz_control
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c $(FUZZ_MAIN)
tests_fuzz_fuzz_control_LDADD = $(FLOOR_PROTO)
tests_fuzz_fuzz_control_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/control

FUZZ_TARGETS += tests/fuzz/fuzz_gossip
tests_fuzz_fuzz_gossip_SOURCES = tests/fuzz/fuzz_gossip.c $(FUZZ_MAIN)
tests_fuzz_fuzz_gossip_LDADD = $(FLOOR_P2P)
tests_fuzz_fuzz_gossip_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/gossip

FUZZ_TARGETS += tests/fuzz/fuzz_http
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz_http.c $(FUZZ_MAIN)
tests_fuzz_fuzz_http_LDADD = src/erad/liberad.a $(FLOOR_ERAD)
tests_fuzz_fuzz_http_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/http

FUZZ_TARGETS += tests/fuzz/fuzz_text
tests_fuzz_fuzz_text_SOURCES = tests/fuzz/fuzz_text.c $(FUZZ_MAIN)
tests_fuzz_fuzz_text_LDADD = $(FLOOR_BASE)
tests_fuzz_fuzz_text_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/text

FUZZ_TARGETS += tests/fuzz/fuzz_settings
tests_fuzz_fuzz_settings_SOURCES = tests/fuzz/fuzz_settings.c $(FUZZ_MAIN)
tests_fuzz_fuzz_settings_LDADD = $(FLOOR_HOST)
tests_fuzz_fuzz_settings_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/settings

FUZZ_TARGETS += tests/fuzz/fuzz_record
tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c $(FUZZ_MAIN)
tests_fuzz_fuzz_record_LDADD = $(FLOOR_RECORD)
tests_fuzz_fuzz_record_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/record

FUZZ_TARGETS += tests/fuzz/fuzz_verify
tests_fuzz_fuzz_verify_SOURCES = tests/fuzz/fuzz_verify.c tests/lib/given.c tests/lib/given.h $(FUZZ_MAIN)
tests_fuzz_fuzz_verify_SOURCES += tests/lib/given_charter.c tests/lib/given_internal.h
tests_fuzz_fuzz_verify_LDADD = $(FLOOR_CORE)
tests_fuzz_fuzz_verify_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/verify

FUZZ_TARGETS += tests/fuzz/fuzz_ipc
tests_fuzz_fuzz_ipc_SOURCES = tests/fuzz/fuzz_ipc.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ipc_LDADD = $(FLOOR_IPC)
tests_fuzz_fuzz_ipc_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus/ipc

check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/replay.sh tests/fuzz/run tests/fuzz/replay.c tests/fuzz/fuzz.h

FUZZ_SECONDS = 30
fuzz: $(FUZZ_TARGETS)
if FUZZERS
	sh $(srcdir)/tests/fuzz/run $(abs_top_srcdir) $(FUZZ_SECONDS) $(FUZZ_TARGETS)
else
	@echo "fuzz: configure with CC=clang --enable-fuzzers first" >&2; exit 1
endif
.PHONY: fuzz
