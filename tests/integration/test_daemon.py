#!/usr/bin/python3 -B
"""
onecredd as a service: its command line, its configuration, signals, and what
it tells the service manager. What its doors answer is tested elsewhere.
"""

import grp
import os
import re
import signal
import socket
import stat
import subprocess
import sys

from radius import STATUS_SERVER, Client
from stage import (NOBODY, Daemon, Extauth, case, free_port, give_to,
                   run_cases, wait_until)

TRUE = Extauth.TRUE
ISUSER = b"isuser:alice:example.com"
SECRET = "shared-secret-4711"


def socket_path(stage):
    return f"{stage.path('run')}/extauth.sock"


def config_text(stage, extauth="", rest=""):
    return (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
            f"[extauth]\nlisten = {socket_path(stage)}\n{extauth}\n{rest}")


def prepare(stage):
    stage.basic()
    stage.make_directory("run", NOBODY)
    stage.file("radius.secret", SECRET + "\n", user=NOBODY)


def onecredd(stage, *argv, **options):
    return stage.run([stage.program("onecredd"), *argv], user=NOBODY,
                     **options)


def answers(stage):
    with Extauth.connect(socket_path(stage)) as peer:
        return peer.request(ISUSER) == TRUE


@case("--help, --version and wrong usage")
def command_line(stage):
    for name in ("onecredd", "onecred-extauth"):
        program = stage.program(name)
        done = stage.run([program, "--help"])
        assert done.returncode == 0 and done.stdout.startswith("usage: ")
        assert done.stderr == ""
        done = stage.run([program, "--version"])
        assert done.returncode == 0, done
        assert re.fullmatch(rf"{name} [0-9]+\.[0-9.]+\S*\n", done.stdout)
        for argv in (["--bogus"], ["argument"], ["-Z"]):
            done = stage.run([program, *argv])
            assert done.returncode == 2, argv
            assert "usage: " in done.stderr and done.stdout == ""
    for argv in (["--timeout", "0"], ["--timeout", "x"],
                 ["--timeout", "3601"], ["--socket", "/" + "x" * 200]):
        done = stage.run([stage.program("onecred-extauth"), *argv])
        assert done.returncode == 2, argv
    done = stage.run([stage.program("onecredd"), "-t", "--extauth"])
    assert done.returncode == 2


@case("-t says OK; -t -v shows what was understood, and no secret")
def check(stage):
    listen = f"127.0.0.1:{free_port('udp')}"
    path = stage.file("check.conf", config_text(
        stage, rest=f"[radius]\nlisten = {listen}\n"
        "[radius-client sip]\naddress = 127.0.0.1\n"
        f"secret_file = {stage.path('radius.secret')}\n"), user=NOBODY)
    done = onecredd(stage, "-t", "-c", path)
    assert done.returncode == 0, done
    assert done.stdout == f"{path}: OK\n" and done.stderr == ""
    done = onecredd(stage, "-t", "-v", "-c", path)
    assert done.returncode == 0, done
    lines = done.stdout.splitlines()
    for line in ("[database]", "conninfo = <set>", "lookup_timeout = 1s",
                 "[radius-client sip]", f"listen = {listen}",
                 "rights = check exists", f"# {path}: OK"):
        assert line in lines, line
    for secret in (SECRET, stage.postgres.passwords["onecredd"]):
        assert secret not in done.stdout + done.stderr
    # What was printed is itself a configuration, but for the secret.
    path = stage.file("again.conf", done.stdout.replace(
        "<set>", stage.postgres.conninfo()), user=NOBODY)
    again = onecredd(stage, "-t", "-v", "-c", path)
    assert again.returncode == 0, again
    assert again.stdout.replace("again.conf", "check.conf") == done.stdout


@case("the installed sample is a good configuration")
def sample(stage):
    path = f"{stage.root}/etc/onecred/onecred.conf"
    if not os.path.exists(path):
        path = f"{stage.root}/usr/share/doc/onecred/onecred.conf.sample"
    with open(path, encoding="ascii") as f:
        text = f.read()
    # Its group comes with an installation, which this machine may not have.
    assert "\ngroup = onecred-client\n" in text
    path = stage.file("sample.conf", text.replace(
        "onecred-client", grp.getgrgid(os.getegid()).gr_name), user=NOBODY)
    done = onecredd(stage, "-t", "--offline", "-c", path)
    assert done.returncode == 0, done


@case("a bad configuration stops the start with file, line and sentence")
def bad_configuration(stage):
    good = config_text(stage)
    lines = good.count("\n")
    for extra, line, sentence in (
            ("[cache]\n", lines + 1, "there is no such section"),
            ("[log]\nlevel = loud\n", lines + 2, "must be one of"),
            ("[log]\ncolour = red\n", lines + 2, "there is no such key"),
            ("[extauth]\n", lines + 1, "was given before"),
            ("[log]\nlevel = info # note\n", lines + 2, "line of its own"),
            ("[seal]\nkey_file = /nonexistent\n", lines + 2,
             "No such file or directory"),
            ("[radius]\n", lines + 1, "needs at least one [radius-client"),
            ("x" * 5000 + "\n", lines + 1, "longer than 4096 octets")):
        path = stage.file("bad.conf", good + extra, user=NOBODY)
        for argv in (["-t", "-c", path], ["-c", path]):
            done = onecredd(stage, *argv)
            assert done.returncode == 1, (extra, done)
            assert done.stdout == ""
            assert f"{path}:{line}: " in done.stderr, done.stderr
            assert sentence in done.stderr, done.stderr
    done = onecredd(stage, "-c", "/nonexistent/onecred.conf")
    assert done.returncode == 1
    assert "/nonexistent/onecred.conf: cannot be opened" in done.stderr


@case("secrets that everybody can read stop the start")
def open_secrets(stage):
    path = stage.file("open.conf", config_text(stage), user=NOBODY,
                      mode=0o644)
    done = onecredd(stage, "-c", path)
    assert done.returncode == 1
    assert "open.conf:2: [database] conninfo: holds a password" in \
        done.stderr
    secret = stage.file("open.secret", SECRET, user=NOBODY, mode=0o604)
    path = stage.file("open.conf", config_text(
        stage, rest="[radius]\n[radius-client a]\naddress = ::1\n"
        f"secret_file = {secret}\n"), user=NOBODY)
    done = onecredd(stage, "-c", path)
    assert done.returncode == 1
    assert "open to everybody (mode 0604)" in done.stderr
    assert SECRET not in done.stderr


@case("the socket has the mode it was given, and goes with the daemon")
def socket_mode(stage):
    with Daemon(stage, config_text(stage, "mode = 0640")):
        assert stat.S_IMODE(os.lstat(socket_path(stage)).st_mode) == 0o640
        assert answers(stage)
    assert not os.path.exists(socket_path(stage))


@case("a second daemon does not take the socket of the first")
def second_daemon(stage):
    with Daemon(stage, config_text(stage)):
        done = onecredd(stage, "-c", stage.file(
            "second.conf", config_text(stage), user=NOBODY))
        assert done.returncode == 1
        assert "another onecredd listens" in done.stderr
        assert answers(stage)


@case("the socket that a killed daemon left is replaced")
def stale_socket(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        daemon.kill()
    assert os.path.exists(socket_path(stage))
    with Daemon(stage, config_text(stage)):
        assert answers(stage)


@case("it starts while the database is away, and finds it later")
def database_away(stage):
    stage.postgres.stop()
    try:
        with Daemon(stage, config_text(stage)) as daemon:
            with Extauth.connect(socket_path(stage)) as peer:
                assert peer.request(ISUSER) == Extauth.FAILURE
            stage.postgres.start()
            wait_until(lambda: answers(stage), 20, "the database", 0.1)
            assert daemon.process.running
    finally:
        if not stage.postgres.process.running:
            stage.postgres.start()


@case("SIGHUP: the log level changes; what needs a restart is named")
def reload_good(stage):
    with Daemon(stage, config_text(stage)) as daemon, \
            Extauth.connect(socket_path(stage)) as peer:
        assert peer.request(ISUSER) == TRUE
        assert daemon.log_text().count("verdict=allow") == 1
        daemon.reload(config_text(stage, rest="[log]\nlevel = warning\n"))
        daemon.process.send_signal(signal.SIGHUP)
        # "reload: done" is itself at info: seen by its effect only.
        wait_until(lambda: _quiet(daemon, peer), 10, "level warning")
        daemon.reload(config_text(
            stage, "mode = 0600", "[workers]\npbkdf2 = 3\n"))
        daemon.wait_log("reload: [extauth] mode changed, which needs a "
                        "restart")
        daemon.wait_log("reload: [workers] pbkdf2 changed, which needs a "
                        "restart")
        daemon.wait_log("reload: done")
        assert peer.request(ISUSER) == TRUE
        assert daemon.log_text().count("[database]") == 0


def _quiet(daemon, peer):
    before = daemon.log_text().count("verdict=allow")
    assert peer.request(ISUSER) == TRUE
    return daemon.log_text().count("verdict=allow") == before


@case("SIGHUP: RADIUS clients change while the socket stays")
def reload_radius(stage):
    port = free_port("udp")
    other = stage.file("other.secret", "another-secret-17\n", user=NOBODY)

    def text(secret):
        return (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
                f"[radius]\nlisten = 127.0.0.1:{port}\n"
                f"[radius-client a]\naddress = 127.0.0.1\n"
                f"secret_file = {secret}\n")

    def heard(secret):
        with Client(port, secret, timeout=0.5) as client:
            return client.login([], code=STATUS_SERVER) is not None

    with Daemon(stage, text(stage.path("radius.secret"))) as daemon:
        assert heard(SECRET) and not heard("another-secret-17")
        for secret_file, good, bad in (
                (other, "another-secret-17", SECRET),
                (stage.path("radius.secret"), SECRET, "another-secret-17")):
            since = len(daemon.log_text())
            daemon.reload(text(secret_file))
            daemon.wait_log("reload: done", since=since)
            assert heard(good) and not heard(bad)
        since = len(daemon.log_text())
        daemon.reload(text("/nonexistent/secret"))
        daemon.wait_log("stays in force", since=since)
        assert heard(SECRET)


@case("SIGHUP with a bad file: it says so and goes on as before")
def reload_bad(stage):
    with Daemon(stage, config_text(stage)) as daemon, \
            Extauth.connect(socket_path(stage)) as peer:
        for text, sentence in (("[oops\n", ":1: a section needs its"),
                               ("", ": the section [database] is missing")):
            since = len(daemon.log_text())
            daemon.reload(text)
            daemon.wait_log(sentence, since=since)
            daemon.wait_log("the old configuration stays in force")
            assert peer.request(ISUSER) == TRUE
            assert answers(stage)
        os.unlink(daemon.config)
        daemon.reload()
        daemon.wait_log("cannot be opened: No such file")
        assert answers(stage)
        daemon.reload(config_text(stage))
        daemon.wait_log("reload: done")


@case("SIGUSR1 and a closed standard input do no harm")
def usr1(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        daemon.process.send_signal(signal.SIGUSR1)
        assert answers(stage)
        daemon.process.send_signal(signal.SIGINT)
        assert daemon.process.wait() == 0
        assert "stopping (SIGINT)" in daemon.log_text()


@case("it tells the service manager: READY, RELOADING, READY, STOPPING")
def service_manager(stage):
    path = f"{stage.path('run')}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        give_to(path, NOBODY)
        manager.settimeout(10)

        def told():
            return manager.recv(4096).decode().splitlines()

        with Daemon(stage, config_text(stage),
                    env={"NOTIFY_SOCKET": path}) as daemon:
            assert told()[0] == "READY=1"
            daemon.reload()
            reloading = told()
            assert reloading[0] == "RELOADING=1"
            assert re.fullmatch(r"MONOTONIC_USEC=[0-9]+", reloading[1])
            assert told() == ["READY=1"]
            daemon.stop()
            assert told() == ["STOPPING=1"]
    os.unlink(path)


# As systemd does it: descriptors from 3 on, LISTEN_PID the program itself.
HAND_OVER = """
import os, sys
fd, name = int(sys.argv[1]), sys.argv[2]
if fd != 3:
    os.dup2(fd, 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1",
                  LISTEN_FDNAMES=name)
os.execv(sys.argv[3], sys.argv[3:])
"""


def handed_over(stage, listening, name, config, log):
    with open(os.path.join(stage.log_directory, log), "ab") as f:
        return stage.spawn(
            [sys.executable, "-c", HAND_OVER, listening.fileno(), name,
             stage.program("onecredd"), "-c", config], user=NOBODY,
            pass_fds=(listening.fileno(),), stdout=f, stderr=f)


@case("a socket handed over is used, and survives a restart")
def listen_fds(stage):
    path = f"{stage.path('run')}/handed.sock"
    config = stage.file("handed.conf", config_text(stage), user=NOBODY)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        give_to(path, NOBODY)
        listening.listen(8)
        for _ in range(2):
            # The peer is there before the daemon is.
            with Extauth.connect(path, timeout=20) as peer:
                peer.send(ISUSER)
                process = handed_over(stage, listening, "extauth", config,
                                      "handed.log")
                assert peer.receive() == TRUE
                process.send_signal(signal.SIGTERM)
                assert process.wait() == 0
            assert os.path.exists(path)
            assert not os.path.exists(socket_path(stage))


@case("a socket handed over under a name that is no section is said")
def listen_fds_unknown(stage):
    for name, section, unit in (
            ("http", "http", "onecredd-http.socket"),
            ("radius", "radius", "onecredd-radius.socket"),
            ("dovecot-a.b-c", "dovecot a.b-c",
             "onecredd-dovecot@a.b-c.socket")):
        unserved(stage, name, section, unit)


def unserved(stage, name, section, unit):
    config = stage.file("handed.conf", config_text(stage), user=NOBODY)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{stage.path('run')}/other-{name}.sock")
        listening.listen(8)
        process = handed_over(stage, listening, name, config,
                              "unknown.log")
        wait_until(lambda: os.path.exists(socket_path(stage)), 10,
                   "its own socket")
        wait_until(lambda: answers(stage), 10, "an answer")
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    with open(f"{stage.log_directory}/unknown.log",
              encoding="utf-8") as f:
        text = f.read()
    assert f'a socket named "{name}" was handed over' in text, text
    assert f"Add [{section}], or: systemctl disable --now {unit}\n" in text


@case("the process is not dumpable and has no capability to gain")
def hardened(stage):
    with Daemon(stage, config_text(stage)) as daemon:
        with open(f"/proc/{daemon.pid}/status", encoding="ascii") as f:
            status = f.read()
        assert "\nNoNewPrivs:\t1\n" in status
        with open(f"/proc/{daemon.pid}/limits", encoding="ascii") as f:
            limits = f.read()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.M)
        # /proc/PID of a process that is not dumpable belongs to root.
        assert os.stat(f"/proc/{daemon.pid}/environ").st_uid == 0


@case("log lines begin with a priority if the journal reads them")
def journal(stage):
    config = stage.file("journal.conf", config_text(stage), user=NOBODY)
    ours, theirs = os.pipe()
    st = os.fstat(theirs)
    process = stage.spawn(
        [stage.program("onecredd"), "-c", config], user=NOBODY,
        env={"JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"},
        stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    with open(ours, encoding="utf-8") as lines:
        assert re.match(r"<6>onecredd \S+ ready\n", lines.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        for line in lines:
            assert re.match(r"<[3467]>", line), line


if __name__ == "__main__":
    run_cases(__file__, prepare)
