#!/bin/bash
# Holds the table of bad inputs against the tests and the verdicts:
# - every row has six columns, an id of its own, and a test that exists in the file it names;
# - what its fifth column names stands in that test: a verdict by its name, else the words;
# - a penalty is the verdict's; an exit status is the verdict's, and a bats test of it names it;
# - every verdict of src/base/verdict.h is in the fifth column of some row, or an exception with its reason.
# usage: check.sh [TABLE [EXCEPTIONS]]
set -u
LC_ALL=C
export LC_ALL
root=${ERA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
table=${1:-$root/tests/badinput/table.tsv}
exceptions=${2:-$root/tests/badinput/exceptions.tsv}
verdicts=$root/src/base/verdict.h
wrong=0
rows=0
# shellcheck disable=SC1091
. "$root/tests/lib/bodies.bash"
declare -A seen=() shown=() penalty=() exit_of=() name_of=()

say() {
    echo "badinput: $*"
    wrong=$((wrong + 1))
}

# NAME code penalty exit of each row of the table of verdicts; a row may span lines.
read_verdicts() {
    local name code p e
    while read -r name code p e; do
        name_of[$code]=$name penalty[$code]=$p exit_of[$code]=$e
    done < <(sed -n '/#define ERA_VERDICTS(X)/,/^$/p' "$verdicts" | grep -v '^/' | tr -d '\n\134' | sed 's/X(/\nX(/g; s/$/\n/' |
        sed -nE 's/^X\(([A-Z0-9_]+), "([a-z0-9-]+)".*, ([0-9]+), ([0-9]+)\) *$/\1 \2 \3 \4/p')
    [ ${#name_of[@]} -gt 10 ] || say "cannot read the verdicts of $verdicts"
}

check_effect() { # ID FILE TEXT CODE EFFECT
    local number=${5##* }
    case $5 in
    'exit '*)
        case $2 in *.bats) grep -qw -e "$number" <<<"$3" || say "$1: $2 does not ask for status $number" ;; esac
        if [ -n "$4" ] && [ "${exit_of[$4]}" != "$number" ]; then say "$1: $4 ends with ${exit_of[$4]}, not $number"; fi
        ;;
    'HTTP '*) grep -qw -e "$number" <<<"$3" || say "$1: $2 does not ask for $number" ;;
    'penalty '*)
        if [ -z "$4" ]; then say "$1: a penalty without a verdict"
        elif [ "${penalty[$4]}" != "$number" ]; then say "$1: the penalty of $4 is ${penalty[$4]}, not $number"; fi
        ;;
    '') say "$1: no effect" ;;
    esac
}

check_row() { # ID CLASS INPUT WHERE SAYS EFFECT
    local file=${4%%:*} name=${4#*:} text code=
    case $2 in wire | cli | config | charter | key | disk | http | control | ledger) ;; *) say "$1: no class '$2'" ;; esac
    if [ -n "${seen[$1]:-}" ]; then say "$1: given twice"; fi
    seen[$1]=yes
    if [ ! -r "$root/$file" ]; then say "$1: there is no $file"; return; fi
    text=$(test_body "$root/$file" "$name")
    if [ -z "$text" ]; then say "$1: $file has no test '$name'"; return; fi
    if [ -n "${name_of[$5]:-}" ]; then
        code=$5
        shown[$code]=yes
        grep -qE "\\bERA_${name_of[$code]}\\b|\\b$code\\b" <<<"$text" || say "$1: '$name' does not name $code"
    elif [ "$5" != - ]; then
        grep -qF -e "$5" <<<"$text" || say "$1: '$name' does not say '$5'"
    fi
    check_effect "$1" "$file" "$text" "$code" "$6"
}

read_verdicts
while IFS= read -r line; do
    case $line in '#'* | '') continue ;; esac
    IFS=$'\t' read -ra column <<<"$line"
    if [ ${#column[@]} -ne 6 ]; then say "${column[0]}: ${#column[@]} columns, not 6"; continue; fi
    rows=$((rows + 1))
    check_row "${column[@]}"
done <"$table"
[ "$rows" -gt 0 ] || say "the table is empty"

while IFS=$'\t' read -r code reason; do
    case $code in '#'* | '') continue ;; esac
    if [ -z "${name_of[$code]:-}" ]; then say "exception $code is no verdict"; fi
    if [ -z "$reason" ]; then say "exception $code has no reason"; fi
    if [ -n "${shown[$code]:-}" ]; then say "exception $code has a row"; fi
    shown[$code]=yes
done <"$exceptions"
for code in "${!name_of[@]}"; do
    [ -n "${shown[$code]:-}" ] || say "verdict $code: no row, and no exception"
done

if [ "$wrong" -gt 0 ]; then
    echo "badinput: $wrong wrong"
    exit 1
fi
echo "badinput: $rows rows, ${#name_of[@]} verdicts, each with its test"
