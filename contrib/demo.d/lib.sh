# Screen, waiting and claims of contrib/demo; sourced by it.
# shellcheck shell=bash
# shellcheck disable=SC2154 # what contrib/demo sets

# ---- time --------------------------------------------------------------------

# A pause that starts no process; only between two looks at the nodes.
pause() { read -rt "$1" -u "$pause_fd" _ || true; }

in_time() { [ "$SECONDS" -lt "$deadline" ]; }

# ---- screen: story lines scroll by, the table stays below them -----------------

colour() { if [ "$colours" = yes ]; then printf '\e[%sm%s\e[0m' "$1" "$2"; else printf '%s' "$2"; fi; }

erase_table() {
    if [ "$table_lines" -gt 0 ]; then printf '\e[%dA\r\e[J' "$table_lines"; fi
    table_lines=0
}

# One line of the story.
say() {
    if [ "$live" = yes ]; then erase_table; fi
    if [ -n "$epoch" ]; then printf '%s ' "$(colour 2 "epoch $(printf %3d "$epoch")")"; fi
    printf '%s\n' "$*"
    if [ "$live" = yes ]; then draw; fi
}

gate_colour() {
    case $1 in
    current | notice) echo 32 ;;
    upgrade-soon | stale | no-era) echo 33 ;;
    blocked | mismatch | forked) echo 31 ;;
    *) echo 2 ;;
    esac
}

table_rows() {
    jq -r --argjson stakes "$stakes_json" '
        to_entries[] | .key as $name | .value as $s
        | if ($s | length) == 0 then [$name, "-", "-", "-", "-", "down", "-", "-", "-"]
          else ($s.components[] | select(.id == "network")) as $c
          | [$name, ($stakes[$name] // "-"), ($s.versions.software // "-"),
             (if $c.era then "\($c.era) \($c.era_name)" else "-" end), $s.clock.epoch,
             ($s.gate.state + (if $s.gate.epochs_left then " \($s.gate.epochs_left)" else "" end)),
             $s.peers.up, ($s.events.delivered + $s.events.emitted), $s.view_digest[0:12]]
          end | map(tostring) | join("\t")' "$work/look.json" 2>/dev/null
}

# One row: NAME STAKE VERSION ERA EPOCH GATE PEERS EVENTS DIGEST.
table_line() {
    local gate
    gate=$(printf '%-16s' "$6")
    printf '%-7s%5s  %-8s%-11s%6s  ' "$1" "$2" "$3" "$4" "$5"
    colour "$7" "$gate"
    printf '%6s%8s  %s\n' "$8" "$9" "${10}"
}

table() {
    local name stake version era at gate peers events digest
    printf '\n'
    table_line node stake version era epoch gate 1 peers events 'view digest'
    while IFS=$'\t' read -r name stake version era at gate peers events digest; do
        table_line "$name" "$stake" "$version" "$era" "$at" "$gate" "$(gate_colour "${gate%% *}")" \
            "$peers" "$events" "$digest"
    done < <(table_rows)
}

# The last look at the nodes, where the table of before was.
draw() {
    local text lines
    [ "$live" = yes ] && [ -s "$work/look.json" ] || return 0
    text=$(table)
    erase_table
    printf '\e[?7l%s\e[?7h\n' "$text"
    lines=${text//[!$'\n']/}
    table_lines=$((${#lines} + 1))
}

# ---- looking and waiting -------------------------------------------------------

# Ask all nodes for their status; $work/look.json = {"alice": status, …}, {} for one that does not answer.
look() {
    local name arguments=() files=()
    for name in "${all_nodes[@]}"; do
        if [ -n "${pid[$name]:-}" ]; then
            arguments+=(-o "$work/look/$name" "http://127.0.0.1:${http_port[$name]}/api/v1/status")
            echo '{}' >"$work/look/$name"
            files+=("$work/look/$name")
        fi
    done
    [ ${#files[@]} -gt 0 ] || return 0
    curl -sf -Z --max-time 1 "${arguments[@]}" 2>/dev/null || true
    # An answer that was cut off fails here, and the look of before stays.
    if jq -cn 'reduce inputs as $status ({}; .[input_filename | split("/")[-1]] = $status)' "${files[@]}" \
        >"$work/look.new" 2>/dev/null; then
        mv "$work/look.new" "$work/look.json"
        epoch=$(jq -r '[.[].clock.epoch // 0] | max' "$work/look.json")
    fi
}

# Does the last look fit a jq expression over {"alice": status, …}?
sees() { jq -e "$1" "$work/look.json" >/dev/null 2>&1; }

# told EXPRESSION: what the last look says.
told() { jq -r "$1" "$work/look.json"; }

# wait_until SECONDS EXPRESSION: look until it fits; 1 when it did not in time.
wait_until() {
    local end=$((SECONDS + $1))
    while in_time; do
        look
        draw
        if sees "$2"; then return 0; fi
        if [ "$SECONDS" -ge "$end" ]; then return 1; fi
        any_died
        pause 0.2
    done
    return 1
}

# attend COMMAND…: run it while the table goes on; its status is ours, its output in $work/said
# (what it complained about too, when it failed).
attend() {
    local status=0 job
    "$@" >"$work/said" 2>"$work/said.err" </dev/null &
    job=$!
    while [ "$live" = yes ] && kill -0 "$job" 2>/dev/null; do
        look
        draw
        pause 0.1
    done
    wait "$job" || status=$?
    if [ "$status" -ne 0 ]; then cat "$work/said.err" >>"$work/said"; fi
    look
    in_time || give_up "not done within $run_seconds s"
    return "$status"
}

# ---- commands ------------------------------------------------------------------

# What was run, as a newcomer would type it beside the nodes' folders.
remember() {
    local word line=
    for word; do
        word=${word//"$work/"/}
        case $word in
        *[!A-Za-z0-9_./:=@,+-]* | '') word="'${word//\'/\'\\\'\'}'" ;;
        esac
        line+="$word "
    done
    commands+=("${line% }")
}

remember_text() { commands+=("$1"); }

# ctl NODE VERB…: eractl of that node, bounded in time.
ctl() {
    local name=$1
    shift
    timeout 60 "$bin/eractl" --state "$work/$name/state" "$@"
}

# Digests of directories, cut for the eye.
shorter() { sed 's|\(h1:[A-Za-z0-9+/]\{8\}\)[A-Za-z0-9+/]*=|\1...|g'; }

# The first line that the last command complained with.
complaint() { grep -m 1 '^eractl: ' "$work/said.err" | sed 's/^eractl: //' | shorter; }

# run NODE VERB…: the same, remembered for the end, with the table going on.
run() {
    local name=$1
    shift
    remember eractl --state "$name/state" "$@"
    attend ctl "$name" "$@"
}

# ---- claims --------------------------------------------------------------------

hold() {
    verdict[$1]=held
    reason[$1]=$2
    say "$(colour 32 '✓') $1: $2"
}

unchecked() {
    verdict[$1]=unchecked
    reason[$1]=$2
    say "- $1: $2"
}

# The run ends here: what follows rests on this claim.
fail() {
    verdict[$1]=failed
    reason[$1]=$2
    say "$(colour 31 '✗') $1: $2"
    exit 1
}

# Not a claim of the demo, but something that it needs.
give_up() {
    trouble=$1
    if [ -n "${2:-}" ] && [ -s "$2" ]; then tail -n 30 "$2" | sed 's/^/    | /' >&2; fi
    exit 1
}

mark() {
    case ${verdict[$1]:-} in
    held) colour 32 '✓' ;;
    failed) colour 31 '✗' ;;
    *) printf '%s' '-' ;;
    esac
}

summary_json() {
    look
    jq -c --argjson through "$events_through_blocked" --argjson seconds "$((SECONDS - story_start))" '
        [.[] | select(length > 0)] as $up
        | {era: ([$up[].components[] | select(.id == "network") | .era] | min),
           epoch: ([$up[].clock.epoch] | max), nodes: ($up | length),
           active: ([$up[] | select(.gate.may_emit)] | length),
           blocked: ([$up[] | select(.gate.state == "blocked")] | length),
           mismatch: ([$up[] | select(.gate.state == "mismatch")] | length),
           digests_equal: (($up | length) > 0 and ([$up[].view_digest] | unique | length) == 1),
           events_through_blocked: $through, seconds: $seconds}' "$work/look.json"
}

# What was run, what held, and the last line.
report() {
    local claim json=$1 line
    epoch=
    if [ ${#commands[@]} -gt 0 ]; then
        echo
        echo 'The commands, as typed in the folder of the nodes (--keep leaves it):'
        for line in "${commands[@]}"; do echo "  $line"; done
        echo
        echo 'The claims, each read back from the nodes:'
        for claim in "${claims[@]}"; do
            printf '  %s %-14s %s\n' "$(mark "$claim")" "$claim" "${reason[$claim]:-not reached}"
        done
    fi
    for claim in "${claims[@]}"; do
        if [ "${verdict[$claim]:-}" = failed ]; then echo "claim failed: $claim: ${reason[$claim]}"; fi
    done
    if [ -n "$trouble" ]; then echo "demo: $trouble"; fi
    echo "$json"
}
