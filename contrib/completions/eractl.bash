# bash completion of eractl.
# shellcheck shell=bash

# Options of a verb, without the common ones.
_eractl_options() {
    case $1 in
    keygen) echo "--show" ;;
    "charter new")
        echo "--name --validator --signer --emitter --set-version --epoch --genesis --heights --notice --output"
        ;;
    "charter compile") echo "--output" ;;
    hash) echo "--modes" ;;
    propose)
        echo "--key --network --component --set-version --class --effective --announce --era-name --artefact"
        echo "--artefact-link --source-digest --link --require --flag --depend --drop --urgent --text --expires"
        echo "--seq --dry-run --yes --yes-undo --offline --export --output"
        ;;
    inbox) echo "--key" ;;
    show) echo "--export" ;;
    approve) echo "--key --network --yes --offline --output" ;;
    reject) echo "--key --network --reason --yes --offline --output" ;;
    unlock) echo "--yes" ;;
    attest) echo "--artefact --dir --file --build --source --builder" ;;
    eras) echo "--component" ;;
    gate) echo "--component --quiet" ;;
    events) echo "--topic --signals --count --timeout" ;;
    wait) echo "--era --gate --approved --adopted --component --timeout" ;;
    esac
}

# Ids of proposals that wait, from the daemon.
_eractl_ids() {
    eractl inbox 2>/dev/null | sed -n 's/^\([0-9a-f]\{12\}\) .*/\1/p'
}

_eractl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb="" word
    local verbs="status gate eras inbox show log peers announcements propose approve reject submit attest ready unlock
        emit events wait height keygen charter hash semver"
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        -*) ;;
        *)
            if [[ -z $verb ]]; then
                verb=$word
            elif [[ $verb == charter || $verb == semver ]]; then
                verb="$verb $word"
            fi
            ;;
        esac
    done
    case $prev in
    --class) mapfile -t COMPREPLY < <(compgen -W "soft breaking override" -- "$cur") && return ;;
    --gate)
        mapfile -t COMPREPLY < <(compgen -W "forked blocked mismatch clock stale upgrade-soon notice current" -- "$cur")
        return
        ;;
    --approved | --adopted) mapfile -t COMPREPLY < <(compgen -W "$(_eractl_ids)" -- "$cur") && return ;;
    --key | --offline | --export | --file | --output | -o | --control)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return
        ;;
    --dir | --source | --state) mapfile -t COMPREPLY < <(compgen -d -- "$cur") && return ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_eractl_options "$verb") --json --control --state --help --version" -- "$cur")
        return
    fi
    case $verb in
    "") mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
    charter) mapfile -t COMPREPLY < <(compgen -W "new check compile show hash" -- "$cur") ;;
    semver) mapfile -t COMPREPLY < <(compgen -W "compare match" -- "$cur") ;;
    show | approve | reject | attest | ready) mapfile -t COMPREPLY < <(compgen -W "$(_eractl_ids)" -- "$cur") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
}
complete -F _eractl eractl
