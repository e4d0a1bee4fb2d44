#!/bin/sh
# Fence: pure floors stay pure. Holds the undefined symbols of every pure
# floor's archives against forbidden.txt.
# usage: symbols.sh [BUILD [FLOORS [FORBIDDEN]]]
set -eu
LC_ALL=C
export LC_ALL
build=${1:-$ERA_BUILD}
floors=${2:-$ERA_SRC/tests/fences/floors.txt}
forbidden=${3:-$ERA_SRC/tests/fences/forbidden.txt}
for list in "$floors" "$forbidden"; do
    if [ ! -s "$list" ]; then
        echo "symbols: no list at $list"
        exit 1
    fi
done
tmp=$(mktemp -d "${TMPDIR:-/tmp}/erad-symbols.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

archives=$(awk '$1 == "floor" && $3 == "pure" { gsub(",", " ", $4); print $4 }' "$floors")
if [ -z "$archives" ]; then
    echo "symbols: $floors names no pure floor"
    exit 1
fi
missing=0
: >"$tmp/symbols"
for archive in $archives; do
    if ! "${NM:-nm}" "$build/$archive" >"$tmp/all" 2>"$tmp/err"; then
        echo "symbols: cannot read $archive: $(cat "$tmp/err")"
        missing=1
    elif ! grep -q '\.o:$' "$tmp/all"; then
        echo "symbols: $archive holds no object (see its local.mk)"
        missing=1
    fi
    sed "s|^|$archive |" "$tmp/all" >>"$tmp/symbols"
done

awk '
function plain(name)
{
    sub(/@.*/, "", name)
    if (name ~ /^__.*_chk$/) {
        sub(/^__/, "", name)
        sub(/_chk$/, "", name)
    }
    if (name ~ /^__(open|read|recv|poll|fread|fgets).*_2$/) {
        sub(/^__/, "", name)
        sub(/_2$/, "", name)
    }
    sub(/^__isoc[0-9]+_/, "", name)
    sub(/64(_2)?$/, "", name)
    return name
}
function regex(pattern)
{
    gsub(/\*/, ".*", pattern)
    return "^" pattern "$"
}
FNR == 1 { input++ }
input == 1 {
    sub(/#.*/, "")
    if (NF < 2)
        next
    if ($1 == "only") {
        for (i = 3; i <= NF; i++)
            only[$2] = only[$2] " " $i
        next
    }
    for (i = 2; i <= NF; i++) {
        if ($i ~ /\*/)
            pattern[regex($i)] = $1
        else
            exact[$i] = $1
        rules++
    }
    next
}
$2 ~ /\.o:$/ { object = substr($2, 1, length($2) - 1); objects++; next }
NF >= 3 && ($(NF - 1) == "U" || $(NF - 1) == "w") {
    name = plain($NF)
    why = ""
    if (name in exact)
        why = exact[name]
    else
        for (p in pattern)
            if (name ~ p) {
                why = pattern[p]
                break
            }
    if (why != "") {
        printf "%s(%s): calls %s (%s)\n", $1, object, $NF, why
        errors++
    }
    if (name in only) {
        n = split(only[name], may, " ")
        ok = 0
        for (i = 1; i <= n; i++)
            if (may[i] == object)
                ok = 1
        if (!ok) {
            printf "%s(%s): calls %s, which only%s may\n", $1, object, $NF, only[name]
            errors++
        }
    }
    symbols++
}
END {
    if (rules == 0 || symbols == 0) {
        print "symbols: nothing to check"
        exit 1
    }
    if (errors) {
        printf "symbols: %d forbidden (rules: tests/fences/forbidden.txt)\n", errors
        exit 1
    }
    printf "symbols: %d undefined symbols of %d objects are pure\n", symbols, objects
}' "$forbidden" "$tmp/symbols" || exit 1
exit "$missing"
