#!/usr/bin/env bats
# One daemon, and peers that shake hands, greet, and then break the rules: each is bounded, counted, and told to the
# operator by `eractl peers` in words, while news goes on between the daemon and its honest peer.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself; words
load lib

validators=(alice bob)
keys_only=1000 # validators that are keys which badpeer knows

# The keys that its certificates are signed with.
eval "network_$(declare -f charter_write)"
charter_write() {
    "$ERA_BUILD/tests/e2e/badpeer" keys "$net" "${validators[@]}" "${signers[@]}"
    network_charter_write "$1"
}
eval "network_$(declare -f named)"
named() {
    network_named "$@"
    if [ "$stakes" = yes ]; then printf ',' && "$ERA_BUILD/tests/e2e/badpeer" validators "$keys_only"; fi
}

setup() {
    dials=([alice]='' [bob]=alice)
    extra[alice]="http = \"127.0.0.1:0\";"
    declare -gA foes=()
}
teardown() {
    local pid
    for pid in "${foes[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait "${foes[@]}" 2>/dev/null || true
    network_remove
}

network_up() {
    network_make
    nodes_up
    height 1
    id_of_network=$(ask alice .network status)
}
# foe ATTACK [WORD]: it attacks, and stays linked.
foe() {
    "$ERA_BUILD/tests/e2e/badpeer" "$host" "${port[alice]}" "$id_of_network" "$@" >"$net/$1.said" 2>&1 </dev/null 3>&- &
    foes[$1]=$!
}
hostile() { "$ERA_BUILD/tests/e2e/hostile" "$host" "${port[alice]}" "$id_of_network" "$@"; }

# of FOE CONDITION: does alice say so of that peer, while it is linked?
of() { says alice "[.peers[] | select(.agent == \"$1\")] | length == 1 and (.[0] | $2)" peers; }
# operator_reads TEXT…: each stands in what `eractl peers` prints, in one answer.
operator_reads() {
    local all text
    all=$(on alice peers)
    for text; do
        [[ "$all" = *"$text"* ]] || { echo "not there: $text"; echo "$all"; return 1; }
    done
}
# metric LINE_BEGIN LEAST
metric() {
    curl -sf -m "$deadline_s" "http://$(sed -n 's/.*observers: http:\/\///p' "$net/alice/log" | tail -n 1)/metrics" |
        awk -v name="$1" -v least="$2" '$1 == name && $2 >= least { found = 1 } END { exit !found }'
}
# A statement of a signer's goes from bob to alice, and one from alice to bob.
news_goes_on() {
    propose bob --class soft --set-version "$1" --effective +40
    until_true says alice '.proposal.id' show "$id"
    approve "$id" alice sue
    until_true says bob '.proposal.approvals.by == ["sue"]' show "$id"
}
# The sanitizers' shadow is no memory of ours.
rss_is_small() {
    if [ -n "${ERA_SANITIZERS:-}" ] && [ "$ERA_SANITIZERS" != no ]; then return 0; fi
    awk '/^VmHWM:/ { print "peak", $2, "KiB"; exit $2 < 65536 ? 0 : 1 }' "/proc/${node_pid[alice]}/status"
}

@test "C1: unknown kinds, sketches that never decode, everything again and again, one false signature among a thousand" {
    network_up
    foe kinds
    foe sketches
    foe lies "$net/charter.txt"
    foe crowd "$net/charter.txt"
    until_true of crowd '.statements_in == 300 and .refused_in == 0'
    foe everything
    news_goes_on 1.1.0
    # Who is merely newer is not charged; and is told.
    until_true of kinds '.unknown_kinds_in == 2000 and .unknown_parts_in == 6'
    of kinds '.muted_ms == 0 and all(.charges | keys[]; . == "timeout")' # that it answers no round is another thing
    operator_reads '(kinds): 2000 statements of kinds not known here, 6 parts of messages not known here'
    # The third in a row is no bad luck.
    until_true of sketches '.undecoded_rounds >= 3 and .charges["bad-value"] >= 1'
    operator_reads '(sketches): ' ' rounds not decoded' 'bad-value: a value is out of its range or form; see'
    # One whole set in 30 s, and so many of its items once more; then no more.
    until_true of everything '.again_out == 65536 and .charges.unexpected == 1'
    of everything '.whole_sets_out <= 2'
    operator_reads '(everything): ' ' times everything sent, 65536 statements sent again' 'unexpected: the message'
    # Muted, and until when.
    until_true of lies '.charges["bad-signature"] >= 5 and .muted_ms > 0 and .wasted_in >= 5000'
    until_true operator_reads ' muted ' 'bad-signature: the signature does not fit'
    kill "${foes[lies]}" 2>/dev/null || true
    # On and on: banned, and until when.
    kill -USR1 "${foes[everything]}"
    until_true says alice 'any(.bans[]; .why == "rate-limited" and .left_ms > 0 and .node != null)' peers
    operator_reads 'BANNED ' 'rate-limited: more than'
    until_true metric erad_peers_banned 1
    metric erad_peers_unknown_kinds_total 2000
    metric erad_peers_unknown_parts_total 6
    metric erad_peers_undecoded_rounds_total 3
    metric 'erad_peers_charged_total{verdict="bad-signature"}' 5
    metric 'erad_peers_charged_total{verdict="rate-limited"}' 50
    news_goes_on 1.2.0
    rss_is_small
    # It was the one signature: without it such a certificate is taken.
    foe truth "$net/charter.txt"
    until_true says bob '.components[0].head.seq == 1' eras
}

@test "C1: addresses that point back at the daemon, at nobody, at port 0, at groups of hosts" {
    neighbours=4 keys_only=1
    network_up
    foe places
    until_true of places '.charges["bad-value"] == 5 and .score >= 50'
    says alice '.overlay | .records_of_us == 8 and .records_refused == 5' peers
    until_true says alice '.overlay | .dials > 0 and .dials_failed > 0' peers
    operator_reads 'their records refused 5' 'with our own address 8' 'of them dialled ' 'in vain ' 'bad-value 5'
    metric 'erad_overlay_records_dropped_total{why="of_us"}' 8
    metric 'erad_overlay_records_dropped_total{why="refused"}' 5
    metric 'erad_overlay_dials_failed_total{why="nobody"}' 1
    news_goes_on 1.1.0
    # Nobody is linked but bob and who lied, and no more is dialled than may be.
    says alice '(.peers | length == 2) and all(.peers[]; .outgoing | not) and .refused["self-link"] == null' peers
    says alice '.overlay | .dials <= 48 and .known <= 10' peers
    rss_is_small
}

@test "C1: what ends a link is told by its reason: no handshake, another protocol or network, replays, lengths, garbage" {
    keys_only=1
    network_up
    hostile garbage 2
    hostile replayed 1
    hostile wrong-network 2
    hostile older-protocol 1
    hostile newer-protocol 1
    hostile late-garbage 1
    hostile late-replay 1
    hostile lengths 4
    foe lengths statement
    foe lengths fragment
    foe lengths cells
    until_true says alice '[.bans[] | select(.node != null and .host == null and .left_ms > 0)] | length == 7' peers
    says alice 'all(.bans[]; .from | startswith("tcp://127.0.0.1:"))' peers
    # It is counted a moment after the socket closes.
    until_true says alice '.links_ended | .["wrong-network"] == 2 and .["no-common-protocol"] == 2 and .oversized >= 6 and
        .["not-authentic"] >= 4 and .malformed >= 2' peers
    operator_reads 'wrong-network 2' 'wrong-network: it belongs to another network; compare `eractl charter hash`' \
        'no-common-protocol 2' 'no-common-protocol: the peers share no protocol version; upgrade the older one' \
        'not-authentic: ' 'oversized: it is larger than the limit' 'malformed: ' 'BANNED '
    metric 'erad_links_ended_total{verdict="wrong-network"}' 2
    metric 'erad_links_ended_total{verdict="no-common-protocol"}' 2
    metric 'erad_links_ended_total{verdict="not-authentic"}' 4
    metric 'erad_links_ended_total{verdict="oversized"}' 6
    metric erad_peers_banned 7
    news_goes_on 1.1.0
    rss_is_small
}
