# A network of one node for the bats files: `load lib`, then network_make and
# node_start. Everything lies in $net, a fresh short path (a socket's path has at
# most 107 bytes); node_stop and network_remove undo it. Waits end at a deadline,
# never after a fixed pause.
# shellcheck shell=bash disable=SC2034,SC2119,SC2120
# shellcheck disable=SC2154 # $status and $output are bats'

deadline_s=60 # bounds a failure; the machine may be busy

# Keys, charter and erad.conf of one validator, alice, and three signers of which two approve.
# network_make [EPOCH_MS]; with EPOCH_MS `height`, epochs are heights.
network_make() {
    local name
    net=$(mktemp -d /tmp/erad-bats.XXXXXX)
    for name in alice sam sue sid; do eractl keygen "$net/$name.key" >/dev/null; done
    charter_write "$net/charter.txt" "${1:-3600000}"
    conf_write
}

# charter_write FILE EPOCH_MS
charter_write() {
    local clock
    clock="kind = \"wall\"; genesis = \"$(date +%s)000\"; epoch_ms = \"$2\";"
    if [ "$2" = height ]; then clock='kind = "height"; epoch_heights = "1";'; fi
    cat >"$1" <<TEXT
network : {
  name = "bats";
  clock : { $clock };
  overrides = true;    # two of three approve
};
validators = ( { name = "alice"; key = "$(cat "$net/alice.key.pub")"; stake = "10"; } );
components = ( {
  id = "network"; k = 2; urgent_k = 3; notice_epochs = "2";
  signers = (
    { name = "sam"; key = "$(cat "$net/sam.key.pub")"; },
    { name = "sue"; key = "$(cat "$net/sue.key.pub")"; },
    { name = "sid"; key = "$(cat "$net/sid.key.pub")"; }
  );
  initial : { version = "1.0.0"; requires : { software = ">=1.0.0"; }; };
} );
TEXT
}

# erad.conf with what else is given as lines of it. conf_write [LINE…]
conf_write() {
    {
        echo 'state_dir = "state";'
        echo 'charter = "charter.txt";'
        echo 'validator_key = "alice.key";'
        echo 'versions : { software = "1.0.0"; };'
        if [[ "$*" != *http* ]]; then echo 'http = "127.0.0.1:0";'; fi
        printf '%s\n' "$@"
    } >"$net/erad.conf"
}

ctl() { eractl --state "$net/state" "$@"; }

# until_true COMMAND…: tries it until it succeeds; fails at the deadline, and shows the log.
until_true() {
    local end=$((SECONDS + deadline_s))
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            echo "not in $deadline_s s: $*"
            tail -n 30 "$net/log" 2>/dev/null
            return 1
        fi
        read -rt 0.05 <> <(:) || true
    done
}

log_says() { grep -qaF -e "$1" "$net/log"; }

# Start the daemon and wait until it answers. node_up [OPTION…]
node_up() {
    erad -c "$net/erad.conf" "$@" >>"$net/log" 2>&1 </dev/null 3>&- &
    node_pid=$!
    until_true node_answers status
}
# node_answers VERB…: or it is gone, and there is nothing to wait for.
node_answers() { ! kill -0 "$node_pid" || ctl "$@"; }

# The same, until its gate is open.
node_start() {
    node_up "$@" && until_true node_answers gate && kill -0 "$node_pid"
}

# node_stop [SIGNAL]: and wait until it is gone; its status in $node_status.
node_stop() {
    node_status=0
    if [ -z "${node_pid:-}" ]; then return 0; fi
    kill -s "${1:-TERM}" "$node_pid" 2>/dev/null || true
    { wait "$node_pid" || node_status=$?; } 2>/dev/null
    node_pid=
}

network_remove() {
    node_stop KILL
    if [ -n "${net:-}" ]; then rm -rf "$net"; fi
}

# HOST:PORT of the observers' port, as the log names it.
observers() { sed -n 's/.*observers: http:\/\///p' "$net/log" | tail -n 1; }
