#!/bin/sh
# Every memcmp, strcmp and the like in the code that handles secrets, and
# every call that STYLE bans on input, must stand in tests/compare-allowed:
# somebody looked at it and found that it compares no secret. A line there is
# FILE: CODE, the code without its leading blanks.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.." || exit 1

compare='(memcmp|bcmp|strcmp|strncmp|strcasecmp|strncasecmp|CRYPTO_memcmp)'
banned='(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok|strtok_r|gets|atoi|atol|sscanf)'
found=$(
	grep -nE "(^|[^A-Za-z0-9_])$compare *\(" \
	    src/core/*.[ch] src/service/*.[ch] src/doors/*.[ch] \
	    plugin/*.[ch] 2>/dev/null
	grep -nE "(^|[^A-Za-z0-9_])$banned *\(" \
	    src/*/*.[ch] plugin/*.[ch] 2>/dev/null
)
status=0
IFS='
'
for hit in $found; do
	file=${hit%%:*}
	rest=${hit#*:}
	number=${rest%%:*}
	code=$(printf '%s' "${rest#*:}" | sed 's/^[[:space:]]*//')
	case $code in '*'*|'/*'*) continue ;; esac
	if ! grep -qxF -e "$file: $code" tests/compare-allowed; then
		echo "$file:$number: $code"
		status=1
	fi
done
# An entry whose place is gone would hide the next one.
for entry in $(grep -v '^#' tests/compare-allowed); do
	file=${entry%%: *}
	code=${entry#*: }
	if [ -n "$entry" ] && ! grep -qF -e "$code" "$file" 2>/dev/null; then
		echo "tests/compare-allowed: no longer there: $entry"
		status=1
	fi
done
exit $status
