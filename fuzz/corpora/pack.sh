#!/usr/bin/env bash
# Packs what a fuzzer found into fuzz/corpora/TARGET.tar.zst, which tests replay:
#
#   cargo +nightly fuzz run --fuzz-dir fuzz TARGET FOUND                                    finds
#   cargo +nightly fuzz run --fuzz-dir fuzz TARGET -- -merge=1 SMALL FOUND fuzz/seeds/TARGET  drops what adds nothing
#   bash fuzz/corpora/pack.sh TARGET SMALL                                                   packs
#
# The smallest inputs come first, and what goes beyond LIMIT bytes is left out. The same inputs give the same file.
set -euo pipefail
target=$1 folder=$2 limit=${LIMIT:-300000}
out=$(cd "$(dirname "$0")" && pwd)/$target.tar.zst
list=$(mktemp) part=$(mktemp)
trap 'rm -f "$list" "$list.cut" "$part"' EXIT
find "$folder" -type f -printf '%s %f\n' | sort -n | cut -d' ' -f2 > "$list"
count=$(wc -l < "$list")
while [ "$count" -gt 0 ]; do
    head -n "$count" "$list" > "$list.cut"
    tar --format=ustar --owner=0 --group=0 --numeric-owner --mode=0644 --mtime=@0 -C "$folder" -T "$list.cut" -cf - | zstd -q -19 -f -o "$part" -
    size=$(wc -c < "$part")
    [ "$size" -le "$limit" ] && break
    count=$((count * 9 / 10))
done
cat "$part" > "$out"
echo "$target: $count inputs, $(wc -c < "$out") bytes"
