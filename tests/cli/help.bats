#!/usr/bin/env bats
# What eractl says of itself, and to whoever mistypes.

load given

verbs() { eractl --help | sed -n '/^  [a-z]/s/^  \([a-z]*\( [a-z]*\)\{0,1\}\)  .*/\1/p'; }

@test "help lists every verb, and each has its own" {
    [ "$(verbs | wc -l)" -ge 27 ]
    while read -r verb; do
        # shellcheck disable=SC2086 # a verb may have two words
        run eractl $verb --help
        [ "$status" -eq 0 ]
        [[ "${lines[0]}" == "Usage: eractl $verb"* ]]
        says "--json"
        says "--state"
    done < <(verbs)
}

@test "help of a group lists its verbs" {
    run eractl charter --help
    [ "$status" -eq 0 ]
    says "charter check"
    never_says "semver"
}

@test "version is in GNU form" {
    run eractl --version
    [ "$status" -eq 0 ]
    [[ "${lines[0]}" =~ ^eractl\ \(erad\)\ [0-9]+\.[0-9]+\.[0-9]+ ]]
    says "Apache-2.0"
    run eractl status --version
    [ "$status" -eq 0 ]
    [[ "${lines[0]}" == "eractl (erad)"* ]]
}

@test "options may stand before the verb, and be shortened" {
    run eractl --json semver compare 1.0.0 2.0.0
    [ "$output" = '{"schema":"erad.semver-compare/1","order":-1}' ]
    run eractl semver compare 1.0.0 --js 2.0.0
    [ "$output" = '{"schema":"erad.semver-compare/1","order":-1}' ]
}

@test "bad: command lines" {
    refused no-verb eractl
    refused verb-typo eractl stauts
    refused group-typo eractl chartr check x
    refused word-typo eractl charter chek x
    refused verb-unknown eractl zzzzzz
    refused group-alone eractl charter
    refused option-typo eractl propose --compnent network
    refused option-unknown eractl status --zzzzzz
    refused option-short eractl status -z
    refused option-ambiguous eractl propose --s 1
    refused option-no-value eractl approve --key
    refused option-value eractl gate --quiet=yes
    refused option-twice eractl approve --key a --key b
    refused argument-missing eractl show
    refused argument-missing-2 eractl emit topic
    refused argument-extra eractl status now
    refused unlock-argument eractl unlock alice.key
    refused option-empty eractl status --=x
}

@test "bad: no daemon" {
    cd "$BATS_TEST_TMPDIR"
    unset ERAD_STATE
    for verb in status gate eras inbox log peers announcements; do
        refused no-daemon eractl "$verb" --state "$PWD/none"
    done
    refused no-daemon eractl show 0123456789abcdef --control "$PWD/none"
    refused no-daemon eractl ready 0123456789abcdef --state none
    refused no-daemon eractl height 5 --state none
    refused no-daemon eractl unlock --yes --state none
    echo x >event
    refused no-daemon eractl emit topic event --state none
    export ERAD_STATE=$PWD/none
    refused no-daemon eractl status
    refused no-daemon eractl events --state none
    refused no-daemon eractl wait --era 2 --timeout 1s --state none
    refused no-daemon eractl charter show --state none
    refused socket-path eractl status --state "$PWD/$(printf 'x%.0s' {1..120})"
}

@test "bad: what a daemon is asked" {
    cd "$BATS_TEST_TMPDIR"
    head -c 5000 /dev/zero >large
    for verb in show ready; do
        refused id-short eractl "$verb" 0123456
        refused id-no-hex eractl "$verb" 0123456789abcdefg
        refused id-upper eractl "$verb" 0123456789ABCDEF
    done
    refused height-no-number eractl height five
    refused height-too-large eractl height 9007199254740992
    refused topic-empty eractl emit "" large
    refused topic-long eractl emit "$(printf 't%.0s' {1..65})" large
    refused event-large eractl emit topic large
    refused event-missing eractl emit topic none
    refused duration-no-unit eractl events --timeout 5
    refused duration-fraction eractl events --timeout 1.5s
    refused count-no-number eractl events --count x
    refused wait-nothing eractl wait
    refused wait-two eractl wait --era 1 --gate current
    refused wait-era eractl wait --era two
    refused wait-id eractl wait --adopted 123
    refused wait-gate-typo eractl wait --gate curent
    refused wait-gate eractl wait --gate zzzzzzzzz
}

@test "a standard output that cannot be written is 73" {
    run bash -c "eractl --help >/dev/full"
    [ "$status" -eq 73 ]
    says "cannot write to standard output"
}

@test "every bad input of the table has its test" {
    run "$ERA_SRC/tests/cli/check-badinput"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "completions know every verb and option" {
    words=$ERA_SRC/contrib/completions/eractl.bash
    while read -r verb; do
        grep -qw -- "${verb%% *}" "$words"
        grep -qw -- "${verb##* }" "$words"
        # shellcheck disable=SC2086
        for option in $(eractl $verb --help | grep -o '^ \{2,6\}\(-., \)\{0,1\}--[a-z-]*' | grep -o -- '--.*'); do
            grep -q -- "$option\b" "$words" || {
                echo "$verb $option"
                return 1
            }
        done
    done < <(verbs)
}

@test "the manual knows every verb and option" {
    page=$ERA_SRC/doc/eractl.1
    while read -r verb; do
        grep -q "^\.It Ic $verb\b" "$page" || {
            echo "$verb"
            return 1
        }
        # shellcheck disable=SC2086
        for option in $(eractl $verb --help | grep -o '^ \{2,6\}\(-., \)\{0,1\}--[a-z-]*' | grep -o -- '--.*'); do
            grep -q "Fl Fl ${option#--}\b" "$page" || {
                echo "$verb $option"
                return 1
            }
        done
    done < <(verbs)
}
