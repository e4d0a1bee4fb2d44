#!/usr/bin/env bats
# Real daemons shake hands with another implementation of Noise (tests/interop/noise_peer.go, on Debian's
# golang-github-flynn-noise-dev), as either end.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load lib

package=/usr/share/gocode/src/github.com/flynn/noise

setup() {
    if ! command -v go >/dev/null || [ ! -d "$package" ]; then
        skip "1 of the 2 tests of this file: golang-go or golang-github-flynn-noise-dev is missing"
    fi
    peer_program=$ERA_BUILD/tests/interop/noise_peer
    if [ ! "$peer_program" -nt "$ERA_SRC/tests/interop/noise_peer.go" ]; then
        mkdir -p "$ERA_BUILD/tests/interop"
        HOME=$BATS_FILE_TMPDIR GOCACHE=$BATS_FILE_TMPDIR/cache GO111MODULE=off GOFLAGS='' GOPROXY=off \
            GOPATH=/usr/share/gocode go build -o "$peer_program" "$ERA_SRC/tests/interop/noise_peer.go"
    fi
    validators=(alice)
    dials=([alice]='')
    extra[alice]='auto_ready = [];'
}

teardown() {
    if [ -n "${peer_input:-}" ]; then exec {peer_input}>&-; fi
    network_remove
}

# peer_start MODE RECORDS: the other implementation, until peer_input is closed.
peer_start() {
    mkfifo "$net/input"
    "$peer_program" "$1" "$2" "$id_of_network" "$3" <"$net/input" >"$net/peer" 2>"$net/peer.log" 3>&- &
    exec {peer_input}>"$net/input"
}
# jq calls an empty file true.
peer_knows() { [ -s "$net/peer" ] && jq -e .agent "$net/peer" >/dev/null 2>&1; }
# Each knows the other by the key that it proved, and the link outlives a key of each direction.
they_know_each_other() {
    until_true peer_knows || { cat "$net/peer.log"; false; }
    jq -e '.proven and (.agent | startswith("erad/"))' "$net/peer"
    soon alice ".node_key == \"$(jq -r .theirs "$net/peer")\"" status
    soon alice ".peers | length == 1 and .[0].state == \"up\" and .[0].agent == \"noise_peer/1\" and .[0].frames_in > 3000" peers
    soon alice ".peers[0].node == \"$(jq -r .ours "$net/peer")\"" peers
    says alice '.links_ended == {}' peers
}

@test "another implementation of Noise dials a daemon, and each knows the other's key" {
    network_make
    node_up alice
    id_of_network=$(ask alice .network status)
    peer_start dial "$host:${port[alice]}" 3000
    they_know_each_other
    says alice '.peers[0].outgoing == false' peers
}

@test "a daemon dials another implementation of Noise, and each knows the other's key" {
    network_make flynn
    dials[alice]=flynn
    conf_write alice
    node_up alice
    id_of_network=$(ask alice .network status)
    peer_start listen "$host:${port[flynn]}" 3000
    they_know_each_other
    says alice '.peers[0].outgoing' peers
}
