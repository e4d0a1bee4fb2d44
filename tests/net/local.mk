# Real daemons, one a network namespace, on links that lose, delay, repeat and break; need root, else they skip.
# A minute of it is a test; the long ones (20 daemons; ERA_NET_NODES=50) run with `make check-long`.
NET_LONG = tests/net/loss.bats tests/net/delay.bats tests/net/flapping.bats tests/net/nat.bats tests/net/siege.bats
TESTS += tests/net/quick.bats tests/net/siege_quick.bats
CHECK_LONG += $(NET_LONG)
EXTRA_DIST += tests/net/quick.bats tests/net/siege_quick.bats $(NET_LONG) tests/net/lib.bash tests/net/siege.bash
EXTRA_DIST += tests/net/janitor
# The slow, careless network between the namespaces.
check_PROGRAMS += tests/net/relay
tests_net_relay_SOURCES = tests/net/relay.c
# Thousands of hostile connections, and what news they must not hold up.
check_PROGRAMS += tests/net/siege tests/bench/spread
tests_net_siege_SOURCES = tests/net/siege.c
tests_net_siege_LDADD = $(FLOOR_P2P)
