#!/usr/bin/env bats
# eractl with a daemon: every verb that asks one, and what it prints.
# shellcheck disable=SC2016,SC2154 # $ERAD_OUT is the build's; $net, $stderr come from elsewhere

load given
load lib

setup() { network_make; }
teardown() { network_remove; }

# propose_two: 2.0.0 by sam, its id in $id
propose_two() {
    mkdir -p "$net/out"
    echo built >"$net/out/app"
    id=$(ctl propose --key "$net/sam.key" --set-version 2.0.0 --class breaking --effective +10 \
        --require 'software=>=1.0.0' --artefact "app=@$net/out" --text "the second" 2>"$net/words")
}

json() { # VERB… FILTER: the verb's one object on stdout passes
    local filter=${*: -1}
    run --separate-stderr ctl --json "${@:1:$#-1}"
    echo "$output"
    jq -es "length == 1 and (.[0] | $filter)" <<<"$output"
}

@test "status, eras, peers, announcements, log of a fresh node" {
    node_start
    run ctl status
    [ "$status" -eq 0 ]
    says "$(eractl charter hash "$net/charter.txt")"
    says "alice, stake 10"
    says "current: era 1"
    run ctl eras
    says "software >=1.0.0"
    run ctl peers
    [ "$output" = "No links." ]
    run ctl log
    [ "$output" = "Nothing was adopted yet." ]
    run ctl inbox
    [ "$output" = "Nothing waits." ]
    run ctl announcements
    says "software 1.0.0"
    json status '.schema == "erad.status/1"'
    json eras '.schema == "erad.eras/1"'
    json peers '.schema == "erad.peers/1"'
    json log '.schema == "erad.log/1"'
    json inbox '.schema == "erad.inbox/1" and .proposals == []'
    json announcements '.schema == "erad.announcements/1"'
    json gate '.schema == "erad.gate/1" and .exit == 0'
    run ctl charter show
    diff <(eractl charter show "$net/charter.txt") <(printf '%s\n' "$output")
}

waits_in_vain() { # a daemon that is slow to answer has not even said that
    local said rc=0
    said=$(ctl wait --approved "$id" --timeout 1ms 2>&1) || rc=$?
    [ "$rc" -eq 75 ] && [[ "$said" == *"not yet"* ]]
}

@test "M4 M5 a proposal from inbox to era, with every verb on the way" {
    network_remove
    network_make height # an epoch that comes by itself could come too early
    node_start
    propose_two
    grep -q "Stake 10 of 10 runs what 2.0.0 requires" "$net/words"
    run ctl inbox --key "$net/sue.key"
    says "sign"
    ctl approve "$id" --key "$net/sam.key" 2>/dev/null
    until_true waits_in_vain
    ctl approve "${id:0:8}" --key "$net/sue.key" 2>/dev/null
    ctl wait --approved "$id" --timeout "${deadline_s}s"
    run ctl inbox --key "$net/sue.key.pub"
    says "signed"
    ctl attest "$id" --dir "$net/out"
    run ctl attest "$id" --source "$net/out" --build 'cp -r . "$ERAD_OUT"' --builder "by hand"
    [ "$status" -eq 0 ]
    run ctl show "$id"
    says "by hand"
    ctl ready "$id"
    ctl wait --adopted "$id" --timeout "${deadline_s}s"
    run ctl show "$id"
    says "adopted"
    says "approved by    "
    says "alice (stake 10 of 7 needed"
    says "the second"
    run ctl log
    says "2.0.0 breaking"
    ctl height 10
    ctl wait --era 2 --timeout "${deadline_s}s"
    json eras '.components[0].plan[-1] | .era == 2 and .state == "current"'
}

@test "T5 a rebuild that differs is 1, and both digests are told" {
    node_start
    propose_two
    echo tampered >"$net/out/app"
    run --separate-stderr ctl attest "$id" --dir "$net/out"
    [ "$status" -eq 1 ]
    [[ "$output" == *"plan "*"h1:"*"rebuilt"*"h1:"* ]]
    run --separate-stderr ctl --json attest "$id" --dir "$net/out"
    [ "$status" -eq 1 ]
    jq -es 'length == 1 and (.[0] | .matched == false and .digest != .expected and .error.code == "mismatch")' \
        <<<"$output"
}

@test "T4 a proposal that fails is told by whom and why, and ends every wait with 1" {
    node_start
    propose_two
    ctl reject "$id" --key "$net/sue.key" --reason "not tested" 2>/dev/null
    (ctl wait --adopted "$id" --timeout 120s 2>"$net/wait.err" || echo $? >"$net/wait.status") 3>&- &
    waiter=$!
    ctl reject "$id" --key "$net/sid.key" --reason "too early" 2>/dev/null
    wait "$waiter"
    [ "$(cat "$net/wait.status")" = 1 ]
    grep -q "rejected it: " "$net/wait.err"
    run ctl wait --era 2 --timeout 120s
    [ "$status" -eq 1 ]
    says "failed"
    run ctl inbox
    says "failed"
    says "too early"
    run ctl show "$id"
    says "not tested"
}

@test "an air-gapped approval: export, sign elsewhere, submit" {
    node_start
    propose_two
    ctl show "$id" --export "$net/material" >/dev/null
    ctl approve "$id" --key "$net/sam.key" 2>/dev/null
    unset ERAD_STATE
    eractl approve --offline "$net/material" --key "$net/sue.key" -o "$net/vote" 2>/dev/null
    json show "$id" '.proposal.approvals.count == 1'
    run ctl submit "$net/vote"
    [ "$status" -eq 0 ]
    ctl wait --approved "$id" --timeout "${deadline_s}s"
    ctl propose --export "$net/m" --key "$net/sid.key"
    eractl propose --offline "$net/m" --key "$net/sid.key" -o "$net/p" --seq 2 --set-version 3.0.0 --class soft \
        --effective 20 2>/dev/null
    ctl submit "$net/p"
}

@test "C3 events are followed, one a line" {
    sed -i 's/overrides = true;/overrides = true; events_per_epoch = 1000;/' "$net/charter.txt"
    node_start
    (ctl events --topic me --count 2 --timeout 120s >"$net/events" 2>&1 || echo $? >>"$net/events") 3>&- &
    follower=$!
    (ctl --json events --signals --topic event --count 1 --timeout 120s >"$net/signals" 2>&1 || true) 3>&- &
    second=$!
    until_true emit_until_seen
    wait "$follower" "$second"
    grep -q "meter.b  from alice  second line$" "$net/events"
    [ "$(wc -l <"$net/events")" -eq 2 ]
    jq -es 'length == 1 and .[0].signal == "event" and .[0].from == "alice"' "$net/signals"
}
emit_until_seen() { # a signal before the follower is there is lost
    printf 'second\nline' | ctl emit meter.b - || return 1
    [ -s "$net/signals" ] && [ "$(wc -l <"$net/events")" -ge 2 ]
}

# Somebody's connection to the socket of signals.
node_is_followed() { [ "$(grep -c "$net/state/signal.sock" /proc/net/unix)" -ge 2 ]; }

@test "wait outlives a restart of the daemon" {
    node_start
    propose_two
    (ctl wait --approved "$id" --timeout 120s 2>"$net/wait.err" || echo $? >"$net/wait.status") 3>&- &
    waiter=$!
    until_true node_is_followed
    node_stop
    node_start
    ctl approve "$id" --key "$net/sam.key" 2>/dev/null
    ctl approve "$id" --key "$net/sue.key" 2>/dev/null
    wait "$waiter"
    [ ! -e "$net/wait.status" ] || { cat "$net/wait.err"; false; }
}

@test "events end with 69 when the daemon goes away" {
    node_start
    (ctl events --count 5 --timeout 120s >/dev/null 2>"$net/events.err" || echo $? >"$net/events.status") 3>&- &
    follower=$!
    until_true node_is_followed
    node_stop
    wait "$follower"
    [ "$(cat "$net/events.status")" = 69 ]
}

@test "wait for a gate that is there is 0 at once, --json says so" {
    node_start
    json wait --gate current --timeout "${deadline_s}s" '. == {schema: "erad.wait/1", reached: true}'
}

@test "the daemon is found by --control, --state, ERAD_STATE" {
    node_start
    eractl gate -q --control "$net/state/control.sock"
    ERAD_STATE=$net/state eractl gate -q
    cd "$net"
    eractl gate -q --state state
    eractl gate -q --control state/control.sock
}

@test "what the daemon refuses comes with code, where and cure" {
    node_start
    run --separate-stderr ctl ready 0123456789abcdef
    [ "$status" -eq 66 ]
    [[ "$stderr" == "eractl: nothing here has that id"*"cure: "* ]]
    run --separate-stderr ctl --json ready 0123456789abcdef
    [ "$status" -eq 66 ]
    jq -e '.error.code == "not-found"' <<<"$output"
}

locked_as() { [ "$(ctl --json status | jq -r .lock)" = "$1" ]; }

@test "R4 a key whose peers are away signs nothing until the operator says so" {
    conf_write 'peers = [ "tcp://127.0.0.1:1" ];'
    node_up
    locked_as starting
    run ctl status
    says "keys locked"
    says "has not yet compared"
    says "eractl unlock"
    [ "$(curl -s "http://$(observers)/metrics" | sed -n 's/^erad_key_locked //p')" = 1 ]
    propose_two
    ctl approve "$id" --key "$net/sam.key" 2>/dev/null
    ctl approve "$id" --key "$net/sue.key" 2>/dev/null
    run --separate-stderr ctl ready "$id"
    [ "$status" -eq 75 ]
    says "has not yet compared"
    run --separate-stderr ctl --json ready "$id"
    jq -e '.error.code == "locked"' <<<"$output"
    json unlock '. == {schema: "erad.unlock/1", was: "starting"}'
    locked_as none
    run ctl status
    never_says "keys locked"
    [ "$(curl -s "http://$(observers)/metrics" | sed -n 's/^erad_key_locked //p')" = 0 ]
    run ctl unlock --yes
    [ "$output" = "the key was not locked" ]
    until_true ctl gate
}

@test "unlock asks on a terminal, in words" {
    command -v script >/dev/null || skip "there is no script(1) to make a terminal"
    conf_write 'peers = [ "tcp://127.0.0.1:1" ];'
    node_up
    run script -qec "eractl --state $net/state unlock" /dev/null <<<n
    [ "$status" -eq 1 ]
    says "Is this store the newest, and the key used nowhere else? Unlock it? [y/N]"
    says "not unlocked"
    locked_as starting
    run script -qec "eractl --state $net/state unlock" /dev/null <<<yes
    [ "$status" -eq 0 ]
    says "unlocked"
    locked_as none
}

@test "bad: a node without a key" {
    sed -i '/^validator_key/d' "$net/erad.conf"
    node_up
    refused unlock-no-key ctl unlock --yes
}
