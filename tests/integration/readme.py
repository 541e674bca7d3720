"""
The commands of README.md, for the tests that run them as they stand.

section("The first hour")     the text below that heading, up to the next one
                              of its level or above; no such heading: an error
commands("Backup")            the indented lines of that section, one string;
                              indented lines in between that are not commands
                              do not exist in such sections
run_commands(stage, text, env, ...)   runs them: `sudo` and `systemctl` are
                              stand-ins -> (CompletedProcess, what systemctl
                              was told, one line each)

sudo -u USER becomes that user if the tests run as root; without root it is
nothing. systemctl only writes down what it was told.
"""

import os
import re

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                    "README.md")


def section(heading):
    with open(FILE, encoding="utf-8") as f:
        text = f.read()
    found = re.search(rf"^(#+) {re.escape(heading)}\n", text, re.M)
    assert found, f"README.md has no section {heading!r}"
    text = text[found.end():]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", text, re.M)
    return text[:end.start()] if end else text


def commands(heading):
    lines = [line[4:] for line in section(heading).splitlines()
             if line.startswith("    ")]
    assert lines, f"README.md has no commands below {heading!r}"
    return "\n".join(lines) + "\n"


SUDO = """#!/bin/sh
if [ "$1" = -u ]; then
	user=$2
	shift 2
	[ "$(id -u)" != 0 ] || exec setpriv --reuid="$user" \\
	    --regid="$(id -g "$user")" --init-groups -- "$@"
fi
exec "$@"
"""

SYSTEMCTL = """#!/bin/sh
echo "$@" >>{told}
"""


def stand_ins(stage):
    """A folder for the front of PATH."""
    folder = stage.make_directory("stand-ins")
    told = os.path.join(folder, "told")
    for name, text in (("sudo", SUDO),
                       ("systemctl", SYSTEMCTL.format(told=told))):
        stage.file(f"stand-ins/{name}", text, mode=0o755)
    stage.file("stand-ins/told", "", mode=0o666)
    return folder


def run_commands(stage, text, env=None, **options):
    folder = stand_ins(stage)
    done = stage.run(["sh", "-eux", "-c", text], env={
        "PATH": f"{folder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                "/sbin:/bin", **(env or {})}, **options)
    with open(os.path.join(folder, "told"), encoding="utf-8") as f:
        return done, f.read().splitlines()
