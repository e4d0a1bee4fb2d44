#!/bin/sh
# Fence: who may include whom. Holds allowed.txt against every #include of
# every .c and .h under proto, src, p2p, store, tests and contrib.
# usage: includes.sh [ROOT [ALLOWED]]
set -eu
LC_ALL=C
export LC_ALL
root=${1:-$ERA_SRC}
allowed=${2:-$root/tests/fences/allowed.txt}
if [ ! -s "$allowed" ]; then
    echo "includes: no list of rules at $allowed"
    exit 1
fi
cd "$root"
for folder in proto src p2p store tests; do
    if [ ! -d "$folder" ]; then
        echo "includes: no folder $folder in $root"
        exit 1
    fi
done
tmp=$(mktemp -d "${TMPDIR:-/tmp}/erad-includes.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
find proto src p2p store tests contrib -name '*.[ch]' ! -name '*.pb-c.[ch]' -type f 2>/dev/null | sort >"$tmp/files"
if [ ! -s "$tmp/files" ]; then
    echo "includes: no C file in $root"
    exit 1
fi
xargs grep -nE '^[[:space:]]*#[[:space:]]*include' <"$tmp/files" /dev/null >"$tmp/includes" || true

awk -v total="$(wc -l <"$tmp/files")" '
function begins(text, prefix) { return substr(text, 1, length(prefix)) == prefix }
# Is path under prefix: the same, inside the folder, or begun by a partial name (p2p/link_)?
function under(path, prefix,   rest)
{
    if (!begins(path, prefix))
        return 0
    rest = substr(path, length(prefix) + 1)
    return rest == "" || rest ~ /^[\/.]/ || prefix ~ /[_\/]$/
}
function bad(why) { printf "%s:%s: %s\n", file, line, why; errors++ }

function check_own(header,   best, p, n, words, i, ok)
{
    if (header ~ /\.c$/) {
        bad("includes the source file " header)
        return
    }
    if (!(header in generated) && (getline junk < header) < 0) {
        bad("\"" header "\" is no path from the root of the project")
        return
    }
    close(header)
    best = ""
    for (p in folder)
        if (under(file, p) && length(p) > length(best))
            best = p
    if (best == "") {
        bad("no folder rule speaks of this file")
        return
    }
    n = split(folder[best], words, " ")
    ok = 0
    for (i = 1; i <= n; i++) {
        if (begins(words[i], "-") && under(header, substr(words[i], 2)))
            ok = 0
        else if (under(header, words[i]))
            ok = 1
    }
    if (!ok)
        bad(best " may not include \"" header "\"")
}

function check_system(header,   p, n, words, i, is_library, granted, is_pure)
{
    is_library = 0
    for (p in library)
        if (header == p || (p ~ /\/$/ && begins(header, p))) {
            is_library = 1
            granted = 0
            n = split(library[p], words, " ")
            for (i = 1; i <= n; i++)
                if (under(file, words[i]))
                    granted = 1
            if (!granted)
                bad("<" header "> is not allowed here")
        }
    if (is_library)
        return
    is_pure = 0
    for (p in pure)
        if (under(file, p) && !begins(file, "p2p/link_"))
            is_pure = 1
    if (is_pure && !(header in standard))
        bad("pure code may not include <" header ">")
}

FNR == 1 { input++ }
input == 1 {
    sub(/#.*/, "")
    if (NF == 0)
        next
    rules++
    kind = $1
    if (kind == "folder" || kind == "library") {
        rest = ""
        for (i = 3; i <= NF; i++)
            rest = rest " " $i
        if (kind == "folder")
            folder[$2] = rest
        else
            library[$2] = rest
    } else if (kind == "pure" || kind == "standard" || kind == "generated") {
        for (i = 2; i <= NF; i++)
            if (kind == "pure")
                pure[$i] = 1
            else if (kind == "standard")
                standard[$i] = 1
            else
                generated[$i] = 1
    } else {
        printf "includes: unknown rule %s\n", kind
        errors++
    }
    next
}
{
    split($0, at, ":")
    file = at[1]
    line = at[2]
    checked++
    if (match($0, /"[^"]*"/))
        check_own(substr($0, RSTART + 1, RLENGTH - 2))
    else if (match($0, /<[^>]*>/))
        check_system(substr($0, RSTART + 1, RLENGTH - 2))
    else
        bad("an #include that this fence cannot read")
}
END {
    if (rules == 0 || checked == 0) {
        print "includes: nothing to check"
        exit 1
    }
    if (errors) {
        printf "includes: %d forbidden (rules: tests/fences/allowed.txt)\n", errors
        exit 1
    }
    printf "includes: %d includes of %d files keep the floors\n", checked, total
}' "$allowed" "$tmp/includes"
