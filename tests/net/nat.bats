#!/usr/bin/env bats
# Daemons that may dial and cannot be dialled: they take part like everybody else.
# ERA_NET_NODES=N for another number than 20.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load lib

teardown() { network_remove; }

@test "${ERA_NET_NODES:-20} daemons, four of them behind one-way doors: what they say reaches all, and they hear all" {
    local name before hidden
    network_make
    # Two neighbours on the ring among them, who can never reach each other.
    hidden=("${validators[1]}" "${validators[2]}" "${validators[nodes / 2]}" "${validators[nodes - 1]}")
    for name in "${hidden[@]}"; do no_way_in "$name"; done
    for name in "${validators[@]}"; do node_start "$name"; done
    for name in "${validators[@]}"; do node_await "$name"; done
    height 1
    began_ms=$(now_ms)
    timed "$nodes announcements at all $nodes" all_heard "$nodes" "${validators[@]}"
    before=$(digests "${validators[@]}")
    # From behind a door to all, and from all to behind the doors; nobody else may be missing for a quorum.
    propose "${hidden[0]}" --class breaking --set-version 2.0.0 --effective +20 --require 'software=>=1.0.0'
    approve "$id" "${hidden[1]}" sam
    approve "$id" "${hidden[2]}" sue
    for name in "${validators[@]}"; do
        until_true says "$name" '.proposal.state == "approved" or .proposal.state == "adopted"' show "$id"
        on "$name" ready "$id" >/dev/null || until_true says "$name" '.proposal.state == "adopted"' show "$id"
    done
    began_ms=$(now_ms)
    timed "after the last vote: one new digest at all $nodes" one_digest_but "$before" "${validators[@]}"
    # They were knocked at, in vain.
    [ "$(dropped uninvited "${hidden[@]}")" -gt 0 ]
    for name in "${hidden[@]}"; do says "$name" '[.peers[] | select(.state == "up")] | length > 0' peers; done
}
