#!/bin/sh
# Fence: a floor links with itself and lower floors only (floors.txt), and no
# test program holds code of a floor it does not stand on.
# usage: links.sh [BUILD [FLOORS [LIBRARIES]]]
#   LIBRARIES  all convenience libraries of the build ($ERA_LIBRARIES)
#   ERA_LINK   how the build links: compiler and flags
set -eu
LC_ALL=C
export LC_ALL
build=${1:-$ERA_BUILD}
floors=${2:-$ERA_SRC/tests/fences/floors.txt}
libraries=${3:-$ERA_LIBRARIES}
nm=${NM:-nm}
if [ ! -s "$floors" ]; then
    echo "links: no list at $floors"
    exit 1
fi
tmp=$(mktemp -d "${TMPDIR:-/tmp}/erad-links.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
echo 'int main(void) { return 0; }' >"$tmp/main.c"
cd "$build"
errors=0
complain() {
    echo "links: $1"
    errors=$((errors + 1))
}
has_objects() { "$nm" "$1" 2>/dev/null | grep -q '\.o:$'; }
# field FLOOR COLUMN: a list of floors.txt as words.
field() { awk -v f="$1" -v c="$2" '$1 == "floor" && $2 == f && $c != "-" { gsub(",", " ", $c); print $c }' "$floors"; }
archives_of() { for name in "$@"; do field "$name" 4; done; }
defined_in() { "$nm" --defined-only "$@" 2>/dev/null | awk 'NF == 3 && $2 ~ /[TDBR]/ { print $3 }' | sort -u; }

names=$(awk '$1 == "floor" { print $2 }' "$floors")
if [ -z "$names" ]; then
    echo "links: $floors names no floor"
    exit 1
fi
# shellcheck disable=SC2086 # a list of words
listed=" $(archives_of $names | tr '\n' ' ') "

for library in $libraries; do
    case $listed in
    *" $library "*) ;;
    *) if has_objects "$library"; then complain "$library is of no floor in tests/fences/floors.txt"; fi ;;
    esac
done

for name in $names; do
    own=$(field "$name" 4)
    lower=$(field "$name" 5)
    for archive in $own; do
        has_objects "$archive" || complain "$archive of floor $name is missing or holds no object"
    done
    system=
    for floor in $name $lower; do
        for library in $(field "$floor" 6); do system="$system -l$library"; done
    done
    # shellcheck disable=SC2086,SC2046 # lists of words
    if ! ${ERA_LINK:-cc} -o "$tmp/linked" "$tmp/main.c" -Wl,--whole-archive $own -Wl,--no-whole-archive \
        $(archives_of $lower) $system >"$tmp/out" 2>&1; then
        complain "floor $name does not link with itself and ($lower) alone:"
        grep -E 'undefined reference|cannot find|error' "$tmp/out" | sort -u | head -n 20
    fi
done

tests=0
awk '$1 == "test" { print $2, $3 }' "$floors" >"$tmp/tests"
while read -r program floor; do
    [ -e "$program" ] || continue
    tests=$((tests + 1))
    # shellcheck disable=SC2046
    below=" $(archives_of "$floor" $(field "$floor" 5) | tr '\n' ' ') "
    foreign=
    for archive in $listed; do
        case $below in *" $archive "*) ;; *) foreign="$foreign $archive" ;; esac
    done
    [ -n "$foreign" ] || continue
    # shellcheck disable=SC2086 # a list of words
    defined_in $foreign >"$tmp/foreign"
    # shellcheck disable=SC2086
    defined_in $below >"$tmp/own"
    defined_in "$program" >"$tmp/program"
    comm -12 "$tmp/program" "$tmp/foreign" | comm -23 - "$tmp/own" | grep '^era_' >"$tmp/stray" || true
    if [ -s "$tmp/stray" ]; then
        complain "$program (floor $floor) holds code of a floor it may not link:"
        head -n 5 "$tmp/stray"
    fi
done <"$tmp/tests"

[ "$errors" -eq 0 ] || exit 1
# shellcheck disable=SC2086
set -- $names
echo "links: $# floors and $tests test programs link downwards only"
