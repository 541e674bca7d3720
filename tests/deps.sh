#!/bin/sh
# Installs the Debian packages that are missing: `deps.sh build` what building
# and the demo need, `deps.sh test` that and the real peers of the tests,
# `deps.sh deb` what making a Debian package needs.
# As root, or by sudo; otherwise it prints the command for root and exits 1.
#
# It starts and enables no service, creates no PostgreSQL cluster, and stops
# rather than upgrade or remove anything named postgresql*. What it has to put
# aside for that is put back whatever happens.
set -u
LC_ALL=C.UTF-8
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

here=$(cd "$(dirname "$0")" && pwd) || exit 1
mode=${1-build}

# libjansson-dev: requests and answers of the HTTP door are JSON (DESIGN 10).
build_packages='gcc libc6-dev pkg-config libevent-dev libpq-dev libssl-dev
	libidn-dev libmicrohttpd-dev libjansson-dev postgresql-client-common
	freeradius-utils python3 util-linux check libsasl2-dev libsasl2-modules
	sasl2-bin'
test_packages='clang libclang-rt-dev clang-tidy cppcheck freeradius
	freeradius-postgresql libdbd-pg-perl perl mandoc libsasl2-modules-sql
	strace valgrind openssl prosody prosody-modules lua-cyrussasl lua-sec
	python3-slixmpp lua-check
	ejabberd kamailio kamailio-radius-modules postfix sipsak curl
	kamailio-postgres-modules
	kamailio-utils-modules kamailio-extra-modules baresip-core sip-tester
	linphone-cli libsofia-sip-ua-dev'

# The Build-Depends of src/install/debian/control and what reads them.
deb_packages='build-essential debhelper fakeroot pkg-config libevent-dev
	libidn-dev libjansson-dev libmicrohttpd-dev libpq-dev libsasl2-dev
	libssl-dev'
# What looks at units, profiles and packages that were made.
install_packages='systemd apparmor lintian'

case $mode in
build)	packages=$build_packages ;;
test)	packages="$build_packages $test_packages $deb_packages
		$install_packages" ;;
deb)	packages=$deb_packages ;;
*)	echo "usage: deps.sh build|test|deb" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
	echo "deps: this is no Debian; needed are the counterparts of:" \
	    $packages postgresql >&2
	exit 1
fi

# Whatever PostgreSQL is there will do; 15 is Debian 12's.
server_there() {
	for initdb in /usr/lib/postgresql/*/bin/initdb; do
		[ -x "$initdb" ] && return 0
	done
	return 1
}

installed=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' $packages \
    2>/dev/null | sed -n 's/ ii *$//p')
missing=
for package in $packages; do
	case "
$installed
" in *"
$package
"*) ;;
	*)	missing="$missing $package" ;;
	esac
done
[ "$mode" = deb ] || server_there || missing="$missing postgresql-15"
policy=/usr/sbin/policy-rc.d
preset=/etc/systemd/system-preset/00-onecred-deps.preset
cluster=/etc/postgresql-common/createcluster.conf
saved=.onecred-saved
mark='# onecred deps.sh: temporary'

# Whatever stands there is ours only while packages are being installed.
interrupted() {
	[ -e $preset ]
}
[ -n "$missing" ] || interrupted || exit 0

if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null; then
		if sudo -n true 2>/dev/null; then
			exec sudo -n sh "$here/deps.sh" "$mode"
		elif [ -t 0 ]; then
			exec sudo sh "$here/deps.sh" "$mode"
		fi
	fi
	[ -n "$missing" ] || exit 0
	cat >&2 <<END
deps: missing packages:$missing
deps: installing them needs root. Run as root:
    sh $here/deps.sh $mode
END
	exit 1
fi

# Puts back what is there under its saved name, or removes what is ours.
put_back() {
	if [ -e "$1$saved" ] || [ -L "$1$saved" ]; then
		mv -f "$1$saved" "$1"
	elif grep -qsxF "$mark" "$1"; then
		rm -f "$1"
	fi
}

restore() {
	put_back $policy
	put_back $preset
	rmdir /etc/systemd/system-preset 2>/dev/null
	put_back $cluster
	# First installation: the package took ours for an edited one.
	if [ ! -e $cluster ] && \
	    [ -e /usr/share/postgresql-common/createcluster.conf ]; then
		cp /usr/share/postgresql-common/createcluster.conf $cluster
		rm -f $cluster.ucf-dist
	fi
	rmdir /etc/postgresql-common 2>/dev/null
	return 0
}

# Links by which services would start at boot.
start_links() {
	find /etc/systemd/system /etc/rc[2345].d \
	    \( -path '*.wants/*' -o -path '*.requires/*' -o -name 'S*' \) \
	    -type l 2>/dev/null | sort
}

# Without systemctl packages make these links whatever the preset says.
remove_new_links() {
	[ -n "$work" ] && [ -e "$work/before-links" ] || return 0
	start_links >"$work/after-links"
	comm -13 "$work/before-links" "$work/after-links" |
	while read -r link; do
		case $link in
		/etc/rc*)
			name=${link##*/S??}
			[ ! -e "$link" ] || update-rc.d "$name" disable ;;
		*)	rm -f "$link" ;;
		esac
	done
}

all_packages() {
	dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' |
	    sed -n 's/^ii *//p' | sort
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q \
	    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
	    --no-install-recommends \
	    -o APT::Get::Upgrade-By-Source-Package=false "$@" </dev/null
}

# Two of us at a time would save each other's files.
exec 9>/run/onecred-deps.lock
flock 9
work=
trap 'remove_new_links; restore; [ -z "$work" ] || rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d /tmp/onecred.XXXXXX) || exit 1
if interrupted; then
	restore
fi
[ -n "$missing" ] || exit 0

lists=$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -7 \
    2>/dev/null | head -n 1)
if [ -z "$lists" ]; then
	apt update || echo "deps: apt-get update failed; going on" >&2
fi
plan=$(apt -s install $missing 2>&1) || {
	apt update
	plan=$(apt -s install $missing 2>&1) || {
		printf '%s\n' "$plan" >&2
		echo "deps: apt-get cannot install:$missing" >&2
		exit 1
	}
}
touched=$(printf '%s\n' "$plan" |
    sed -n -e 's/^Remv \(postgresql[^ ]*\) .*/    remove \1/p' \
    -e 's/^Inst \(postgresql[^ ]*\) \[\([^]]*\)\] (\([^ ]*\) .*/    upgrade \1 \2 to \3/p')
if [ -n "$touched" ]; then
	cat >&2 <<END
deps: apt-get would change the PostgreSQL of this machine:
$touched
deps: nothing was installed. Install by hand what you agree with:$missing
END
	exit 1
fi

start_links >"$work/before-links"
all_packages >"$work/before"

if [ -e $policy ] || [ -L $policy ]; then
	mv $policy $policy$saved
fi
printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >$policy
chmod 755 $policy
mkdir -p /etc/systemd/system-preset
printf '%s\ndisable *\n' "$mark" >$preset
mkdir -p /etc/postgresql-common
if [ -e $cluster ]; then
	cp -p $cluster $cluster$saved
fi
printf '%s\ncreate_main_cluster = false\n' "$mark" >$cluster

apt -y install $missing || {
	# The mirror may have moved on since the lists were read.
	apt update
	apt -y install $missing || {
		echo "deps: apt-get could not install:$missing" >&2
		exit 1
	}
}

all_packages >"$work/after"
echo "deps: added:"
comm -13 "$work/before" "$work/after" | sed 's/^/    /'
exit 0
