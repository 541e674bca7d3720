#!/bin/sh
# Each header compiles alone, and twice. Arguments: the layers; CC and
# CPPFLAGS from the Makefile.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
for layer in "$@"; do
	for header in src/"$layer"/*.h; do
		[ -e "$header" ] || continue
		name=${header#src/}
		# shellcheck disable=SC2086
		printf '#include "%s"\n#include "%s"\n' "$name" "$name" |
		    ${CC:-gcc} ${CPPFLAGS:--Isrc -D_GNU_SOURCE} -std=c11 \
		    -Wall -Wextra -Werror -fsyntax-only -x c - || {
			echo "$name does not compile alone"
			status=1
		}
	done
done
exit $status
