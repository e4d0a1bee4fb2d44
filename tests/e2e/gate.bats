#!/usr/bin/env bats
# The gate and what passes it: events, hooks, the recovery lane, announcements.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load lib

teardown() { network_remove; }

@test "N1 R15 C3: a blocked node emits and relays no event, relays what unblocks it, and opens on SIGHUP" {
    dials=([alice]='' [bob]='alice carol' [carol]='') # all between alice and carol goes through bob
    version=([alice]=2.0.0 [carol]=2.0.0)
    network_make
    nodes_up
    height 1
    breaking alice 2.0.0 4
    height 4
    soon bob '.state == "blocked"' gate
    soon alice '.state == "current"' gate
    soon carol '.state == "current"' gate
    run on bob emit news - <<<'from the old'
    [ "$status" -eq 76 ]
    # Its neighbours know: in hello and status, and in what it announces.
    soon alice '[.peers[] | select(.blocked)] | length == 1' peers
    soon carol '[.validators[] | select(.name == "bob")][0].blocked' announcements
    on alice emit news - <<<'one'
    # The lane: a proposal, approvals and readiness pass through the blocked node, and the event did not.
    adopt alice --class breaking --set-version 3.0.0 --effective 8 --require 'software=>=1.0.0'
    says alice '.events == {"emitted":1,"delivered":1,"held":1}' status
    says bob '.events == {"emitted":0,"delivered":0,"held":0}' status
    says carol '.events.delivered == 0' status
    says bob '[.peers[].events_in] | add == 0' peers
    says bob '[.peers[].events_out] | add == 0' peers
    # Another program, the same daemon: what waited comes through, once.
    version[bob]=2.0.0
    conf_write bob && kill -HUP "${node_pid[bob]}"
    soon bob '.state == "notice"' gate
    soon carol '.events.delivered == 1' status
    soon bob '.events.delivered == 1' status
    on bob emit news - <<<'two'
    soon carol '.events.delivered == 2' status
}

@test "N1: a node that would be unblocked by the next era votes for it and opens when it begins" {
    network_make
    nodes_up
    height 1
    # A release nobody can run: all are blocked, and all still decide.
    breaking alice 2.0.0 4
    height 4
    all_soon '.state == "blocked"' gate
    adopt carol --class override --set-version 1.0.0 --effective 7 --require 'software=>=1.0.0'
    height 7
    all_soon '.state == "current"' gate
    on alice emit news - <<<'again'
    soon carol '.events.delivered == 1' status
    # An override is marked for ever.
    all_say '.components[0] | .plan[.current].class == "override"' eras
}

@test "N6: below a quorum of fresh announcements the gate says stale, and who is silent; with it, it opens" {
    clock+=' tolerance_epochs = "10";' # they were heard a moment ago: their silence, not this clock, is in doubt
    network_make
    nodes_up
    height 1
    all_soon '.state == "current"' gate
    soon alice '[.validators[] | .epoch] | length == 3 and all(. == 1)' announcements
    node_down bob
    node_down carol
    # A stopped clock is not silence: the epoch has to move on.
    on alice height 2
    says alice '.state == "current"' gate
    on alice height 3
    says alice '.state == "stale" and .exit == 75 and (.may_emit | not)' gate
    run on alice gate
    [ "$status" -eq 75 ]
    [[ "$output" == *bob* && "$output" == *carol* ]]
    run on alice emit news - <<<'anybody?'
    [ "$status" -eq 75 ]
    node_up bob
    node_up carol
    on bob height 3
    on carol height 3
    all_soon '.state == "current"' gate
    on alice emit news - <<<'welcome'
    soon carol '.events.delivered == 1' status
}

@test "M5: on_blocked = exit ends the daemon with 76, when it happens and at the next start" {
    version=([bob]=2.0.0 [carol]=2.0.0)
    extra[alice]='on_blocked = "exit";'
    network_make
    nodes_up
    height 1
    breaking alice 2.0.0 4
    height 3
    all_soon '.clock.epoch == 3' status
    node_answers alice
    on alice height 4 || true # it may be gone before it answers
    node_gone alice
    [ "$node_status" -eq 76 ]
    log_says alice 'on_blocked'
    # The next start ends likewise, as soon as the height is told again.
    node_up alice
    on alice height 4 || true
    node_gone alice
    [ "$node_status" -eq 76 ]
    # With the new version it stays.
    version[alice]=2.0.0
    conf_write alice
    node_up alice
    on alice height 4
    soon alice '.state == "current"' gate
}

@test "M5 C3: the hook program runs at gate and era changes, with its environment and nothing else" {
    network_make
    cat >"$net/hook" <<TEXT
#!/bin/sh
echo "\$ERAD_SIGNAL" >>"$net/hook.signals"
echo "\$* epoch=\$ERAD_EPOCH state=\$ERAD_STATE stdin=\$(readlink /proc/self/fd/0) descriptors=\$(ls /proc/self/fd | wc -l)" >>"$net/hook.said"
TEXT
    chmod 755 "$net/hook"
    extra[alice]="hook = \"$net/hook\";"
    conf_write alice
    nodes_up
    height 1
    breaking alice 2.0.0 4 --era-name second
    until_true grep -q '^gate network upgrade-soon' "$net/hook.said" # of gates that wait, the latest is told
    height 4
    until_true grep -q '^gate network blocked epoch=4' "$net/hook.said"
    until_true grep -q '^era network second epoch=4' "$net/hook.said"
    grep -q "state=$net/alice/state stdin=/dev/null descriptors=4\$" "$net/hook.said"
    [ "$(jq -s 'all(.schema == "erad.signal/1")' "$net/hook.signals")" = true ]
    [ "$(jq -s '[.[] | select(.signal == "gate")] | last | [.gate.state, .epoch, .component]' -c "$net/hook.signals")" = '["blocked",4,"network"]' ]
}

# A follower is there once it hears of an epoch; epochs go on until then.
followers_hear() {
    local name
    height $((++at))
    for name; do grep -q '"signal":"epoch"' "$net/$name/heard" || return 1; done
}

# heard_events N NODE…: so many of them, or more.
heard_events() {
    local n=$1 name
    shift
    for name; do [ "$(grep -c '"signal":"event"' "$net/$name/heard")" -ge "$n" ] || return 1; done
}

@test "C3 C4: events reach every subscriber once, whatever the paths; a quota an epoch holds" {
    network_lines='events_per_epoch = 3;'
    relays=(rita) dials+=([rita]='alice bob carol')
    network_make
    nodes_up
    height 1
    all_soon '.gate.state == "current"' status
    local name i
    for name in alice bob carol rita; do follow "$name" --signals --json; done
    at=1
    until_true followers_hear alice bob carol rita
    all_soon '.gate.state == "current"' status # of the epoch that came last
    for i in 1 2 3; do on bob emit "news.$i" - <<<"number $i"; done
    run on bob emit news.4 - <<<'one too many'
    [ "$status" -eq 75 ]
    until_true heard_events 3 alice bob carol rita
    all_soon '.events.delivered == 3' status
    for name in alice bob carol rita; do
        [ "$(jq -r 'select(.signal == "event") | [.topic, .from, .seq, .payload] | @json' "$net/$name/heard" | sort)" = '["news.1","bob",1,"number 1\n"]
["news.2","bob",2,"number 2\n"]
["news.3","bob",3,"number 3\n"]' ]
    done
    # More paths than one, each event counted once; the next epoch has room again.
    height $((at + 1))
    on bob emit news.4 - <<<'now it fits'
    all_soon '.events.delivered == 4' status
    # A relay has no key.
    run on rita emit news.1 - <<<''
    [ "$status" -eq 77 ]
}

@test "P4: a network of one trusted key works as it is described: one signature is the upgrade" {
    validators=() signers=(owner) emitters=(oracle) relays=(watcher)
    approvals_needed=1 urgent_needed=1
    network_lines='authority_only = true;'
    dials=([watcher]=oracle)
    network_make oracle
    nodes_up oracle watcher
    height 1
    all_soon '.state == "current"' gate
    on oracle emit price - <<<'42'
    soon watcher '.events.delivered == 1' status
    run on watcher emit price - <<<'43'
    [ "$status" -eq 77 ]
    # Effective at a block (P4); known at once, judged at that block (P5).
    propose oracle --class breaking --set-version 2.0.0 --effective 5 --require 'software=>=2.0.0'
    approve "$id" oracle owner
    all_soon ".components[0].head == \"$id\"" status
    all_soon '.state == "upgrade-soon"' gate
    on oracle emit price - <<<'44'
    height 5
    all_soon '.state == "blocked"' gate
    run on oracle emit price - <<<'45'
    [ "$status" -eq 76 ]
    version=([oracle]=2.0.0 [watcher]=2.0.0)
    conf_write oracle && conf_write watcher
    kill -HUP "${node_pid[oracle]}" "${node_pid[watcher]}"
    all_soon '.state == "current"' gate
    # Restarted, it stands at the block it had reached, before anybody tells it one.
    nodes_down KILL
    nodes_up oracle watcher
    all_say '.clock.epoch == 5 and .components[0].era == 2' status
}

@test "R14: a wrong height is remembered over a restart, until the operator resets it" {
    validators=() signers=(owner) emitters=(oracle) relays=()
    approvals_needed=1 urgent_needed=1
    network_lines='authority_only = true;'
    dials=()
    network_make oracle
    node_up oracle
    on oracle height 900000
    node_down oracle
    node_up oracle
    says oracle '.clock.epoch == 900000' status
    node_down oracle
    node_up oracle --reset-epoch
    says oracle '.clock.epoch == 0' status
    on oracle height 7
    says oracle '.clock.epoch == 7' status
}

@test "R14: while its daemon's clock is in doubt a signer's approval is refused; elsewhere it is not" {
    network_make
    nodes_up
    height 1
    propose alice --class soft --set-version 1.1.0 --effective 20
    # The others' chain goes on, alice's host program does not.
    height 9 bob carol
    until_true says alice '.clock.in_doubt' status
    soon alice '.state == "clock"' gate
    until_true says alice '.proposal.id' show "$id"
    run on alice approve "$id" --key "$net/sue.key" --yes --json
    [ "$status" -eq 75 ]
    [[ "$output" = *'"code":"clock"'* ]]
    says bob '.clock.in_doubt | not' status
    until_true says bob '.proposal.id' show "$id"
    on bob approve "$id" --key "$net/sue.key" --yes >/dev/null
    height 9 alice
    until_true says alice '.clock.in_doubt | not' status
    on alice approve "$id" --key "$net/sid.key" --yes >/dev/null
}
