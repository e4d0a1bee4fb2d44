#!/usr/bin/env bats
# What is on the disk: damage, a full disk, two daemons at one directory.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load lib

holder=
teardown() {
    network_remove
    if [ -n "$holder" ]; then kill "$holder" 2>/dev/null || true; fi
}

@test "C2: a store that was damaged on the disk is moved aside, and filled again from peers" {
    network_make
    nodes_up
    height 1
    breaking alice 2.0.0 +5
    propose alice --class breaking --set-version 3.0.0 --effective +8 --text 'here is a needle'
    approve "$id" bob sam
    soon carol '.proposal.approvals.by == ["sam"]' show "$id"
    local before data at
    before=$(ask alice .view_digest status)
    node_down carol
    data=$net/carol/state/store/data.mdb
    # One letter of one value; LMDB itself would not notice.
    grep -qa needle "$data"
    while IFS=: read -r at _; do printf X | dd of="$data" bs=1 seek="$at" conv=notrunc status=none; done \
        < <(grep -abo needle "$data")
    node_up carol
    log_says carol 'damaged'
    ls "$net"/carol/state/store.damaged-*/data.mdb
    soon carol ".view_digest == \"$before\"" status
    soon carol '.proposal.approvals.by == ["sam"]' show "$id"
    # What she had said herself came back from her peers: her key is locked, until her operator knows why.
    soon carol '.lock == "missing"' status
    run on carol ready "$id"
    [ "$status" -eq 75 ]
    on carol unlock --yes
    # She votes again as any other.
    approve "$id" carol sue
    ready "$id" alice bob carol
    all_soon ".components[0].head == \"$id\"" status
}

@test "C2: a store of random pages, and one cut off in the middle, are no crash" {
    # What LMDB compares in random pages lies anywhere: the child that checks a store is there to stumble over it.
    export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}intercept_memcmp=0"
    network_make
    nodes_up
    height 1
    breaking alice 2.0.0 +5
    local before
    before=$(ask alice .view_digest status)
    node_down carol KILL
    truncate -s 8192 "$net/carol/state/store/data.mdb"
    node_up carol
    log_says carol 'damaged'
    soon carol ".view_digest == \"$before\"" status
    node_down carol
    dd if=/dev/urandom of="$net/carol/state/store/data.mdb" bs=4096 seek=2 count=64 conv=notrunc status=none
    node_up carol
    [ "$(grep -c damaged "$net/carol/log")" -eq 2 ]
    soon carol ".view_digest == \"$before\"" status
}

@test "I6: one daemon a state directory; the second says so and ends with 75" {
    network_make
    node_up alice
    run erad -c "$net/alice/erad.conf"
    [ "$status" -eq 75 ]
    [[ "$output" == *'another erad'* ]]
    on alice status >/dev/null
}

@test "I12: a full disk is said, nothing acknowledged is lost, and the node goes on serving" {
    # A small file system of its own for alice's state, held by a process that does nothing else.
    if ! unshare -rm true 2>/dev/null; then skip 'a mount namespace is not permitted here: 1 test not run'; fi
    dials=([alice]='' [bob]=alice [carol]='bob')
    extra[alice]='control = "../alice.sock";'
    network_make
    mkdir -m 700 "$net/alice/state"
    unshare -rm sh -c "mount -t tmpfs -o size=600k,mode=700 none '$net/alice/state' && : >'$net/ready' && exec sleep 600" 3>&- &
    holder=$!
    until_true test -e "$net/ready"
    alice_up
    nodes_up bob carol
    height 1 bob carol
    eractl --control "$net/alice.sock" height 1
    soon bob '.gate.state == "current"' status
    # Somebody else fills the disk, but for a few pages. What they take is acknowledged, then no more.
    local ballast=/proc/$holder/root/$net/alice/state/ballast text id signer held=0 said=0 ids=()
    dd if=/dev/zero of="$ballast" bs=4096 status=none 2>/dev/null || true
    truncate -s -60K "$ballast"
    text=$(printf 'x%.0s' {1..1000})
    for id in 1 2 3 4 5 6 7 8; do
        id=$(on bob propose --key "$net/sam.key" --class breaking --set-version 2.0.0 --effective 40 --seq "$id" \
            --text "$id $text" --yes --json 2>/dev/null | jq -r .id)
        ids+=("$id")
        until_true alice_has_it_or_is_full "$id" # what it takes of the disk is hers before she is asked for more
        on bob show "$id" --export "$net/material" >/dev/null
        for signer in sam sue sid; do
            eractl reject --offline "$net/material" --key "$net/$signer.key" --reason "$text" --yes -o "$net/signed" >/dev/null 2>&1
            eractl --control "$net/alice.sock" submit "$net/signed" >"$net/said" 2>&1 || {
                said=$?
                break 2
            }
            held=$((held + 1))
        done
    done
    cat "$net/said"
    echo "acknowledged: $held"
    [ "$said" -eq 73 ]
    [ "$held" -gt 0 ]
    alice_says '.store.failed' status
    until_true log_says alice 'store'
    # It serves: it hears, answers, and keeps its links.
    alice_says '.peers.up >= 1 and .gate.state == "current"' status
    # There is room again: a kill has lost nothing that was acknowledged, even if nobody else holds it.
    rm "$ballast"
    nodes_down KILL
    alice_up
    alice_says ".store.failed == false and .store.statements >= $held" status
    nodes_up bob
    for id in "${ids[@]}"; do until_true alice_says '.proposal.id' show "$id"; done
    until_true rejections_are "$held" "${ids[@]}"
}
# rejections_are AT_LEAST ID…
rejections_are() {
    local id count=0
    for id in "${@:2}"; do
        count=$((count + $(eractl --control "$net/alice.sock" --json show "$id" | jq '.proposal.rejections | length')))
    done
    [ "$count" -ge "$1" ]
}
alice_up() {
    nsenter -t "$holder" -U -m --preserve-credentials erad -c "$net/alice/erad.conf" >>"$net/alice/log" 2>&1 </dev/null 3>&- &
    node_pid[alice]=$!
    until_true eractl --control "$net/alice.sock" status
}
alice_has_it_or_is_full() { alice_says '.proposal.id' show "$1" || alice_says '.store.failed' status; }
alice_says() { eractl --control "$net/alice.sock" --json "${@:2}" | jq -e "$1" >/dev/null; }
