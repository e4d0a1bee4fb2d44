# Three fences (house rules as tests) and the proof that they fail.
FENCES = tests/fences/includes.sh tests/fences/links.sh tests/fences/symbols.sh tests/fences/selftest.sh
TESTS += $(FENCES)
EXTRA_DIST += $(FENCES) tests/fences/allowed.txt tests/fences/floors.txt tests/fences/forbidden.txt
