#!/usr/bin/env bats
# One daemon under attack: it bears it, its honest peers notice nothing, and nothing stays behind.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load lib

teardown() {
    if [ -n "${fd_probe:-}" ]; then exec {fd_probe}>&-; fi
    network_remove
}

setup() {
    # alice is attacked; bob and carol know each other through her alone.
    dials=([alice]='' [bob]=alice [carol]=alice)
    extra[alice]="http = \"127.0.0.1:0\";"
    network_make
    nodes_up
    height 1
    all_soon '.gate.state == "current"' status
    until_true quiet
    descriptors=$(descriptors_of alice)
    id_of_network=$(ask alice .network status)
}

hostile() { "$ERA_BUILD/tests/e2e/hostile" "$host" "${port[alice]}" "$id_of_network" "$@"; }
descriptors_of() { find "/proc/${node_pid[$1]}/fd" -mindepth 1 2>/dev/null | wc -l; }
# ended VERDICT CONDITION: how often links, or what never was one, ended by such a fault of the other end: soon, for
# it is counted a moment after the socket closes.
ended() { until_true says alice ".links_ended.\"$1\" // 0 | . $2" peers; }
# No links but bob's and carol's, none half-open.
quiet() { says alice '[.peers[] | select(.state == "up")] | length == 2' peers && says alice '.peers | length == 2' peers; }
# The sanitizers' shadow is no memory of ours.
rss_is_small() {
    if [ -n "${ERA_SANITIZERS:-}" ] && [ "$ERA_SANITIZERS" != no ]; then return 0; fi
    awk '/^VmHWM:/ { print "peak", $2, "KiB"; exit $2 < 65536 ? 0 : 1 }' "/proc/${node_pid[alice]}/status"
}
descriptors_are_back() { [ "$(descriptors_of alice)" -le "$descriptors" ]; }
# network_works VERSION [EPOCHS]: a plan passes from bob to carol, through alice, before the deadline. How fast is
# for a benchmark to say: the machine that runs the tests may be busy.
network_works() {
    adopt bob --class breaking --set-version "$1" --effective "+${2:-4}" --require 'software=>=1.0.0'
    until_true all_agree
}
observers() { sed -n 's/.*observers: http:\/\///p' "$net/alice/log" | tail -n 1; }

@test "C1: 300 half-open links, 300 half-way and a slow sender: honest peers go on meanwhile, all are closed in time" {
    hostile half-open 300 >"$net/half-open" 2>&1 3>&- &
    local half=$!
    hostile half-way 300 >"$net/half-way" 2>&1 3>&- &
    local way=$!
    hostile slow >"$net/slow" 2>&1 3>&- &
    local slow=$!
    network_works 2.0.0
    wait "$half" || { cat "$net/half-open"; false; }
    wait "$way" || { cat "$net/half-way"; false; }
    wait "$slow" || { cat "$net/slow"; false; }
    until_true quiet
    until_true descriptors_are_back
    rss_is_small
    # Places for strangers are few, and none is held for long; all of it is counted.
    ended too-many-links '>= 300'
    ended timeout '>= 20'
    [ "$(wc -l <"$net/alice/log")" -lt 200 ]
}

@test "C1: no handshake: garbage, replays, another network, an older and a newer protocol" {
    hostile garbage 20
    hostile replayed 5
    hostile wrong-network 3
    hostile older-protocol 2
    hostile newer-protocol 2
    until_true quiet
    ended malformed '>= 20'
    ended not-authentic '>= 10'
    ended wrong-network '== 3'
    ended no-common-protocol '== 4'
    [[ $(on alice peers) = *'wrong-network 3'* ]]
    log_says alice 'not-authentic'
    log_says alice 'no-common-protocol'
    network_works 2.0.0
    until_true descriptors_are_back
    rss_is_small
    [ "$(wc -l <"$net/alice/log")" -lt 200 ]
}

@test "C1: after a good handshake: garbage, replays, lies, impossible lengths, frames that do not decode" {
    hostile late-garbage 5
    hostile late-replay 5
    ended not-authentic '== 10'
    hostile liars 3
    log_says alice 'unproven-key'
    hostile lengths 4
    ended oversized '== 6'
    hostile malformed 1000
    # Who broke the rules after a good hello is muted; on one address that is every stranger.
    until_true quiet
    network_works 2.0.0
    until_true descriptors_are_back
    rss_is_small
    # The log did not drown.
    [ "$(wc -l <"$net/alice/log")" -lt 200 ]
}

attackers_are_in() { says alice "[.peers[] | select(.state == \"up\")] | length == $((2 + $1))" peers; }

@test "C1: floods of asks, digests, fragments and statements cost little and stop nobody" {
    local attack pids=() pid go
    mkfifo "$net/go"
    exec {go}<>"$net/go"
    for attack in 'asks 400' 'digests 256' 'fragments 400'; do
        # shellcheck disable=SC2086 # a name and a count
        HOSTILE_WAITS=1 hostile $attack <"$net/go" >"$net/${attack% *}.said" 2>&1 3>&- {go}>&- &
        pids+=($!)
    done
    until_true attackers_are_in 3
    exec {go}>&-
    network_works 2.0.0
    for pid in "${pids[@]}"; do wait "$pid" || { cat "$net"/*.said; false; }; done
    # Last, because it mutes this host.
    hostile statements 200
    until_true quiet
    network_works 3.0.0 8
    until_true descriptors_are_back
    rss_is_small
}

@test "C4: observers that are slow, many or greedy do not stop the node or its gossip" {
    local at http_host http_port i fds=()
    at=$(observers)
    http_host=${at%:*} http_port=${at##*:}
    for i in {1..100}; do
        exec {fd_probe}<>"/dev/tcp/$http_host/$http_port" || break
        printf 'GET /met' >&"$fd_probe"
        fds+=("$fd_probe")
    done
    network_works 2.0.0
    for i in "${fds[@]}"; do exec {i}>&-; done
    fd_probe=
    until_true curl -sf -m "$deadline_s" "http://$at/healthz"
    # A header of a megabyte is refused, and costs no more than its limit.
    run curl -s -m "$deadline_s" -o "$net/body" -w '%{http_code}' -H "X: $(head -c 100000 /dev/zero | tr '\0' x)" "http://$at/healthz"
    [[ "$output" != 200* ]]
    # One byte now and then is no life insurance.
    exec {fd_probe}<>"/dev/tcp/$http_host/$http_port"
    local end=$((SECONDS + deadline_s)) gone=no byte
    while [ "$SECONDS" -lt "$end" ]; do
        { printf 'G' >&"$fd_probe"; } 2>/dev/null || { gone=yes; break; }
        if IFS= read -r -t 0.5 -n 1 -u "$fd_probe" byte; then
            gone=yes
            break
        elif [ $? -le 128 ]; then
            gone=yes
            break
        fi
    done
    [ "$gone" = yes ]
    exec {fd_probe}>&-
    fd_probe=
    [ "$(curl -s -m "$deadline_s" -o /dev/null -w '%{http_code}' -X POST "http://$at/api/v1/status")" = 405 ]
    curl -sf -m "$deadline_s" "http://$at/api/v1/status" | jq -e '.schema == "erad.status/1"' >/dev/null
    until_true descriptors_are_back
    rss_is_small
}
