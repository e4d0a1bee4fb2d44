#!/bin/bash
# Keeps the documents true:
# - every row of the README's map names files that are there and a test that is in its file;
# - its commands are verbs and options of eractl, its metrics, pages, topics, statuses and paths are real;
# - its two hash pipelines print what `eractl hash` prints;
# - eractl(1) names every verb and option, erad(8) every option and every page of the observers' port;
# - mandoc finds nothing wrong with the manual pages.
# Needs the built erad and eractl in PATH.
# usage: check.sh [README [FOLDER-OF-PAGES]]
set -u
LC_ALL=C
export LC_ALL
root=${ERA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
readme=${1:-$root/README.md}
doc=${2:-$root/doc}
# shellcheck disable=SC1091
. "$root/tests/lib/bodies.bash"
work=$(mktemp -d "${TMPDIR:-/tmp}/erad-docs.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
wrong=0
facts=0

say() {
    echo "docs: $*"
    wrong=$((wrong + 1))
}
fact() { facts=$((facts + 1)); }

# ---- the map -----------------------------------------------------------------------

check_map() {
    local _ id files test file rows=0
    while IFS='|' read -r _ id _ files test _; do
        read -r id <<<"$id"
        case $id in id | ---*) continue ;; esac
        fact
        rows=$((rows + 1))
        # shellcheck disable=SC2016 # backquotes of the README
        while read -r file; do
            [ -f "$root/$file" ] || say "map $id: there is no $file"
        done < <(grep -o '`[^`]*`' <<<"$files" | tr -d '`')
        [[ $files == *'`'* ]] || say "map $id: no file"
        test=${test# \`} test=${test%\` }
        file=${test%%: *}
        if [ ! -f "$root/$file" ]; then
            say "map $id: there is no $file"
        elif [ -z "$(test_body "$root/$file" "${test#*: }")" ]; then
            say "map $id: $file has no test '${test#*: }'"
        fi
        if grep -qxF -e "$id" "$work/ids" 2>/dev/null; then say "map $id: given twice"; fi
        echo "$id" >>"$work/ids"
    done < <(sed -n '/^<!-- map -->$/,/^<!-- \/map -->$/p' "$readme" | grep '^|')
    [ "$rows" -gt 0 ] || say "the README has no map"
    for id in R{1..16}; do
        grep -qxF -e "$id" "$work/ids" || say "map $id: missing"
    done
}

# ---- eractl and erad ---------------------------------------------------------------

help_options() { # PROGRAM…: its long options
    "$@" --help | grep -oE -e '(^|[ [])--[a-z-]+' | grep -oE -e '--[a-z-]+' | sort -u
}

read_verbs() {
    eractl --help | sed -n '/^$/,/^Options/s/^  \([a-z][a-z]*\( [a-z][a-z]*\)\?\)  .*/\1/p' >"$work/verbs"
    [ "$(wc -l <"$work/verbs")" -gt 10 ] || say "eractl --help lists no verbs"
    while read -r verb; do
        # shellcheck disable=SC2086 # one or two words
        help_options eractl $verb >"$work/options of $verb"
    done <"$work/verbs"
}

check_eractl_page() {
    local verb option
    while read -r verb; do
        fact
        grep -qE "^\.It Ic $verb( |\$)" "$doc/eractl.1" || say "eractl.1 does not name the verb '$verb'"
        while read -r option; do
            grep -qE -e "Fl Fl ${option#--}( |\$)" "$doc/eractl.1" || say "eractl.1 does not name $option of '$verb'"
        done <"$work/options of $verb"
    done <"$work/verbs"
    while read -r verb; do
        fact
        grep -qxF -e "$verb" "$work/verbs" || say "eractl.1 names '$verb', which is no verb"
    done < <(sed -nE 's/^\.It Ic (charter|semver) ([a-z]+).*/\1 \2/p; t; s/^\.It Ic ([a-z]+).*/\1/p' "$doc/eractl.1")
}

check_erad_page() {
    local option path
    while read -r option; do
        fact
        # --usage is argp's own
        [ "$option" = --usage ] || grep -qE -e "Fl Fl ${option#--}( |\$)" "$doc/erad.8" || say "erad.8 does not name $option"
    done < <(help_options erad)
    while read -r path; do
        fact
        grep -qF -e "$path" "$doc/erad.8" || say "erad.8 does not name the page $path"
        grep -qF -e "$path" "$readme" || say "the README does not name the page $path"
    done < <(sed -n '/} routes\[\] = {/,/^};/p' "$root/src/erad/http.c" | grep -o '{"/[^"]*"' | tr -d '{"')
}

# shellcheck disable=SC2016 # backquotes of the README
# Command lines of eractl in the README's blocks of code: verbs and options that are there.
check_readme_commands() {
    local line verb option
    while read -r line; do
        fact
        read -ra words <<<"${line#*eractl }"
        verb="${words[0]} ${words[1]:-}"
        grep -qxF -e "$verb" "$work/verbs" || verb=${words[0]}
        if ! grep -qxF -e "$verb" "$work/verbs"; then
            say "the README runs eractl $verb, which is no verb: $line"
            continue
        fi
        while read -r option; do
            grep -qxF -e "$option" "$work/options of $verb" || say "the README gives $option to eractl $verb"
        done < <(grep -oE -e ' --[a-z-]+' <<<"$line" | tr -d ' ')
    done < <(sed -n '/^```sh$/,/^```$/p' "$readme" | sed -e ':a' -e '/\\$/N; s/\\\n/ /; ta' | grep -oE '(^|[ |])eractl [a-z].*' | sed 's/  *#.*//')
    for verb in status gate eras inbox show propose approve reject submit attest ready emit events wait announcements \
        keygen hash 'charter new' 'charter check' 'charter show' 'charter hash'; do
        fact
        grep -qF -e "eractl $verb" "$readme" || say "the README does not show eractl $verb"
    done
}

# ---- facts of the README -----------------------------------------------------------

check_readme_facts() {
    local name path topic
    while read -r name; do
        fact
        grep -qF -e "\"$name\"" "$root/src/erad/metrics.c" || say "the README names the metric erad_$name, which is none"
    done < <(grep -oE '`erad_[a-z_]+' "$readme" | sed 's/`erad_//' | sort -u)
    while read -r path; do
        fact
        [ -e "$root/$path" ] || say "the README names $path, which is not there"
    done < <(grep -oE '(\./)?(contrib|tests|doc)/[A-Za-z0-9_./-]*[A-Za-z0-9]' "$readme" | sort -u)
    for topic in gate era epoch proposal approved adopted failed equivocation store; do
        fact
        grep -qF -e "\"$topic\"" "$root/src/erad/report_signal.c" || say "there is no signal $topic"
        grep -qF -e "\`$topic\`" "$readme" || say "the README does not name the signal $topic"
    done
    fact
    if ! diff <(sed -nE 's/^ *ERA_EXIT_[A-Z_]+ = ([0-9]+),?$/\1/p' "$root/src/base/verdict.h" | sort -n) \
        <(sed -n '/^## Exit statuses/,/^## What/s/^| \([0-9]*\) |.*/\1/p' "$readme" | sort -n) >"$work/diff"; then
        say "the README's exit statuses are not those of src/base/verdict.h:"
        cat "$work/diff"
    fi
}

# ---- the pipelines -----------------------------------------------------------------

pipeline() { # h1|m1: the line of code below that mark
    sed -n "/^<!-- $1 -->\$/,/^\`\`\`\$/p" "$readme" | sed -n '/^```sh$/{n;p;}'
}

check_pipelines() {
    local kind want got options
    mkdir -p "$work/tree/a/b" "$work/tree/c d"
    printf 'one\n' >"$work/tree/a/b/file"
    printf 'two' >"$work/tree/a.txt"
    printf 'three' >"$work/tree/c d/-x \\ back"
    : >"$work/tree/empty"
    chmod 755 "$work/tree/a.txt"
    for kind in h1 m1; do
        fact
        options=()
        if [ "$kind" = m1 ]; then options=(--modes); fi
        pipeline "$kind" >"$work/pipeline"
        want=$(eractl hash "${options[@]}" "$work/tree")
        got=$(cd "$work/tree" && bash "$work/pipeline" 2>&1)
        [ "${want:-none}" = "$got" ] || say "the README's pipeline for $kind prints '$got', eractl '$want'"
    done
}

check_pages() {
    local pages=("$doc"/*.[1-8])
    if ! command -v mandoc >/dev/null; then
        echo "docs: there is no mandoc: the pages are not linted"
        return
    fi
    fact
    mandoc -T lint -W warning "${pages[@]}" >"$work/lint" 2>&1 || { say "mandoc:"; cat "$work/lint"; }
}

for program in erad eractl; do
    command -v "$program" >/dev/null || { echo "docs: $program is not built"; exit 1; }
done
check_map
read_verbs
check_eractl_page
check_erad_page
check_readme_commands
check_readme_facts
check_pipelines
check_pages

if [ "$wrong" -gt 0 ]; then
    echo "docs: $wrong wrong"
    exit 1
fi
echo "docs: $facts facts hold"
