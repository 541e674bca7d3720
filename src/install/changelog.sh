#!/bin/sh
# CHANGELOG.md as debian/changelog: changelog.sh VERSION <CHANGELOG.md
# The topmost section is ours; its items begin with `* '. The date is
# SOURCE_DATE_EPOCH's.
set -eu
LC_ALL=C.UTF-8
export LC_ALL
version=$1
who=$(sed -n 's/^Maintainer: //p' "$(dirname "$0")/debian/control")

echo "onecred ($version) unstable; urgency=medium"
echo
awk '
function word(w)
{
	if (n + length(w) + 1 > 76) {
		printf "\n   "
		n = 3
	}
	printf " %s", w
	n += length(w) + 1
}
/^## /		{ section++; next }
section != 1	{ next }
/^\* /		{ if (item) print ""; printf " "; n = 1; item = 1 }
!item || !/^[ *]/	{ if (item) print ""; item = 0; next }
		{ for (i = 1; i <= NF; i++) word($i) }
END		{ if (item) print "" }'
echo
echo " -- $who  $(date -u -R -d "@${SOURCE_DATE_EPOCH:?}")"
