#!/usr/bin/env bats
# From a proposal to an era, by people with keys and nodes that build.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load lib

teardown() { network_remove; }

# tree NAME TEXT: a directory as a build leaves it.
tree() {
    mkdir -p "$net/$1/bin"
    echo "$2" >"$net/$1/bin/program"
    chmod 755 "$net/$1/bin/program"
    echo "read me" >"$net/$1/README"
}

@test "D1 M4 P3 P5 N2: proposed, approved, rebuilt, ready, adopted; and all switch at one epoch, not before" {
    rebuild_quorum=2/3
    network_make
    nodes_up
    height 1
    tree built 'two'
    propose alice --class breaking --set-version 2.0.0 --effective 5 --era-name second \
        --require 'software=>=2.0.0' --artefact "linux=@$net/built" --text 'faster'
    # One approval of two: open, everywhere.
    approve "$id" bob sam
    soon carol '.proposal | .state == "open" and .approvals == {"count":1,"needed":2,"of":3,"by":["sam"]}' show "$id"
    run on alice ready "$id"
    [ "$status" -ne 0 ]
    [[ "$output" == *approv* ]]
    # Approved; but nobody votes for what was not rebuilt here.
    approve "$id" carol sue
    all_soon '.proposal.state == "approved"' show "$id"
    run on alice ready "$id"
    [ "$status" -ne 0 ]
    [[ "$output" == *attest* || "$output" == *rebuil* ]]
    for name in alice bob carol; do on "$name" attest "$id" --dir "$net/built" --builder "gcc 12"; done
    all_soon '.proposal.attestations | length == 3 and all(.matched)' show "$id"
    on alice ready "$id"
    on bob ready "$id"
    all_soon '.proposal.readiness.by | sort == ["alice", "bob"]' show "$id"
    all_say '.components[0].head == null' status
    on carol ready "$id"
    all_soon ".components[0].head == \"$id\"" status
    # Adopted is not in force: with warning, everybody goes on (M5).
    height 4
    all_soon '.state == "upgrade-soon" and .may_emit and .epochs_left == 1 and .exit == 0' gate
    all_say '.components[0].current == 0' eras
    run on bob gate
    [ "$status" -eq 0 ]
    [[ "$output" == *2.0.0* ]]
    on bob emit oracle - <<<'still here'
    # The epoch comes: the node that hears of it first stops alone, the others at their own epoch (P5).
    on bob height 5
    run on bob gate
    [ "$status" -eq 76 ]
    [[ "$output" == *'>=2.0.0'* && "$output" == *'1.0.0'* ]]
    says alice '.state == "upgrade-soon"' gate
    height 5 alice carol
    all_soon '.state == "blocked" and .exit == 76 and (.may_emit | not)' gate
    all_say '.components[0].plan[.components[0].current].era_name == "second"' eras
    run on alice emit oracle - <<<''
    [ "$status" -eq 76 ]
    # The new software: its gate is open at once, without a restart.
    version=([alice]=2.0.0 [bob]=2.1.0 [carol]=2.0.0)
    for name in alice bob carol; do conf_write "$name" && kill -HUP "${node_pid[$name]}"; done
    all_soon '.state == "current"' gate
    height 6
    all_soon '.adoption | .fresh == "3" and .blocked == "0" and ([.software[] | {(.version): .stake}] | add == {"2.0.0":"2","2.1.0":"1"})' status
    on alice emit oracle - <<<'here again'
}

@test "T5 N5: other bytes are a failed attestation; no readiness, and from the era on the gate is mismatch" {
    stake=([alice]=2 [bob]=2 [carol]=1) rebuild_quorum=2/3
    version=([alice]=2.0.0 [bob]=2.0.0 [carol]=2.0.0)
    network_make
    nodes_up
    height 1
    tree built 'two' && tree other 'twO'
    propose bob --class breaking --set-version 2.0.0 --effective 5 --require 'software=>=1.0.0' --artefact "linux=@$net/built"
    approve "$id" bob sam sue
    all_soon '.proposal.state == "approved"' show "$id"
    run on carol attest "$id" --dir "$net/other"
    [ "$status" -eq 1 ]
    [[ "$output" == *h1:* ]]
    # Everybody sees who built other bytes (N5).
    all_soon '.proposal.attestations | length == 1 and .[0].by == "carol" and (.[0].matched | not)' show "$id"
    run on carol ready "$id"
    [ "$status" -ne 0 ]
    [[ "$output" == *differ* || "$output" == *match* ]]
    on alice attest "$id" --dir "$net/built"
    on bob attest "$id" --dir "$net/built"
    on alice ready "$id"
    on bob ready "$id"
    all_soon ".components[0].head == \"$id\"" status
    height 5
    soon alice '.state == "current"' gate
    soon carol '.state == "mismatch" and .exit == 76' gate
    run on carol gate
    [ "$status" -eq 76 ]
    run on carol emit oracle - <<<''
    [ "$status" -eq 76 ]
    # It is remembered over a kill, and repaired by the right bytes.
    node_down carol KILL
    node_up carol
    on carol height 5
    soon carol '.state == "mismatch"' gate
    on carol attest "$id" --dir "$net/built"
    soon carol '.state == "current"' gate
}

@test "T4: a signer who approves twice, at two nodes, counts once" {
    network_make
    nodes_up
    height 1
    propose alice --class breaking --set-version 2.0.0 --effective +4
    approve "$id" alice sam
    approve "$id" carol sam
    # The same key without its memory of what it signed, as on another machine.
    mkdir "$net/elsewhere" && cp "$net/sam.key" "$net/elsewhere/"
    soon bob '.proposal.id' show "$id"
    on bob approve "$id" --key "$net/elsewhere/sam.key" --network "$(ask bob .network status)" --yes
    approve "$id" bob sue
    all_soon '.proposal.state == "approved" and .proposal.approvals.count == 2' show "$id"
    all_say '.proposal.approvals.by | sort == ["sam", "sue"]' show "$id"
}

@test "T4 N5: one rejection too many ends it early: everybody is told by whom and why" {
    network_make
    nodes_up
    height 1
    propose alice --class breaking --set-version 2.0.0 --effective +6
    approve "$id" alice sam
    # Somebody waits for it all the while.
    on bob wait --adopted "$id" --timeout 120s >"$net/waited" 2>&1 3>&- &
    local waiter=$!
    soon carol '.proposal.id' show "$id"
    on carol reject "$id" --key "$net/sue.key" --reason 'the build is not reproducible' --yes
    all_soon '.proposal | .rejections == [{"by":"sue","reason":"the build is not reproducible"}]' show "$id"
    all_say '.proposal.state == "open"' show "$id"
    on bob reject "$id" --key "$net/sid.key" --reason 'too early' --yes
    all_soon '.proposal.state == "failed" and ([.proposal.failed_by[].by] | sort == ["sid", "sue"])' show "$id"
    local waited=0
    wait "$waiter" || waited=$?
    [ "$waited" -eq 1 ]
    grep -q 'not reproducible\|too early' "$net/waited"
    for verb in status inbox "show $id"; do
        # shellcheck disable=SC2086 # a verb and its argument
        run on alice $verb
        [ "$status" -eq 0 ]
        [[ "$output" == *failed* && "$output" == *sue* && "$output" == *'the build is not reproducible'* ]]
    done
    run on alice wait --approved "$id" --timeout "${deadline_s}s"
    [ "$status" -eq 1 ]
    # The next slot is free; its proposal is adopted.
    breaking alice 2.0.0 +4
}

@test "P1 M2: a soft release is a notice; nothing stops, and it votes by itself" {
    network_make
    nodes_up
    height 1
    propose alice --class soft --set-version 1.1.0 --effective 4 --text 'internal changes only'
    approve "$id" alice sam sue
    all_soon ".components[0].head == \"$id\"" status
    all_soon '.state == "notice" and .exit == 0 and .may_emit' gate
    height 4
    all_soon '.components[0] | .plan[.current] | .version == "1.1.0" and .era == 1 and .class == "soft"' eras
    all_soon '.state == "notice" and .exit == 0 and .may_emit' gate
    on carol emit news - <<<'on we go'
    soon alice '.events.delivered == 1' status
    run on alice gate
    [ "$status" -eq 0 ]
    [[ "$output" == *1.1.0* ]]
}

@test "P2: a release names the dependency that moved, and since when" {
    network_make
    nodes_up
    height 1
    adopt alice --class breaking --set-version 2.0.0 --effective 4 --require 'software=>=1.0.0' \
        --depend 'hostchain=>=5.0.0@block 1200000'
    height 4
    all_soon '.state == "notice"' gate
    all_soon '.components[0] | .plan[.current].dependencies == [{"name":"hostchain","range":">=5.0.0","since":"block 1200000"}]' eras
    # A person sees it too, while it is decided and afterwards.
    local verb
    for verb in gate "show $id"; do
        # shellcheck disable=SC2086 # a verb and its argument
        run on carol $verb
        [ "$status" -eq 0 ]
        [[ "$output" == *'hostchain >=5.0.0 since block 1200000'* ]]
    done
}

@test "M1 M3: five kinds of version and feature flags, told to the host program with each era" {
    record_lines='flags : { fast = false; };'
    # A kind that a node does not tell is not known, and fits no range.
    extra=([carol]='versions : { distribution = "12.4.0"; software = "2.0.0"; api = "3.0.0"; database = "7.0.0"; protocol = "1.2.0"; };'
        [alice]='versions : { distribution = "12.4.0"; software = "1.0.0"; api = "3.0.0"; database = "6.0.0"; protocol = "1.2.0"; };')
    network_make
    nodes_up
    height 1
    all_say '.components[0] | .plan[.current].flags == {"fast": false}' eras
    adopt bob --class breaking --set-version 2.0.0 --effective 4 --flag fast=on --flag shiny=off \
        --require 'distribution=>=12.0.0' --require 'software=>=1.0.0' --require 'api=^3.0.0' --require 'database=>=7.0.0' --require 'protocol=~1.2.0'
    height 4
    all_soon '.components[0] | .plan[.current].flags == {"fast": true, "shiny": false}' eras
    all_say '.components[0] | .plan[.current].requires | keys == ["api","database","distribution","protocol","software"]' eras
    soon carol '.state == "current"' gate
    soon bob '.state == "blocked" and .requires == {"kind":"distribution","range":">=12.0.0","own":null}' gate
    log_says bob 'requires distribution >=12.0.0, runs an unknown one'
    soon alice '.state == "blocked" and .requires == {"kind":"database","range":">=7.0.0","own":"6.0.0"}' gate
    soon bob '[.validators[] | select(.name == "carol")][0].versions == {"distribution":"12.4.0","software":"2.0.0","api":"3.0.0","database":"7.0.0","protocol":"1.2.0"}' announcements
    run on carol show "$id"
    [[ "$output" == *'switches flag fast on'* ]]
}

@test "M4: announced without an epoch, later given one" {
    network_make
    nodes_up
    height 1
    propose alice --announce --class breaking --set-version 2.0.0 --require 'software=>=2.0.0'
    approve "$id" alice sam sue
    all_soon ".components[0].head == \"$id\"" status
    all_say '.components[0].plan[1] | .state == "announced" and .effective == null and .version == "2.0.0"' eras
    all_soon '.state == "notice" and .exit == 0' gate
    height 50
    all_soon '.clock.epoch == 50 and .gate.state == "notice"' status
    breaking alice 2.0.0 54
    all_say '[.components[0].plan[] | [.version, .effective]] | . == [["1.0.0", 0], ["2.0.0", 54]]' eras
    height 54
    all_soon '.state == "blocked"' gate
}

@test "D6: the emergency lane has a shorter notice and asks for more signatures" {
    notice=10
    version=([alice]=1.5.0 [bob]=1.5.0 [carol]=1.5.0)
    network_make
    nodes_up
    height 1
    # Not with the usual lane.
    run on alice propose --key "$net/sam.key" --class breaking --set-version 1.5.0 --effective 3 --yes
    [ "$status" -ne 0 ]
    [[ "$output" == *notice* ]]
    propose alice --urgent --class breaking --set-version 1.5.0 --effective 3 --require 'software=>=1.5.0'
    approve "$id" alice sam sue
    all_soon '.proposal | .urgent and .state == "open" and .approvals.needed == 3 and .approvals.count == 2' show "$id"
    approve "$id" carol sid
    ready "$id" alice bob carol
    all_soon ".components[0].head == \"$id\"" status
    height 3
    all_soon '.gate.state == "current" and .components[0].era == 2' status
}

@test "T3 D2: signed on a machine without a daemon, carried there and back" {
    network_make
    nodes_up
    height 1
    propose alice --class breaking --set-version 2.0.0 --effective +4
    approve "$id" alice sam
    soon bob '.proposal.id' show "$id"
    mkdir "$net/gap" && mv "$net/sue.key" "$net/sue.key.pub" "$net/gap/"
    on bob show "$id" --export "$net/gap/material"
    # Nothing but the key and the material; no state, no daemon.
    (cd "$net/gap" && ERAD_STATE=/nonexistent eractl approve --offline material --key sue.key -o signed --yes \
        --network "$(eractl charter hash "$net/charter.txt" | tail -n 1)")
    soon carol '.proposal.approvals.count == 1' show "$id"
    on carol submit "$net/gap/signed"
    all_soon '.proposal.state == "approved"' show "$id"
    # Twice changes nothing.
    run on carol submit "$net/gap/signed"
    all_say '.proposal.approvals.count == 2' show "$id"
    # The material is checked before it is signed: one changed byte, and nothing is.
    printf '\x01' | dd of="$net/gap/material" bs=1 seek=$(($(stat -c %s "$net/gap/material") / 2)) conv=notrunc status=none
    run eractl approve --offline "$net/gap/material" --key "$net/gap/sue.key" -o "$net/gap/again" --yes
    [ "$status" -ne 0 ]
    [ ! -e "$net/gap/again" ]
}

@test "R9: who waits for an era goes on after the proposal expired; late votes may still adopt it" {
    stake=([alice]=2 [bob]=2 [carol]=1)
    network_make
    nodes_up
    height 1
    propose alice --class breaking --set-version 2.0.0 --effective 6 --expires 3
    approve "$id" alice sam sue
    ready "$id" alice
    soon bob '.proposal.state == "approved"' show "$id"
    # Bob votes while nobody hears him.
    node_down alice
    node_down carol
    on bob ready "$id"
    node_down bob
    node_up alice
    on alice height 5
    soon alice '.proposal.state == "expired"' show "$id"
    on alice wait --approved "$id" --timeout "${deadline_s}s" # that it was, whatever the epoch
    on alice wait --era 2 --timeout 120s >"$net/waited" 2>&1 3>&- &
    local waiter=$!
    run on alice wait --era 2 --timeout 1s
    [ "$status" -eq 75 ]
    node_up bob
    on bob height 5
    soon alice ".components[0].head == \"$id\"" status
    on alice height 6
    wait "$waiter"
}
