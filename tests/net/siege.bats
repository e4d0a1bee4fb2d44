#!/usr/bin/env bats
# Two thousand hostile connections on one daemon, held open and made anew as they are thrown out: its memory stays
# below 64 MiB, what its good peers have to say arrives in less than twice the usual time, and afterwards all is
# released. Both times are of one run, medians of ERA_SIEGE_BURSTS bursts (5).
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib.bash reads and sets them, every test by itself
load siege

bursts_each=${ERA_SIEGE_BURSTS:-5}

# besieged WHAT [KIND…]
besieged() {
    local what=$1 usual
    shift
    star_up
    bursts "$bursts_each"
    usual=$median
    tell_victim "$what, before"
    siege_begin "$@"
    bursts "$bursts_each"
    tell_victim "$what, besieged"
    tell "$(tail -n 1 "$net/siege")"
    tell "$what: $statements statements at all nodes in $median s, usually $usual s: $(awk "BEGIN { printf \"%.2f\", $median / $usual }") times as long (aim: < 2); peak $(victim_says VmHWM) KiB (aim: < 65536)"
    siege_end
    until_true only_good_ones
    until_true descriptors_are_back
    tell_victim "$what, afterwards"
    peak_is_small
    awk "BEGIN { exit $median < 2 * $usual ? 0 : 1 }"
}

@test "2,000 hostile connections from 40 addresses: < 64 MiB, < 2 times as long, then all is released" {
    besieged 'all kinds, 40 addresses'
}

@test "2,000 hostile connections from one address" {
    foe_addresses=1
    foes_shaken=10 # one host has 64 tries, most of them no handshake, and is then as good as shut out
    besieged 'all kinds, one address'
}

@test "2,000 hostile connections that all prove a key and greet, from 40 addresses" {
    besieged 'linked kinds, 40 addresses' mute flood hungry sketches fragments halfframe clinging
}

# From IPv6, where one owner has as many hosts as he likes: to a daemon that listens to both families, of whose good
# peers two are of the attackers' /32.
@test "2,000 hostile connections from 2,000 addresses of one IPv6 /64" {
    foe_from=2a00:77:f00::1+2000
    foes_shaken=10 # it is one host
    besieged 'all kinds, one /64'
}

@test "2,000 hostile connections from 2,000 hosts of one IPv6 /48" {
    foe_from=2a00:77:f00::1+2000/64
    besieged 'all kinds, one /48'
}

@test "2,000 hostile connections from 200 IPv6 /48s of one /32" {
    foe_from=2a00:77:f00::1+200/48
    besieged 'all kinds, 200 /48s of one /32'
}

@test "2,000 hostile connections from 2,000 IPv6 /48s" {
    foe_from=2a01::1+2000/40
    besieged 'all kinds, 2,000 /48s'
}

# As many links as there are places for, each within what a link may send.
@test "true words that came too late, on 240 links from 60 IPv6 /32s" {
    foe_from=2a01::1+240/34
    foes=240 foes_tried=240 foes_shaken=200
    besieged 'words that came too late, 240 links' stale
}

@test "addresses of nobody, well signed, on 240 links from 60 IPv6 /32s" {
    foe_from=2a01::1+240/34
    foes=240 foes_tried=240 foes_shaken=200
    besieged 'addresses of nobody, 240 links' records
}
