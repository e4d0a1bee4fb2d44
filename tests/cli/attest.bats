#!/usr/bin/env bats
# attest: what is refused before the daemon is asked, and how --build works.
# shellcheck disable=SC2016 # $ERAD_OUT is the build's

load given

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

id=0123456789abcdef

@test "--build runs in a fresh copy of the source and leaves nothing behind" {
    mkdir source tmp
    echo 'content' >source/file
    export TMPDIR=$PWD/tmp
    run eractl attest "$id" --state "$PWD/none" --source source \
        --build 'cat file >seen; rm file; cp seen "$ERAD_OUT"; pwd >'"$PWD/where"
    [ "$status" -eq 69 ] # built; only then is the daemon asked
    [ -f source/file ]
    [[ "$(cat where)" == "$PWD"/tmp/eractl-build.*/source ]]
    [ -z "$(ls tmp)" ]
}

@test "what the build says is a message, not data" {
    run --separate-stderr eractl attest "$id" --state "$PWD/none" --build 'echo building; echo x >"$ERAD_OUT"'
    [ -z "$output" ]
    says "building"
}

@test "bad: what is attested" {
    mkdir d
    echo x >f
    refused attest-nothing eractl attest "$id"
    refused attest-two eractl attest "$id" --dir d --file f
    refused attest-id eractl attest 123 --dir d
    refused attest-missing eractl attest "$id" --dir none
    refused attest-no-directory eractl attest "$id" --dir f
    refused attest-no-file eractl attest "$id" --file d
    refused attest-source-alone eractl attest "$id" --dir d --source d
    refused attest-build-fails eractl attest "$id" --build 'exit 3'
    refused attest-build-killed eractl attest "$id" --build 'kill -9 $$'
    refused attest-build-empty eractl attest "$id" --build true
    refused attest-source-missing eractl attest "$id" --build true --source none
    ln -s f d/link
    refused attest-source-link eractl attest "$id" --build true --source d
    refused attest-out-link eractl attest "$id" --build 'ln -s /etc/passwd "$ERAD_OUT"'
}
