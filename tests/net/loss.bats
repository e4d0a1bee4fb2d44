#!/usr/bin/env bats
# Many daemons, each in a namespace of its own, on links that lose a third of all packets and break apart.
# ERA_NET_NODES=N for another number than 20, at most 50; ERA_NET_CUT_MS=N for another cut than 20 s.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load lib

teardown() { network_remove; }

@test "${ERA_NET_NODES:-20} daemons, loss 30 % and three partitions: equal digests <= 10 s after healing" {
    local third=$(((nodes + 2) / 3)) name groups before began_cut
    network_make
    nodes_up
    height 1
    until_true all_heard "$nodes" "${validators[@]}"
    propose n01 --class breaking --set-version 2.0.0 --effective +20 --require 'software=>=1.0.0'
    approve "$id" n01 "${signers[@]:0:2}"
    for name in "${validators[@]}"; do
        until_true says "$name" '.proposal.state == "approved"' show "$id"
    done
    before=$(digests "${validators[@]}")
    [[ "$before" =~ ^[0-9a-f]{64}$ ]]

    loss 30
    groups=("${validators[*]:0:third}" "${validators[*]:third:third}" "${validators[*]:2*third}")
    cut_into "${groups[@]}"
    began_cut=$(now_ms)
    # Each third votes and announces for itself; none is a quorum.
    for name in "${validators[@]}"; do on "$name" ready "$id" >/dev/null; done
    height 2
    for group in "${groups[@]}"; do
        # shellcheck disable=SC2086 # a list of names
        until_true votes_at "$(wc -w <<<"$group")" "$id" $group
    done
    tell "within the partitions: $(($(now_ms) - began_cut)) ms until each third held all votes of its own"
    # Long enough for links to be given up on both sides.
    until [ $(($(now_ms) - began_cut)) -ge "${ERA_NET_CUT_MS:-20000}" ]; do pause; done
    [ "$(digests "${validators[@]}")" = "$before" ]

    heal
    began_ms=$(now_ms)
    timed "after healing, loss 30 %: one new digest at all $nodes (aim: 10 s)" one_digest_but "$before" "${validators[@]}"
    [ $(($(now_ms) - began_ms)) -le 10000 ]
    timed "and every announcement at all $nodes" all_heard "$nodes" "${validators[@]}"
    # The faults did strike.
    [ "$(dropped cut "${validators[@]}")" -gt 0 ]
    [ "$(dropped lost "${validators[@]}")" -gt 100 ]
    tell "packets lost: $(dropped lost "${validators[@]}"), between partitions: $(dropped cut "${validators[@]}")"
}
