# bash completion of onecred, onecredd and onecred-extauth. Commands and
# options are read from --help, so that there is no second list of them.
# shellcheck shell=bash

_onecred_help()
{
	"$@" --help 2>/dev/null </dev/null
}

_onecred_files()
{
	local -a found
	local IFS=$'\n'

	found=($(compgen -f -- "$1"))
	COMPREPLY=("${found[@]}")
	compopt -o filenames 2>/dev/null
}

_onecred()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local name=${1##*/}
	local -a program=("$1")

	COMPREPLY=()
	case $prev in
	-c | --socket | --*-file)
		_onecred_files "$cur"
		return ;;
	esac
	if [[ $name == onecred ]]; then
		if ((COMP_CWORD == 1)) && [[ $cur != -* ]]; then
			COMPREPLY=($(compgen -W "$(_onecred_help "$1" |
			    sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')" -- "$cur"))
			return
		fi
		# NB: only a word that cannot be anything but a command is run.
		if ((COMP_CWORD > 1)) &&
		    [[ ${COMP_WORDS[1]} =~ ^[a-z][a-z-]*$ ]]; then
			program+=("${COMP_WORDS[1]}")
		fi
	fi
	[[ $cur == -* ]] || return
	COMPREPLY=($(compgen -W "$(_onecred_help "${program[@]}" |
	    sed -n 's/^  \(--*[a-z][a-z-]*\).*/\1/p') --help" -- "$cur"))
}

complete -F _onecred onecred onecredd onecred-extauth
