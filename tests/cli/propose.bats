#!/usr/bin/env bats
# propose, without a daemon: what plan it makes of what is said, and its words.

load given

# entry_of MATERIAL VERSION: the hash of the head's entry of that version, as words show it.
entry_of() {
    eractl propose --offline "$1" --key s1 --dry-run --announce --class breaking --set-version 99.0.0 2>&1 |
        sed -n "s/.*: $2, .*\[\([0-9a-f]*\)\]/\1/p" | head -1
}

@test "T3 a first proposal stands on the charter's record and says what it does" {
    given_network
    material m0 0 1
    mkdir out && echo built >out/app
    run propose m0 p.stmt --set-version 2.0.0 --class breaking --effective 20 --era-name second \
        --require 'software=>=2.0.0' --flag fee=on --depend 'chain=>=4.0.0@block 12' \
        --artefact linux=@out --artefact-link linux=https://example.org/app --text "the second"
    [ "$status" -eq 0 ]
    says "on the charter's initial record"
    says 'now since epoch 0: 1.0.0, era 1 "genesis"'
    says '+ new from epoch 20 (in 20): 2.0.0, breaking, era 2 "second"'
    says "every node that does not run software >=2.0.0 stops at epoch 20"
    says "requires software >=2.0.0 (before: any version)"
    says "switches flag fee on"
    says "depends on chain >=4.0.0 since block 12"
    says "artefact linux $(eractl hash out) https://example.org/app"
    says "Needs 3 of 3 approvals."
    says "Needs readiness of stake 150 of 200."
    says "Can be signed until epoch 15; now it is 0."
}

@test "data on stdout is the id alone; --json is one object" {
    given_network
    material m0 0 1
    run --separate-stderr propose m0 p.stmt --set-version 1.1.0 --class soft --effective 20
    [[ "$output" =~ ^[0-9a-f]{64}$ ]]
    id=$output
    run --separate-stderr propose m0 p.stmt --set-version 1.1.0 --class soft --effective 20 --json
    jq -e --arg id "$id" '. == {schema: "erad.propose/1", id: $id, submitted: false, component: "network",
        charter_version: 0, seq: 1}' <<<"$output"
}

@test "P1 a soft entry keeps the era, and nobody stops" {
    given_network
    material m0 0 1
    run propose m0 p.stmt --set-version 1.1.0 --class soft --effective 20
    says '1.1.0, soft, era 1 "genesis"'
    says "nodes may stay behind, nothing stops"
}

@test "what is not said is inherited, but never another version's artefacts" {
    given_head
    run propose m1 p.stmt --set-version 2.1.0 --class soft --effective 30 --flag x=on
    says '= kept from epoch 20 (in 20): 2.0.0, breaking, era 2'
    says '+ new from epoch 30 (in 30): 2.1.0, soft, era 2 "era-2"'
    never_says "before: software"
    material m0 0 1
    propose m0 a.stmt --set-version 2.0.0 --class breaking --effective 20 --artefact app=@charter.bin
    material m2 0 2 a.stmt
    run propose m2 p.stmt --set-version 2.1.0 --class soft --effective 30
    says "no artefacts: those of 2.0.0 are not carried over"
    run propose m2 p.stmt --class soft --effective 30 --flag x=on
    says "artefact app sha256:"
}

@test "an entry that has begun is the first, and what is past is left behind" {
    given_head
    material m2 25 2 head.stmt
    run propose m2 p.stmt --set-version 3.0.0 --class breaking --effective +10
    says "now since epoch 20: 2.0.0"
    never_says "1.0.0"
    says "from epoch 35 (in 10): 3.0.0, breaking, era 3"
}

@test "inserting a breaking entry drops and adds again what comes later, with its inheritance" {
    given_head
    run propose m1 p.stmt --set-version 1.5.0 --class breaking --effective 18 --flag x=on --require 'api=^3.0.0'
    [ "$status" -eq 0 ]
    says '+ new from epoch 18 (in 18): 1.5.0, breaking, era 2'
    says '+ new from epoch 20 (in 20): 2.0.0, breaking, era 3 "era-3"'
    says "requires software >=2.0.0, api ^3.0.0 (before: api ^3.0.0)"
    says "- dropped and added again above: 2.0.0 from epoch 20 (in 20), era 2 becomes 3"
    never_says "kept"
}

@test "M4 announced last without an epoch, later given one" {
    given_head
    run propose m1 p.stmt --set-version 3.0.0 --class breaking --announce --require 'software=>=3.0.0' --link https://x
    says "+ new announced, no epoch yet: 3.0.0, breaking, era 3"
    says "nothing changes until it is given an epoch"
    material m2 1 3 p.stmt
    run propose m2 q.stmt --set-version 3.0.0 --effective 40
    [ "$status" -eq 0 ]
    says "+ new from epoch 40 (in 39): 3.0.0, breaking, era 3"
    says "requires software >=3.0.0 (before: software >=2.0.0)"
    says "link https://x"
    says "what was announced as 3.0.0 is given an epoch"
}

@test "an announced entry follows the era before it" {
    given_head
    propose m1 p.stmt --set-version 3.0.0 --class breaking --announce
    material m2 1 3 p.stmt
    run propose m2 q.stmt --set-version 2.5.0 --class breaking --effective 30
    says "+ new from epoch 30 (in 29): 2.5.0, breaking, era 3"
    says "+ new announced, no epoch yet: 3.0.0, breaking, era 4"
    says "dropped and added again above: 3.0.0 announced, no epoch yet, era 3 becomes 4"
}

@test "--drop alone only drops; what stood behind it follows" {
    given_head
    propose m1 p.stmt --set-version 3.0.0 --class breaking --effective 30 --flag x=on
    material m2 1 3 p.stmt
    run propose m2 q.stmt --drop "$(entry_of m2 2.0.0)"
    [ "$status" -eq 0 ]
    says "- dropped: 2.0.0 from epoch 20 (in 19), era 2"
    says "+ new from epoch 30 (in 29): 3.0.0, breaking, era 2"
    says "- dropped and added again above: 3.0.0"
    says "no range is required, so no node stops"
}

@test "D6 the urgent lane: shorter notice, more signatures" {
    given_head
    run propose m1 p.stmt --set-version 1.0.1 --class soft --effective 2 --urgent
    [ "$status" -eq 0 ]
    says "URGENT"
    says "Needs 3 of 3 approvals (urgent)."
}

@test "D3 an override may step back, and is marked for ever" {
    given_head
    run propose m1 p.stmt --set-version 1.9.0 --class override --effective 30
    [ "$status" -eq 0 ]
    says "OVERRIDE"
}

@test "a change that another entry takes back is refused without --yes-undo" {
    given_head
    refused propose-undone eractl propose --offline m1 --key s1 -o p.stmt --set-version 1.5.0 --class soft \
        --effective 18 --flag x=on
    run propose m1 p.stmt --set-version 1.5.0 --class soft --effective 18 --flag x=on --yes-undo
    [ "$status" -eq 0 ]
}

@test "a proposal in flight that would be lost is told" {
    given_head
    propose m1 flight.stmt --set-version 3.0.0 --class breaking --effective 30
    material m2 0 3 head.stmt "" flight.stmt
    run propose m2 p.stmt --set-version 3.0.1 --class breaking --effective 31
    [ "$status" -eq 0 ]
    says "notice: proposal"
    id=$(grep -o 'drop [0-9a-f]*' <<<"$output" | cut -d' ' -f2)
    run propose m2 p.stmt --set-version 3.0.1 --class breaking --effective 31 --drop "$id"
    never_says "notice: proposal"
    says "- dropped: the entry or proposal $id"
}

@test "--dry-run signs nothing" {
    given_head
    run eractl propose --offline m1 --key s1 --dry-run --set-version 2.0.1 --class soft --effective 30
    [ "$status" -eq 0 ]
    says "2.0.1"
    [ ! -e p.stmt ]
}

@test "a key belongs to the network it first signed for" {
    given_network
    material m0 0 1
    run propose m0 p.stmt --set-version 1.1.0 --class soft --effective 20
    says "this key signs for network $(cat network.id) from now on"
    [ "$(cat s1.network)" = "$(cat network.id)" ]
    run propose m0 p.stmt --set-version 1.1.0 --class soft --effective 20
    never_says "from now on"
    rm charter.bin
    eractl charter new --name other --signer s1=s1.pub >other.txt
    eractl charter compile other.txt -o charter.bin
    material o0 0 1
    refused network-pinned eractl propose --offline o0 --key s1 -o o.stmt --set-version 1.1.0 --class soft --effective 20
    refused network-named eractl propose --offline m0 --key s1 -o o.stmt --network "$(tr 0-9a-f 1-9a-f0 <network.id)" \
        --set-version 1.1.0 --class soft --effective 20
    echo nonsense >s1.network
    refused network-file eractl propose --offline m0 --key s1 -o o.stmt --set-version 1.1.0 --class soft --effective 20
    refused network-option eractl propose --offline m0 --key s1 -o o.stmt --network xyz --set-version 1.1.0 --class soft \
        --effective 20
}

@test "bad: what is proposed" {
    given_head
    p=(eractl propose --offline m1 --key s1 -o p.stmt)
    soft=(--set-version 2.0.1 --class soft --effective 30)
    refused propose-nothing "${p[@]}"
    refused propose-no-key eractl propose --offline m1 -o p.stmt "${soft[@]}"
    refused propose-no-output eractl propose --offline m1 --key s1 "${soft[@]}"
    refused propose-export-offline eractl propose --offline m1 --export m9
    refused propose-no-class "${p[@]}" --set-version 2.0.1 --effective 30
    refused propose-class-typo "${p[@]}" --set-version 2.0.1 --class brekaing --effective 30
    refused propose-class "${p[@]}" --set-version 2.0.1 --class huge --effective 30
    refused propose-no-epoch "${p[@]}" --set-version 2.0.1 --class soft
    refused propose-two-times "${p[@]}" --set-version 2.0.1 --class soft --effective 30 --announce
    refused propose-epoch "${p[@]}" --set-version 2.0.1 --class soft --effective soon
    refused propose-notice "${p[@]}" --set-version 1.0.1 --class soft --effective 4
    refused propose-same-epoch "${p[@]}" --set-version 2.0.1 --class soft --effective 20
    refused propose-version "${p[@]}" --set-version 2.0 --class soft --effective 30
    refused propose-lower "${p[@]}" --set-version 1.0.1 --class soft --effective 30
    refused propose-higher-before "${p[@]}" --set-version 2.5.0 --class soft --effective 18
    refused propose-era-name "${p[@]}" --set-version 3.0.0 --class breaking --effective 30 --era-name "My Era"
    refused propose-soft-range "${p[@]}" "${soft[@]}" --require 'software=>=3.0.0'
    refused propose-kind-typo "${p[@]}" "${soft[@]}" --require 'sofware=>=3.0.0'
    refused propose-kind "${p[@]}" "${soft[@]}" --require '>=3.0.0'
    refused propose-range "${p[@]}" "${soft[@]}" --require software=latest
    refused propose-flag "${p[@]}" "${soft[@]}" --flag fee=yes
    refused propose-flag-name "${p[@]}" "${soft[@]}" --flag "Fee=on"
    refused propose-digest "${p[@]}" "${soft[@]}" --artefact app=abc
    refused propose-digest-path "${p[@]}" "${soft[@]}" --artefact app=@none
    refused propose-artefact "${p[@]}" "${soft[@]}" --artefact abc
    refused propose-link-alone "${p[@]}" "${soft[@]}" --artefact-link app=https://x
    refused propose-source "${p[@]}" "${soft[@]}" --source-digest abc
    refused propose-depend "${p[@]}" "${soft[@]}" --depend chain
    refused propose-depend-range "${p[@]}" "${soft[@]}" --depend chain=new
    refused propose-link-long "${p[@]}" "${soft[@]}" --link "https://$(printf 'x%.0s' {1..300})"
    refused propose-text-long "${p[@]}" "${soft[@]}" --text "$(printf 'x%.0s' {1..1100})"
    refused propose-drop-short "${p[@]}" --drop 1234567
    refused propose-drop-unknown "${p[@]}" --drop 0123456789abcdef
    refused propose-seq "${p[@]}" "${soft[@]}" --seq 1
    refused propose-same "${p[@]}" --class soft --effective 30
    material m5 5 2 head.stmt
    refused propose-expired eractl propose --offline m5 --key s1 -o p.stmt "${soft[@]}" --expires 4
    flags=()
    for n in 1 2 3 4 5 6 7 8 9; do flags+=(--depend "d$n=*"); done
    refused propose-many "${p[@]}" "${soft[@]}" "${flags[@]}"
}

@test "bad: a plan that is full, an announcement too many" {
    given_head
    propose m1 p.stmt --set-version 3.0.0 --class breaking --announce
    material m2 0 3 p.stmt
    refused propose-announced eractl propose --offline m2 --key s1 -o q.stmt --set-version 4.0.0 --class breaking --announce
    propose m1 a.stmt --set-version 2.1.0 --class soft --effective 21 && material ma 0 3 a.stmt
    propose ma b.stmt --set-version 2.2.0 --class soft --effective 22 && material mb 0 4 b.stmt
    propose mb c.stmt --set-version 2.3.0 --class soft --effective 23 && material mc 0 5 c.stmt
    refused propose-full eractl propose --offline mc --key s1 -o d.stmt --set-version 2.4.0 --class soft --effective 24
}

@test "bad: inserting where the notice of what follows no longer fits" {
    given_head
    material m2 18 2 head.stmt
    # an urgent one may come at 20 at the earliest, so 2.0.0 at 20 would be in the way: 19 is too near
    refused propose-urgent-notice eractl propose --offline m2 --key s1 -o p.stmt --urgent --set-version 1.9.0 \
        --class breaking --effective 19
    propose m1 next.stmt --set-version 3.0.0 --class breaking --effective 21
    material m3 17 3 next.stmt
    refused propose-refit eractl propose --offline m3 --key s1 -o p.stmt --drop "$(entry_of m3 2.0.0)"
}

@test "bad: dropping what has begun" {
    given_head
    material m2 25 2 head.stmt
    refused propose-drop-begun eractl propose --offline m2 --key s1 -o p.stmt --drop "$(entry_of m2 2.0.0)"
}

@test "bad: material" {
    given_network
    material m0 0 1
    p=(eractl propose --key s1 -o p.stmt --set-version 1.1.0 --class soft --effective 20 --offline)
    refused material-missing "${p[@]}" none
    echo '{}' >empty
    refused material-empty "${p[@]}" empty
    jq '.epoch = -1' m0 >negative
    refused material-epoch "${p[@]}" negative
    jq '.charter = "AAAA"' m0 >charter
    refused material-charter "${p[@]}" charter
    jq '.charter = "****"' m0 >base64
    refused material-base64 "${p[@]}" base64
    jq '.component = "other"' m0 >component
    refused material-component "${p[@]}" component
    material head 0 1 charter.bin
    refused material-head "${p[@]}" head
    eractl keygen stranger
    refused key-no-signer eractl propose --key stranger -o p.stmt --set-version 1.1.0 --class soft --effective 20 --offline m0
}
