#!/bin/sh
# Every fuzz target meets its corpus again (tests/fuzz/corpus/NAME for fuzz_NAME).
set -eu
logs=$(mktemp -d "${TMPDIR:-/tmp}/erad-replay.XXXXXX")
trap 'rm -rf "$logs"' EXIT
if [ -z "$ERA_FUZZERS" ]; then
    echo "replay: no fuzz target is listed (tests/fuzz/local.mk)"
    exit 1
fi
targets=0
for fuzzer in $ERA_FUZZERS; do
    name=${fuzzer##*/fuzz_}
    if ! "$ERA_BUILD/$fuzzer" -runs=0 "$ERA_SRC/tests/fuzz/corpus/$name" >"$logs/out" 2>&1; then
        echo "replay: $fuzzer fails on its corpus"
        cat "$logs/out"
        exit 1
    fi
    targets=$((targets + 1))
done
echo "replay: $targets fuzz targets kept their corpus"
