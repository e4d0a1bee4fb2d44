#!/usr/bin/env bats
# A minute of real networks: few daemons in namespaces, every kind of fault once. The long ones: make check-long.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load lib

nodes=5
links_a_node=2
deadline_s=120

teardown() { network_remove; }

@test "C1: loss of 20 %, a door that opens outwards only, a cut and a pulled cable that heal: all agree" {
    local name before
    network_make
    no_way_in n02
    for name in "${validators[@]}"; do node_start "$name"; done
    for name in "${validators[@]}"; do node_await "$name"; done
    height 1
    until_true all_heard 5 "${validators[@]}"
    before=$(digests "${validators[@]}")
    propose n01 --class breaking --set-version 2.0.0 --effective +20 --require 'software=>=1.0.0'
    approve "$id" n02 "${signers[@]:0:2}"
    for name in "${validators[@]}"; do until_true says "$name" '.proposal.state == "approved"' show "$id"; done
    loss 20
    cut_into 'n02 n03' 'n01 n04 n05'
    link_down n05
    # Each part votes for itself; none is a quorum.
    for name in "${validators[@]}"; do on "$name" ready "$id" >/dev/null; done
    until_true votes_at 2 "$id" n01 n02 n03 n04
    [ "$(digests "${validators[@]}")" = "$before" ]
    heal
    link_up n05
    began_ms=$(now_ms)
    timed 'after healing, loss 20 %: one new digest' one_digest_but "$before" "${validators[@]}"
    [ "$(dropped lost "${validators[@]}")" -gt 10 ]
    [ "$(dropped cut "${validators[@]}")" -gt 0 ]
    [ "$(dropped uninvited n02)" -gt 0 ]
}

@test "C1: links of 50 +- 40 ms that repeat packets and turn their order round: all agree" {
    local before
    plane=relay
    relay_options=(--delay 50 --jitter 40 --duplicate 20 --hurry 10 --seed 7)
    network_make
    nodes_up
    height 1
    until_true all_heard 5 "${validators[@]}"
    before=$(digests "${validators[@]}")
    propose n01 --class breaking --set-version 2.0.0 --effective +20 --require 'software=>=1.0.0'
    approve "$id" n01 "${signers[@]:0:2}"
    ready "$id" "${validators[@]}"
    began_ms=$(now_ms)
    timed 'after the last vote: one new digest' one_digest_but "$before" "${validators[@]}"
    nodes_down
    relay_stop
    [ "$(relay_says duplicated)" -gt 5 ]
    [ "$(relay_says overtaken)" -gt 5 ]
    [ "$(relay_says full)" -eq 0 ]
}

# relayed SEED: what the relay counts when one node sends another 200 datagrams.
relayed() {
    relay_options=(--delay 2 --jitter 2 --duplicate 30 --hurry 20 --seed "$1")
    network_make
    # Nothing answers.
    inside n02 nft add rule inet era closing drop
    # shellcheck disable=SC2016 # for the shell inside
    inside n01 bash -c 'for i in {1..200}; do echo "$i" >/dev/udp/10.77.0.2/9; done'
    relay_stop
    echo "$(relay_says packets) $(relay_says duplicated) $(relay_says hurried)"
    network_remove
}

@test "C1: what the relay does to a packet follows from its seed" {
    plane=relay
    nodes=2
    links_a_node=1
    tag=$$
    network_needs # not in a subshell, where a skip is lost
    tag=''
    local first again other
    first=$(relayed 5)
    again=$(relayed 5)
    other=$(relayed 6)
    [[ "$first" = '200 '* ]]
    [ "$first" = "$again" ]
    [ "$first" != "$other" ]
}
