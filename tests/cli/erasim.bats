#!/usr/bin/env bats
# erasim as a person meets it. Bad inputs stand in badinput.tsv, rows sim-….
# shellcheck disable=SC2154 # $status, $output and $stderr are bats'

bats_require_minimum_version 1.5.0

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

row() { awk -F'\t' -v id="$1" -v n="$2" '$1 == id { print $n }' "$BATS_TEST_DIRNAME/badinput.tsv"; }

# wrong ID COMMAND…: refused as its row says, on standard error alone; with --json as one object.
wrong() {
    local fragment expected id=$1
    shift
    fragment=$(row "$id" 4) expected=$(row "$id" 5)
    [ -n "$fragment" ] || { echo "no row $id"; return 1; }
    run --separate-stderr "$@"
    echo "$id: status $status: $stderr"
    [ "$status" -eq "$expected" ] && [ -z "$output" ] && [[ "$stderr" == "erasim: "*"$fragment"* ]] || return 1
    run --separate-stderr "$1" --json "${@:2}"
    echo "$id --json: status $status: $output"
    [ "$status" -eq "$expected" ] && jq -es --arg f "$fragment" \
        'length == 1 and (.[0].error | (.text + .where + .cure | contains($f)))' <<<"$output"
}

# scn LINE…: a scenario of two nodes and these lines, in s.scn.
scn() {
    printf '%s\n' 'validators v1:10 v2:10' 'component network k=1 signers=s1' 'node v1 v2 votes all' "$@" >s.scn
}

@test "bad: the command line of erasim" {
    wrong sim-verb erasim swep
    wrong sim-no-verb erasim
    wrong sim-option erasim run --sed 4
    wrong sim-option-elsewhere erasim run --jobs 4
    wrong sim-seed erasim run --seed x7
    wrong sim-seed-twice erasim run --seed 1 --seed 2
    wrong sim-seed-none erasim run --seed
    wrong sim-seeds erasim sweep --seeds 9..3
    wrong sim-seeds-form erasim sweep --seeds 9
    wrong sim-fault erasim run --faults loss,patrition
    wrong sim-strict erasim run --strict maybe
    wrong sim-neighbours erasim run --neighbours 33
    wrong sim-nodes erasim run --nodes 10001
    wrong sim-nodes-zero erasim run --nodes 0
    wrong sim-argument erasim run 7
    wrong sim-script-none erasim script
}

@test "bad: files of erasim" {
    scn 'at 1 s1 proposes P soft 1.1.0 at 5'
    wrong sim-file-missing erasim script none.scn
    wrong sim-file-folder erasim script .
    wrong sim-trace-folder erasim script s.scn --trace none/t
    wrong sim-svg-folder erasim script s.scn --svg none/p.svg
    wrong sim-spread-folder erasim run --spread none/p.svg
    wrong sim-mutants-none erasim mutants --dir .
    head -c 64 /dev/zero >zero.scn
    wrong sim-file-binary erasim script zero.scn
}

@test "bad: words of a scenario" {
    scn 'at 1 s1 proposes P breking 2.0.0 at 5'
    wrong sim-scn-class erasim script s.scn
    scn 'at 1 s1 propsoes P soft 1.1.0 at 5'
    wrong sim-scn-verb erasim script s.scn
    scn 'expcet all gate current'
    wrong sim-scn-line erasim script s.scn
    scn 'at one heal'
    wrong sim-scn-time erasim script s.scn
    scn 'at 3 heal' 'at 2 heal'
    wrong sim-scn-order erasim script s.scn
    scn 'at 3 s1 approves Q'
    wrong sim-scn-proposal erasim script s.scn
    scn 'at 3 crash v3'
    wrong sim-scn-node erasim script s.scn
    scn 'expect all gate blokced'
    wrong sim-scn-gate erasim script s.scn
    scn 'trace gate' '1 v1 gate'
    wrong sim-scn-trace erasim script s.scn
    printf 'validators v1:10\nnode v1\n' >s.scn
    wrong sim-scn-charter erasim script s.scn
}

@test "bad: a scenario with charters that follow" {
    scn 'next chartre C at=5'
    wrong sim-scn-next erasim script s.scn
    scn 'next charter C'
    wrong sim-scn-next-at erasim script s.scn
    scn 'next charter C at=5 validtors=v1'
    wrong sim-scn-next-option erasim script s.scn
    scn 'next charter C at=5' 'next charter D after=E at=7'
    wrong sim-scn-next-after erasim script s.scn
    scn 'next charter 1 at=5'
    wrong sim-scn-next-name erasim script s.scn
    scn 'next charter C at=5 validators='
    wrong sim-scn-next-sound erasim script s.scn
    scn 'next charter C at=5' 'at 2 v1 accepts charter D'
    wrong sim-scn-next-none erasim script s.scn
    scn 'next charter C at=5' 'at 2 v1 accepts C'
    wrong sim-scn-next-word erasim script s.scn
    scn 'expect v1 counts charter 1'
    wrong sim-scn-counts erasim script s.scn
    scn 'expect v1 lokced'
    wrong sim-scn-locked erasim script s.scn
    scn 'expect checkpoint netwrk 10 in 2'
    wrong sim-scn-checkpoint erasim script s.scn
}

@test "a word about a charter that nobody proposed is wrong" {
    scn 'next charter C at=5' 'at 2 v1 accepts charter C' 'until 3'
    run --separate-stderr erasim script s.scn
    [ "$status" -eq 1 ]
    [[ "$stderr" == "s.scn:5: nobody proposed C"* ]]
}

@test "another charter, another version, another lock than expected is said" {
    scn 'at 1 expect charter 1 on v1' 'at 1 expect v1 counts charter 1 in 0' 'at 1 expect v1 locked' 'until 2'
    run --separate-stderr erasim script s.scn
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"s.scn:4: the newest charter of v1 is version 0"* ]]
    [[ "$stderr" == *"s.scn:5: v1 announced epoch 0 under charter 0"* ]]
    [[ "$stderr" == *"s.scn:6: the key of v1 is not locked"* ]]
}

@test "an expectation that does not come true says what was seen" {
    scn 'at 1 expect v1 era 2' 'until 2'
    run --separate-stderr erasim script s.scn
    [ "$status" -eq 1 ]
    [[ "$stderr" == "s.scn:4: v1 is in era 1, 1.0.0"* ]]
}

@test "a trace of another history says where they part" {
    scn 'until 1' 'trace up' '0 v1 up 1.0.0' '0 v2 up 9.9.9' 'end'
    run --separate-stderr erasim script s.scn
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"line 2 of the trace"*"expected: 0 v2 up 9.9.9"*"seen:     0 v2 up 1.0.0"* ]]
    run erasim script s.scn --trace -
    [ "${lines[1]}" = "0 v2 up 1.0.0" ]
}

@test "one seed is one history: report, trace and picture, byte for byte" {
    for i in 1 2; do
        erasim run --seed 5 --nodes 9 --hours 1 --faults none --json --trace "t$i" --svg "p$i" --spread "s$i" >"r$i" \
            2>/dev/null
    done
    cmp t1 t2
    cmp p1 p2
    cmp s1 s2
    cmp r1 r2
    jq -e '.schema == "erad.sim-run/1" and .broken == null and .counts.steps > 1000' r1
    [ "$(wc -l <t1)" -gt 100 ]
    run ! grep -E 'href|<script|url\(' p1 s1
    python3 -c 'import xml.dom.minidom; [xml.dom.minidom.parse(name) for name in ("p1", "s1")]'
    [ "$(grep -c '<path class="eager" d="M ' s1)" -eq 8 ] # a first copy for each node but the author
}

@test "a fault that was allowed and never struck is said" {
    erasim run --seed 5 --nodes 7 --hours 1 --faults eclipse >r
    grep -q 'eclipse .*allowed, and never struck' r || grep -Eq 'eclipse +[1-9]' r
    run ! grep -q 'garbage' r
}

@test "a sweep adds up, and leaves no process" {
    run --separate-stderr erasim sweep --seeds 1..3 --jobs 2 --nodes 7 --hours 1 --faults none --json
    [ "$status" -eq 0 ]
    jq -e '.schema == "erad.sim-sweep/1" and .runs == 3 and .broken == null' <<<"$output"
    run ! pgrep -f 'erasim sweep --seeds 1[.][.]3'
}

@test "an interrupted sweep says how to go on" {
    erasim sweep --seeds 1..100000 --jobs 2 --nodes 7 --hours 1 --faults none >out 2>/dev/null &
    pid=$!
    local end=$((SECONDS + 60))
    until [ -n "$(pgrep -P "$pid")" ]; do [ "$SECONDS" -lt "$end" ]; done
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 130 ]
    grep -q 'to go on: .*erasim sweep --seeds [0-9]*\.\.100000 --jobs 2 --nodes 7 --hours 1 --faults none' out
}

@test "a mutant that breaks a rule is caught, one that does not has survived" {
    mkdir m
    printf '#!/bin/sh\necho '\''{"broken":{"rule":"I6","seed":3,"replay":"x run --seed 3"}}'\''\nexit 1\n' >m/erasim-mutant-a
    chmod +x m/erasim-mutant-a
    run erasim mutants --dir m
    [ "$status" -eq 0 ]
    [[ "$output" == *"a "*"caught by I6, seed 3"*"again: x run --seed 3"* ]]
    printf '#!/bin/sh\necho '\''{"broken":null}'\''\n' >m/erasim-mutant-b
    chmod +x m/erasim-mutant-b
    run erasim mutants --dir m
    [ "$status" -eq 1 ]
    [[ "$output" == *"SURVIVED"*"1 caught, 1 survived"* ]]
}

@test "a mutant that crashes is not caught: no rule was said to be broken" {
    mkdir m
    printf '#!/bin/sh\necho '\''{"broken":{"rule":"assertion","seed":3,"replay":"x run --seed 3"}}'\''\nexit 1\n' >m/erasim-mutant-a
    chmod +x m/erasim-mutant-a
    run erasim mutants --dir m
    [ "$status" -eq 1 ]
    [[ "$output" == *"CRASHED"*"again: x run --seed 3"*"0 caught, 0 survived, 1 crashed"* ]]
}

# Every word that a scenario may hold, from the tables and the readers.
scenario_words() {
    awk '/const char \*const [a-z_]*\[.*\] = \{/ { on = 1 } on { print } /};/ { on = 0 }' \
        "$ERA_SRC"/src/erasim/scenario_*.c | grep -o '"[a-z_]*"'
    grep -oh '{"[a-z]*", SCN_' "$ERA_SRC/src/erasim/scenario_lines.c" | grep -o '"[a-z]*"'
    grep -oh 'scn_skip(.*w, "[a-z]*")' "$ERA_SRC"/src/erasim/scenario*.c | grep -o '"[a-z]*"'
    sed -n 's/^ *X([A-Z]*, \("[a-z]*"\),.*/\1/p' "$ERA_SRC/src/erasim/trace.h"
}

# What the manual's section on scenarios marks as literal, a word a line.
documented_words() {
    awk '/^\.Sh /{ on = /SCENARIOS/ }
         on && /^\./ {
             gsub(/[,=():]/, " ")
             for (i = 1; i <= NF; i++) {
                 if ($i ~ /^\.?(Li|Ar|No|Oo|Oc|Op|Pq|Ns|It|Fl|Xr|Pa|Sq|Sx)$/) literal = $i ~ /Li$/
                 else if (i == 1) literal = 0
                 else if (literal) print $i
             }
         }' "$ERA_SRC/doc/erasim.1"
}

@test "the manual knows every word of a scenario" {
    scenario_words | tr -d '"' | sort -u >words
    documented_words | sort -u >known
    [ "$(wc -l <words)" -gt 90 ]
    missing=$(comm -23 words known)
    echo "not in doc/erasim.1: $missing"
    [ -z "$missing" ]
}

@test "the manual and the completions know every verb and option of erasim" {
    for verb in run sweep script mutants faults; do
        grep -q "^\.It Cm $verb\b" "$ERA_SRC/doc/erasim.1"
        for option in $(erasim "$verb" --help | grep -o '^ *--[a-z]*'); do
            grep -q "It Fl Fl ${option#--}\b\|It Fl -${option#--}\b" "$ERA_SRC/doc/erasim.1"
            grep -q -- "$option\b" "$ERA_SRC/contrib/completions/erasim.bash"
        done
    done
}
