#!/bin/sh
# Each build with one rule broken is caught by a sweep of the seeds that its patch names.
# usage: mutants.sh   (from make check; the long search is: erasim mutants --seeds 1..2000)
set -u
if [ "${ERA_SANITIZERS:-no}" = yes ] || grep -q '^COVERAGE_TRUE = *$' "$ERA_BUILD/Makefile"; then
    echo "mutants: skipped, an instrumented build is too slow for them"
    exit 77
fi
if [ "${ERA_MUTANTS:-yes}" = no ]; then
    echo "mutants: skipped, ERA_MUTANTS=no asks for it"
    exit 77
fi
cd "$ERA_BUILD" || exit 1
# Not with the jobs of the make that runs the tests: it does not share them with a script.
env -u MAKEFLAGS -u MFLAGS make -s -j2 mutants || {
    echo "mutants: some could not be built"
    exit 1
}
exec ./erasim mutants
