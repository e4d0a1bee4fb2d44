#!/usr/bin/env bats
# charter new, check, compile, show, hash.

load given

@test "charter new writes a text that is usable at once" {
    given_network
    run eractl charter check charter.txt
    [ "$status" -eq 0 ]
    grep -q '^# ' charter.txt
    [ "$(eractl charter hash charter.txt)" = "$(cat network.id)" ]
}

@test "R13 charter new asks enough signers that none can split a charter version" {
    given_network
    grep -q 'k = 3; .* of 3' charter.txt
    eractl keygen s4
    eractl charter new --name n --signer a=s1.pub --signer b=s2.pub --signer c=s3.pub --signer d=s4.pub \
        --validator v=v1.pub:1 | grep -q 'k = 3; .* of 4'
}

@test "P4 charter new without validators is a network of trusted keys" {
    given_network
    eractl charter new --name one --signer s=s1.pub >one.txt
    grep -q 'authority_only = true' one.txt
    run eractl charter check one.txt
    [ "$status" -eq 0 ]
}

@test "charter new counts epochs by heights when told" {
    given_network
    eractl charter new --name h --heights 100 --signer s=s1.pub | grep -q 'epoch_heights = "100"'
}

@test "charter check prints advice with where and cure, and is 0" {
    given_network
    run eractl charter check charter.txt
    [ "$status" -eq 0 ]
    says "advice: "
    says "where: charter.txt: validator v1"
    says "cure: spread the stake"
    run eractl --json charter check charter.txt
    jq -e '.schema == "erad.charter-check/1" and .errors == 0 and (.findings | length) == .advice
        and (.findings[0] | has("text") and has("where") and has("cure") and .level == "advice")' <<<"$output"
}

@test "charter check is 1 when something is wrong" {
    given_network
    sed 's/ k = 3;/ k = 9;/' charter.txt >wrong.txt
    run eractl charter check wrong.txt
    [ "$status" -eq 1 ]
    says "error: "
    says "where: wrong.txt: component network"
    run eractl --json charter check wrong.txt
    [ "$status" -eq 1 ]
    jq -e '.errors >= 1' <<<"$output"
}

@test "charter compile, show and hash agree, and a text survives the round trip" {
    given_network
    eractl charter show charter.bin >again.txt
    [ "$(eractl charter compile again.txt -o again.bin)" = "$(cat network.id)" ]
    cmp charter.bin again.bin
    run eractl --json charter hash charter.bin
    jq -e --arg id "$(cat network.id)" '.hash == $id and .network == $id and .version == 0' <<<"$output"
    eractl --json charter show charter.bin | jq -j .text | cmp - again.txt
}

@test "charter compile again is fine" {
    given_network
    eractl charter compile charter.txt -o charter.bin
}

@test "bad: charters" {
    given_network
    sed 's/ k = 3;/ k = 9;/' charter.txt >wrong.txt
    eractl charter new --name other --signer s=s1.pub >other.txt
    sed 's/name = "grid"/nmae = "grid"/' charter.txt >typo.txt
    printf '@include "x"\n' | cat - charter.txt >include.txt
    sed 's/stake = "100"/stake = 100/' charter.txt >bare.txt
    head -c 100 charter.bin >cut.bin
    refused charter-missing eractl charter check none
    refused charter-typo eractl charter check typo.txt
    refused charter-include eractl charter check include.txt
    refused charter-bare-number eractl charter check bare.txt
    refused charter-cut eractl charter hash cut.bin
    refused charter-empty eractl charter show /dev/null
    refused charter-no-output eractl charter compile charter.txt
    refused charter-wrong eractl charter compile wrong.txt -o wrong.bin
    [ ! -e wrong.bin ]
    refused charter-replace eractl charter compile other.txt -o charter.bin
    [ "$(eractl charter hash charter.bin)" = "$(cat network.id)" ]
}

@test "bad: new charters" {
    given_network
    new=(eractl charter new --name n)
    refused new-no-name eractl charter new --signer s=s1.pub
    refused new-name eractl charter new --name "My Net" --signer s=s1.pub
    refused new-no-signer "${new[@]}"
    refused new-signer-form "${new[@]}" --signer s1.pub
    refused new-signer-key "${new[@]}" --signer s=none.pub
    refused new-signer-twice "${new[@]}" --signer a=s1.pub --signer b=s1.pub
    refused new-signer-secret "${new[@]}" --signer a=s1
    refused new-stake "${new[@]}" --signer s=s1.pub --validator v=v1.pub
    refused new-stake-zero "${new[@]}" --signer s=s1.pub --validator v=v1.pub:0
    refused new-epoch "${new[@]}" --signer s=s1.pub --epoch daily
    refused new-genesis "${new[@]}" --signer s=s1.pub --genesis tomorrow
    refused new-version "${new[@]}" --signer s=s1.pub --set-version 1.0
    refused new-quote "${new[@]}" --signer s=s1.pub --set-version '1.0.0"; k = "'
    refused new-replace "${new[@]}" --signer s=s1.pub -o charter.txt
}
