#!/bin/sh
# make install and uninstall: what goes where, SQL scripts call the installed
# program, an edited configuration stays. B: the build directory.
set -u
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
status=0

fail() {
	echo "$*"
	status=1
}

there() {
	[ "$(stat -c %a "$work/$1" 2>/dev/null)" = "$2" ] ||
	    fail "$1 is not there with mode $2"
}

run_make() {
	make -s --no-print-directory B="${B:-build}" CC=gcc \
	    CFLAGS='-O2 -g -Werror' DESTDIR="$work" PREFIX=/opt/o \
	    SYSCONFDIR=/conf SASLPLUGINDIR=/opt/o/sasl "$@" || fail "make $* failed"
}

run_make install
there opt/o/sbin/onecredd 755
there opt/o/bin/onecred 755
there opt/o/bin/onecred-extauth 755
[ ! -d plugin ] || there opt/o/sasl/libonecred.so 644
there opt/o/share/onecred/sql/schema.sql 644
there opt/o/share/man/man8/onecredd.8 644
there opt/o/share/man/man5/onecred.conf.5 644
there opt/o/share/doc/onecred/README.md 644
grep -rq '{ONECRED:-/opt/o/bin/onecred}' "$work/opt/o/share/onecred/sql" ||
    fail "no SQL script calls /opt/o/bin/onecred"
if grep -r '{ONECRED:-onecred}' "$work/opt/o/share/onecred/sql"; then
	fail "a SQL script would take onecred from PATH"
fi

config=$work/conf/onecred/onecred.conf
there conf/onecred/onecred.conf 640
echo '# edited' >>"$config"
run_make install >/dev/null
tail -n 1 "$config" | grep -qx '# edited' || fail "the edited config is gone"

run_make uninstall >/dev/null
left=$(cd "$work" && find . -type f)
[ "$left" = ./conf/onecred/onecred.conf ] || fail "uninstall left: $left"
exit $status
