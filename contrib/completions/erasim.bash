# bash completion of erasim.
# shellcheck shell=bash

_erasim_options() {
    case $1 in
    run) echo "--seed --nodes --hours --epoch --faults --strict --neighbours --unbounded --trace --svg --spread" ;;
    sweep) echo "--seeds --jobs --nodes --hours --epoch --faults --strict --neighbours --unbounded" ;;
    script) echo "--trace --svg" ;;
    mutants) echo "--dir --seeds --jobs --nodes --hours --faults --strict" ;;
    esac
}

_erasim() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
    COMPREPLY=()
    case $prev in
    --strict) mapfile -t COMPREPLY < <(compgen -W "on off" -- "$cur") && return ;;
    --faults)
        mapfile -t COMPREPLY < <(compgen -W "all none $(erasim faults 2>/dev/null | cut -d' ' -f1)" -- "$cur")
        return
        ;;
    --trace | --svg | --spread | script) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
    --dir) mapfile -t COMPREPLY < <(compgen -d -- "$cur") && return ;;
    esac
    if [[ $COMP_CWORD -eq 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "run sweep script mutants faults --help --version" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -W "$(_erasim_options "$verb") --json --help --version" -- "$cur")
    fi
}
complete -F _erasim erasim
