#!/usr/bin/env bats
# One persisted view, whatever happens to daemons, links and latecomers.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load lib

teardown() { network_remove; }

@test "C1 C2 N3 P7 M12: three daemons come to one view, by links alone" {
    dials=([alice]='' [bob]=alice [carol]=bob) # a line: what carol says reaches alice through bob
    network_make
    nodes_up
    height 1
    breaking carol 2.0.0 +3
    until_true all_agree
    # Every validator's announcement of the new epoch reaches every node, with that view in it.
    height 2
    all_soon '.adoption.fresh == "3" and .adoption.same_view == "3" and .adoption.other_view == "0"' status
    # The log says the same everywhere.
    one_value '[.entries[] | {id, author, seq, plan: [.plan[].hash]}]' log
    says alice '.entries | length == 1 and .[0].author == "sam"' log
}

@test "C2 I12: SIGKILL of every daemon at once loses nothing that was adopted, approved or told" {
    network_make
    nodes_up
    height 1
    all_soon '.adoption.fresh == "3"' status
    breaking alice 2.0.0 +3
    propose bob --class breaking --set-version 3.0.0 --effective +6
    approve "$id" bob sam sue
    local before log
    before=$(ask alice .view_digest status)
    log=$(ask alice .entries log)
    nodes_down KILL
    nodes_up
    all_say ".view_digest == \"$before\"" status
    [ "$(ask alice .entries log)" = "$log" ]
    says bob '.proposal.approvals.by | sort == ["sam", "sue"]' show "$id"
    # And the network goes on from there; a height that was quorum's is remembered (R14).
    all_say '.clock.epoch == 1' status
    height 4
    all_soon '.state == "blocked"' gate
}

@test "C2 R14: a clock of time goes on after a kill, and epochs come by themselves" {
    clock="kind = \"wall\"; genesis = \"$(date +%s)000\"; epoch_ms = \"2500\";"
    network_make
    nodes_up
    all_soon '.clock.epoch >= 1 and .gate.state == "current"' status
    breaking alice 2.0.0 +10 # long enough to be adopted, and killed, before it, on a busy machine too
    nodes_down KILL
    nodes_up
    # All at the epoch that was agreed; nobody before it.
    on bob wait --gate blocked --timeout "${deadline_s}s"
    until_true all_agree
    all_soon '.state == "blocked"' gate
    local name at began
    at=$(ask alice '.entries[0].plan[1].effective' log)
    for name in alice bob carol; do
        began=$(sed -n 's/.*era 2 .* is in force since epoch \([0-9]*\).*/\1/p' "$net/$name/log")
        [ "$began" = "$at" ]
        # The word "blocked" comes with that epoch, not earlier.
        [ "$(sed -n 's/.*gate blocked: .* epoch \([0-9]*\);.*/\1/p' "$net/$name/log" | head -n 1)" -ge "$at" ]
    done
}

@test "M12 P6 C4: who comes late, with the charter and one address, learns everything" {
    relays=()
    network_make dave
    dials[dave]=carol
    conf_write dave
    nodes_up
    height 1
    soft alice 1.1.0 +3
    height 4
    all_soon '.components[0].version == "1.1.0"' status
    breaking bob 2.0.0 +3 --flag fast=on
    height 5
    node_up dave
    on dave height 5
    until_true all_agree
    # A snapshot: the head and its proof. What it dominates is history, and stays where it was seen.
    says dave '.entries | .[-1].plan[-1].version == "2.0.0"' log
    soon dave '.adoption.fresh == "3" and .validator == null and .gate.state == "upgrade-soon"' status
    # It serves others at once: a node that knows dave alone.
    dials[erin]=dave port[erin]=$((port[dave] + 1))
    conf_write erin
    nodes_down
    node_up dave
    node_up erin
    soon erin ".view_digest == \"$(ask dave .view_digest status)\"" status
}

@test "M12 R7: a node that was down during the whole upgrade has it when it comes back" {
    stake=([alice]=2 [bob]=2 [carol]=1) # a quorum without carol
    network_make
    nodes_up
    height 1
    all_soon '.adoption.fresh == "5"' status
    node_down carol
    adopt alice --class breaking --set-version 2.0.0 --effective +3 --require 'software=>=1.0.0'
    height 4
    all_soon '.components[0].version == "2.0.0" and .gate.state == "notice"' status
    node_up carol
    on carol height 4
    until_true all_agree
    soon carol '.gate.state == "notice" and .components[0].era == 2' status
    # What she says counts again.
    all_soon '.adoption.fresh == "5"' status
}

@test "D4: a peer of another network is refused in band, both logs say so, and nobody is harmed" {
    network_make mallory
    nodes_up
    sed 's/name = "e2e"/name = "another"/' "$net/charter.txt" >"$net/mallory/charter.txt"
    dials[mallory]='alice bob'
    conf_write mallory
    sed -i 's|"../charter.txt"|"charter.txt"|' "$net/mallory/erad.conf"
    node_up mallory
    until_true log_says mallory 'wrong-network'
    until_true log_says alice 'wrong-network'
    says mallory '.peers.up == 0' status
    height 1 alice bob carol
    until_true says alice '.gate.state == "current" and .peers.up >= 2' status
    says alice '[.peers[] | select(.state == "up")] | length >= 2' peers
}

@test "Overlay: who knows one address finds the others, and the rest holds together when that one is gone" {
    neighbours=4
    relays=(hub dora emil)
    dials=([hub]='' [alice]=hub [bob]=hub [carol]=hub [dora]=hub [emil]=hub)
    network_make
    nodes_up
    height 1
    all_soon '[.peers[] | select(.state == "up")] | length >= 3' peers
    node_down hub KILL
    # What bob says reaches all, by nobody's configured link.
    soft bob 1.1.0 20
    until_true all_agree
}

# new_node_key NODE: its state directory has one that was not there before.
new_node_key() {
    (umask 077 && mkdir -p "$net/$1/state")
    rm -f "$net/$1/state/node.key" "$net/$1/state/node.key.pub"
    eractl keygen "$net/$1/state/node.key" >/dev/null
    node_key=$(cat "$net/$1/state/node.key.pub")
}

@test "a peer that is pinned to its node key is linked, and nobody else at its address" {
    validators=(alice bob)
    dials=([alice]=bob [bob]='')
    network_make
    new_node_key bob
    pin[bob]=$node_key
    conf_write alice
    nodes_up
    says alice '.peers | length == 1 and .[0].state == "up" and .[0].anchor and .[0].pinned' peers
    says alice ".peers[0].node == \"${pin[bob]}\" and .other_keys == []" peers

    # Somebody else stands where bob was.
    nodes_down TERM
    new_node_key bob
    node_up bob
    node_up alice
    soon alice ".other_keys == [{address: \"tcp://$host:${port[bob]}\", configured: \"${pin[bob]}\",
        answers: \"$node_key\", times: .other_keys[0].times}]" peers
    says alice '[.peers[] | select(.state == "up")] == []' peers
    says alice '.lock == "starting"' status # what the stranger holds unlocks nothing
    [[ $(on alice peers) = *"tcp://$host:${port[bob]} is not linked: $node_key answers there"* ]]
    grep -F "no link with peer tcp://$host:${port[bob]} (other-key): node key $node_key answers there, \`peers\` says ${pin[bob]}; find out who answers there" "$net/alice/log"

    # It was bob himself, with a new node key.
    node_down alice TERM
    pin[bob]=$node_key
    conf_write alice
    node_up alice
    soon alice '.lock != "starting" and .peers.up == 1' status
}
