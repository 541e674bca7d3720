#!/bin/sh
# Every fuzz target for FUZZ_SECONDS (60) each: clang's libFuzzer with
# AddressSanitizer and UBSan. Seeds: tests/fuzz/NAME/ if it is there; what
# grows stays in build/fuzz/corpus/NAME. One line `ok - NAME' per target.
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=${FUZZ_SECONDS:-60}
build=build/fuzz

make -j"$(nproc)" -s --no-print-directory B=$build CC=clang FORTIFY= \
    CFLAGS='-O1 -g -fno-omit-frame-pointer' \
    SANITIZE='-fsanitize=address,undefined -fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined' \
    fuzzers || exit 1

status=0
for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	[ -e "$source" ] || { echo "not ok - no fuzz target"; exit 1; }
	mkdir -p $build/corpus/"$name" $build/found
	seeds=
	[ -d tests/fuzz/"${name#fuzz_}" ] && seeds=tests/fuzz/${name#fuzz_}
	dict=
	[ -e tests/fuzz/"${name#fuzz_}".dict ] &&
	    dict=-dict=tests/fuzz/${name#fuzz_}.dict
	# shellcheck disable=SC2086
	if $build/tests/fuzz/"$name" -max_total_time="$seconds" \
	    -print_final_stats=1 -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix=$build/found/"$name"- $dict \
	    $build/corpus/"$name" $seeds >$build/"$name".log 2>&1
	then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' \
		    $build/"$name".log)
		echo "ok - $name: $runs runs in $seconds s"
	else
		echo "not ok - $name"
		tail -n 30 $build/"$name".log
		status=1
	fi
done
exit $status
