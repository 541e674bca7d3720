#!/bin/sh
# `make check-bare': what an operator's fresh machine sees. Makes a minimal
# Debian 12 below /tmp/onecred.XXXXXX and in it runs `make deb', installs,
# starts, removes and purges the packages, `make install' and `make uninstall',
# and the README's first hour. One line per step, all output in
# build/log/bare.log, last line `N passed, N failed'.
#
# Needs root, a network and debootstrap; nothing of this machine is changed.
# ONECRED_BARE_BASE names a minimal tree to copy instead of debootstrap's.
# Everything runs in a mount and a process namespace of its own, so that
# nothing mounted or started here can outlive it, however it ends.
set -u
LC_ALL=C.UTF-8
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
suite=bookworm

# The mounts end with the namespace, so that this removes files of the tree
# only; whoever is just being killed in there may still write some.
clean_up() {
	if [ -n "$child" ]; then
		# NB: unshare blocks SIGTERM; what it started dies with it.
		kill -KILL "$child"
		wait "$child"
	fi 2>/dev/null
	n=0
	until rm -rf --one-file-system "$work" || [ $n = 10 ]; do
		n=$((n + 1))
		sleep 1
	done
}

outside() {
	if [ "$(id -u)" != 0 ]; then
		echo "bare: needs root, for chroot and mount" >&2
		exit 1
	fi
	for program in debootstrap unshare chroot; do
		command -v $program >/dev/null || {
			echo "bare: apt-get install -y debootstrap util-linux" >&2
			exit 1
		}
	done
	work=$(mktemp -d /tmp/onecred.XXXXXX) || exit 1
	child=
	trap 'clean_up' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	chmod 755 "$work"
	mkdir -p "$top/build/log"
	unshare --mount-proc --propagation private --pid --fork --kill-child \
	    sh "$top/tests/bare.sh" inside "$work" &
	child=$!
	wait "$child"
	status=$?
	child=
	cp "$work/log" "$top/build/log/bare.log" 2>/dev/null
	exit $status
}

# From here on: inside.

passed=0
failed=0

# step TITLE COMMAND...: a failure does not end the run.
step() {
	title=$1
	shift
	printf '\n== %s\n' "$title" >>"$work/log"
	start=$(date +%s)
	from=$(wc -l <"$work/log")
	if "$@" >>"$work/log" 2>&1 </dev/null; then
		passed=$((passed + 1))
		echo "ok - $title ($(($(date +%s) - start)) s)"
		return 0
	fi
	failed=$((failed + 1))
	echo "not ok - $title"
	tail -n "+$((from + 1))" "$work/log" | tail -n 40 | sed 's/^/    /'
	return 1
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
	exit
}

# A command in the tree, with an environment that owes nothing to ours; in the
# booted tree if it is.
init=
in_tree() {
	set -- /usr/bin/env -i PATH="$PATH" LC_ALL=C.UTF-8 HOME=/root \
	    DEBIAN_FRONTEND=noninteractive \
	    ${http_proxy:+http_proxy="$http_proxy"} "$@"
	if [ -n "$init" ]; then
		nsenter -t "$init" -m -n -p -C -r -w "$@"
	else
		chroot "$tree" "$@"
	fi
}

# NB: sh -e does not mind a failing `! command', hence `not'.
script() {
	in_tree sh -euc 'not() { ! "$@"; }
	'"$1"
}

as_postgres() {
	in_tree setpriv --reuid=postgres --regid=postgres --init-groups \
	    env HOME=/var/lib/postgresql sh -euc "cd /; $1"
}

# This machine's own mirror of a release.
mirror() {
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 2>/dev/null |
	    sed -n "s/^$1 \\(https*:.*\\)/\\1/p" | head -n 1
}

bootstrap() {
	main=$(mirror $suite)
	if [ -z "$main" ]; then
		echo "bare: apt here has no source for $suite;" \
		    "add one to /etc/apt and run apt-get update" >&2
		return 1
	fi
	debootstrap --variant=minbase $suite "$tree" "$main" || return 1
	echo "deb $main $suite main" >"$tree/etc/apt/sources.list"
	for release in $suite-updates $suite-security; do
		from=$(mirror $release)
		[ -z "$from" ] || echo "deb $from $release main" \
		    >>"$tree/etc/apt/sources.list"
	done
}

# NB: a mount point, or who makes namespaces inside cannot detach its root.
make_tree() {
	mount --bind "$tree" "$tree" || return 1
	if [ -n "${ONECRED_BARE_BASE-}" ]; then
		cp -a --one-file-system "$ONECRED_BARE_BASE/." "$tree/" ||
		    return 1
	else
		bootstrap || return 1
	fi
	apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-|Retries) ?' \
	    >"$tree/etc/apt/apt.conf.d/90host"
	cp -L /etc/resolv.conf /etc/hosts "$tree/etc/"
	mount -t proc proc "$tree/proc" &&
	    mount -t tmpfs -o mode=755 tmpfs "$tree/dev" &&
	    mkdir "$tree/dev/pts" "$tree/dev/shm" &&
	    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts \
	        "$tree/dev/pts" &&
	    mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm" || return 1
	mknod -m 666 "$tree/dev/null" c 1 3 &&
	    mknod -m 666 "$tree/dev/zero" c 1 5 &&
	    mknod -m 666 "$tree/dev/full" c 1 7 &&
	    mknod -m 666 "$tree/dev/random" c 1 8 &&
	    mknod -m 666 "$tree/dev/urandom" c 1 9 &&
	    mknod -m 666 "$tree/dev/tty" c 5 0 || return 1
	ln -s pts/ptmx "$tree/dev/ptmx"
	ln -s /proc/self/fd "$tree/dev/fd"
	ln -s fd/0 "$tree/dev/stdin"
	ln -s fd/1 "$tree/dev/stdout"
	ln -s fd/2 "$tree/dev/stderr"
	mount -t tmpfs -o mode=755 tmpfs "$tree/run" &&
	    in_tree apt-get -q update
}

copy_source() {
	rm -rf "$tree/root/onecred"
	mkdir "$tree/root/onecred" &&
	    tar -C "$top" -c --exclude=./build --exclude=./.git . |
	    tar -C "$tree/root/onecred" -x --no-same-owner
}

# Every path that an installation could leave, with mode, owner and content.
# Users stay by design; caches, logs and dpkg's own lists are not ours.
snapshot() {
	script 'cd /; find etc usr lib opt srv var -xdev \
	    \( -path var/cache -o -path var/log -o -path var/lib/apt \
	    -o -path var/lib/dpkg -o -path etc/ld.so.cache \
	    -o -path "etc/passwd*" -o -path "etc/group*" \
	    -o -path "etc/shadow*" -o -path "etc/gshadow*" \
	    -o -path "etc/sub[ug]id*" -o -path etc/.pwd.lock \
	    -o -path etc/machine-id -o -path var/lib/postgresql \
	    -o -path var/lib/systemd/random-seed -o -path var/tmp \
	    -o -path var/lib/systemd/timers \
	    -o -name __pycache__ \) -prune -o \
	    \( -type f -printf "%p %m %u:%g " -exec sha256sum -b {} \; \) -o \
	    -printf "%p %m %u:%g %y %l\n"' | sort >"$work/$1"
}

same() {
	diff "$work/$1" "$work/$2"
}

nothing_enabled() {
	script '
	seen=0
	for unit in /lib/systemd/system/onecredd* \
	    /usr/local/lib/systemd/system/onecredd*; do
		[ -e $unit ] || continue
		state=$(systemctl is-enabled ${unit##*/}) || :
		echo "${unit##*/}: $state"
		[ "$state" = disabled ]
		seen=$((seen + 1))
	done
	[ $seen = 6 ]
	[ -z "$(find /etc/systemd /etc/rc?.d -name "*onecred*")" ]
	for exe in /proc/[0-9]*/exe; do
		case $(readlink $exe) in
		*/onecredd*) echo "onecredd runs"; exit 1 ;;
		esac
	done'
}

# $1: the folder of the programs, $2: of share.
installed_well() {
	script '
	[ "$(stat -c "%a %U:%G" /etc/onecred/onecred.conf)" = \
	    "640 root:onecred" ]
	[ "$(id -Gn onecred)" = "onecred onecred-client" ]
	[ "$(stat -c "%a %U:%G" /run/onecred)" = "755 onecred:onecred" ]
	[ "$(stat -c "%a %U:%G" /var/lib/onecred)" = "700 onecred:onecred" ]
	for program in '"$1"'/sbin/onecredd '"$1"'/bin/onecred-extauth \
	    '"$1"'/bin/onecred; do
		$program --version
	done
	[ -e '"$1"'/share/onecred/sql/schema.sql ]
	systemd-analyze verify --man=no onecredd.service \
	    onecredd-extauth.socket onecredd-saslauthd.socket \
	    onecredd-http.socket onecredd-radius.socket \
	    onecredd-dovecot@a.socket'
}

make_debs() {
	script 'cd /root/onecred; make deb; ls -l build/*.deb'
}

install_debs() {
	script 'apt-get install -y --no-install-recommends \
	    /root/onecred/build/*.deb'
}

# Only what the package asks for, so that the rest is the package's doing.
install_needs() {
	script 'for deb in /root/onecred/build/*.deb; do
		apt-get satisfy -y --no-install-recommends \
		    "$(dpkg-deb -f $deb Depends)"
	done
	apt-get install -y --no-install-recommends systemd'
}

keep_edited() {
	script 'echo "# edited" >>/etc/onecred/onecred.conf
	dpkg -i --force-confdef /root/onecred/build/onecred_*.deb
	[ "$(tail -n 1 /etc/onecred/onecred.conf)" = "# edited" ]
	[ "$(stat -c "%a %U:%G" /etc/onecred/onecred.conf)" = \
	    "640 root:onecred" ]'
}

remove_debs() {
	script 'apt-get remove -y onecred onecred-sasl
	[ -e /etc/onecred/onecred.conf ]
	[ ! -e /usr/sbin/onecredd ]'
}

purge_debs() {
	script 'apt-get purge -y onecred onecred-sasl
	[ ! -e /etc/onecred ]
	[ ! -e /var/lib/onecred ]
	[ ! -e /run/onecred ]'
}

# It starts with the machine, not now. Debian chose its port by looking at
# those of this machine.
install_postgresql() {
	script 'printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	apt-get install -y --no-install-recommends postgresql
	rm /usr/sbin/policy-rc.d
	pg_conftool 15 main set port 5432
	pg_lsclusters'
}

# systemd as process 1 of the tree, in namespaces of its own.
boot() {
	unshare --mount --propagation private --net --pid --cgroup --fork \
	    --kill-child sh -euc '
	mount --bind "$0" "$0"
	mount --rbind "$0/dev" "$0/dev"
	mount -t proc proc "$0/proc"
	mount -t sysfs -o ro sysfs "$0/sys"
	mount -t cgroup2 cgroup2 "$0/sys/fs/cgroup"
	mount -t tmpfs -o mode=755 tmpfs "$0/run"
	exec chroot "$0" /usr/bin/env -i container=bare PATH="$PATH" \
	    /lib/systemd/systemd --system --unit=multi-user.target \
	    --show-status=no' "$tree" &
	keeper=$!
	n=0
	until init=$(cat /proc/$keeper/task/$keeper/children 2>/dev/null) &&
	    init=${init% } && [ -n "$init" ] && case $(in_tree \
	    systemctl is-system-running) in
	    running|degraded) true ;; *) false ;; esac; do
		n=$((n + 1))
		[ $n -lt 60 ] || return 1
		sleep 1
	done
	in_tree systemctl --failed
}

power_off() {
	[ -n "$init" ] || return 0
	in_tree systemctl --failed
	in_tree journalctl --no-pager -o short-monotonic -u onecredd
	kill -KILL "$keeper"
	wait "$keeper"
	init=
}

# $1 the prefix: by peer authentication, no password anywhere.
prepare_database() {
	sql=$1/share/onecred/sql
	as_postgres "createdb -E UTF8 -T template0 onecred
	psql -X -d onecred -f $sql/schema.sql
	psql -X -d onecred -v role=onecred -v grant=daemon -v domain='*' \
	    -v password_file= -f $sql/role-add.sql
	psql -X -d onecred -v domain=example.com -f $sql/domain-add.sql
	(umask 077; echo wonderland >/var/lib/postgresql/alice)
	psql -X -d onecred -v user=alice@example.com \
	    -v password_file=/var/lib/postgresql/alice -f $sql/user-add.sql"
}

drop_database() {
	as_postgres "dropdb onecred; dropuser onecred"
}

# ask PREFIX GROUPS FRAME: the helper's answer in hexadecimal.
ask() {
	in_tree sh -euc "printf '$3' | setpriv --reuid=nobody --regid=nogroup \
	    $2 $1/bin/onecred-extauth --timeout 20 | od -An -tx1 | tr -d ' '"
}

# Who is in the group is answered, right and wrong; who is not, is not.
answers() {
	[ "$(ask "$1" --groups=onecred-client \
	    '\000\041auth:alice:example.com:wonderland')" = 00020001 ] &&
	[ "$(ask "$1" --groups=onecred-client \
	    '\000\041auth:alice:example.com:Wonderland')" = 00020000 ] &&
	[ "$(ask "$1" --clear-groups \
	    '\000\030isuser:alice:example.com')" = 00020002 ]
}

start_service() {
	script 'systemctl start onecredd
	[ "$(stat -c "%a %U:%G" /run/onecred/extauth.sock)" = \
	    "660 onecred:onecred-client" ]
	pid=$(systemctl show -P MainPID onecredd)
	grep -E "^(Uid|Groups|CapBnd|NoNewPrivs|Seccomp)" /proc/$pid/status
	grep -qx "CapBnd:	0000000000000000" /proc/$pid/status
	grep -qx "NoNewPrivs:	1" /proc/$pid/status
	grep -qx "Seccomp:	2" /proc/$pid/status'
}

reload_service() {
	script 'pid=$(systemctl show -P MainPID onecredd)
	systemctl reload onecredd
	systemctl is-active onecredd
	[ "$(systemctl show -P MainPID onecredd)" = $pid ]
	journalctl --no-pager -u onecredd | grep "reload: done"
	cp -p /etc/onecred/onecred.conf /root/good.conf
	echo "[bogus]" >>/etc/onecred/onecred.conf
	not systemctl reload onecredd
	[ "$(systemctl show -P MainPID onecredd)" = $pid ]
	cat /root/good.conf >/etc/onecred/onecred.conf
	rm /root/good.conf
	systemctl stop onecredd
	[ ! -e /run/onecred/extauth.sock ]'
}

# The first connection starts it, a restart keeps the socket.
use_socket_unit() {
	script 'systemctl start onecredd-extauth.socket onecredd-http.socket \
	    onecredd-dovecot@a.socket
	[ "$(stat -c "%a %U:%G" /run/onecred/dovecot-a.sock)" = \
	    "660 onecred:onecred-client" ]
	not systemctl is-active onecredd' && answers "$1" && script '
	for unit in onecredd-http.socket onecredd-dovecot@a.socket; do
		journalctl --no-pager -u onecredd |
		    grep "systemctl disable --now $unit"
		systemctl stop $unit
	done
	socket=$(stat -c "%i %a %U:%G" /run/onecred/extauth.sock)
	systemctl restart onecredd
	[ "$(stat -c "%i %a %U:%G" /run/onecred/extauth.sock)" = "$socket" ]
	systemctl stop onecredd
	[ "$(stat -c "%i %a %U:%G" /run/onecred/extauth.sock)" = "$socket" ]' &&
	    answers "$1"
}

# In a script: the inode of the RADIUS port, and whether nobody else gets it.
port='port() {
	awk "\$2 == \"0100007F:0714\" { print \$10 }" /proc/net/udp
}
ours_alone() {
	! setpriv --reuid=nobody --regid=nogroup --clear-groups perl -MSocket \
	    -e "socket(S, PF_INET, SOCK_DGRAM, 0) or die;
	    setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1) or die;
	    exit !bind(S, sockaddr_in(1812, INADDR_LOOPBACK))"
}
'

# The port is held whether onecredd runs or not; it stays up from here on.
use_radius_socket() {
	script "$port"'systemctl stop onecredd-extauth.socket onecredd
	sed -i "/^#\[radius/,/^$/s/^#//" /etc/onecred/onecred.conf
	(umask 027; echo 0123456789abcdef >/etc/onecred/kamailio.secret)
	chgrp onecred /etc/onecred/kamailio.secret
	systemctl start onecredd-radius.socket
	inode=$(port)
	[ -n "$inode" ]
	ls /run/systemd/units /sys/fs/cgroup/system.slice
	said=$(setpriv --reuid=onecred --regid=onecred --init-groups \
	    '"$1"'/sbin/onecredd -t 2>&1)
	echo "$said"
	echo "$said" | grep "by all appearance by onecredd-radius.socket"
	bash -c "echo >/dev/udp/127.0.0.1/1812"
	n=0
	until systemctl is-active onecredd; do
		n=$((n + 1))
		[ $n -lt 20 ]
		sleep 0.5
	done
	[ "$(port)" = "$inode" ]
	ours_alone
	systemctl restart onecredd
	[ "$(port)" = "$inode" ]
	systemctl stop onecredd
	[ "$(port)" = "$inode" ]
	ours_alone
	systemctl start onecredd-extauth.socket onecredd'
}

# It is tried now and then, the socket stays, and who waits is answered when
# the file is good again.
survive_bad_file() {
	script 'systemctl stop onecredd
	cp -p /etc/onecred/onecred.conf /root/good.conf
	echo "[bogus]" >>/etc/onecred/onecred.conf'
	ask "$1" --groups=onecred-client \
	    '\000\041auth:alice:example.com:wonderland' >"$work/late" &
	late=$!
	script "$port"'bash -c "echo >/dev/udp/127.0.0.1/1812"
	sleep 12
	systemctl is-active onecredd-extauth.socket
	systemctl is-active onecredd-radius.socket
	[ -n "$(port)" ]
	ours_alone
	tries=$(systemctl show -P NRestarts onecredd)
	echo "restarts: $tries"
	[ "$tries" -ge 1 ] && [ "$tries" -le 3 ]
	cat /root/good.conf >/etc/onecred/onecred.conf
	rm /root/good.conf'
	status=$?
	wait $late
	[ "$(cat "$work/late")" = 00020001 ] && return $status
}

# The upgrade of a running service restarts it; one that is not, stays down.
upgrade_debs() {
	script 'pid=$(systemctl show -P MainPID onecredd)
	[ "$pid" != 0 ]
	dpkg -i --force-confdef /root/onecred/build/onecred_*.deb
	systemctl is-active onecredd onecredd-extauth.socket
	[ "$(systemctl show -P MainPID onecredd)" != $pid ]
	systemctl stop onecredd-extauth.socket onecredd
	dpkg -i --force-confdef /root/onecred/build/onecred_*.deb
	not systemctl is-active onecredd onecredd-extauth.socket
	systemctl start onecredd-extauth.socket onecredd'
}

removal_stops() {
	script 'systemctl stop onecredd
	systemctl start onecredd-dovecot@a.socket onecredd
	systemctl is-active onecredd-dovecot@a.socket' &&
	    remove_debs && script "$port"'
	for unit in onecredd onecredd-extauth.socket onecredd-radius.socket \
	    onecredd-dovecot@a.socket; do
		not systemctl is-active $unit
	done
	[ ! -e /run/onecred/extauth.sock ]
	[ ! -e /run/onecred/dovecot-a.sock ]
	[ -z "$(port)" ]'
}

# $1: the prefix. The machine runs, its PostgreSQL as Debian sets it up.
service_steps() {
	step "$1: systemd is up, PostgreSQL with it" boot || return 1
	step "$1: schema, role, account" prepare_database "$1"
	step "$1: the sample starts as it stands" start_service
	step "$1: the helper is answered, by group" answers "$1"
	step "$1: reload, stop" reload_service
	step "$1: the socket unit" use_socket_unit "$1"
	step "$1: the port of RADIUS is held" use_radius_socket "$1"
	step "$1: a bad configuration keeps the socket" survive_bad_file "$1"
	return 0
}

make_install() {
	script 'cd /root/onecred; make install'
}

make_uninstall() {
	script 'cd /root/onecred
	systemctl stop onecredd-extauth.socket onecredd-radius.socket onecredd
	make uninstall
	[ -e /etc/onecred/onecred.conf ]
	rm -r /etc/onecred /var/lib/onecred'
}

first_hour() {
	script 'cd /root/onecred; sh tests/deps.sh test
	python3 -B tests/integration/test_first_hour.py'
}

inside() {
	tree=$work/tree
	mkdir "$tree"
	step "a minimal Debian 12" make_tree &&
	    step "apt-get install -y git make" \
	        script 'apt-get install -y git make' &&
	    step "a copy of the source" copy_source &&
	    step "make deb" make_debs &&
	    step "what the packages depend on" install_needs || finish
	snapshot before-deb
	step "the packages install" install_debs || finish
	step "users, modes, programs, units" installed_well /usr
	step "nothing is enabled or running" nothing_enabled
	step "an edited configuration stays" keep_edited
	step "removal leaves the configuration" remove_debs
	step "purge" purge_debs
	snapshot after-deb
	step "the tree is as before" same before-deb after-deb

	step "PostgreSQL, as Debian sets it up" install_postgresql
	step "the packages install again" install_debs
	if service_steps /usr; then
		step "an upgrade restarts what runs" upgrade_debs
		step "removal stops the service" removal_stops
		step "purge of what ran" purge_debs
		drop_database >>"$work/log" 2>&1
	fi
	power_off >>"$work/log" 2>&1

	step "packages for building, make" script \
	    'cd /root/onecred; sh tests/deps.sh build; make'
	snapshot before-make
	step "make install" make_install || finish
	step "make: users, modes, programs, units" installed_well /usr/local
	step "make: nothing is enabled or running" nothing_enabled
	service_steps /usr/local && drop_database >>"$work/log" 2>&1
	step "make uninstall" make_uninstall
	power_off >>"$work/log" 2>&1
	snapshot after-make
	step "make: the tree is as before" same before-make after-make

	if [ -e "$top/tests/integration/test_first_hour.py" ]; then
		step "the README's first hour" first_hour
	fi
	finish
}

if [ "${1-}" = inside ]; then
	work=$2
	inside
else
	outside
fi
