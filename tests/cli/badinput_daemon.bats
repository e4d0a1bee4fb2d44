#!/usr/bin/env bats
# What outside input does to a running daemon, or to one that starts: the rows
# of tests/badinput/table.tsv that need the programs themselves.
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # backquotes of messages; net is set in lib

load lib

setup() { network_make; }
teardown() { network_remove; }

# refused STATUS TEXT COMMAND…: it ends with that status and says the text.
refused() {
    local want=$1 text=$2
    shift 2
    run "$@"
    echo "$output"
    [ "$status" -eq "$want" ] && [[ "$output" == *"$text"* ]]
}

# A proposal of sam's; its id in $proposal. given_proposal [OPTION…]
given_proposal() {
    proposal=$(ctl propose --key "$net/sam.key" --set-version 1.1.0 --class soft --effective +9 --yes "$@")
}

# ---- starting ---------------------------------------------------------------------

@test "an unknown setting ends the start with 78 and the nearest name" {
    conf_write 'listn = [ "tcp://127.0.0.1:0" ];'
    refused 78 'unknown setting `listn`; did you mean `listen`?' erad -c "$net/erad.conf"
    [[ "$output" == *"erad.conf:6"* ]]
    refused 78 'did you mean `listen`?' erad -t -c "$net/erad.conf"
}

@test "a setting of a wrong type ends the start with 78" {
    conf_write 'store_bytes = 1073741824;'
    refused 78 'setting `store_bytes` must be a decimal number in quotes' erad -t -c "$net/erad.conf"
}

@test "a configuration that is not there ends the start with 66" {
    refused 66 'cannot read the configuration' erad -c "$net/nowhere.conf"
}

@test "an unknown option of erad ends with 64" {
    refused 64 "unrecognized option '--fly'" erad --fly
    refused 64 "unexpected argument" erad fly
}

@test "a charter with k = 0 ends the start and the check" {
    sed -i 's/k = 2;/k = 0;/' "$net/charter.txt"
    refused 65 'setting `k` is 0, not 1 to 64' erad -c "$net/erad.conf"
    refused 65 'setting `k` is 0, not 1 to 64' eractl charter check "$net/charter.txt"
}

@test "a charter with k above its signers is found by the check" {
    sed -i 's/k = 2; urgent_k = 3;/k = 4; urgent_k = 4;/' "$net/charter.txt"
    refused 1 'component network' eractl charter check "$net/charter.txt"
    refused 78 'charter:' erad -c "$net/erad.conf"
}

@test "a bare integer where 64 bits may stand ends with 65" {
    sed -i 's/stake = "10"/stake = 4294967297/' "$net/charter.txt"
    refused 65 'a number without quotes must be whole, 0 to 2147483647' eractl charter check "$net/charter.txt"
    sed -i 's/stake = 4294967297/stake = 7/' "$net/charter.txt"
    refused 65 'setting `stake` must be a decimal number in quotes' eractl charter check "$net/charter.txt"
}

@test "an include in a charter ends with 65" {
    echo '@include "/etc/passwd"' >>"$net/charter.txt"
    refused 65 '@include is not allowed' eractl charter check "$net/charter.txt"
}

@test "one key named for two signers ends with 65" {
    sed -i "s/$(cat "$net/sue.key.pub")/$(cat "$net/sam.key.pub")/" "$net/charter.txt"
    refused 65 'is named twice, first on line 10' eractl charter check "$net/charter.txt"
}

@test "a state directory of another charter ends the start with 78" {
    node_start
    node_stop
    charter_write "$net/charter.txt" 7200000
    refused 78 'this state directory belongs to another charter' erad -c "$net/erad.conf"
}

@test "a second daemon on one state directory ends with 75 and the first goes on" {
    node_start
    refused 75 'another erad already runs on this state directory' erad -c "$net/erad.conf"
    ctl gate
}

@test "a state directory open to others ends the start with 77 and the command that mends it" {
    mkdir -m 755 "$net/state"
    refused 77 'chmod 700' erad -c "$net/erad.conf"
}

@test "a validator key that others may read ends the start with 77 and the command that mends it" {
    chmod 644 "$net/alice.key"
    refused 77 'group or others may use it (mode 0644)' erad -c "$net/erad.conf"
    [[ "$output" == *"chmod 600"* ]]
}

@test "a key that the charter does not name ends the start with 78" {
    conf_write
    sed -i 's/alice.key/sam.key/' "$net/erad.conf"
    refused 78 'the charter names this key neither as validator nor as emitter' erad -c "$net/erad.conf"
}

@test "a store of a newer schema ends the start with 78 and stays as it is" {
    local tag at before
    node_start
    node_stop
    # The record of the schema, with the number 2 and a hash that fits it.
    tag=$(printf 'erad-record-v1Mschema\0\0\0\2' | b2sum -l 256 | cut -c 1-32 | sed 's/../\\x&/g')
    while read -r at; do
        # shellcheck disable=SC2059 # the tag is the format
        printf "\0\0\0\2$tag" | dd of="$net/state/store/data.mdb" bs=1 seek=$((at + 7)) conv=notrunc status=none
    done < <(grep -abo Mschema "$net/state/store/data.mdb" | cut -d : -f 1)
    before=$(sha256sum <"$net/state/store/data.mdb")
    refused 78 'the store was made by a newer version of erad; it is left untouched' erad -c "$net/erad.conf"
    [ "$(sha256sum <"$net/state/store/data.mdb")" = "$before" ]
}

@test "a damaged store is moved aside and the daemon starts" {
    node_start
    node_stop
    truncate -s 5000 "$net/state/store/data.mdb"
    node_start
    log_says 'store: damaged, moved to'
    [ -e "$net/state/store.damaged-1/data.mdb" ]
}

@test "a reload of a broken configuration keeps the old one" {
    node_start
    echo 'versions = 7;' >>"$net/erad.conf"
    kill -HUP "$node_pid"
    until_true log_says 'the old configuration stays'
    [ "$(ctl status --json | jq -r .versions.software)" = 1.0.0 ]
}

# ---- statements handed in ------------------------------------------------------------

@test "what is no statement is refused with 65" {
    node_start
    printf 'no statement' >"$net/text"
    refused 65 'this is no signed statement' ctl submit "$net/text"
    : >"$net/empty"
    refused 65 'this is no signed statement' ctl submit "$net/empty"
    refused 66 'cannot read the statement' ctl submit "$net/nowhere"
}

@test "a truncated statement is refused with 65" {
    node_start
    given_proposal -o "$net/statement"
    head -c -1 "$net/statement" >"$net/cut"
    refused 65 'this is no signed statement' ctl submit "$net/cut"
}

@test "a statement above 1 MiB is refused with 65" {
    node_start
    head -c 1048577 /dev/zero >"$net/large"
    refused 65 'File too large' ctl submit "$net/large"
}

@test "a wrong signature is refused with 65" {
    node_start
    given_proposal -o "$net/statement"
    # The signature stands last.
    head -c -1 "$net/statement" >"$net/forged"
    tail -c 1 "$net/statement" | tr '\0-\377' '\1-\377\0' >>"$net/forged"
    refused 65 'the signature does not fit' ctl submit "$net/forged"
    ctl submit "$net/statement"
}

@test "a statement of another network is refused with 65" {
    node_start
    given_proposal -o "$net/statement"
    node_stop
    rm -r "$net/state"
    charter_write "$net/charter.txt" 7200000
    node_start
    refused 65 'the signature does not fit' ctl submit "$net/statement"
}

@test "a statement of a key that the charter does not name is refused with 77" {
    eractl keygen "$net/mallory.key"
    cp "$net/charter.txt" "$net/ours"
    sed -i "s/$(cat "$net/sam.key.pub")/$(cat "$net/mallory.key.pub")/" "$net/charter.txt"
    node_start
    proposal=$(ctl propose --key "$net/mallory.key" --set-version 1.1.0 --class soft --effective +9 --yes -o "$net/statement")
    node_stop
    rm -r "$net/state"
    mv "$net/ours" "$net/charter.txt"
    node_start
    refused 77 'no known charter names this key in that role' ctl submit "$net/statement"
    given_proposal
    rm -f "$net/mallory.key.network"
    refused 77 'is no signer of network' ctl approve "$proposal" --key "$net/mallory.key" --yes
}

@test "one signer who approves twice is counted once" {
    node_start
    given_proposal
    ctl approve "$proposal" --key "$net/sue.key" --yes -o "$net/approval"
    ctl submit "$net/approval"
    ctl submit "$net/approval"
    ctl approve "$proposal" --key "$net/sue.key" --yes
    [ "$(ctl show "$proposal" --json | jq .proposal.approvals.count)" -eq 1 ]
    [ "$(ctl show "$proposal" --json | jq -r .proposal.state)" = open ]
}

@test "a second approval in one slot is refused with 65" {
    local first
    node_start
    given_proposal --seq 1
    first=$proposal
    ctl approve "$first" --key "$net/sue.key" --yes
    given_proposal --seq 1 --text rival
    [ "$proposal" != "$first" ]
    refused 65 'so it cannot approve' ctl approve "$proposal" --key "$net/sue.key" --yes
}

@test "an approval beyond the window of sixteen slots is refused with 65" {
    node_start
    given_proposal --seq 17
    refused 65 'beyond the window' ctl approve "$proposal" --key "$net/sue.key" --yes
    given_proposal --seq 16
    ctl approve "$proposal" --key "$net/sue.key" --yes
}

@test "a proposal 65 slots ahead is refused with 65" {
    node_start
    refused 65 'its sequence number lies beyond the window' ctl propose --key "$net/sam.key" --set-version 1.1.0 \
        --class soft --effective +9 --seq 65 --yes
}

@test "an entry with too little notice is refused with 65" {
    node_start
    refused 65 'is too near: it is epoch 0, and a change needs a notice of 2 epochs' ctl propose --key "$net/sam.key" --set-version 1.1.0 --class soft \
        --effective +1 --yes
}

@test "an epoch near 2^64 is refused with 64" {
    node_start
    refused 64 'this is no epoch' ctl propose --key "$net/sam.key" --set-version 1.1.0 --class soft \
        --effective 18446744073709551615 --yes
    refused 64 'this is no epoch' ctl propose --key "$net/sam.key" --set-version 1.1.0 --class soft \
        --effective 9007199254740992 --yes
}

@test "versions that are none are refused with 64" {
    node_start
    refused 64 'it needs three numbers' ctl propose --key "$net/sam.key" --set-version 1.2 --class soft \
        --effective +9 --yes
    refused 64 'this is no semantic version' ctl propose --key "$net/sam.key" --set-version 01.2.3 --class soft \
        --effective +9 --yes
}

@test "a signer key that others may read signs nothing" {
    node_start
    given_proposal
    chmod 640 "$net/sue.key"
    refused 77 'group or others may use it (mode 0640)' ctl approve "$proposal" --key "$net/sue.key" --yes
}

# ---- what a person or a host program asks ---------------------------------------------

@test "an id that nothing has is 66 and one too short 64" {
    node_start
    refused 66 'nothing here has that id' ctl show 0123456789abcdef
    refused 64 '' ctl show 0123
    refused 64 '' ctl show xyzxyzxyz
}

@test "ready before the approvals is refused with 75" {
    node_start
    given_proposal
    refused 75 'the proposal has not enough approvals yet' ctl ready "$proposal"
}

@test "what needs a validator key is refused with 77 where none is" {
    conf_write
    sed -i '/validator_key/d' "$net/erad.conf"
    node_up
    given_proposal
    refused 77 'this node holds no key for that' ctl ready "$proposal"
    printf x >"$net/payload"
    refused 77 'this node holds no key for that' ctl emit some.topic "$net/payload"
}

@test "an event above 4 KiB is refused with 65" {
    node_start
    head -c 4097 /dev/zero >"$net/payload"
    refused 65 'larger than the limit' ctl emit some.topic "$net/payload"
    head -c 4096 /dev/zero >"$net/payload"
    ctl emit some.topic "$net/payload"
}

@test "a topic that is no name is refused with 65" {
    node_start
    printf x >"$net/payload"
    refused 65 'a topic is 1 to 64 of a-z 0-9 . _ -' ctl emit 'Some Topic' "$net/payload"
}

@test "more events than the charter allows are refused with 75" {
    sed -i 's/overrides = true;/overrides = true; events_per_epoch = 2;/' "$net/charter.txt"
    node_start
    printf x >"$net/payload"
    ctl emit some.topic "$net/payload"
    ctl emit some.topic "$net/payload"
    refused 75 'more than the charter allows' ctl emit some.topic "$net/payload"
}

@test "a height for a wall clock is refused with 64" {
    node_start
    refused 64 "the charter's clock is wall time, not height" ctl height 7
}

@test "a tree with a link or a newline in a name is refused by name" {
    mkdir "$net/tree"
    ln -s nowhere "$net/tree/link"
    refused 65 link eractl hash "$net/tree"
    rm "$net/tree/link"
    printf x >"$net/tree/a"$'\n'b
    refused 65 'a\x0ab' eractl hash "$net/tree"
}

@test "no daemon is 69" {
    refused 69 'no daemon answers' ctl status
}

# ---- the control socket ------------------------------------------------------------

# Descriptors 5 and 6 lead to and from the control socket.
raw_open() {
    coproc RAW { exec socat - "UNIX-CONNECT:$net/state/control.sock" 3>&-; }
    raw_pid=$RAW_PID
    exec 5>&"${RAW[1]}" 6<&"${RAW[0]}"
}
raw_close() {
    kill "$raw_pid" 2>/dev/null || true
    exec 5>&- 6<&-
}

# ask_raw COUNT BYTES: as a message of NNG's req; the first COUNT bytes that come, as text.
ask_raw() {
    local bytes=$2 length
    length=$(printf '%08x' $(($(printf '%b' "$bytes" | wc -c) + 4)) | sed 's/../\\x&/g')
    raw_open
    printf '%b' "\\0SP\\0\\0\\x30\\0\\0\\x01\\0\\0\\0\\0$length\\x80\\0\\0\\x01$bytes" >&5
    timeout "$deadline_s" head -c "$1" <&6 | tr -cd '[:print:]'
    raw_close
}

@test "an unknown verb of a request is refused with the nearest one" {
    node_start
    refused 0 "there is no verb 'statsu', the nearest is 'status'" ask_raw 130 '\x08\x01\x12\x06statsu'
    [[ "$output" == *usage* ]]
}

@test "an unknown verb of eractl is 64 with the nearest one" {
    refused 64 'did you mean `eractl status`?' eractl statsu
    refused 64 'did you mean --json?' eractl status --jsn
}

@test "a request that does not decode is refused" {
    node_start
    refused 0 truncated ask_raw 60 '\xff\xff\xff'
    ctl gate
}

@test "a request that claims 3 MiB is cut off" {
    node_start
    raw_open
    printf '\0SP\0\0\x30\0\0\x01\0\0\0\0\0\x30\0\x05\x80\0\0\1' >&5
    # Nothing but the greeting, 8 bytes, then the end.
    [ "$(timeout "$deadline_s" cat <&6 | wc -c)" -eq 8 ]
    raw_close
    ctl gate
}

@test "another user is refused with 77 by the socket's mode and in band" {
    [ "$(id -u)" -eq 0 ] || skip 'only root can become another user'
    local as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    conf_write 'control = "control.sock";'
    install -m 755 "$(command -v eractl)" "$net/eractl"
    chmod 755 "$net"
    ctl() { eractl --control "$net/control.sock" "$@"; }
    node_start
    refused 77 "the daemon's socket is not open to you" "${as[@]}" "$net/eractl" --control "$net/control.sock" gate
    chmod 666 "$net/control.sock"
    refused 77 'not allowed for this user' "${as[@]}" "$net/eractl" --control "$net/control.sock" gate
    refused 77 '"code":"permission"' "${as[@]}" "$net/eractl" --json --control "$net/control.sock" gate
}

# ---- the observers' port -----------------------------------------------------------

http_status() { curl -s -o "$net/body" -w '%{http_code}' --max-time "$deadline_s" "$@"; }

@test "a method that changes something is 405" {
    node_start
    [ "$(http_status -X POST "http://$(observers)/api/v1/status")" = 405 ]
    grep -q 'only GET and HEAD are served here' "$net/body"
    [ "$(http_status -X DELETE "http://$(observers)/metrics")" = 405 ]
}

@test "a foreign Host on loopback is 403" {
    node_start
    [ "$(http_status -H 'Host: evil.example' "http://$(observers)/api/v1/status")" = 403 ]
    grep -q 'foreign name' "$net/body"
    [ "$(http_status -H 'Host: localhost' "http://$(observers)/healthz")" = 200 ]
}

@test "a request's head above 8 KiB is 431" {
    node_start
    [ "$(http_status -H "X-Large: $(printf '%9000s' x)" "http://$(observers)/healthz")" = 431 ]
}

@test "a request with a body is 413 and an unknown page 404" {
    node_start
    [ "$(http_status -X GET -d body "http://$(observers)/healthz")" = 413 ]
    [ "$(http_status "http://$(observers)/nowhere")" = 404 ]
}

@test "what is no request is 400" {
    node_start
    exec 4<>"/dev/tcp/${observers_host:-127.0.0.1}/$(observers | sed 's/.*://')"
    printf 'fly me to the moon\r\n\r\n' >&4
    run timeout "$deadline_s" cat <&4
    exec 4>&-
    [[ "$output" == 'HTTP/1.1 400 '* ]]
}

# ---- the disk ---------------------------------------------------------------

@test "a full map is 73 and the daemon serves on and votes no more" {
    local i links=() key
    conf_write 'store_bytes = "1048576";'
    node_start
    for i in {10..25}; do
        links+=(--artefact "a$i=sha256:$(printf '%064d' "$i")" --artefact-link "a$i=https://example.org/$(printf '%0200d' "$i")")
    done
    ctl propose --export "$net/material"
    for i in {1..60}; do
        for key in sam sue sid; do
            run ctl propose --offline "$net/material" --key "$net/$key.key" --set-version 1.1.0 --class soft \
                --effective +9 --seq "$i" --text "$key" --yes -o "$net/statement" "${links[@]}"
            [ "$status" -eq 0 ]
            run ctl submit "$net/statement"
            if [ "$status" -ne 0 ]; then break 2; fi
        done
    done
    echo "$output"
    [ "$status" -eq 73 ]
    [[ "$output" == *'the store could not keep it, so it was not acknowledged'* ]]
    [ "$(ctl submit --json "$net/statement" | jq -r .error.code)" = store-failed ]
    [ "$(ctl status --json | jq .store.failed)" = true ]
    [ "$(curl -s "http://$(observers)/metrics" | sed -n 's/^erad_store_failed //p')" = 1 ]
    # More room, and all that was acknowledged is there.
    node_stop
    conf_write 'store_bytes = "8388608";'
    node_start
    [ "$(ctl status --json | jq .store.failed)" = false ]
    ctl submit "$net/statement"
}
