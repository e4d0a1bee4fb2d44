#!/usr/bin/env bats
# Hundreds of hostile connections on one daemon: its peers notice nothing. The long form: siege.bats.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load siege

statements=100
foes=200
foe_pause_ms=200

is_up() { says n05 '[.peers[] | select(.state == "up")] | length == 1' peers; }

@test "C1: 600 connections that prove a key and never greet: a peer that restarts gets in" {
    foes=600
    star_up
    siege_begin keyed
    # More than there are places came and went, and all the places are theirs.
    until_true siege_counts shaken 400
    until_true says n01 '.refused["too-many-links"] > 50' peers
    node_down n05
    node_up n05
    began_ms=$(now_ms)
    timed 'a peer that restarts, up' is_up
    # At its first try.
    says n05 '(.refused["too-many-links"] // 0) == 0' peers
    siege_end
    until_true only_good_ones
    until_true descriptors_are_back
}

@test "C1: 200 hostile connections of every kind: all news arrives, a peer that restarts gets in, all is released" {
    star_up
    siege_begin
    burst
    # Who came too often is closed at accept: without a handshake, so without the refusal that a link would hear.
    until_true says n01 '.links_ended["rate-limited"] > 0' peers
    # From an address that holds no place yet, past strangers that hold them all.
    node_down n05
    node_up n05
    until_true is_up
    burst
    siege_end
    until_true only_good_ones
    until_true descriptors_are_back
    peak_is_small
    # Who is good was never parted from, nor banned.
    [ "$(grep -c 'link .*: down' "$net/n02/log")" -eq 0 ]
    says n01 'all(.bans[]; .host // "" | startswith("10.77.0.") | not)' peers
}

@test "C1: 200 hostile connections from hosts of an IPv6 /48: all news arrives, a peer that restarts gets in" {
    foe_from=2a00:77:f00::1+200/64
    star_up
    siege_begin
    burst
    node_down n02 # of the same /32
    node_up n02
    until_true says n02 '[.peers[] | select(.state == "up")] | length == 1' peers
    burst
    siege_end
    until_true only_good_ones
    until_true descriptors_are_back
    peak_is_small
}

@test "C1: true words that came too late, over and over on 40 links, are charged, counted, and hold nobody up" {
    foes=40 foes_tried=40 foes_shaken=40
    foe_from=2a01::1+40/40
    star_up
    epoch=41
    height "$epoch" # so that those are late
    siege_begin stale
    until_true says n01 '.charged["rate-limited"] > 40 and .wasted_in > 8192 and .limited_in > 10000' peers
    burst
    # What it means and what helps, in words.
    [[ "$(on n01 peers)" = *'rate-limited: more than'*'; wait: '*'of no use: '*' signatures checked'* ]]
    # Most of them cost no signature.
    says n01 '.wasted_in < .limited_in' peers
    siege_end
    until_true only_good_ones
}
