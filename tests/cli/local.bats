#!/usr/bin/env bats
# Verbs that need neither daemon nor charter: keygen, hash, semver.

load given

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

@test "keygen makes a private key file and its public half" {
    run eractl keygen k
    [ "$status" -eq 0 ]
    [ "$output" = "$(cat k.pub)" ]
    [[ "$output" == erapub1* ]]
    [ "$(stat -c %a k)" = 600 ]
    [ "$(eractl keygen --show k)" = "$output" ]
    [ "$(eractl keygen --show k.pub)" = "$output" ]
    run eractl --json keygen --show k
    [ "$output" = "{\"schema\":\"erad.keygen/1\",\"key\":\"$(cat k.pub)\"}" ]
}

@test "bad: key files" {
    eractl keygen k
    before=$(cat k)
    refused key-exists eractl keygen k
    [ "$(cat k)" = "$before" ]
    refused key-no-folder eractl keygen none/k
    refused key-missing eractl keygen --show none
    chmod 640 k
    refused key-open eractl keygen --show k
    chmod 600 k
    echo erasec1qqqq >short
    chmod 600 short
    refused key-malformed eractl keygen --show short
    sed 's/x$/q/; t; s/.$/x/' k.pub >wrong.pub # every key may end with an x already
    refused key-checksum eractl keygen --show wrong.pub
    cp k secret.pub
    refused key-secret-as-public eractl keygen --show secret.pub
}

@test "T2 the hash of a directory is Go's h1, of a file its sha256" {
    mkdir -p d/sub
    printf 'one\n' >d/a
    printf 'two\n' >d/sub/b
    chmod 755 d/a
    h1=h1:$(printf '%s  a\n%s  sub/b\n' "$(sha256sum <d/a | cut -c1-64)" "$(sha256sum <d/sub/b | cut -c1-64)" |
        sha256sum | cut -c1-64 | tr a-f A-F | basenc -d --base16 | base64)
    m1=m1:$(printf '0755 %s  a\n0644 %s  sub/b\n' "$(sha256sum <d/a | cut -c1-64)" "$(sha256sum <d/sub/b | cut -c1-64)" |
        sha256sum | cut -c1-64 | tr a-f A-F | basenc -d --base16 | base64)
    [ "$(eractl hash d)" = "$h1" ]
    [ "$(eractl hash --modes d)" = "$m1" ]
    [ "$(eractl hash d/a)" = "sha256:$(sha256sum <d/a | cut -c1-64)" ]
    run eractl hash d --json
    [ "$output" = "{\"schema\":\"erad.hash/1\",\"digest\":\"$h1\"}" ]
}

@test "bad: what cannot be hashed" {
    mkdir d
    printf 'x' >d/a
    refused hash-missing eractl hash none
    refused hash-modes-file eractl hash --modes d/a
    ln -s a d/link
    refused hash-link eractl hash d
    rm d/link
    touch "d/new"$'\n'"line"
    refused hash-newline eractl hash d
    rm d/new*
    mkfifo d/pipe
    refused hash-fifo eractl hash d
}

@test "P5 semver compare is -1, 0 or 1" {
    [ "$(eractl semver compare 1.0.0-rc.1 1.0.0)" = -1 ]
    [ "$(eractl semver compare 1.10.0 1.9.0)" = 1 ]
    [ "$(eractl semver compare 1.0.0+a 1.0.0+b)" = 0 ]
}

@test "semver match is a status" {
    run eractl semver match 1.5.0 '>=1.2.0 <2.0.0'
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    run eractl semver match 2.0.0 '>=1.2.0 <2.0.0'
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    run eractl --json semver match 2.0.0 '^1.0.0'
    [ "$status" -eq 1 ]
    [ "$output" = '{"schema":"erad.semver-match/1","match":false}' ]
}

@test "bad: versions and ranges" {
    refused semver-short eractl semver compare 1.2 1.0.0
    refused semver-v eractl semver compare 1.0.0 v1.0.0
    refused semver-zero eractl semver match 01.0.0 '*'
    refused range-word eractl semver match 1.0.0 latest
    refused range-x eractl semver match 1.0.0 1.x
}
