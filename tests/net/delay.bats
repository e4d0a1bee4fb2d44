#!/usr/bin/env bats
# Many daemons on links that are slow, repeat packets, and deliver them in another order.
# ERA_NET_NODES=N for another number than 20; ERA_NET_SEED=N for another history of the packets.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load lib

teardown() { network_remove; }

@test "${ERA_NET_NODES:-20} daemons, delay 200 +- 100 ms, 10 % of packets twice, none in order: a plan is adopted by all" {
    local name before
    plane=relay
    relay_options=(--delay 200 --jitter 100 --duplicate 10 --hurry 5 --seed "${ERA_NET_SEED:-1}")
    network_make
    began_ms=$(now_ms)
    nodes_up
    tell "all links up $(($(now_ms) - began_ms)) ms after the first start"
    height 1
    began_ms=$(now_ms)
    timed "$nodes announcements at all $nodes" all_heard "$nodes" "${validators[@]}"
    before=$(digests "${validators[@]}")
    [[ "$before" =~ ^[0-9a-f]{64}$ ]]
    propose n01 --class breaking --set-version 2.0.0 --effective +20 --require 'software=>=1.0.0'
    approve "$id" n01 "${signers[@]:0:2}"
    ready "$id" "${validators[@]}"
    began_ms=$(now_ms)
    timed "after the last vote: one new digest at all $nodes" one_digest_but "$before" "${validators[@]}"
    nodes_down
    relay_stop
    tell "$(cat "$net/relay")"
    # The faults did strike; nothing was lost beside them.
    [ "$(relay_says duplicated)" -gt 100 ]
    [ "$(relay_says overtaken)" -gt 100 ]
    [ "$(relay_says hurried)" -gt 50 ]
    [ "$(relay_says full)" -eq 0 ]
}
