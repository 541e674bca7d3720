"""
The files in fragments/: configuration for other programs, as the README hands
it to administrators. Tests use them as they stand; only standard places
become those of the stage, because several tests run at the same time:

fragment(stage, "ejabberd.yml", {"port: 5222": "port: 17001"}) -> the text
path(name)                                                     -> the file

/usr/local is the stage's installation, /run/onecred its make_directory
("door"), /etc/onecred its "etc", /etc/kamailio its "kamailio". A replacement
that replaces nothing is an error: the fragment has changed.
"""

import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "fragments")


def path(name):
    return os.path.join(FOLDER, name)


def fragment(stage, name, replace=None):
    with open(path(name), encoding="utf-8") as f:
        text = f.read()
    # Longest first, and none within what another has put in.
    for place, ours in (("/usr/local", f"{stage.root}/usr"),
                        ("/run/onecred", stage.path("door")),
                        ("/etc/onecred", stage.path("etc")),
                        ("/etc/kamailio", stage.path("kamailio"))):
        text = text.replace(place, ours)
    for old, new in (replace or {}).items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text
