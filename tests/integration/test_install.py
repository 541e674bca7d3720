#!/usr/bin/python3 -B
"""
What `make install` and `make deb` put where, and what takes it away again:
files, modes, units, users, completion, AppArmor, the packages; and a socket
kept by systemd-socket-activate while onecredd restarts. What needs a whole
machine (maintainer scripts, purge) is tests/bare.sh's.
"""

import glob
import os
import re
import shutil
import signal
import stat
import subprocess
import sys

from radius import Client, digest, sterman
from stage import (BUILD, IS_ROOT, NOBODY, TOP, Extauth, case, descendants,
                   free_port, give_to, run_cases, wait_until)

ISUSER = b"isuser:alice:example.com"
# What stands in onecredd-NAME.socket: section, FileDescriptorName, where.
SOCKETS = {
    **{name: (name, name, f"ListenStream=/run/onecred/{name}.sock")
       for name in ("extauth", "saslauthd", "http")},
    "dovecot@": ("dovecot %i", "dovecot-%i",
                 "ListenStream=/run/onecred/dovecot-%i.sock"),
    "radius": ("radius", "radius", "ListenDatagram=127.0.0.1:1812"),
}
UNITS = ["onecredd.service"] + [f"onecredd-{name}.socket" for name in SOCKETS]
PAGES = [page for folder in ("src/*", "plugin")
         for page in glob.glob(f"{TOP}/{folder}/*.[158]")]
PROGRAMS = ("onecred", "onecredd", "onecred-extauth")
# Every file below PREFIX but the scripts, and its mode.
FILES = {
    "bin/onecred": 0o755,
    "bin/onecred-extauth": 0o755,
    "sbin/onecredd": 0o755,
    "lib/sasl2/libonecred.so": 0o644,
    **{f"lib/systemd/system/{unit}": 0o644 for unit in UNITS},
    "lib/sysusers.d/onecred.conf": 0o644,
    "lib/tmpfiles.d/onecred.conf": 0o644,
    "share/bash-completion/completions/onecred": 0o644,
    "share/doc/onecred/CHANGELOG.md": 0o644,
    "share/doc/onecred/LICENSE": 0o644,
    "share/doc/onecred/README.md": 0o644,
    "share/doc/onecred/onecred.conf.sample": 0o644,
    **{f"share/man/man{page[-1]}/{os.path.basename(page)}": 0o644
       for page in PAGES},
    **{"lib/prosody/modules/" + module: 0o644 for module in
       glob.glob("**/*.lua", root_dir=f"{TOP}/plugin/prosody",
                 recursive=True)},
    "share/onecred/apparmor/onecred-extauth": 0o644,
    "share/onecred/installed": 0o644,
}
LINKS = {f"share/bash-completion/completions/{name}": "onecred"
         for name in ("onecredd", "onecred-extauth")}
SQL = "share/onecred/sql/"
EXAMPLES = "share/onecred/examples/"
# A service manager that keeps the socket while onecredd comes twice, the
# second time when the file $0 is there.
TWICE = """
start() {
	sh -c 'LISTEN_PID=$$ exec "$@"' sh "$@"
}
start "$@" || exit 1
until [ -e "$0" ]; do sleep 0.05; done
start "$@"
"""


# Binds a UDP port that somebody may have, as one who does not mind.
BIND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    s.bind(("127.0.0.1", int(sys.argv[1])))
    print("bound")
except OSError:
    print("in use")
"""


def make(stage, root, *targets, prefix="/opt/o", check=True):
    return stage.run(
        ["make", "-s", "-C", TOP, f"B={BUILD}", f"DESTDIR={root}",
         f"PREFIX={prefix}", f"SASLPLUGINDIR={prefix}/lib/sasl2", *targets],
        check=check, stderr=subprocess.STDOUT)


def tree(root):
    """{path: (type, mode, owner, content or target)} of all below root."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            content = None
            if stat.S_ISLNK(st.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(st.st_mode):
                with open(path, "rb") as f:
                    content = f.read()
            found[os.path.relpath(path, root)] = (
                stat.S_IFMT(st.st_mode), stat.S_IMODE(st.st_mode),
                (st.st_uid, st.st_gid), content)
    return found


def files_of(found, prefix):
    """{path below prefix: mode} of regular files."""
    return {os.path.relpath(path, prefix): value[1]
            for path, value in found.items()
            if value[0] == stat.S_IFREG and path.startswith(prefix + "/")}


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def prepare(stage):
    stage.basic()
    stage.make_directory("run", NOBODY)


@case("make install puts every file where it belongs, with its mode")
def install(stage):
    root = stage.path("whole")
    make(stage, root, "install")
    found = tree(root)
    files = files_of(found, "opt/o")
    assert {p: m for p, m in files.items()
            if not p.startswith((SQL, EXAMPLES))} == FILES
    fragments = os.listdir(f"{TOP}/tests/integration/fragments")
    assert {p: m for p, m in files.items() if p.startswith(EXAMPLES)} == \
        {EXAMPLES + name: 0o644 for name in fragments}
    assert b"/opt/o/bin/onecred-extauth" in \
        found[f"opt/o/{EXAMPLES}ejabberd.yml"][3]
    scripts = {p: m for p, m in files.items() if p.startswith(SQL)}
    source = glob.glob(f"{TOP}/sql/**/*.sql", recursive=True)
    assert set(scripts) == {"share/onecred/" + os.path.relpath(f, TOP)
                            for f in source}
    assert set(scripts.values()) == {0o644}
    assert files_of(found, "etc") == {"onecred/onecred.conf": 0o640}
    assert {os.path.relpath(p, "opt/o"): v[3] for p, v in found.items()
            if v[0] == stat.S_IFLNK} == LINKS
    assert {v[1] for v in found.values() if v[0] == stat.S_IFDIR} == {0o755}
    assert {v[2] for v in found.values()} == {(os.geteuid(), os.getegid())}
    assert found["etc/onecred/onecred.conf"][3] == \
        found["opt/o/share/doc/onecred/onecred.conf.sample"][3]
    for path, value in found.items():
        if value[0] == stat.S_IFREG and not path.endswith(".so"):
            assert not re.search(rb"@[A-Z]+@", value[3]), path
            assert root.encode() not in value[3], path
    # The list of what was made is whole.
    listed = found["opt/o/share/onecred/installed"][3].decode().splitlines()
    assert sorted(listed) == sorted(
        f"/{p}" + ("/" if v[0] == stat.S_IFDIR else "")
        for p, v in found.items() if p not in (
            "etc/onecred/onecred.conf", "opt/o/share/onecred/installed"))


@case("installing again changes nothing, an edited configuration stays")
def again(stage):
    root = stage.path("again")
    make(stage, root, "install")
    config = f"{root}/etc/onecred/onecred.conf"
    before = tree(root)
    said = make(stage, root, "install").stdout
    assert "stays as it is" not in said
    assert tree(root) == before
    with open(config, "a", encoding="ascii") as f:
        f.write("# edited\n")
    os.chmod(config, 0o600)
    before = tree(root)
    said = make(stage, root, "-j4", "install").stdout
    assert f"{config} stays as it is; the sample is " in said
    assert tree(root) == before


@case("make uninstall removes what was installed and nothing else")
def uninstall(stage):
    root = stage.path("removed")
    for name in ("opt/o/share/man/man8", "opt/o/sbin",
                 "opt/o/share/onecred/sql"):
        os.makedirs(f"{root}/{name}")
    foreign = f"{root}/opt/o/share/onecred/sql/my.sql"
    with open(foreign, "w", encoding="ascii") as f:
        f.write("SELECT 1;\n")
    before = tree(root)
    make(stage, root, "-j4", "install")
    assert len(tree(root)) > len(before) + len(FILES)
    make(stage, root, "install")
    make(stage, root, "uninstall")
    after = tree(root)
    for path in ("etc", "etc/onecred", "etc/onecred/onecred.conf"):
        assert after.pop(path)
    assert after == before
    # And without the configuration not even its folder stays.
    make(stage, root, "install")
    os.unlink(f"{root}/etc/onecred/onecred.conf")
    make(stage, root, "uninstall")
    assert set(tree(root)) == set(before) | {"etc", "etc/onecred"}


@case("make uninstall without an installation says so")
def uninstall_nothing(stage):
    done = make(stage, stage.path("nothing"), "uninstall", check=False)
    assert done.returncode != 0
    assert "/opt/o/share/onecred/installed is not there" in done.stdout
    assert not os.path.exists(stage.path("nothing"))


def units_here(stage):
    """Copies of the installed units whose programs exist; their folder."""
    folder = stage.make_directory("units")
    for unit in UNITS:
        text = text_of(f"{stage.root}/usr/lib/systemd/system/{unit}")
        assert "/usr/local" not in text
        with open(f"{folder}/{unit}", "w", encoding="ascii") as f:
            f.write(text.replace("=/usr/sbin/onecredd",
                                 f"={stage.program('onecredd')}"))
    return folder


@case("systemd-analyze verify has nothing to say of the units")
def verify(stage):
    folder = units_here(stage)

    def verified():
        return stage.run(["systemd-analyze", "verify", "--man=no",
                          *(f"{folder}/{unit}" for unit in UNITS)],
                         stderr=subprocess.STDOUT)

    done = verified()
    # Units of the machine's own packages may be talked about.
    assert done.returncode == 0 and "onecred" not in done.stdout, done
    with open(f"{folder}/onecredd.service", "a", encoding="ascii") as f:
        f.write("[Service]\nHardenedness=yes\n")
    assert "Hardenedness" in verified().stdout


@case("the socket's group can be set on every architecture")
def lchown(stage):
    """Where there is no lchown the C library calls fchownat for it."""
    with open(f"{units_here(stage)}/onecredd.service", encoding="ascii") as f:
        filters = [line.split("=", 1)[1].split() for line in f
                   if line.startswith("SystemCallFilter=")]
    assert filters[1][0] == "~@privileged", filters
    assert {"lchown", "fchownat"} <= set(filters[-1]), filters


@case("the exposure of the service is below 2.0")
def exposure(stage):
    folder = units_here(stage)
    argv = ["systemd-analyze", "security", "--offline=yes", "--no-pager",
            "--threshold=19", f"{folder}/onecredd.service"]
    done = stage.run(argv)
    assert done.returncode == 0, done.stdout[-300:]
    level = re.search(r"Overall exposure level.*: ([0-9.]+)", done.stdout)
    assert level and float(level[1]) < 2.0, done.stdout[-300:]
    with open(f"{folder}/onecredd.service", "a", encoding="ascii") as f:
        f.write("[Service]\nUser=root\nNoNewPrivileges=no\n"
                "SystemCallFilter=\nMemoryDenyWriteExecute=no\n")
    assert stage.run(argv).returncode != 0


@case("the socket units match the sections, and the sample")
def sockets(stage):
    page = text_of(f"{stage.root}/usr/share/man/man5/onecred.conf.5")
    for name, (section, word, listen) in SOCKETS.items():
        text = text_of(f"{stage.root}/usr/lib/systemd/system/"
                       f"onecredd-{name}.socket")
        lines = text.splitlines()
        wanted = ["Service=onecredd.service", f"FileDescriptorName={word}",
                  listen]
        if listen.startswith("ListenStream"):
            wanted += ["SocketGroup=onecred-client", "SocketMode=0660"]
        for line in wanted:
            assert line in lines, (name, line)
        assert f"[{section}]" in text, name
        # The default of the section's listen is the unit's.
        where = listen.partition("=")[2].replace("%i", "NAME")
        assert where in page, (name, where)
    sample = text_of(f"{stage.root}/etc/onecred/onecred.conf")
    assert "\n[extauth]\nlisten = /run/onecred/extauth.sock\n" \
        "group = onecred-client\n" in sample
    assert "password=" not in sample


@case("systemd-sysusers and systemd-tmpfiles make users and folders")
def users(stage):
    root = stage.path("users")
    make(stage, root, "install", prefix="/usr")
    os.makedirs(f"{root}/etc", exist_ok=True)
    sysusers = ["systemd-sysusers", f"--root={root}"]
    if not IS_ROOT:
        done = stage.run([*sysusers, "--dry-run", "onecred.conf"], check=True)
        return
    for _ in range(2):
        stage.run([*sysusers, "onecred.conf"], check=True)
    passwd = text_of(f"{root}/etc/passwd")
    entry = re.search(r"^onecred:x:(\d+):(\d+):[^:]*:/var/lib/onecred:(.*)$",
                      passwd, re.M)
    assert entry and entry[3].endswith("/nologin"), passwd
    group = text_of(f"{root}/etc/group")
    assert re.search(rf"^onecred:x:{entry[2]}:$", group, re.M), group
    assert re.search(r"^onecred-client:x:\d+:onecred$", group, re.M), group
    done = stage.run(["systemd-tmpfiles", f"--root={root}", "--create",
                      "onecred.conf"], check=True)
    assert done.stderr == "", done
    for path, mode in (("run/onecred", 0o755), ("var/lib/onecred", 0o700)):
        st = os.stat(f"{root}/{path}")
        assert stat.S_IMODE(st.st_mode) == mode, path
        assert (st.st_uid, st.st_gid) == (int(entry[1]), int(entry[2]))


COMPLETE = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
spec=$(complete -p "${COMP_WORDS[0]##*/}") || exit 1
[[ $spec == *" -F "* ]] || exit 1
function=${spec##*-F }
"${function%% *}" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@case("bash completes commands, options and files")
def completion(stage):
    folder = f"{stage.root}/usr/share/bash-completion/completions"
    plain = stage.file("plain file", "")

    def completed(name, *words):
        done = stage.run(["bash", "--norc", "-uc", COMPLETE, "bash",
                          f"{folder}/{name}", stage.program(name), *words],
                         check=True)
        assert done.stderr == "", done
        return set(done.stdout.split("\n")[:-1]) - {""}

    assert "hash" in completed("onecred", "")
    assert completed("onecred", "ha") == {"hash"}
    assert completed("onecred", "zzz") == set()
    assert {"--realm", "--password-file", "--help"} <= \
        completed("onecred", "hash", "--")
    assert completed("onecred", "hash", "--rea") == {"--realm"}
    assert completed("onecred", "hash", "--password-file",
                     plain[:-3]) == {plain}
    assert {"--extauth", "--version", "-c", "-t", "-v"} <= \
        completed("onecredd", "-")
    assert completed("onecredd", "-c", plain[:-3]) == {plain}
    assert completed("onecred-extauth", "--s") == {"--socket"}
    # A word that somebody else wrote is not run.
    assert completed("onecred", "$(touch x)", "-") >= {"--help"}
    for name in PROGRAMS:
        assert os.path.samefile(f"{folder}/{name}", f"{folder}/onecred")


@case("AppArmor's parser takes ejabberd's profile with our lines")
def apparmor(stage):
    lines = f"{stage.root}/usr/share/onecred/apparmor/onecred-extauth"
    text = text_of(lines)
    assert "/usr/bin/onecred-extauth mrix," in text
    profile = text_of("/etc/apparmor.d/usr.sbin.ejabberdctl")
    include = "#include <local/usr.sbin.ejabberdctl>"
    assert include in profile

    def parsed(extra):
        path = stage.file("profile", profile.replace(include, extra))
        return stage.run(["apparmor_parser", "-Q", "-K", "-I",
                          "/etc/apparmor.d", "-I",
                          "/etc/apparmor.d/abstractions", path])

    # The line as it stands in the file's own head.
    line = re.search(r'include "(.*)"', text)
    assert line and line[1] == lines[len(stage.root):]
    done = parsed(f'include "{lines}"')
    assert done.returncode == 0, done
    assert parsed(f'include "{lines}.missing"').returncode != 0


def onecredds(process, program):
    """Pids below process that run program."""
    found = []
    for pid in descendants(process.pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if words[0] == program.encode():
            found.append(pid)
    return found


@case("a socket of the service manager outlives onecredd, its clients wait")
def activation(stage):
    path = f"{stage.path('run')}/activated.sock"
    own = f"{stage.path('run')}/own.sock"
    config = stage.file("activated.conf", (
        f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
        f"[extauth]\nlisten = {own}\n"), user=NOBODY)
    program = stage.program("onecredd")
    log = f"{stage.log_directory}/activated.log"
    with open(log, "wb") as f:
        manager = stage.spawn(
            ["systemd-socket-activate", f"--listen={path}",
             "--fdname=extauth", "sh", "-c", TWICE, stage.path("go"),
             program, "-c", config], user=NOBODY, cwd="/", stdout=f, stderr=f)
    wait_until(lambda: os.path.exists(path), 10, "the socket")
    inode = os.stat(path).st_ino
    assert not onecredds(manager, program)
    relay = Extauth.spawn(stage, [stage.program("onecred-extauth"),
                                  "--socket", path], timeout=30)
    # The first connection starts it.
    assert relay.request(ISUSER) == Extauth.TRUE
    [first] = onecredds(manager, program)
    os.kill(first, signal.SIGTERM)
    wait_until(lambda: not onecredds(manager, program), 10, "its end")
    # Nobody runs: who comes now waits, and so does who was there before.
    with Extauth.connect(path, timeout=30) as late:
        late.send(ISUSER)
        relay.send(ISUSER)
        assert os.stat(path).st_ino == inode
        stage.file("go", "")
        assert late.receive() == Extauth.TRUE
        assert relay.receive() == Extauth.TRUE
    [second] = onecredds(manager, program)
    assert second != first
    os.kill(second, signal.SIGTERM)
    assert manager.wait() == 0
    assert text_of(log).count(" ready") == 2
    assert os.stat(path).st_ino == inode and not os.path.exists(own)
    os.unlink(path)


def two_ports(stage, port):
    """Whether another user can bind that UDP port beside its holder."""
    done = stage.run([sys.executable, "-c", BIND, str(port)], user=NOBODY)
    assert done.stdout in ("bound\n", "in use\n"), done
    return done.stdout == "bound\n"


@case("the port of RADIUS stays with the service manager, for us alone")
def activation_radius(stage):
    port = free_port("udp")
    secret = stage.file("radius.secret", "handed-secret-1\n", user=NOBODY)
    config = stage.file("activated-radius.conf", (
        f"[database]\nconninfo = {stage.postgres.conninfo()}\n[radius]\n"
        f"listen = 127.0.0.1:{free_port('udp')}\n[radius-client a]\n"
        f"address = 127.0.0.1\nsecret_file = {secret}\n"), user=NOBODY)
    program = stage.program("onecredd")
    log = f"{stage.log_directory}/activated-radius.log"
    with open(log, "wb") as f:
        manager = stage.spawn(
            ["systemd-socket-activate", "--datagram",
             f"--listen=127.0.0.1:{port}", "--fdname=radius", "sh", "-c",
             TWICE, stage.path("go-radius"), program, "-c", config],
            user=NOBODY, cwd="/", stdout=f, stderr=f)
    wait_until(lambda: "Listening on" in text_of(log), 10, "the port")
    # As the service manager leaves it, two can have it: the newcomer would
    # get all datagrams. If systemd no longer does that, so much the better.
    print(f"# before onecredd: shared = {two_ports(stage, port)}")
    with Client(port, b"handed-secret-1", timeout=20) as client:
        fields = digest()
        # The first datagram starts it.
        assert client.login(sterman(fields)).accepted
        assert not two_ports(stage, port)
        [first] = onecredds(manager, program)
        os.kill(first, signal.SIGTERM)
        wait_until(lambda: not onecredds(manager, program), 10, "its end")
        # Nobody runs, and still nobody else can have it.
        assert not two_ports(stage, port)
        request = client.request(sterman(digest()))
        client.send(request)
        stage.file("go-radius", "")
        reply = client.receive(request)
        assert reply is not None and reply.accepted, reply
    [second] = onecredds(manager, program)
    assert second != first
    os.kill(second, signal.SIGTERM)
    assert manager.wait() == 0
    assert text_of(log).count(" ready") == 2


def source_copy(stage):
    """The tree as an ordinary user has it."""
    copy = stage.path("source")
    shutil.copytree(TOP, copy, symlinks=True, ignore=lambda folder, names: (
        {"build", ".git"} if folder == TOP else {"__pycache__"}))
    if IS_ROOT:
        for folder, folders, names in os.walk(copy):
            for name in [".", *folders, *names]:
                give_to(os.path.join(folder, name), NOBODY)
    return copy


def contents(stage, package):
    """{path: (mode, owner)} of a package's files and links."""
    found = {}
    for line in stage.run(["dpkg-deb", "-c", package],
                          check=True).stdout.splitlines():
        mode, owner, _, _, _, path = line.split(None, 5)
        if mode[0] != "d":
            found[path.partition(" -> ")[0].removeprefix("./")] = (
                mode, owner)
    return found


@case("make deb builds both packages as an ordinary user")
def deb(stage):
    copy = source_copy(stage)
    done = stage.run(["make", "-C", copy, "deb"], user=NOBODY, timeout=600,
                     stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "warning: " not in done.stdout.partition("dh_auto_install")[0]
    [package] = glob.glob(f"{copy}/build/onecred_*.deb")
    [plugin] = glob.glob(f"{copy}/build/onecred-sasl_*.deb")
    files = contents(stage, package)
    assert files.pop("etc/onecred/onecred.conf") == \
        ("-rw-r-----", "root/root")
    for path, (mode, owner) in files.items():
        assert owner == "root/root", path
        assert mode == ("-rwxr-xr-x" if "/bin/" in path or "/sbin/" in path
                        else "lrwxrwxrwx" if mode[0] == "l"
                        else "-rw-r--r--"), path
    plain = {re.sub(r"\.gz$", "", p) for p in files}
    wanted = {"usr/" + p for p in [*FILES, *LINKS]
              if not p.startswith(("lib/systemd", "lib/sasl2"))}
    wanted -= {"usr/share/onecred/installed", "usr/share/doc/onecred/LICENSE",
               "usr/share/doc/onecred/CHANGELOG.md",
               "usr/share/man/man8/onecred-sasl.8"}
    wanted |= {f"lib/systemd/system/{unit}" for unit in UNITS}
    wanted |= {"usr/" + os.path.relpath(f, f"{stage.root}/usr") for f in
               glob.glob(f"{stage.root}/usr/{SQL}**/*.sql", recursive=True) +
               glob.glob(f"{stage.root}/usr/{EXAMPLES}*")}
    assert wanted <= plain, wanted - plain
    assert {p for p in plain - wanted} == {
        "usr/share/doc/onecred/changelog", "usr/share/doc/onecred/copyright",
        "usr/share/doc/onecred/changelog.Debian",
        "usr/share/lintian/overrides/onecred"}
    assert [p for p in contents(stage, plugin) if p.endswith(".so")][0] \
        .startswith("usr/lib/")
    wrong = [p for p in files if p.endswith(".sql.gz")]
    assert not wrong, wrong


@case("lintian finds no error, and nothing to warn of")
def lintian(stage):
    packages = glob.glob(f"{stage.path('source')}/build/*.deb")
    assert len(packages) == 2
    done = stage.run(["lintian", "--fail-on", "error,warning", *packages],
                     user=NOBODY, env={"HOME": stage.path("source")},
                     stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


@case("the package starts nothing, depends on what it links, and unpacks")
def unpacked(stage):
    [package] = glob.glob(f"{stage.path('source')}/build/onecred_*.deb")
    control = stage.path("control")
    root = stage.path("unpacked")
    stage.run(["dpkg-deb", "-e", package, control], check=True)
    stage.run(["dpkg-deb", "-x", package, root], check=True)
    assert text_of(f"{control}/conffiles") == "/etc/onecred/onecred.conf\n"
    fields = text_of(f"{control}/control")
    for library in ("libc6", "libevent-core", "libmicrohttpd", "libpq5",
                    "libssl3", "libidn"):
        assert f" {library}" in fields, library
    for name in ("postinst", "prerm", "postrm"):
        text = text_of(f"{control}/{name}")
        stage.run(["sh", "-n", f"{control}/{name}"], check=True)
        assert not re.search(r"deb-systemd-invoke \S*start .*\.socket", text)
        assert not re.search(r"deb-systemd-invoke (re)?start ", text), name
    postinst = text_of(f"{control}/postinst")
    assert "try-restart 'onecredd.service'" in postinst
    assert postinst.index("systemd-sysusers") < postinst.index("chgrp")
    version = re.search(r"^Version: (.*)$", fields, re.M)[1]
    for where, name in (("sbin", "onecredd"), ("bin", "onecred"),
                        ("bin", "onecred-extauth")):
        done = stage.run([f"{root}/usr/{where}/{name}", "--version"],
                         check=True)
        assert done.stdout == f"{name} {version}\n"
    unit = text_of(f"{root}/lib/systemd/system/onecredd.service")
    assert "ExecStart=/usr/sbin/onecredd -c /etc/onecred/onecred.conf" in unit
    script = text_of(f"{root}/usr/share/onecred/sql/user-add.sql")
    assert "${ONECRED:-/usr/bin/onecred}" in script


if __name__ == "__main__":
    run_cases(__file__, prepare)
