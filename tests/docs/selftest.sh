#!/bin/bash
# The check of the documents must fail when one of them lies: each lie below must be found.
set -u
LC_ALL=C
export LC_ALL
root=${ERA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
lies=$(mktemp -d "${TMPDIR:-/tmp}/erad-docs-lies.XXXXXX") || exit 99
trap 'rm -rf "$lies"' EXIT
cp -R "$root/doc" "$root/README.md" "$lies"
chmod -R u+w "$lies"
words=()

# lie FILE WORDS SED-SCRIPT: changes README.md or a page; the check must say the words.
lie() {
    words+=("$2")
    sed -i -E "$3" "$lies/$1"
}

lie README.md "has no test 'R8_evidence_subtracts'" '/^\| R8 /s/R8_evidence_never_subtracts/R8_evidence_subtracts/'
lie README.md 'map R8: there is no src/core/nowhere.c' '/^\| R8 /s/ledger_evidence.c/nowhere.c/'
lie README.md 'map R16: missing' '/^\| R16 /d'
lie README.md 'which is no verb' 's/^eractl reject ID/eractl refuse ID/'
lie README.md 'the README gives --keys to eractl inbox' 's/^eractl inbox --key /eractl inbox --keys /'
lie README.md 'the metric erad_gates_state' 's/erad_gate_state/erad_gates_state/'
lie README.md 'does not name the page /readyz' 's,/readyz,/ready,g'
lie README.md 'exit statuses' 's/^\| 69 \|/| 68 |/'
lie README.md "pipeline for h1" '/^find /s/LC_ALL=C sort -z/LC_ALL=C sort -rz/'
lie README.md "pipeline for m1" '/^paste /s/0755/0777/'
lie README.md 'which is not there' 's,contrib/examples,contrib/samples,'
lie doc/eractl.1 "does not name the verb 'reject'" 's/^\.It Ic reject /.It Ic refuse /'
lie doc/eractl.1 'does not name --reason' 's/Fl Fl reason/Fl Fl why/'
lie doc/eractl.1 "names 'refuse', which is no verb" 's/^\.It Ic reject /.It Ic refuse /'
lie doc/erad.8 'does not name --debug' 's/Fl Fl debug/Fl Fl bugs/'
lie doc/erad.8 'does not name the page /healthz' 's,/healthz,/health,'
# shellcheck disable=SC2016 # sed's last line
if command -v mandoc >/dev/null; then lie doc/erad.8 'mandoc:' '$a .Xx'; fi

wrong=0
if bash "$root/tests/docs/check.sh" "$lies/README.md" "$lies/doc" >"$lies/out" 2>&1; then wrong=1; fi
for word in "${words[@]}"; do
    grep -qF -e "$word" "$lies/out" || { echo "selftest: not found: $word"; wrong=1; }
done
if [ "$wrong" -ne 0 ]; then
    cat "$lies/out"
    exit 1
fi
echo "selftest: ${#words[@]} lies, all found"
