#!/bin/sh
# Installs one file and keeps a list of what was made, so that `make
# uninstall' removes that and nothing else:
#
#     put.sh MODE SOURCE TO     a file; SOURCE - is standard input
#     put.sh keep MODE SOURCE TO     only if TO is not there; never removed
#     put.sh link TARGET TO     a symbolic link
#     put.sh remove             everything in the list, and the list
#
# DESTDIR goes before every TO. LIST is the list's own path: one absolute
# path a line without DESTDIR, a folder with a slash at its end, parents first.
set -eu
umask 022
: "${LIST:?}"
DESTDIR=${DESTDIR-}

# The folder of $1 and what is missing above it. mkdir(1) decides who of two
# that run at the same time made one.
make_folder() {
	folder=${1%/*}
	[ -n "$folder" ] && [ ! -d "$DESTDIR$folder" ] || return 0
	make_folder "$folder"
	folder=${1%/*}
	if mkdir "$DESTDIR$folder" 2>/dev/null; then
		made="$made$folder/
"
	elif [ ! -d "$DESTDIR$folder" ]; then
		echo "$DESTDIR$folder: cannot be made" >&2
		return 1
	fi
}

# Adds lines that the list does not have yet.
record() {
	make_folder "$LIST"
	printf '%s' "$made$1" | while read -r line; do
		grep -qsxF -e "$line" "$DESTDIR$LIST" ||
		    printf '%s\n' "$line" >>"$DESTDIR$LIST"
	done
}

remove() {
	if [ ! -e "$DESTDIR$LIST" ]; then
		echo "$DESTDIR$LIST is not there: nothing is installed below" \
		    "this PREFIX" >&2
		return 1
	fi
	grep -v '/$' "$DESTDIR$LIST" | while read -r path; do
		rm -f "$DESTDIR$path"
	done
	folders=$(grep '/$' "$DESTDIR$LIST" | sort -r)
	rm -f "$DESTDIR$LIST"
	# Whatever others put there keeps its folder.
	printf '%s\n' "$folders" | while read -r path; do
		[ -z "$path" ] || rmdir "$DESTDIR$path" 2>/dev/null || :
	done
}

made=
case $1 in
remove)
	remove
	exit ;;
keep)
	shift
	if [ -e "$DESTDIR$3" ] || [ -L "$DESTDIR$3" ]; then
		cmp -s "$2" "$DESTDIR$3" || echo "$DESTDIR$3 stays as it is;" \
		    "the sample is ${SAMPLE-$2}"
		exit 0
	fi
	line= ;;
*)	line="$3
" ;;
esac
to=$DESTDIR$3
[ -z "$DESTDIR" ] || mkdir -p "$DESTDIR"
make_folder "$3"
record "$line"
# NB: by rename, which replaces a running program too.
rm -f "$to.new"
case $1 in
link)	ln -s "$2" "$to.new" ;;
*)	(umask 077 && if [ "$2" = - ]; then cat; else cat "$2"; fi >"$to.new")
	chmod "$1" "$to.new" ;;
esac
mv -f "$to.new" "$to"
