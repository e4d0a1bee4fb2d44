#!/bin/bash
# The check of the bad inputs must fail when the table lies: each lie below is told once.
set -u
LC_ALL=C
export LC_ALL
root=${ERA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
lies=$(mktemp -d "${TMPDIR:-/tmp}/erad-badinput.XXXXXX") || exit 99
trap 'rm -rf "$lies"' EXIT
told=0
wrong=0

# lie ID WORDS SED-SCRIPT: with that row changed so (alone in its table; '' keeps all rows),
# the check fails and says the words.
lie() {
    grep -e "^$1" "$root/tests/badinput/table.tsv" | sed -E "$3" >"$lies/table"
    told=$((told + 1))
    if bash "$root/tests/badinput/check.sh" "$lies/table" >"$lies/out" 2>&1 || ! grep -qF -e "$2" "$lies/out"; then
        echo "selftest: not found: $2"
        cat "$lies/out"
        wrong=1
    fi
}

lie wire-carrier-twice "has no test 'R3_one_key_counts_never'" 's/R3_one_key_counts_once/R3_one_key_counts_never/'
lie wire-carrier-twice 'there is no tests/core/nowhere.c' 's/test_verify.c/nowhere.c/'
lie wire-signature 'does not name capped' 's/\tbad-signature\t/\tcapped\t/'
lie cli-id-unknown 'does not say' 's/nothing here has that id/everything has that id/'
lie wire-signature 'the penalty of bad-signature is 10' 's/penalty 10/penalty 9/'
lie disk-newer 'does not ask for status 99' 's/exit 78/exit 99/'
lie wire-hello-protocol 'no-common-protocol ends with 76' 's/exit 76/exit 75/'
lie http-method 'does not ask for 418' 's/HTTP 405/HTTP 418/'
lie wire-signature 'given twice' p
lie wire-signature '5 columns, not 6' 's/\tpenalty 10//'
lie wire-signature 'the table is empty' d
lie '' 'verdict self-link: no row' '/\tself-link\t/d'

[ "$wrong" -eq 0 ] && echo "selftest: $told lies, all found"
exit "$wrong"
