#!/usr/bin/python3 -B
"""
README.md, "The first hour": its commands as they stand, on a machine of its
own (namespace.py): make install into an empty /usr/local, a PostgreSQL with
Debian's peer authentication, Debian's own configurations of ejabberd, Prosody,
Kamailio and Postfix. Then alice logs in through the real servers, on their
standard ports, with the password that was typed. At the end the mistakes that
people make: each is a sentence with the command that mends it.

Not run: apt (make deps finds everything installed), systemd (a stand-in for
systemctl writes down what to start; the units are read and obeyed as to
program, user and groups), and, without root, everything but the first case.
"""

import glob
import os
import re
import shutil
import signal
import smtplib
import socket
import ssl
import sys

import namespace
import xmpp
from ejabberd import erlang_libraries
from kamailio import call, sipsak
from fragment import FOLDER
from handover import BECOME
from postgres import Postgres
from process import base_environment
from readme import commands, section, stand_ins
from stage import BUILD, IS_ROOT, TOP, case, run_cases, wait_until
from terminal import Terminal

PASSWORD = "wonderland"
UNIT = "/usr/local/lib/systemd/system/onecredd.service"
CONFIG = "/etc/onecred/onecred.conf"
HEADINGS = ("Install", "Database", "Daemon", "ejabberd", "Prosody",
            "Prosody without waiting", "Kamailio", "Kamailio by HTTP", "Postfix", "Does alice get in?")

# A question of ejabberd's.
FRAME = "\0\22isuser:alice:a.com"

# What Debian's pg_hba.conf says of the unix socket.
HBA = "local all postgres peer\nlocal all all peer\n"

MAKE = """#!/bin/sh
exec {make} -C {top} B={build} {variables} "$@"
"""


def prepare(stage):
    stage.services = {}
    stage.started = 0
    stage.held = {}
    if not IS_ROOT:
        return
    stage.folder = stand_ins(stage)
    # The build that is under test, not another one into build/.
    stage.file("stand-ins/make", MAKE.format(
        make=shutil.which("make"), top=TOP, build=BUILD,
        variables=os.environ.get("ONECRED_MAKE", "")), mode=0o755)
    with open("/etc/hosts", "a", encoding="utf-8") as f:
        f.write("127.0.0.1 localhost example.com "
                f"{socket.gethostname()}\n")
    pg = Postgres(stage)
    os.mkdir("/run/postgresql")
    shutil.chown("/run/postgresql", "postgres", "postgres")
    pg.directory, pg.port = "/run/postgresql", 5432
    pg.configure(listen_addresses="''")
    stage.postgres = pg
    pg.start()
    with open(os.path.join(pg.data, "pg_hba.conf"), "w",
              encoding="utf-8") as f:
        f.write(HBA)
    pg.reload()


def environment(stage):
    base = base_environment()
    del base["PGPASSFILE"]
    return {**base, "ONECRED_STAGE": stage.directory, "HOME": "/root",
            "USER": "root", "PATH": f"{stage.folder}:{base['PATH']}"}


def told(stage):
    """What systemctl has been told since the last time."""
    path = os.path.join(stage.folder, "told")
    with open(path, "r+", encoding="utf-8") as f:
        lines = f.read().splitlines()
        f.truncate(0)
    return lines


def follow(stage, heading):
    """Types the commands below that heading; passwords when asked."""
    script = stage.file("commands", commands(heading), mode=0o644)
    with Terminal(["sh", "-eux", script], environment(stage)) as terminal:
        prompts = ["Password for alice@example.com: ",
                   "again for alice@example.com: "]
        # Until the end of what it writes: `make' may take its time.
        while terminal.read(300):
            if prompts and prompts[0] in terminal.seen:
                terminal.quiet()
                terminal.type(PASSWORD + "\n")
                del prompts[0]
        status = terminal.end()
    assert status == 0, (heading, status, terminal.seen[-3000:])
    return terminal.seen


# The service manager's part.

def as_user(user):
    """The first words of a program run as systemd would for User=."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups",
            "--"]


def unit_value(name):
    with open(UNIT, encoding="utf-8") as f:
        return re.search(rf"^{name}=(.*)$", f.read(), re.M)[1]


def argv_of(stage, service):
    if service == "onecredd":
        groups = unit_value("SupplementaryGroups").split()
        assert unit_value("User") == "onecred" and groups == [
            "onecred-client"]
        return [*as_user("onecred"), *unit_value("ExecStart").split()], {}
    if service == "ejabberd":
        return [*as_user("ejabberd"), "erl", "-noinput", "+S", "2:2",
                "-mnesia", "dir", '"/var/lib/ejabberd"', "-s", "ejabberd"], {
            "EJABBERD_CONFIG_PATH": "/etc/ejabberd/ejabberd.yml",
            "EJABBERD_LOG_PATH": "/var/log/ejabberd/ejabberd.log",
            "HOME": "/var/lib/ejabberd", "ERL_CRASH_DUMP_BYTES": "0",
            "ERL_LIBS": erlang_libraries()}
    if service == "prosody":
        os.makedirs("/run/prosody", exist_ok=True)
        shutil.chown("/run/prosody", "prosody", "prosody")
        return [*as_user("prosody"), "prosody", "-F"], {}
    if service == "kamailio":
        os.makedirs("/run/kamailio", exist_ok=True)
        shutil.chown("/run/kamailio", "kamailio", "kamailio")
        return [*as_user("kamailio"), "kamailio", "-DD", "-E", "-f",
                "/etc/kamailio/kamailio.cfg", "-Y", "/run/kamailio", "-P",
                "/run/kamailio/kamailio.pid", "-m", "32", "-M", "4"], {}
    assert service == "postfix", service
    stage.run(["postfix", "check"], check=True)
    return ["/usr/lib/postfix/sbin/master", "-c", "/etc/postfix", "-d"], {}


def log_of(stage, service):
    return os.path.join(stage.log_directory, f"{service}.log")


def log_text(stage, service):
    with open(log_of(stage, service), encoding="utf-8",
              errors="replace") as f:
        return f.read()


def hold_port(stage, service):
    """A socket unit: what it says is bound, for good."""
    # systemd refuses while the service has its own.
    assert "onecredd" not in stage.services
    text = ""
    for path in (os.path.join(os.path.dirname(UNIT), service),
                 *glob.glob(f"/etc/systemd/system/{service}.d/*.conf")):
        with open(path, encoding="utf-8") as f:
            text += f.read()
    # The last one: a drop-in has emptied the list.
    kind, address, port = re.findall(r"^Listen(\w+)=(.*):(\d+)$", text,
                                     re.M)[-1]
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM
                         if kind == "Stream" else socket.SOCK_DGRAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((address, int(port)))
    if kind == "Stream":
        held.listen(64)
    name = re.search(r"^FileDescriptorName=(.*)$", text, re.M)[1]
    stage.held[name] = held
    # By this onecredd -t knows who holds it; tests/bare.sh sees the real one.
    folder = "/sys/fs/cgroup"
    if len(stage.held) == 1:
        stage.run(["mount", "-t", "tmpfs", "tmpfs",
                   folder if os.path.isdir(folder) else "/sys"], check=True)
    os.makedirs(f"{folder}/system.slice/{service}")


def start(stage, service):
    if service.endswith(".socket"):
        hold_port(stage, service)
        return
    stop(stage, service)
    argv, env = argv_of(stage, service)
    handed = ()
    if service == "onecredd" and stage.held:
        handed = tuple(held.fileno() for held in stage.held.values())
        argv = [sys.executable, "-c", BECOME, ",".join(map(str, handed)),
                ":".join(stage.held), shutil.which(argv[0]), *argv[1:]]
    with open(log_of(stage, service), "ab") as log:
        since = log.tell()
        stage.services[service] = stage.spawn(
            argv, env=env, cwd="/", stdout=log, stderr=log, pass_fds=handed)
    if service == "onecredd":
        wait_until(lambda: " ready" in log_text(stage, service)[since:], 20,
                   "onecredd's ` ready`")


def stop(stage, service):
    process = stage.services.pop(service, None)
    if process is not None:
        process.end(signal.SIGTERM, 20)


def obey(stage):
    """Starts what systemctl was told to -> its lines."""
    lines = told(stage)
    for line in lines:
        words = [w for w in line.split() if not w.startswith("-")]
        assert words[0] in ("enable", "restart", "stop"), line
        for service in words[1:]:
            (stop if words[0] == "stop" else start)(stage, service)
    return lines


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


@case("every command is one a shell can read; every file it names is there")
def readable(stage):
    known = re.findall(r"examples/([\w.-]+)", section("The first hour"))
    for name in known:
        if name != "onecred-extauth":
            assert os.path.exists(os.path.join(FOLDER, name)), name
    assert len(known) >= 5
    for heading in (*HEADINGS, "Backup", "Restore", "Upgrading"):
        done = stage.run(["sh", "-n"], input=commands(heading))
        assert done.returncode == 0, (heading, done.stderr)
    if not IS_ROOT:
        print("# the commands themselves are not run: that needs root")


def as_root(title):
    """A case that only root can run; see the top."""
    return case(title) if IS_ROOT else lambda function: function


@as_root("Install: programs, pages, units; nothing is enabled")
def install(stage):
    follow(stage, "Install")
    assert told(stage) in ([], ["daemon-reload"])
    for path in ("/usr/local/sbin/onecredd", UNIT, CONFIG,
                 "/usr/local/bin/onecred-extauth",
                 "/usr/local/share/onecred/sql/schema.sql"):
        assert os.path.exists(path), path
    for name in os.listdir(FOLDER):
        assert os.path.exists(f"/usr/local/share/onecred/examples/{name}")
    info = os.stat(CONFIG)
    assert info.st_mode & 0o777 == 0o640, oct(info.st_mode)
    for folder, names, files in os.walk("/etc/systemd/system"):
        assert not [n for n in names + files if "onecred" in n], folder


@as_root("Database: peer authentication, nobody's password in any file")
def database(stage):
    seen = follow(stage, "Database")
    assert "ERROR" not in seen and PASSWORD not in seen, seen
    with open(CONFIG, encoding="utf-8") as f:
        assert "password=" not in f.read()
    done = stage.run(["psql", "-XAtd", "onecred", "-c", "SELECT localpart "
                      "FROM onecred.credential WHERE ha1_md5 IS NOT NULL"],
                     env=environment(stage))
    assert done.stdout == "alice\n", done


@as_root("Daemon: -t says OK, it starts with the sample configuration")
def daemon(stage):
    seen = follow(stage, "Daemon")
    assert "OK" in seen, seen
    assert obey(stage) == ["enable --now onecredd"]
    wait_until(lambda: "database: connected" in log_text(stage, "onecredd"),
               20)
    assert os.stat("/run/onecred/extauth.sock").st_mode & 0o777 == 0o660


def certificate(stage, place, owner):
    """What an operator has already."""
    folder = stage.make_directory("certificate")
    if not os.path.exists(f"{folder}/cert.pem"):
        xmpp.certificate(stage, folder)
    for source, target in place.items():
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(f"{folder}/{source}", target)
        shutil.chown(target, owner)
        os.chmod(target, 0o600)
    return f"{folder}/cert.pem"


def check_xmpp(stage, cafile):
    """alice and others, on the standard port."""
    wait_until(lambda: listening(5222), 60, "port 5222")
    logins = (("alice", PASSWORD, "success"),
              ("alice@example.com", PASSWORD, "success"),
              ("alice", "wonderlanD", "not-authorized"),
              ("nobody", PASSWORD, "not-authorized"))
    for user, password, expected in logins:
        def attempt(user=user, password=password):
            with xmpp.Client(5222, cafile) as client:
                return client.login("PLAIN", user, password)
        if expected == "success":
            # Right after its start ejabberd listens before it can answer.
            # NB: seldom enough for its mod_fail2ban.
            wait_until(lambda attempt=attempt: attempt() == "success", 10,
                       f"{user}'s login", 1)
        else:
            assert attempt() == expected, user


@as_root("ejabberd, with Debian's configuration: alice gets in, others not")
def ejabberd(stage):
    cafile = certificate(stage, {"full.pem": "/etc/ejabberd/ejabberd.pem"},
                         "ejabberd")
    follow(stage, "ejabberd")
    assert obey(stage) == ["restart ejabberd"]
    check_xmpp(stage, cafile)
    assert "mech=PLAIN verdict=allow" in log_text(stage, "onecredd")
    stop(stage, "ejabberd")


@as_root("Prosody, with Debian's configuration: alice gets in, others not")
def prosody(stage):
    cafile = certificate(stage, {
        "cert.pem": "/etc/prosody/certs/example.com.crt",
        "key.pem": "/etc/prosody/certs/example.com.key"}, "prosody")
    follow(stage, "Prosody")
    assert obey(stage) == ["restart onecredd prosody"]
    check_xmpp(stage, cafile)
    stop(stage, "prosody")


@as_root("Prosody by our own module: alice gets in by SCRAM too")
def prosody_module(stage):
    cafile = certificate(stage, {
        "cert.pem": "/etc/prosody/certs/example.com.crt",
        "key.pem": "/etc/prosody/certs/example.com.key"}, "prosody")
    with open(CONFIG, encoding="utf-8") as f:
        before = f.read()
    follow(stage, "Prosody without waiting")
    assert obey(stage) == ["restart onecredd prosody"]
    check_xmpp(stage, cafile)
    assert "door=http user=alice@example.com" in log_text(stage, "onecredd")
    stop(stage, "prosody")
    # Kamailio by HTTP, below, wants [http] on its port.
    with open(CONFIG, "w", encoding="utf-8") as f:
        f.write(before)


@as_root("Kamailio, with Debian's configuration: alice registers, others not")
def kamailio(stage):
    shutil.copy("/etc/kamailio/kamailio.cfg", stage.path("kamailio.cfg"))
    follow(stage, "Kamailio")
    for path in ("/etc/onecred/kamailio.secret",
                 "/etc/kamailio/onecred/servers"):
        assert os.stat(path).st_mode & 0o777 == 0o640, path
    assert obey(stage) == ["stop onecredd",
                           "enable --now onecredd-radius.socket",
                           "restart onecredd kamailio"]
    assert "was handed over" not in log_text(stage, "onecredd")
    wait_until(lambda: os.path.exists("/run/kamailio/kamailio.pid"), 20)
    wait_until(lambda: sipsak(stage, 5060, "alice", PASSWORD).ok, 20,
               "alice's registration")
    for user, password in (("alice", "wonderlanD"), ("nobody", PASSWORD)):
        done = sipsak(stage, 5060, user, password)
        assert not done.ok and done.challenged, done.text
    answers = call(5060, "MESSAGE", "alice", PASSWORD)
    assert [a[:11] for a in answers] != ["SIP/2.0 407"] * 2, answers
    assert "verdict=allow" in log_text(stage, "onecredd")


@as_root("Kamailio by HTTP, with Debian's configuration: the same")
def kamailio_http(stage):
    stop(stage, "kamailio")
    # As it was before RADIUS.
    shutil.copy(stage.path("kamailio.cfg"), "/etc/kamailio/kamailio.cfg")
    since = len(log_text(stage, "onecredd"))
    follow(stage, "Kamailio by HTTP")
    for path in ("/etc/onecred/kamailio.token",
                 "/etc/kamailio/onecred/kamailio-http-token.cfg"):
        assert os.stat(path).st_mode & 0o777 == 0o640, path
    assert obey(stage) == ["stop onecredd",
                           "enable --now onecredd-http.socket",
                           "restart onecredd kamailio"]
    wait_until(lambda: sipsak(stage, 5060, "alice", PASSWORD).ok, 20,
               "alice's registration")
    for user, password in (("alice", "wonderlanD"), ("nobody", PASSWORD)):
        done = sipsak(stage, 5060, user, password)
        assert not done.ok and done.challenged, done.text
    answers = call(5060, "MESSAGE", "alice", PASSWORD)
    assert [a[:11] for a in answers] != ["SIP/2.0 407"] * 2, answers
    log = log_text(stage, "onecredd")[since:]
    assert "door=http" in log and "verdict=allow" in log, log
    assert "was handed over" not in log, log
    stop(stage, "kamailio")


@as_root("Postfix, with Debian's configuration: alice gets in, others not")
def postfix(stage):
    cafile = certificate(stage, {"full.pem": "/etc/postfix/full.pem"},
                         "root")
    follow(stage, "Postfix")
    stage.run(["postconf", "-e",
               "smtpd_tls_chain_files = /etc/postfix/full.pem",
               f"maillog_file = {log_of(stage, 'postfix-mail')}",
               f"maillog_file_prefixes = {stage.log_directory}"], check=True)
    assert obey(stage) == ["restart onecredd postfix"]
    wait_until(lambda: listening(25), 30, "port 25")
    for password, expected in ((PASSWORD, 235), ("wonderlanD", 535)):
        with smtplib.SMTP("example.com", 25, timeout=30) as client:
            client.starttls(context=ssl.create_default_context(
                cafile=cafile))
            client.ehlo()
            client.user, client.password = "alice", password
            try:
                code, _ = client.auth("PLAIN", client.auth_plain)
            except smtplib.SMTPAuthenticationError as e:
                code = e.smtp_code
        assert code == expected, (password, code)
    stop(stage, "postfix")


@as_root("onecred check says what alice can do; -t is still content")
def check(stage):
    seen = follow(stage, "Does alice get in?")
    assert "alice@example.com" in seen, seen
    assert "OK" in follow(stage, "Daemon")
    told(stage)


@as_root("no password stands in any log or configuration")
def canary(stage):
    for folder in (stage.log_directory, "/var/log/ejabberd",
                   "/var/log/prosody", "/etc/onecred", "/etc/kamailio"):
        for where, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(where, name), encoding="utf-8",
                          errors="replace") as f:
                    assert PASSWORD not in f.read(), (where, name)


# Mistakes.

def refused(stage, argv, user=None, **options):
    done = stage.run([*(as_user(user) if user else []), *argv], cwd="/",
                     env=environment(stage), **options)
    return done.returncode, done.stdout + done.stderr


@as_root("mistake: a database of another encoding")
def encoding(stage):
    stage.run(["createdb", "-E", "LATIN1", "--locale=C", "-T", "template0",
               "latin"], user="postgres", check=True)
    status, text = refused(
        stage, ["psql", "-d", "latin", "-f",
                "/usr/local/share/onecred/sql/schema.sql"], "postgres")
    assert status == 3 and "LATIN1" in text, text
    mend = re.search(r"createdb -E UTF8 -T template0 \w+", text)[0]
    status, text = refused(stage, mend.split(), "postgres")
    assert status == 0, text
    status, text = refused(
        stage, ["psql", "-d", mend.split()[-1], "-f",
                "/usr/local/share/onecred/sql/schema.sql"], "postgres")
    assert status == 0, text


@as_root("mistake: a script before the schema, or by somebody else")
def scripts(stage):
    sql = "/usr/local/share/onecred/sql"
    status, text = refused(stage, ["psql", "-d", "postgres", "-v",
                                   "domain=example.com", "-f",
                                   f"{sql}/domain-add.sql"], "postgres")
    assert status == 3 and "-f schema.sql" in text, text
    stage.run(["createuser", "onecred-guest"], user="postgres", check=True)
    status, text = refused(stage, ["psql", "-U", "onecred", "-d", "onecred",
                                   "-v", "domain=example.org", "-f",
                                   f"{sql}/domain-add.sql"], "onecred")
    assert status == 3 and "role-add.sql -v grant=admin" in text, text


@as_root("mistake: the helper's user is not in the group of the socket")
def group(stage):
    status, text = refused(stage, ["/usr/local/bin/onecred-extauth"],
                           "daemon", input=FRAME)
    assert status == 0 and "Permission denied" in text, text
    assert "adduser ejabberd onecred-client" in text, text


@as_root("mistake: onecredd is not running")
def not_running(stage):
    stop(stage, "onecredd")
    status, text = refused(stage, ["/usr/local/bin/onecred-extauth"],
                           "ejabberd", input=FRAME)
    assert status == 0 and "systemctl start onecredd" in text, text


@as_root("mistake: the group of the sockets is gone; two commands mend it")
def group_gone(stage):
    stage.run(["groupdel", "onecred-client"], check=True)
    ran = []
    while len(ran) < 5:
        status, text = refused(stage, ["/usr/local/sbin/onecredd", "-t"],
                               "onecred")
        if status == 0:
            break
        command = re.search(r"addgroup --system [\w-]+|adduser [\w-]+ [\w-]+",
                            text)
        assert command, text
        ran.append(command[0])
        stage.run(["sh", "-c", command[0]], check=True)
    assert ran == ["addgroup --system onecred-client",
                   "adduser onecred onecred-client"], (ran, text)


@as_root("mistake: a role without its log settings; -t names what mends it")
def role_settings(stage):
    stage.run(["psql", "-d", "onecred", "-c", "ALTER ROLE onecred RESET ALL"],
              user="postgres", check=True)
    _, text = refused(stage, ["/usr/local/sbin/onecredd", "-t"], "onecred")
    assert "role-add.sql" in text and "log" in text, text
    command = re.search(r"psql .*role-add\.sql", text)[0]
    status, text = refused(stage, ["sh", "-euc", command], "postgres")
    assert status == 0 and "password as it was" in text, text
    status, text = refused(stage, ["/usr/local/sbin/onecredd", "-t"],
                           "onecred")
    assert status == 0 and "role-add.sql" not in text, text


@as_root("mistake: no PostgreSQL, another database, a role that is not there")
def no_database(stage):
    def check_config(old, new, *words):
        with open(CONFIG, encoding="utf-8") as f:
            text = f.read()
        assert old in text
        wrong = stage.file("wrong.conf", text.replace(old, new),
                           user="onecred")
        status, text = refused(stage, ["/usr/local/sbin/onecredd", "-t",
                                       "-c", wrong], "onecred")
        assert status != 0, text
        for word in words:
            assert word in text, (word, text)

    check_config("dbname=onecred", "dbname=nothing", "nothing", "createdb")
    check_config("user=onecred", "user=daemon", "role-add.sql")
    check_config("host=/var/run/postgresql", "host=/nowhere", "/nowhere")


if __name__ == "__main__":
    if not IS_ROOT:
        run_cases(__file__, prepare)
    sys.exit(namespace.call(lambda: run_cases(__file__, prepare)))
