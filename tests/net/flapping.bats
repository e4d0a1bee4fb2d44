#!/usr/bin/env bats
# Many daemons, some of whose cables are pulled and put back again and again.
# ERA_NET_NODES=N for another number than 20; ERA_NET_SEED=N for other cables.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load lib

teardown() { network_remove; }

# flap SECONDS NODE…: every second or so one of them loses its cable, another gets it back. All have it at the end.
flap() {
    local end=$((SECONDS + $1)) name
    shift
    local -A is_down=()
    while [ "$SECONDS" -lt "$end" ]; do
        name=${*:RANDOM % $# + 1:1}
        if [ -n "${is_down[$name]:-}" ]; then
            link_up "$name"
            unset "is_down[$name]"
        else
            link_down "$name"
            is_down[$name]=yes
            flaps=$((flaps + 1))
        fi
        pause
        pause
        pause
    done
    for name in "${!is_down[@]}"; do link_up "$name"; done
}

@test "${ERA_NET_NODES:-20} daemons, a third of them on flapping links: the others go on, and all agree in the end" {
    local third=$((nodes / 3)) name before flapping steady flaps=0
    RANDOM=${ERA_NET_SEED:-1}
    network_make
    nodes_up
    height 1
    until_true all_heard "$nodes" "${validators[@]}"
    before=$(digests "${validators[@]}")
    # Every third, so that the ring has holes and no stretch is missing.
    for ((i = 0; i < nodes; i++)); do
        if [ $((i % 3)) -eq 2 ] && [ "$third" -gt 0 ]; then
            flapping+=("${validators[i]}")
            third=$((third - 1))
        else
            steady+=("${validators[i]}")
        fi
    done
    propose "${steady[0]}" --class breaking --set-version 2.0.0 --effective +20 --require 'software=>=1.0.0'
    approve "$id" "${steady[0]}" "${signers[@]:0:2}"
    flap 10 "${flapping[@]}"
    # Votes of two thirds and more while the cables go on and off: everybody's is wanted (Q is above two thirds).
    for name in "${steady[@]}"; do until_true says "$name" '.proposal.state == "approved"' show "$id"; done
    for name in "${steady[@]}"; do on "$name" ready "$id" >/dev/null; done
    flap 10 "${flapping[@]}"
    height 2
    for name in "${steady[@]}"; do
        until_true says "$name" ".proposal.readiness.stake | tonumber >= ${#steady[@]}" show "$id"
    done
    flap 5 "${flapping[@]}"
    began_ms=$(now_ms)
    for name in "${flapping[@]}"; do
        until_true says "$name" '.proposal.state == "approved" or .proposal.state == "adopted"' show "$id"
        on "$name" ready "$id" >/dev/null || true
    done
    timed "after the last of $flaps cuts: one new digest at all $nodes" one_digest_but "$before" "${validators[@]}"
    timed "and every announcement at all $nodes" all_heard "$nodes" "${validators[@]}"
    [ "$flaps" -gt 10 ]
}
