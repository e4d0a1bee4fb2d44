#!/bin/sh
# Every scenario beside this file: what it expects comes true, and its trace is the one it tells.
# usage: run.sh [FOLDER]   (erasim is first in PATH)
set -u
folder=${1:-${ERA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/sim}
count=0
wrong=0
for file in "$folder"/*.scn; do
    [ -r "$file" ] || break
    count=$((count + 1))
    erasim script "$file" || {
        echo "sim: $(basename "$file") did not hold (status $?)"
        wrong=$((wrong + 1))
    }
done
if [ "$count" -eq 0 ]; then
    echo "sim: there is no scenario in $folder"
    exit 1
fi
echo "sim: $count scenarios, $wrong wrong"
[ "$wrong" -eq 0 ]
