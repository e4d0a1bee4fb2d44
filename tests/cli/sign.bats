#!/usr/bin/env bats
# approve, reject, submit without a daemon, and the signer's own record.

load given

# A proposal by s1 in slot 1, and the material to judge it by: p.stmt, mp.
given_proposal() {
    given_network
    material m0 0 1
    propose m0 p.stmt --set-version 2.0.0 --class breaking --effective 20 --text one >p.id 2>/dev/null
    material mp 0 2 "" p.stmt
}

approve() { eractl approve --offline "$1" --key s2 -o "$2" "${@:3}"; }

@test "R3 an approval is written down, then signed, and says what it is for" {
    given_proposal
    run --separate-stderr approve mp a.stmt --json
    [ "$status" -eq 0 ]
    jq -e --arg p "$(cat p.id)" '.schema == "erad.approve/1" and .proposal == $p and .seq == 1 and .submitted == false' \
        <<<"$output"
    says "2.0.0, breaking"
    [ -s a.stmt ]
    [ "$(cat s2.approvals)" = "$(cat network.id) network 0 1 $(cat p.id)" ]
    [ "$(stat -c %a s2.approvals)" = 600 ]
}

@test "approving the same again is fine, and gives the same bytes" {
    given_proposal
    approve mp a.stmt
    approve mp b.stmt
    cmp a.stmt b.stmt
    [ "$(wc -l <s2.approvals)" -eq 1 ]
}

@test "an approval has nothing specific to its signer" {
    given_proposal
    one=$(approve mp a.stmt 2>/dev/null)
    two=$(eractl approve --offline mp --key s3 -o b.stmt 2>/dev/null)
    [ "$one" = "$two" ]
}

@test "a signature never leaves before its line is on the disk" {
    given_proposal
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -s 400 -o trace -e trace=openat,write,writev,fsync,rename \
        eractl approve --offline mp --key s2 -o a.stmt 2>/dev/null || skip "strace is not here"
    # the record's line, its fsync, and only then anything named as the output
    line=$(grep -n 'write.* network 0 1 ' trace | head -1 | cut -d: -f1)
    sync=$(awk -v line="$line" 'NR > line && /fsync/ { print NR; exit }' trace)
    out=$(grep -n 'a\.stmt' trace | head -1 | cut -d: -f1)
    echo "line $line sync $sync out $out"
    [ "$line" -lt "$sync" ]
    [ "$sync" -lt "$out" ]
}

@test "R2 one proposal a slot" {
    given_proposal
    propose m0 q.stmt --set-version 2.0.1 --class breaking --effective 20 >q.id 2>/dev/null
    material mq 0 2 "" q.stmt
    approve mp a.stmt
    refused approve-other eractl approve --offline mq --key s2 -o b.stmt
    run --separate-stderr approve mq b.stmt
    says "$(cat p.id)"
    says "$(cat q.id)"
    [ ! -e b.stmt ]
    [ "$(wc -l <s2.approvals)" -eq 1 ]
}

@test "a rejection gives its reason, and binds nothing" {
    given_proposal
    run --separate-stderr eractl reject --offline mp --key s2 --reason "not yet" -o r.stmt
    [ "$status" -eq 0 ]
    [[ "$output" =~ ^[0-9a-f]{64}$ ]]
    [ ! -s s2.approvals ]
    approve mp a.stmt
}

@test "authority only: what a key approved above the head is kept or dropped" {
    given_network
    eractl charter new --name solo --epoch 1h --notice 4 --signer s1=s1.pub --signer s2=s2.pub >solo.txt
    rm charter.bin
    eractl charter compile solo.txt -o charter.bin
    material m0 0 1
    propose m0 p.stmt --set-version 2.0.0 --class breaking --effective 20 >p.id
    propose m0 q.stmt --seq 2 --set-version 3.0.0 --class breaking --effective 30
    propose m0 r.stmt --seq 1 --set-version 2.0.0 --class breaking --effective 20
    material mp 0 2 "" p.stmt
    material mq 0 2 "" q.stmt p.stmt
    material mq_alone 0 2 "" q.stmt
    approve mp a.stmt
    refused approve-not-kept eractl approve --offline mq --key s2 -o b.stmt
    refused approve-not-held eractl approve --offline mq_alone --key s2 -o b.stmt
    material md 0 2 "" "" p.stmt
    propose md d.stmt --seq 2 --set-version 3.0.0 --class breaking --effective 30 --drop "$(cat p.id)"
    material mdd 0 2 "" d.stmt
    approve mdd b.stmt
}

@test "bad: approvals" {
    given_proposal
    a=(eractl approve --key s2 -o a.stmt)
    refused approve-no-id eractl approve --key s2
    refused approve-no-key eractl approve --offline mp -o a.stmt
    refused approve-no-output eractl approve --key s2 --offline mp
    refused approve-id eractl approve 1234 --key s2
    refused approve-another eractl approve 0123456789abcdef --key s2 --offline mp -o a.stmt
    refused approve-nothing "${a[@]}" --offline m0
    refused approve-validator eractl approve --key v1 --offline mp -o a.stmt
    material late 16 2 "" p.stmt
    refused approve-expired "${a[@]}" --offline late
    material near 17 2 "" p.stmt
    propose m0 long.stmt --set-version 2.0.0 --class breaking --effective 20 --expires 19
    material near 17 2 "" long.stmt
    refused approve-notice "${a[@]}" --offline near
    material under 0 2 p.stmt p.stmt
    refused approve-dominated "${a[@]}" --offline under
    propose m0 far.stmt --seq 17 --set-version 2.0.0 --class breaking --effective 20
    material far 0 2 "" far.stmt
    refused approve-window "${a[@]}" --offline far
    material other 0 3 p.stmt long.stmt
    propose m0 q.stmt --seq 2 --set-version 2.0.1 --class breaking --effective 20
    material other 0 3 p.stmt q.stmt
    refused approve-no-prev "${a[@]}" --offline other
    # one byte of the signature
    cp p.stmt forged.stmt
    printf '\001' | dd of=forged.stmt bs=1 seek=$(($(stat -c %s p.stmt) - 5)) conv=notrunc status=none
    material forged 0 2 "" forged.stmt
    refused approve-forged "${a[@]}" --offline forged
    approve mp vote.stmt
    material vote 0 2 "" vote.stmt
    refused approve-vote eractl approve --key s3 -o a.stmt --offline vote
    [ ! -e a.stmt ]
}

@test "bad: the record of approvals" {
    given_proposal
    echo nonsense >s2.approvals
    refused record-line eractl approve --key s2 --offline mp -o a.stmt
    printf '%s network 0' "$(cat network.id)" >s2.approvals
    refused record-cut eractl approve --key s2 --offline mp -o a.stmt
    rm s2.approvals
    exec 8>s2.approvals
    flock 8
    refused record-locked eractl approve --key s2 --offline mp -o a.stmt
    exec 8>&-
    rm s2.approvals
    mkdir s2.approvals
    refused record-directory eractl approve --key s2 --offline mp -o a.stmt
    [ ! -e a.stmt ]
}

@test "bad: rejections" {
    given_proposal
    refused reject-no-reason eractl reject --key s2 --offline mp -o r.stmt
    refused reject-empty eractl reject --key s2 --offline mp -o r.stmt --reason ""
    refused reject-long eractl reject --key s2 --offline mp -o r.stmt --reason "$(printf 'x%.0s' {1..1100})"
    material late 16 2 "" p.stmt
    refused reject-expired eractl reject --key s2 --offline late -o r.stmt --reason no
    material under 0 2 p.stmt p.stmt
    refused reject-dominated eractl reject --key s2 --offline under -o r.stmt --reason no
}

@test "bad: statements to submit" {
    given_proposal
    echo hello >text
    head -c 50 p.stmt >short
    refused submit-missing eractl submit none
    refused submit-text eractl submit text
    refused submit-cut eractl submit short
    refused submit-empty eractl submit /dev/null
    refused submit-none eractl submit
    refused submit-no-daemon eractl submit p.stmt --state "$PWD/none"
}
