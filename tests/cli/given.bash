# What the bats files of eractl's offline verbs begin with: keys, a charter, and
# the material that a daemon would export. Everything lies in $BATS_TEST_TMPDIR.
# shellcheck shell=bash
# shellcheck disable=SC2154 # $status, $output and $stderr are bats'

bats_require_minimum_version 1.5.0

# Three signers, two validators; epoch 0 began just now, an epoch is an hour, notice is 4 epochs.
given_network() {
    cd "$BATS_TEST_TMPDIR" || return 1
    local name
    for name in s1 s2 s3 v1 v2; do eractl keygen "$name" >"$name.text"; done
    eractl charter new --name grid --epoch 1h --notice 4 --signer s1=s1.pub --signer s2=s2.pub --signer s3=s3.pub \
        --validator v1=v1.pub:100 --validator v2=v2.pub:100 -o charter.txt
    eractl charter compile charter.txt -o charter.bin >network.id
}

base64_of() { if [ -n "$1" ]; then base64 -w0 "$1"; fi; }

# material FILE EPOCH NEXT_SEQ [HEAD.stmt|''] [PROPOSAL.stmt|''] [OTHER.stmt…]
material() {
    local file=$1 epoch=$2 seq=$3 head=${4:-} proposal=${5:-} other
    shift 5 2>/dev/null || shift $#
    for other in "$@"; do base64 -w0 "$other"; echo; done |
        jq -nR --arg c "$(base64_of charter.bin)" --arg h "$(base64_of "$head")" --arg p "$(base64_of "$proposal")" \
            --argjson e "$epoch" --argjson n "$seq" \
            '{schema: "erad.material/1", component: "network", epoch: $e, next_seq: $n, charter: $c,
              head: (if $h == "" then null else $h end), proposal: (if $p == "" then null else $p end),
              others: [inputs]}' >"$file"
}

# propose MATERIAL OUT.stmt OPTION…: by s1, offline.
propose() {
    local from=$1 to=$2
    shift 2
    eractl propose --offline "$from" --key s1 -o "$to" "$@"
}

# The head of slot 1: 2.0.0, breaking, at epoch 20, needs software 2; seen at epoch 0 in m1.
given_head() {
    given_network
    material m0 0 1
    propose m0 head.stmt --set-version 2.0.0 --class breaking --effective 20 --require 'software=>=2.0.0' 2>/dev/null
    material m1 0 2 head.stmt
}

# says TEXT: it is part of what the last `run` printed.
says() {
    if [[ "$output${stderr:-}" == *"$1"* ]]; then return 0; fi
    printf 'not said: %s\n%s\n%s\n' "$1" "$output" "${stderr:-}"
    return 1
}
never_says() {
    if [[ "$output${stderr:-}" != *"$1"* ]]; then return 0; fi
    printf 'said: %s\n%s\n%s\n' "$1" "$output" "${stderr:-}"
    return 1
}

# refused ID COMMAND…: the command is refused as row ID of badinput.tsv says, on
# standard error alone; with --json the same, as one object on standard output.
refused() {
    local id=$1 fragment expected
    shift
    fragment=$(awk -F'\t' -v id="$id" '$1 == id { print $4 }' "$BATS_TEST_DIRNAME/badinput.tsv")
    expected=$(awk -F'\t' -v id="$id" '$1 == id { print $5 }' "$BATS_TEST_DIRNAME/badinput.tsv")
    if [ -z "$fragment" ]; then
        echo "badinput.tsv has no row $id"
        return 1
    fi
    run --separate-stderr "$@"
    echo "$id: status $status: $stderr"
    [ "$status" -eq "$expected" ] && [ -z "$output" ] && [[ "$stderr" == "eractl: "* ]] && says "$fragment" || return 1
    run --separate-stderr "$1" --json "${@:2}"
    echo "$id --json: status $status: $output"
    [ "$status" -eq "$expected" ] || return 1
    jq -es --arg f "$fragment" \
        'length == 1 and (.[0].error | (.text + .where + .cure | contains($f)) and (.code | length > 0))' <<<"$output"
}
