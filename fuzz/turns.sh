#!/usr/bin/env bash
# Gives fuzz targets turns, one after the other and for ever, and adds up the processor time of each:
#
#   cargo +nightly fuzz build
#   bash fuzz/turns.sh layer manifest table        (those of a family, see README.md)
#
# What is worth keeping is in fuzz/corpus/TARGET, what broke something in fuzz/artifacts, and fuzz/corpus/seconds.tsv has a line
# for each turn: target, seconds of processor time, how it ended (0: nothing was found). TURN is how long one takes.
set -euo pipefail
cd "$(dirname "$0")"
built=${BUILT:-target/x86_64-unknown-linux-gnu/release} turn=${TURN:-120}
for target in "$@"; do
    mkdir -p "corpus/$target" "artifacts/$target" "corpus/packed/$target"
    if [ -f "corpora/$target.tar.zst" ]; then tar -xf "corpora/$target.tar.zst" -C "corpus/packed/$target"; fi
done
TIMEFORMAT='%U %S'
while :; do
    for target in "$@"; do
        code=0
        { time "$built/$target" "corpus/$target" "seeds/$target" "corpus/packed/$target" -max_total_time="$turn" \
            -rss_limit_mb=2048 -timeout=20 -artifact_prefix="artifacts/$target/" 2>> "corpus/$target.log" || code=$?; } 2> corpus/time
        awk -v target="$target" -v code="$code" '{ print target "\t" $1 + $2 "\t" code }' corpus/time >> corpus/seconds.tsv
    done
done
