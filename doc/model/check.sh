#!/bin/bash
# Searches the models of the rules with spin, every state of each:
# - the rules as they are: no promise is ever broken;
# - each mutant, which breaks one rule: some promise is;
# - each witness, which denies what must be possible: it is refuted.
# Takes a core for less than a minute, and at most 2 GiB.
# usage: check.sh      exit: 0 all as it must be, 1 not, 69 no spin or compiler
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd) || exit 70
compiler=${CC:-gcc}
memory_mib=1536     # what one search may take
depth_steps=100000  # the longest schedule that one search may follow
search_seconds=60   # a search that takes longer has failed

for tool in spin "${compiler%% *}"; do
    if ! command -v "$tool" >/dev/null; then
        echo "models: $tool is not installed (Debian: apt-get install spin gcc)" >&2
        exit 69
    fi
done
work=$(mktemp -d "${TMPDIR:-/tmp}/erad-model.XXXXXX") || exit 73
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# A search outside its bounds ends; it does not take the machine.
ulimit -v $((2 * 1024 * 1024))

hold=0
caught=0
wrong=0

# What must come of each run: OUTCOME MODEL PART [MUTANT or WITNESS]
plan() {
    cat <<'END'
holds adoption -
possible adoption - WITNESS_BOTH_SLOTS
caught adoption - MUTANT_QUORUM_OF_HALF
caught adoption - MUTANT_VOTE_NOT_DURABLE
caught adoption - MUTANT_PENDING_DOES_NOT_BIND
caught adoption - MUTANT_VOTE_TWICE
caught adoption - MUTANT_VOTE_BELOW
caught adoption - MUTANT_PREV_NOT_EXTENDED
caught adoption - MUTANT_VOTED_NOT_EXTENDED
caught adoption - MUTANT_HEAD_BY_ARRIVAL
caught adoption - MUTANT_HEAD_NOT_DURABLE
holds charter PART_SLOTS
possible charter PART_SLOTS WITNESS_SLOTS
caught charter PART_SLOTS MUTANT_QUORUM_OF_HALF
caught charter PART_SLOTS MUTANT_VOTE_AFTER_CLOSE
caught charter PART_SLOTS MUTANT_CLOSE_TWICE
caught charter PART_SLOTS MUTANT_CLOSE_NOT_DURABLE
caught charter PART_SLOTS MUTANT_CARRIED_NOT_ASKED
caught charter PART_SLOTS MUTANT_CLOSE_WITHOUT_SLOTS
caught charter PART_SLOTS MUTANT_CLOSE_ONLY_ABOVE_HEAD
caught charter PART_SLOTS MUTANT_CLOSE_WITHOUT_PENDING
caught charter PART_SLOTS MUTANT_NAMED_NOT_VOTED_IN
holds charter PART_LEASES
possible charter PART_LEASES WITNESS_LEASES
caught charter PART_LEASES MUTANT_CLOSE_WITHOUT_LAST
caught charter PART_LEASES MUTANT_LEASE_AFTER_CLOSE
caught charter PART_LEASES MUTANT_LAST_NOT_ASKED
END
}

# search OPTIMISATION MODEL DEFINE…: prints what came of it: holds (every state seen), broken (an assertion), or why neither.
search() {
    local optimisation=$1 model=$2 folder=$work/run
    shift 2
    rm -rf "$folder"
    mkdir "$folder" && cd "$folder" || return 1
    if ! spin "$@" -a "$here/$model.pml" >log 2>&1; then
        echo "spin refuses it: $(head -n 1 log)"
        return
    fi
    # spin's C warns by itself; -w. NOREDUCE: nothing is left out on grounds of order.
    if ! $compiler -w "$optimisation" -DSAFETY -DCOLLAPSE -DNOREDUCE -DMEMLIM="$memory_mib" -o pan pan.c >log 2>&1; then
        echo "its search does not compile: $(head -n 1 log)"
        return
    fi
    # -E: a model that rests is no error.
    timeout "$search_seconds" ./pan -E -m"$depth_steps" >log 2>&1
    if grep -q '^pan:1: assertion violated' log && grep -q 'errors: 1$' log; then
        echo broken
    elif grep -q '^Full statespace search' log && grep -q 'errors: 0$' log &&
        ! grep -Eqi 'truncated|too small|not completed|out of memory|interrupted|resource' log; then
        echo holds
    else
        echo "search not complete: $(grep -Eim 1 'truncated|too small|out of memory|error:' log || tail -n 1 log)"
    fi
}

# Every mutant and witness of the models is in the plan.
while read -r name; do
    if ! plan | grep -q " $name\$"; then
        echo "no run of $name"
        wrong=$((wrong + 1))
    fi
done < <(grep -Eho '(MUTANT|WITNESS)_[A-Z_]*[A-Z]' "$here"/*.pml | sort -u)

while read -r outcome model part change; do
    defines=()
    for define in "${part#-}" "$change"; do
        if [ -n "$define" ]; then defines+=("-D$define"); fi
    done
    # Only the long searches are worth an optimiser.
    case $outcome in holds) optimisation=-O2 ;; *) optimisation=-O0 ;; esac
    start=$SECONDS
    found=$(search "$optimisation" "$model" "${defines[@]}" </dev/null)
    states=$(sed -n 's/^ *\([0-9e.+]*\) states, stored.*/\1/p' "$work/run/log")
    case $outcome,$found in
    holds,holds) hold=$((hold + 1)) ;;
    caught,broken) caught=$((caught + 1)) ;;
    possible,broken) ;;
    *)
        outcome="WRONG: must be '$outcome', is '$found';"
        wrong=$((wrong + 1))
        ;;
    esac
    printf '%-8s %-11s %-28s %s %s states, %d s\n' "$model" "${part#-}" "${change:-the rules as they are}" \
        "$outcome" "${states:-no}" $((SECONDS - start))
done < <(plan)

echo "models: $hold hold, $caught mutants caught"
[ "$wrong" -eq 0 ]
