# A daemon besieged: n01, to which every other node has its only link, so that all news goes through it; and a
# namespace full of hostile connections to it. What siege.bats and siege_quick.bats share.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # read and set by lib.bash and the tests
load lib

nodes=5
deadline_s=120
statements=500   # signed by as many keys of the charter, in one burst from four nodes
foes=2000        # hostile connections,
foe_pause_ms=500 # each of which comes again so long after it was thrown out,
foe_addresses=40 # from so many addresses, or, over IPv6,
foe_from=''      # from those of this first of siege's: FROM[+N[/BITS]], of 2a00:77:f00::/40 or 2a01::/16
foes_shaken=100  # so many handshakes done, and as many connections tried, and the siege is on
foes_tried=''    # half as many again as there are
own_stake=1000000
declare -gA dials stake
siege_pid=''

# A star: who is not n01 dials n01, and can reach nobody else.
eval "ring_$(declare -f names_make)"
names_make() {
    local name
    ring_names_make
    for name in "${validators[@]}"; do dials[$name]=n01 stake[$name]=$own_stake; done
    dials[n01]=
}
star_cut() {
    local name peer others
    for name in "${validators[@]:1}"; do
        others=()
        for peer in "${validators[@]:1}"; do [ "$peer" = "$name" ] || others+=("$peer"); done
        inside "$name" nft add element inet era others "{ $(addresses_of "${others[@]}") }"
    done
}

# The charter's validators: the nodes, and keys that only sign.
eval "daemons_$(declare -f named)"
named() {
    daemons_named "$@"
    if [ "$stakes" = yes ]; then
        printf ','
        "$ERA_BUILD/tests/bench/spread" validators "$statements"
    fi
}

places() { local name; for name; do echo "$net/$name/state"; done; }
stake_sum() { echo $((own_stake * ${#validators[@]})); }

# star_up: the network, its nodes linked and heard.
star_up() {
    local i
    network_make
    star_cut
    if [ -n "$foe_from" ]; then
        if [ ! -e /proc/sys/net/ipv6 ]; then skip 'no IPv6 in this kernel'; fi
        for i in 1 2 3; do v6_on "n0$i" "2a00:77:$i::1/32"; done
    fi
    nodes_up
    epoch=1
    height "$epoch"
    until_true all_heard "$(stake_sum)" "${validators[@]}"
    places=()
    mapfile -t places < <(places "${validators[@]}")
}

# With foe_from the victim listens to both families, and two of its peers know it by its IPv6 address. They are of
# the /32 that 2a00:77:f00::/40 is of.
eval "net_$(declare -f conf_write)"
conf_write() {
    net_conf_write "$1"
    if [ -n "$foe_from" ]; then
        case $1 in
        n01) sed -i 's|tcp://10.77.0.1:7711|tcp://[::]:7711|' "$net/n01/erad.conf" ;;
        n02 | n03) sed -i 's|tcp://10.77.0.1:7711|tcp://[2a00:77:1::1]:7711|' "$net/$1/erad.conf" ;;
        esac
    fi
}

# burst: all the keys announce at once; its seconds in $seconds. Each time an epoch in which nothing older counts.
burst() {
    local line
    epoch=$((epoch + 20))
    height "$epoch"
    until_true all_heard "$(stake_sum)" "${validators[@]}"
    line=$("$ERA_BUILD/tests/bench/spread" statements "$statements" 256 4 "$deadline_s" "$epoch" "$(stake_sum)" "${places[@]}")
    seconds=$(sed -n 's/.* seconds=\([0-9.]*\).*/\1/p' <<<"$line")
    [[ "$line" = *' share=1.00000 '* ]] || { echo "not all of it arrived: $line"; return 1; }
}
# bursts N: their median in $median.
bursts() {
    local i all=()
    for ((i = 0; i < $1; i++)); do
        burst
        all+=("$seconds")
    done
    median=$(printf '%s\n' "${all[@]}" | sort -n | sed -n "$((($1 + 1) / 2))p")
}

victim_says() { awk -v field="$1:" '$1 == field { print $2 }' "/proc/${node_pid[n01]}/status"; }
victim_descriptors() { find "/proc/${node_pid[n01]}/fd" -mindepth 1 2>/dev/null | wc -l; }
descriptors_are_back() { [ "$(victim_descriptors)" -le "$descriptors" ]; }
# Nobody but the good ones, each up, and no ban.
only_good_ones() {
    says n01 "(.peers | length) == $((nodes - 1)) and all(.peers[]; .state == \"up\" and .agent != \"siege\")" peers
}
tell_victim() {
    tell "$1: resident $(victim_says VmRSS) KiB (anonymous $(victim_says RssAnon), peak $(victim_says VmHWM))," \
        "$(victim_descriptors) descriptors, $(victim_says Threads) threads"
}
# The sanitizers' shadow is no memory of ours.
peak_is_small() {
    if [ -n "${ERA_SANITIZERS:-}" ] && [ "$ERA_SANITIZERS" != no ]; then return 0; fi
    [ "$(victim_says VmHWM)" -lt 65536 ]
}

# v6_on NODE ADDRESS: it speaks IPv6.
v6_on() {
    inside "$1" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6; echo 0 >/proc/sys/net/ipv6/conf/era0/disable_ipv6'
    ip -n "$(namespace "$1")" address add "$2" dev era0 nodad
}
# The foes have whole prefixes.
v6_foes_make() {
    local prefix
    v6_on foe 2a00:77:fe::1/32
    for prefix in 2a00:77:f00::/40 2a01::/16; do
        ip -n "$(namespace foe)" route add local "$prefix" dev lo
        ip -n "$(namespace n01)" route add "$prefix" via 2a00:77:fe::1 dev era0
    done
}

# siege_begin [KIND…]: until many of them have been thrown out and come again.
siege_begin() {
    local i from=10.77.1.1+$foe_addresses to=10.77.0.1
    if [ -n "$foe_from" ]; then from=$foe_from to=2a00:77:1::1; fi
    descriptors=$(victim_descriptors)
    namespace_make foe
    ip -n "$(namespace hub)" link add foe type veth peer name era0 netns "$(namespace foe)"
    ip -n "$(namespace hub)" link set foe master bridge up
    for ((i = 0; i < foe_addresses; i++)); do
        ip -n "$(namespace foe)" address add "10.77.1.$((i + 1))/16" dev era0
    done
    ip -n "$(namespace foe)" link set era0 up
    if [ -n "$foe_from" ]; then v6_foes_make; fi
    # What the attack costs is not the daemon's: its processor is others' machines.
    ip netns exec "$(namespace foe)" nice -n 19 "$ERA_BUILD/tests/net/siege" "$to" 7711 "$(ask n01 .network status)" \
        "$foes" "$foe_pause_ms" "$from" "$@" >"$net/siege" 2>&1 </dev/null 3>&- &
    siege_pid=$!
    until_true siege_counts tried "${foes_tried:-$((foes * 3 / 2))}"
    until_true siege_counts shaken "$foes_shaken"
}
# siege_counts WHAT LEAST: by its last line.
siege_counts() {
    local n
    n=$(tail -n 1 "$net/siege" | grep -o "\b$1=[0-9]*" | cut -d= -f2)
    [ "${n:-0}" -ge "$2" ]
}
siege_end() {
    if [ -z "$siege_pid" ]; then return 0; fi
    kill -TERM "$siege_pid" 2>/dev/null || true
    wait "$siege_pid" 2>/dev/null || true
    siege_pid=''
}

teardown() {
    siege_end
    network_remove
}
