# The network of contrib/demo: build, keys, charter, configurations, nodes.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with contrib/demo

declare -A stake=([alice]=30 [bob]=25 [carol]=20 [dave]=15 [erin]=10)
stakes_json='{"alice":"30","bob":"25","carol":"20","dave":"15","erin":"10"}'
validators=(alice bob carol dave erin)
signers=(sam sue sid)
all_nodes=(alice bob carol dave erin frank grace)
# Who dials whom. Carol hears the others through frank and erin only.
declare -A dials=([alice]=bob [bob]='frank erin' [carol]='' [dave]='alice bob' [erin]=carol [frank]=carol
    [grace]=alice)
declare -A port http_port pid

# ---- build -----------------------------------------------------------------------

# build_step TEXT COMMAND…: quiet; its log is shown when it fails.
build_step() {
    local text=$1 start=$SECONDS
    shift
    printf '%-52s' "$text"
    if ! "$@" >"$work/build.log" 2>&1 </dev/null; then
        echo 'failed'
        give_up "$text failed" "$work/build.log"
    fi
    echo "$((SECONDS - start)) s"
}

copy_tree() {
    mkdir "$work/erad" "$work/build" && cd "$root" || return 1
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files -z | while IFS= read -r -d '' file; do
            if [ -e "$file" ]; then printf '%s\0' "$file"; fi
        done
    else
        find . -type f ! -path './.git/*' -printf '%P\0'
    fi | tar -c --null -T - | tar -x -C "$work/erad"
}

generate() { cd "$work/erad" && autoreconf -fi; }
configure() { cd "$work/build" && "$work/erad/configure"; }
compile() { make -C "$work/build" -j"$(nproc)" erad eractl; }

# Programs into $bin: those of ERA_BIN, or built from a copy of this tree.
get_programs() {
    if [ -n "${ERA_BIN:-}" ]; then
        bin=$(cd "$ERA_BIN" 2>/dev/null && pwd) || give_up "ERA_BIN: there is no folder $ERA_BIN"
    else
        "$root/contrib/install-deps" build || give_up 'what erad needs could not be installed'
        build_step 'copying the tree' copy_tree
        build_step 'autoreconf' generate
        build_step 'configure' configure
        build_step "compiling erad and eractl ($(nproc) at a time)" compile
        bin=$work/build
    fi
    local tool
    for tool in "$bin/erad" "$bin/eractl" jq curl cc make timeout; do
        command -v "$tool" >/dev/null || give_up "$tool is missing; run contrib/install-deps"
    done
}

# ---- keys, charter, configurations -------------------------------------------------

make_keys() {
    local name
    for name in "${signers[@]}"; do
        mkdir "$work/$name"
        remember eractl keygen "$name/signer.key"
        "$bin/eractl" keygen "$work/$name/signer.key" >/dev/null || give_up "eractl keygen failed for $name"
    done
    for name in "${all_nodes[@]}"; do
        mkdir -m 700 "$work/$name"
        if [ -n "${stake[$name]:-}" ]; then
            remember eractl keygen "$name/validator.key"
            "$bin/eractl" keygen "$work/$name/validator.key" >/dev/null ||
                give_up "eractl keygen failed for $name"
        fi
    done
}

# group LIST: { name, key[, stake] } of each, with commas between.
group() {
    local name file separator=
    for name; do
        file=$work/$name/validator.key.pub
        [ -e "$file" ] || file=$work/$name/signer.key.pub
        printf '%s    { name = "%s"; key = "%s";' "$separator" "$name" "$(cat "$file")"
        if [ -n "${stake[$name]:-}" ]; then printf ' stake = "%s";' "${stake[$name]}"; fi
        printf ' }'
        separator=$',\n'
    done
}

write_charter() {
    cat >"$work/charter.txt" <<TEXT
# The network of the demo: a grid of meters.
network : {
  name = "meters";
  clock : { kind = "wall"; genesis = "$(date +%s)000"; epoch_ms = "$epoch_ms"; };
  overrides = true;   # 2 of 3 signers keep the demo short; the check advises 3 of 4
};
validators = (
$(group "${validators[@]}")
);
components = ( {
  id = "network"; k = 2; urgent_k = 3; notice_epochs = "$notice"; enough = "2/3"; rebuild_quorum = "1/2";
  signers = (
$(group "${signers[@]}")
  );
  initial : { version = "1.0.0"; era_name = "genesis"; requires : { software = ">=1.0.0"; }; };
} );
TEXT
    remember eractl charter check charter.txt
    "$bin/eractl" charter check "$work/charter.txt" >"$work/said" 2>&1 ||
        give_up 'the charter is refused' "$work/said"
}

# Does nobody listen there?
port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Ports of all nodes, below those that the kernel hands out.
pick_ports() {
    local base name at
    for _ in {1..50}; do
        base=$((20000 + RANDOM % 12000)) at=$base
        for name in "${all_nodes[@]}"; do
            if ! port_is_free $at || ! port_is_free $((at + 1)); then continue 2; fi
            port[$name]=$at http_port[$name]=$((at + 1)) at=$((at + 2))
        done
        return 0
    done
    give_up 'no free ports between 20000 and 32000'
}

# configure_node NAME VERSION [alone]: its erad.conf; alone: it dials nobody and cannot be dialled.
configure_node() {
    local name=$1 version=$2 peer peers=
    for peer in ${dials[$name]}; do peers+="${peers:+, }\"tcp://127.0.0.1:${port[$peer]}\""; done
    {
        echo 'state_dir = "state";'
        echo "charter = \"${charter_of[$name]:-../charter.txt}\";"
        if [ "${3:-}" != alone ]; then
            echo "listen = [ \"tcp://127.0.0.1:${port[$name]}\" ];"
            if [ -n "$peers" ]; then echo "peers = [ $peers ];"; fi
            echo 'neighbours = 0; # the links of this story, and no others: carol hears through erin and frank'
        fi
        echo "http = \"127.0.0.1:${http_port[$name]}\";"
        if [ -n "${stake[$name]:-}" ]; then echo 'validator_key = "validator.key";'; fi
        echo "versions : { software = \"$version\"; };"
        echo 'hook = "../hook";'
    } >"$work/$name/erad.conf.new"
    mv "$work/$name/erad.conf.new" "$work/$name/erad.conf"
}
declare -A charter_of=()

# Runs in every node when its gate or its era changes: keeps what happened, and tells the meter the era.
write_hook() {
    cat >"$work/hook" <<'TEXT'
#!/bin/sh
# hook KIND COMPONENT VALUE
node=$(dirname "$ERAD_STATE")
echo "$1 $2 $3 $ERAD_EPOCH" >>"$node/hook.log"
if [ "$1" = era ]; then
    printf '%s' "$ERAD_SIGNAL" | jq '.entry.era // 0' >"$node/era.new" && mv "$node/era.new" "$node/era"
fi
TEXT
    chmod 755 "$work/hook"
}

# ---- nodes -----------------------------------------------------------------------

start_node() {
    local name=$1
    (cd "$work/$name" && exec "$bin/erad" -c "$work/$name/erad.conf") >>"$work/$name/log" 2>&1 </dev/null &
    pid[$name]=$!
    disown "$!"
}

runs() { [ -n "${pid[$1]:-}" ] && kill -0 "${pid[$1]}" 2>/dev/null; }

# A node that ended unasked ends the run.
any_died() {
    local name
    for name in "${!pid[@]}"; do
        runs "$name" || give_up "erad of $name ended; its log says:" "$work/$name/log"
    done
}

# end_node NAME SIGNAL: and wait until it is gone.
end_node() {
    local name=$1 end=$((SECONDS + 10))
    kill -s "$2" "${pid[$name]}" 2>/dev/null || true
    while runs "$name"; do
        if [ "$SECONDS" -ge "$end" ]; then kill -KILL "${pid[$name]}" 2>/dev/null || true; fi
        pause 0.05
    done
    unset "pid[$name]"
}

# Start the six; another port range when somebody took one meanwhile.
start_network() {
    local name
    for _ in {1..5}; do
        pick_ports
        for name in "${all_nodes[@]}"; do
            configure_node "$name" 1.0.0
            if [ "$name" != grace ]; then start_node "$name"; fi
        done
        while in_time; do
            look
            if sees '[.[] | select(length > 0)] | length == 6'; then return 0; fi
            for name in "${!pid[@]}"; do
                if ! runs "$name"; then
                    grep -qi 'in use' "$work/$name/log" ||
                        give_up "erad of $name did not start:" "$work/$name/log"
                    stop_nodes
                    rm -rf "$work"/*/state "$work"/*/log
                    continue 3
                fi
            done
            pause 0.1
        done
    done
    give_up 'the nodes did not answer' "$work/alice/log"
}

stop_nodes() {
    local name end=$((SECONDS + 5))
    for name in "${!pid[@]}"; do kill -TERM "${pid[$name]}" && kill -CONT "${pid[$name]}"; done 2>/dev/null
    for name in "${!pid[@]}"; do
        while runs "$name" && [ "$SECONDS" -lt "$end" ]; do pause 0.05; done
        if runs "$name"; then end_node "$name" KILL; fi
        unset "pid[$name]"
    done
}

# upgrade NAME: the host program 2.0.0 is installed; tell the daemon.
upgrade() {
    configure_node "$1" 2.0.0
    if [ -d "$work/$1/source" ]; then
        make -s -C "$work/$1/source" OUT=../meter-2.0.0 >"$work/said" 2>&1 ||
            give_up "$1 cannot build" "$work/said"
        ln -sfn "$work/$1/meter-2.0.0" "$work/$1/meter"
    fi
    remember sed -i 's/"1.0.0"/"2.0.0"/' "$1/erad.conf"
    remember_text "kill -HUP \"\$(eractl --state $1/state status --json | jq .pid)\""
    kill -HUP "${pid[$1]}"
}

# ---- meters ----------------------------------------------------------------------

# emit_readings NAME: the host program of a validator: one reading after the other, until the run ends.
emit_readings() {
    local name=$1 number=0 status
    while [ -e "$work/running" ]; do
        number=$((number + 1)) status=0
        "$work/$name/meter/meter" "$name" "$number" "$(cat "$work/$name/era" 2>/dev/null || echo 1)" |
            ctl "$name" emit meter.reading - >/dev/null 2>&1 || status=$?
        echo "$status" >>"$work/$name/emitted"
        pause 0.7
    done
}

start_meters() {
    local name
    touch "$work/running"
    for name in "${validators[@]}"; do
        emit_readings "$name" &
        meters+=("$!")
        disown "$!"
    done
}

stop_meters() {
    local job end=$((SECONDS + 5))
    rm -f "$work/running"
    for job in "${meters[@]}"; do
        while kill -0 "$job" 2>/dev/null && [ "$SECONDS" -lt "$end" ]; do pause 0.05; done
        kill -KILL "$job" 2>/dev/null || true
    done
}
