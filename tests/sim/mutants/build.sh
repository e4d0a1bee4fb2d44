#!/bin/sh
# Builds erasim with one rule broken: the sources that a patch names, patched
# and compiled, before the libraries that hold the sound ones.
# usage: build.sh PATCH OUTPUT   (from the build tree; by make, which exports:)
#   ERA_SRC       the source tree
#   ERA_COMPILE   the command that compiles one source, up to -o
#   ERA_LINK_WITH the command that links a program, up to -o
#   ERA_PARTS     the objects and libraries of erasim
# A patch that does not fit the sources any more is an error: mend the patch.
set -eu

patch=$1
output=$2
work=$output.d
rm -rf "$work"
mkdir -p "$work"

objects=
files=$(sed -n 's|^+++ b/||p' "$patch")
for file in $files; do
    mkdir -p "$work/$(dirname "$file")"
    cp "$ERA_SRC/$file" "$work/$file"
    chmod u+w "$work/$file"
    objects="$objects $work/${file%.c}.o"
done
patch --quiet --strip=1 --directory="$work" --fuzz=0 <"$patch" || {
    echo "build.sh: $patch does not fit the sources: make it anew" >&2
    exit 65
}
for object in $objects; do
    # shellcheck disable=SC2086 # a command and its arguments
    $ERA_COMPILE -o "$object" -c "${object%.o}.c"
done
# shellcheck disable=SC2086
$ERA_LINK_WITH -o "$output" $objects $ERA_PARTS
# What the sweep of this mutant needs to be seen: seeds that show it, and options.
sed -n -e 's/^seeds: /--seeds /p' -e 's/^sweep: //p' "$patch" >"$output.sweep"
rm -rf "$work"
