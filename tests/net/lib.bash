# Networks of real daemons, each in a network namespace of its own, on links that lose, delay, repeat, break.
# Everything of tests/e2e/lib.bash, with these differences: the nodes are n01, n02, …, nodes in number; each
# has its address 10.77.0.x on a device era0; network_make also lays the network:
#   plane=bridge   veth pairs to a bridge in a namespace of its own
#   plane=relay    TUN devices of tests/net/relay, with relay_options: delay, duplicates, another order
# Faults, at any time; node names are lists, all when none is given:
#   loss PERCENT [NODE…]     of the packets that come in, by nft; 0 ends it
#   cut_into GROUP GROUP…    no packet between groups, each a text of names; heal ends it
#   link_down, link_up NODE  its cable (bridge only)
#   no_way_in NODE           may dial, cannot be dialled, as behind NAT
# Needs root, ip, nft, and /dev/net/tun for the relay; each test skips itself and says why where one is missing.
# Everything is named after the test's folder; the janitor removes it, also when the test is killed.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # read and set by tests/e2e/lib.bash and the tests
load ../e2e/lib

nodes=${ERA_NET_NODES:-20} # at most 50
plane=bridge
relay_options=(--delay 200 --jitter 100 --duplicate 10 --hurry 5 --seed 1)
deadline_s=120
links_a_node=3 # dialled by each; as many dial it
declare -gA address=() dials=() node_pid=()
tag='' net=''
relay_pid=''

# ---- can it run here? ------------------------------------------------------------

network_needs() {
    local tool
    if [ "$(id -u)" -ne 0 ]; then skip 'needs root, for network namespaces'; fi
    for tool in ip nft setsid; do
        command -v "$tool" >/dev/null || skip "needs $tool (contrib/install-deps check)"
    done
    if [ "$plane" = relay ] && [ ! -c /dev/net/tun ]; then skip 'needs /dev/net/tun'; fi
    if ! ip netns add "era-$tag-try" 2>/dev/null; then skip 'may not make network namespaces here'; fi
    local why=''
    if ! ip netns exec "era-$tag-try" true 2>/dev/null; then
        why='may not enter network namespaces here (is this a chroot?)'
    elif ! ip netns exec "era-$tag-try" nft add table inet era 2>/dev/null; then
        why='no nftables in this kernel'
    fi
    ip netns delete "era-$tag-try"
    if [ -n "$why" ]; then skip "$why"; fi
}

# ---- laying it -------------------------------------------------------------------

namespace() { echo "era-$tag-$1"; }
inside() { local name=$1; shift; ip netns exec "$(namespace "$name")" "$@"; }

# names_make: n01…; each dials the next, and some further on, so that every stretch of the ring holds together.
names_make() {
    local i hop peer name
    validators=()
    for ((i = 0; i < nodes; i++)); do
        printf -v name 'n%02d' $((i + 1))
        validators+=("$name")
        address[$name]=10.77.0.$((i + 1))
        dials[$name]=
        for hop in 1 3 7 12 5; do
            printf -v peer 'n%02d' $(((i + hop) % nodes + 1))
            if [ "$peer" != "$name" ] && [[ " ${dials[$name]} " != *" $peer "* ]] &&
                [ "$(wc -w <<<"${dials[$name]}")" -lt "$links_a_node" ]; then
                dials[$name]+="${dials[$name]:+ }$peer"
            fi
        done
    done
}

namespace_make() {
    ip netns add "$(namespace "$1")"
    inside "$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6' 2>/dev/null || true
    ip -n "$(namespace "$1")" link set lo up
}

# What is dropped is counted, so that a fault that never struck is seen.
rules_make() {
    inside "$1" nft -f - <<'TEXT'
table inet era {
    counter lost { }
    counter cut { }
    counter uninvited { }
    set others { type ipv4_addr; }
    chain losing { }
    chain closing { }
    chain coming {
        type filter hook input priority 0; policy accept;
        iifname "lo" accept
        ip saddr @others counter name cut drop
        jump closing
        jump losing
    }
}
TEXT
}

bridge_make() {
    local name
    namespace_make hub
    ip -n "$(namespace hub)" link add bridge type bridge
    ip -n "$(namespace hub)" link set bridge up
    for name in "${validators[@]}"; do
        ip link add "$name" netns "$(namespace hub)" type veth peer name era0 netns "$(namespace "$name")"
        # A packet that is dropped is one packet, not a train of them that was never cut up.
        ip -n "$(namespace "$name")" link set era0 gso_max_segs 1
        ip -n "$(namespace hub)" link set "$name" master bridge up
    done
}

relay_make() {
    local name ports=()
    for name in "${validators[@]}"; do ports+=("$(namespace "$name")=${address[$name]}"); done
    "$ERA_BUILD/tests/net/relay" "${relay_options[@]}" "${ports[@]}" >"$net/relay" 2>&1 </dev/null 3>&- &
    relay_pid=$!
    until_true grep -q '^relay: ready' "$net/relay"
}
# relay_says COUNTER: after relay_stop.
relay_stop() {
    kill -TERM "$relay_pid" 2>/dev/null || true
    wait "$relay_pid" || true
    relay_pid=''
}
relay_says() { grep -o " $1=[0-9]*" "$net/relay" | cut -d= -f2; }

# network_make: what tests/e2e/lib.bash makes, and the network below it.
network_make() {
    local name this_test=$BASHPID
    net=$(mktemp -d /tmp/erad-net.XXXXXX)
    tag=${net##*.}
    network_needs
    setsid "$ERA_SRC/tests/net/janitor" "$this_test" "$tag" "$net" >/dev/null 2>&1 </dev/null 3>&- &
    names_make
    for name in "${validators[@]}"; do namespace_make "$name"; done
    "${plane}_make"
    for name in "${validators[@]}"; do
        ip -n "$(namespace "$name")" address add "${address[$name]}/16" dev era0
        ip -n "$(namespace "$name")" link set era0 up
        rules_make "$name"
    done
    for name in "${validators[@]}" "${signers[@]}"; do eractl keygen "$net/$name.key" >/dev/null; done
    charter_write "$net/charter.txt"
    for name in "${validators[@]}"; do conf_write "$name"; done
}

# conf_write NODE: its erad.conf.
conf_write() {
    local peer peers=
    for peer in ${dials[$1]:-}; do peers+="${peers:+, }\"tcp://${address[$peer]}:7711\""; done
    mkdir -p "$net/$1"
    cat >"$net/$1/erad.conf" <<TEXT
state_dir = "state";
charter = "../charter.txt";
listen = [ "tcp://${address[$1]}:7711" ];
peers = [ $peers ];
validator_key = "../$1.key";
versions : { software = "${version[$1]:-1.0.0}"; };
http = "";
${extra[$1]:-}
TEXT
}

node_start() {
    local name=$1
    shift
    ip netns exec "$(namespace "$name")" erad -c "$net/$name/erad.conf" "$@" >>"$net/$name/log" 2>&1 </dev/null 3>&- &
    node_pid[$name]=$!
}

network_remove() {
    local name
    for name in "${follower_pids[@]}"; do kill "$name" 2>/dev/null || true; done
    for name in "${!node_pid[@]}"; do node_down "$name" KILL; done
    if [ -n "$relay_pid" ]; then relay_stop; fi
    if [ -n "$net" ]; then "$ERA_SRC/tests/net/janitor" 0 "$tag" "$net"; fi
}

# ---- faults ----------------------------------------------------------------------

loss() {
    local percent=$1 name
    shift
    if [ $# -eq 0 ]; then set -- "${validators[@]}"; fi
    for name; do
        inside "$name" nft flush chain inet era losing
        if [ "$percent" -gt 0 ]; then
            inside "$name" nft add rule inet era losing numgen random mod 100 '<' "$percent" counter name lost drop
        fi
    done
}

# addresses_of NAME…: their addresses.
addresses_of() {
    local name list=
    for name; do list+="${list:+, }${address[$name]}"; done
    echo "$list"
}

cut_into() {
    local group name others
    for group; do
        others=()
        for name in "${validators[@]}"; do
            if [[ " $group " != *" $name "* ]]; then others+=("$name"); fi
        done
        for name in $group; do
            inside "$name" nft add element inet era others "{ $(addresses_of "${others[@]}") }"
        done
    done
}
heal() { local name; for name in "${validators[@]}"; do inside "$name" nft flush set inet era others; done; }

link_down() { ip -n "$(namespace hub)" link set "$1" down; }
link_up() { ip -n "$(namespace hub)" link set "$1" up; }

no_way_in() {
    inside "$1" nft add rule inet era closing 'tcp flags & (syn | ack) == syn' counter name uninvited drop
}

# dropped COUNTER NODE…: packets, of all these nodes.
dropped() {
    local counter=$1 name sum=0 packets
    shift
    for name; do
        packets=$(inside "$name" nft -j list counter inet era "$counter" | jq '.nftables[] | .counter? | values | .packets')
        sum=$((sum + packets))
    done
    echo "$sum"
}

# ---- asking ----------------------------------------------------------------------

# said NODE KEY: the text of that name in its status, fast (no jq).
said() {
    local answer
    answer=$(eractl --state "$net/$1/state" --json status 2>/dev/null) || return 1
    [[ "$answer" =~ \"$2\":\"?([^\",]*) ]] && echo "${BASH_REMATCH[1]}"
}

# digests NODE…: the different view digests among them, a line each.
digests() { local name; for name; do said "$name" view_digest || echo none; done | sort -u; }
# one_digest_but DIGEST NODE…: all show the same one, and it is another one.
one_digest_but() {
    local before=$1 now
    shift
    now=$(digests "$@")
    [[ "$now" =~ ^[0-9a-f]{64}$ ]] && [ "$now" != "$before" ]
}
# all_heard N NODE…: each holds fresh announcements of that stake.
all_heard() {
    local n=$1 name
    shift
    for name; do [ "$(said "$name" fresh)" = "$n" ] || return 1; done
}
# votes_at N ID NODE…: each counts that stake as ready.
votes_at() {
    local n=$1 which=$2 name
    shift 2
    for name; do says "$name" ".proposal.readiness.stake == \"$n\"" show "$which" || return 1; done
}

now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }
# tell TEXT…: a line of its own among the results.
tell() { echo "# $*" >&3; }
# timed WHAT COMMAND…: waits for it as until_true does, and tells how long that took since $began_ms.
timed() {
    local what=$1 ms
    shift
    until_true "$@"
    ms=$(($(now_ms) - began_ms))
    tell "$what: $((ms / 1000)).$(printf %03d $((ms % 1000))) s"
}
