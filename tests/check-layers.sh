#!/bin/sh
# The shape of src/: includes point downward only, doors never see a record,
# core does no I/O. Arguments: the layers, lowest first. Prints each offence,
# exits 1 if there is one.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.." || exit 1

offences=$(
	# Each include of our own: own or lower layer, from the root of src;
	# own header first, the system's before ours, ours sorted.
	for layer in "$@"; do
		for file in src/"$layer"/*.[ch]; do
			[ -e "$file" ] || continue
			own=
			case $file in *.c)
				own=$layer/$(basename "$file" .c).h
				[ -e "src/$own" ] || own= ;;
			esac
			awk -v layers="$*" -v own="$own" -v layer="$layer" '
			function offence(text) {
				printf "%s:%d: %s\n", FILENAME, FNR, text
			}
			BEGIN {
				n = split(layers, names, " ")
				for (i = 1; i <= n; i++)
					rank[names[i]] = i
			}
			# A new block after #if or #endif sorts afresh.
			/^[ \t]*#[ \t]*(if|else|endif)/ { last = "" }
			/^[ \t]*#[ \t]*include/ {
				name = $0
				sub(/^[^<"]*[<"]/, "", name)
				sub(/[>"].*$/, "", name)
				local = ($0 ~ /include[ \t]*"/)
				count++
				if (own != "" && count == 1 && name != own)
					offence("own header " own " comes first")
				if (local) {
					m = split(name, part, "/")
					if (m != 2 || !(part[1] in rank))
						offence("\"" name "\" is not LAYER/NAME.h")
					else if (rank[part[1]] > rank[layer])
						offence(layer " includes " name ", a higher layer")
				}
				if (name == own)
					next
				if (local ? name < last : last != "")
					offence("include of " name " is out of order")
				last = local ? name : ""
			}' "$file"
		done
	done

	# NB: a door that knows struct credential could judge by itself. What
	# its includes include counts too.
	for file in src/doors/*.c; do
		[ -e "$file" ] || continue
		"${CC:-gcc}" -Isrc -MM -MG "$file" | tr ' ' '\n' |
		    grep -E '^src/(core/(credential|verify|fake)\.h|store/)' |
		    sed "s|^|$file: a door sees |"
	done

	# Layers that must not touch the world.
	grep -nE '(^|[^A-Za-z0-9_])(exit|_exit|abort|printf|fprintf|puts|perror|fopen|open|socket|getenv|secure_getenv|syslog)[ ]*\(' \
	    src/core/*.[ch] | grep -vE ':[0-9]+:[ \t]*(/?\*|//)' |
	    sed 's/$/ -- core does no I\/O, exits never/'
	for layer in store service doors; do
		grep -nE '(^|[^A-Za-z0-9_])(exit|printf|puts|perror|syslog)[ ]*\(' \
		    src/$layer/*.[ch] 2>/dev/null |
		    grep -vE ':[0-9]+:[ \t]*(/?\*|//)' |
		    sed 's/$/ -- only programs exit and print/'
	done

	# The plugin lives in processes of others: core and libpq only.
	grep -nE '^[ \t]*#[ \t]*include[ \t]*"(store|service|doors|daemon|cli)/' \
	    plugin/*.[ch] 2>/dev/null | sed 's/$/ -- the plugin has core only/'

	# A directory with code that is no layer (src/install has none).
	for directory in src/*/; do
		name=$(basename "$directory")
		ls "$directory"*.[ch] >/dev/null 2>&1 || continue
		case " $* " in *" $name "*) ;; *)
			echo "src/$name is not a layer" ;;
		esac
	done

	# Sizes: 600 lines are the limit.
	for file in src/*/*.[ch] plugin/*.[ch]; do
		[ -e "$file" ] || continue
		lines=$(wc -l <"$file")
		[ "$lines" -le 600 ] || echo "$file: $lines lines, 600 at most"
	done
)

[ -z "$offences" ] && exit 0
printf '%s\n' "$offences"
exit 1
