#!/bin/sh
# Ten thousand networks with every fault, all rules checked after every step.
# Takes about an hour on two cores. SEEDS=A..B for another range.
exec erasim sweep --seeds "${SEEDS:-1..10000}" --jobs "$(nproc)"
