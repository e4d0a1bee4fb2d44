# Networks of real daemons on loopback. A test sets what it wants different
# (validators, dials, clock…), calls network_make and nodes_up, acts through
# eractl, and waits on conditions, never for a time. Everything lies in $net, a
# fresh short path (a socket's path has at most 107 bytes).
#
# The clock is a height, so epochs change when a test says so: height N.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # $status and $output are bats'; tests read what is set here

deadline_s=60 # bounds a failure; the machine may be busy

validators=(alice bob carol)
declare -gA stake=()         # 1 when not given
relays=()                   # nodes without a key
declare -gA dials=([alice]='bob carol' [bob]='alice carol' [carol]='alice bob')
declare -gA pin=()           # by node: the node key that must answer at its address
declare -gA extra=()         # lines added to a node's erad.conf
declare -gA version=()       # software version of a node, 1.0.0 when not given
signers=(sam sue sid)
approvals_needed=2 urgent_needed=3
notice=2 rebuild_quorum=0 enough=2/3
clock='kind = "height"; epoch_heights = "1";'
network_lines=''            # more of the charter's group `network`
record_lines=''             # more of the initial record of `network`
component_lines=''          # more components, each after a comma
neighbours=0                # links that a node seeks by itself; 0: none but those dialled
emitters=()                 # with network_lines='authority_only = true;'
declare -gA node_pid=()
follower_pids=()

# ---- making a network ----------------------------------------------------------

# bats notes that it was interrupted, and goes on: what waits here would go on to its deadline.
pause() {
    read -rt 0.1 <> <(:) || true
    if [ -n "${BATS_INTERRUPTED:-}" ]; then exit 130; fi
}

# until_true COMMAND…: tries it until it succeeds; fails at the deadline, and shows every log.
until_true() {
    local end=$((SECONDS + deadline_s)) log
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            echo "not in $deadline_s s: $*"
            for log in "$net"/*/log; do echo "--- $log" && tail -n 12 "$log"; done
            return 1
        fi
        pause
    done
}

# An address of loopback that is this network's alone, so that ports never collide.
pick_host() {
    local name
    while :; do
        host=127.$((RANDOM % 200 + 20)).$((RANDOM % 250)).$((RANDOM % 250 + 1))
        if ! (exec 9<>"/dev/tcp/$host/7711") 2>/dev/null; then break; fi
    done
    local at=7711
    declare -gA port=()
    for name in "${validators[@]}" "${relays[@]}" "$@"; do port[$name]=$((at++)); done
}

key_of() { cat "$net/$1.key.pub"; }

# named NAME…: { name; key } of each, with commas between.
named() {
    local name separator=
    for name; do
        printf '%s{ name = "%s"; key = "%s"; %s }' "$separator" "$name" "$(key_of "$name")" \
            "$([ "$stakes" = no ] || echo "stake = \"${stake[$name]:-1}\";")"
        separator=', '
    done
}

charter_write() {
    local group_validators group_signers
    group_validators=$(stakes=yes named "${validators[@]}")
    group_signers=$(stakes=no named "${signers[@]}")
    cat >"$1" <<TEXT
network : {
  name = "e2e";
  clock : { $clock };
  overrides = true;    # few signers, so that tests are short
  $network_lines
};
$([ "${#validators[@]}" -eq 0 ] || echo "validators = ( $group_validators );")
components = ( {
  id = "network"; k = $approvals_needed; urgent_k = $urgent_needed; notice_epochs = "$notice";
  enough = "$enough"; rebuild_quorum = "$rebuild_quorum";
  signers = ( $group_signers );
  initial : { version = "1.0.0"; $record_lines requires : { software = ">=1.0.0"; }; };
}
$component_lines );
$([ "${#emitters[@]}" -eq 0 ] || echo "emitters = ( $(stakes=no named "${emitters[@]}") );")
TEXT
}

# conf_write NODE: its erad.conf, from ${dials[NODE]}, ${pin[PEER]}, ${version[NODE]} and ${extra[NODE]}.
conf_write() {
    local peer peers=
    for peer in ${dials[$1]:-}; do
        peers+="${peers:+, }\"tcp://$host:${port[$peer]}${pin[$peer]:+#${pin[$peer]}}\""
    done
    mkdir -p "$net/$1"
    {
        echo 'state_dir = "state";'
        echo 'charter = "../charter.txt";'
        echo "listen = [ \"tcp://$host:${port[$1]}\" ];"
        echo "neighbours = $neighbours;"
        if [ -n "$peers" ]; then echo "peers = [ $peers ];"; fi
        if [[ " ${validators[*]} ${emitters[*]:-} " = *" $1 "* ]]; then echo "validator_key = \"../$1.key\";"; fi
        if [[ "${extra[$1]:-}" != *versions* ]]; then
            echo "versions : { software = \"${version[$1]:-1.0.0}\"; };"
        fi
        if [[ "${extra[$1]:-}" != *http* ]]; then echo 'http = "";'; fi
        printf '%s\n' "${extra[$1]:-}"
    } >"$net/$1/erad.conf"
}

# network_make [NODE…]: keys, charter, configurations; NODE…: names that come later and want a port too.
network_make() {
    local name
    net=$(mktemp -d /tmp/erad-e2e.XXXXXX)
    pick_host "$@"
    for name in "${validators[@]}" "${signers[@]}" "${emitters[@]}"; do
        [ -e "$net/$name.key" ] || eractl keygen "$net/$name.key" >/dev/null
    done
    charter_write "$net/charter.txt"
    for name in "${validators[@]}" "${relays[@]}" "$@"; do conf_write "$name"; done
}

network_remove() {
    local name
    for name in "${follower_pids[@]}"; do kill "$name" 2>/dev/null || true; done
    for name in "${!node_pid[@]}"; do node_down "$name" KILL; done
    if [ -n "${net:-}" ]; then rm -rf "$net"; fi
}

# ---- daemons -------------------------------------------------------------------

# node_start NODE [OPTION…]: start it; node_up also waits until it answers.
node_start() {
    local name=$1
    shift
    erad -c "$net/$name/erad.conf" "$@" >>"$net/$name/log" 2>&1 </dev/null 3>&- &
    node_pid[$name]=$!
}
node_up() { node_start "$@" && node_await "$1"; }
node_await() { until_true node_answers "$1" && on "$1" status >/dev/null; }
# Or it is gone, and there is nothing to wait for.
node_answers() { node_ended "$1" || on "$1" status; }

# nodes_up [NODE…]: all when none is named; until they answer, their links are up, and their keys are unlocked.
nodes_up() {
    local name
    if [ $# -eq 0 ]; then set -- "${validators[@]}" "${relays[@]}"; fi
    for name; do node_start "$name"; done
    for name; do node_await "$name"; done
    for name; do until_true says "$name" '.peers.up >= .peers.configured and .lock != "starting"' status; done
}

# node_down NODE [SIGNAL]: until it is gone; its status in $node_status.
node_down() {
    node_status=0
    if [ -z "${node_pid[$1]:-}" ]; then return 0; fi
    kill -s "${2:-TERM}" "${node_pid[$1]}" 2>/dev/null || true
    wait "${node_pid[$1]}" 2>/dev/null || node_status=$?
    unset "node_pid[$1]"
}
nodes_down() { local name; for name in "${!node_pid[@]}"; do node_down "$name" "${1:-TERM}"; done; }

# node_gone NODE: wait until it ends by itself; its status in $node_status.
node_gone() {
    node_status=0
    until_true node_ended "$1"
    wait "${node_pid[$1]}" 2>/dev/null || node_status=$?
    unset "node_pid[$1]"
}
node_ended() { [ ! -e "/proc/${node_pid[$1]}" ] || grep -q '^State:.Z' "/proc/${node_pid[$1]}/status"; }

log_says() { grep -qaF -e "$2" "$net/$1/log"; }

# ---- asking --------------------------------------------------------------------

on() { local name=$1; shift; eractl --state "$net/$name/state" "$@"; }
# ask NODE FILTER VERB…: what jq's FILTER makes of the answer, errors too.
ask() { local name=$1 filter=$2; shift 2; { on "$name" --json "$@" 2>/dev/null || true; } | jq -r "$filter"; }
# says NODE CONDITION VERB…: does the answer fulfil jq's CONDITION?
says() {
    local name=$1 filter=$2
    shift 2
    { on "$name" --json "$@" 2>/dev/null || true; } | jq -se "length == 1 and (.[0] | $filter)" >/dev/null
}
# all_say CONDITION VERB…, at every node that runs; soon and all_soon wait for it.
all_say() { local name; for name in "${!node_pid[@]}"; do says "$name" "$@" || return 1; done; }
soon() { until_true says "$@"; }
all_soon() { until_true all_say "$@"; }

# one_value FILTER VERB…: every node that runs gives the same answer, and it is one.
one_value() {
    local name values=()
    for name in "${!node_pid[@]}"; do values+=("$(ask "$name" "$@")"); done
    [ -n "${values[0]}" ] && [ "${values[0]}" != null ] &&
        [ "$(printf '%s\0' "${values[@]}" | sort -zu | tr -cd '\0' | wc -c)" -eq 1 ]
}
all_agree() { one_value .view_digest status && one_value '[.components[] | {id, head, current, plan}]' eras; }

# height N [NODE…]: tell the nodes that run.
height() {
    local to=$1 name
    shift
    if [ $# -eq 0 ]; then set -- "${!node_pid[@]}"; fi
    for name; do on "$name" height "$to" >/dev/null; done
}

# follow NODE OPTION…: `eractl events` from now on into $net/NODE/heard.
follow() {
    local name=$1
    shift
    eractl events --state "$net/$name/state" "$@" >"$net/$name/heard" 2>&1 3>&- &
    follower_pids+=($!)
}

# ---- deciding ------------------------------------------------------------------

# propose NODE OPTION…: by the first signer; its id in $id.
propose() {
    local name=$1
    shift
    on "$name" propose --key "$net/${signers[0]}.key" --yes --json "$@" >"$net/said" 2>"$net/warned" || true
    id=$(jq -r .id "$net/said")
    [ "${#id}" -eq 64 ] || { cat "$net/warned" "$net/said"; return 1; }
}
# approve ID NODE SIGNER…: each signs at NODE.
approve() {
    local which=$1 name=$2 signer
    shift 2
    for signer; do
        until_true says "$name" '.proposal.id' show "$which"
        on "$name" approve "$which" --key "$net/$signer.key" --yes >/dev/null 2>"$net/said" || { cat "$net/said"; return 1; }
    done
}
# ready ID NODE…: each declares itself ready, once it holds the approvals.
ready() {
    local which=$1 name
    shift
    for name; do
        on "$name" wait --approved "$which" --timeout "${deadline_s}s" >/dev/null
        says "$name" '.proposal.my_vote.cast' show "$which" || until_true says "$name" '.id or .error.code=="dominated"' ready "$which"
    done
}
# adopt NODE OPTION…: from proposal to adoption by two signers and every validator that runs.
adopt() {
    local name
    propose "$@"
    approve "$id" "$1" "${signers[@]:0:approvals_needed}"
    for name in "${validators[@]}"; do
        if [ -n "${node_pid[$name]:-}" ]; then ready "$id" "$name"; fi
    done
    for name in "${!node_pid[@]}"; do on "$name" wait --adopted "$id" --timeout "${deadline_s}s" >/dev/null; done
}
breaking() { adopt "$1" --class breaking --set-version "$2" --effective "$3" --require "software=>=$2" "${@:4}"; }
soft() { adopt "$1" --class soft --set-version "$2" --effective "$3" "${@:4}"; }
