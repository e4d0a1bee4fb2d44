# Real daemons, one a network namespace, on links that lose, delay, repeat and break; need root, else they skip.
# A minute of it is a test; the long ones (20 daemons; ERA_NET_NODES=50) run with `make check-long`.
NET_LONG = tests/net/loss.bats tests/net/delay.bats tests/net/flapping.bats tests/net/nat.bats
TESTS += tests/net/quick.bats
CHECK_LONG += $(NET_LONG)
EXTRA_DIST += tests/net/quick.bats $(NET_LONG) tests/net/lib.bash tests/net/janitor
# The slow, careless network between the namespaces.
check_PROGRAMS += tests/net/relay
tests_net_relay_SOURCES = tests/net/relay.c
