#!/bin/sh
# `make deb': the tree goes to $B/deb/onecred-VERSION with debian/ at its top,
# and is built there by whoever runs this. The packages end in $B.
set -eu
LC_ALL=C.UTF-8
export LC_ALL
umask 022
cd "$(dirname "$0")/../.."
B=${B:-build}

version=$(sed -n 's/^#define ONECRED_VERSION[^"]*"\([^"]*\)"$/\1/p' \
    src/daemon/version.h)
[ -n "$version" ] || { echo "src/daemon/version.h: no version" >&2; exit 1; }
# What git knows is not ours to ask: the date is the changelog's own.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH

rm -rf "$B/deb"
tree=$B/deb/onecred-$version
mkdir -p "$tree"
tar -c --exclude=./build --exclude=./.git --exclude="./${B#./}" \
    --exclude=__pycache__ . | tar -x --no-same-owner -C "$tree"
cp -R src/install/debian "$tree/debian"
chmod 755 "$tree/debian/rules"
sh src/install/changelog.sh "$version" <CHANGELOG.md >"$tree/debian/changelog"

# Whoever called make gave variables that are not meant for this build.
(cd "$tree" && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u B -u CC -u CFLAGS \
    -u CPPFLAGS -u LDFLAGS -u DESTDIR -u PREFIX \
    dpkg-buildpackage -us -uc -b)
rm -f "$B"/onecred_*.deb "$B"/onecred-sasl_*.deb
for package in "$B"/deb/*.deb; do
	case $package in
	*-dbgsym_*)	;;
	*)	mv "$package" "$B/"; echo "Package: $B/${package##*/}" ;;
	esac
done
