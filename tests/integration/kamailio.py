"""
Kamailio, unprivileged, on loopback and a free port.

Kamailio(stage, config_text, defines={"NAME": "value"})
                    config_text follows BASE (what every configuration here
                    has: the listener, a few modules) and begins with its own
                    loadmodule lines; defines are for #!ifdef and as values
  .port             of 127.0.0.1: UDP, and TCP unless tcp=False
  .log_text()       debug level 2, its xlog() lines among it
  .stop()           SIGTERM, then all its processes; also by `with` and when
                    the stage closes
  env=..., user=... (nobody)
sipsak(stage, port, user, password, domain="example.com")
                    -> Answer(ok, challenged, text): registers user@domain;
                    username= another digest user, ha1= in place of password
call(port, method, user, password, domain="example.com", username=None)
                    any other request, by a client of our own that answers
                    one challenge -> the texts of the answers, in order

example.com need not exist: sipsak sees an /etc/hosts of its own (a mount
namespace) where it is 127.0.0.1.
"""

import collections
import os
import re
import secrets
import signal
import socket

from process import IS_ROOT, NOBODY, find_program, free_port, wait_until
from radius import digest

__all__ = ["Answer", "Kamailio", "call", "sipsak"]

# PORT is a define. No DNS, no aliases: nothing here depends on the machine.
BASE = """#!KAMAILIO
debug=2
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:PORT
#!ifdef TCP
listen=tcp:127.0.0.1:PORT
#!else
disable_tcp=yes
#!endif
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "siputils.so"
"""

Answer = collections.namedtuple("Answer", "ok challenged text")


class Kamailio:
    """See the top."""

    _count = 0

    def __init__(self, stage, config_text, defines=None, tcp=False, env=None,
                 user=NOBODY, timeout=20):
        Kamailio._count += 1
        name = f"kamailio-{Kamailio._count}"
        self.stage = stage
        directory = stage.make_directory(name, user)
        self.port = free_port("udp")
        self.log = os.path.join(stage.log_directory, f"{name}.log")
        config = stage.file(f"{name}/kamailio.cfg", BASE + config_text,
                            user=user)
        pid_file = os.path.join(directory, "pid")
        given = {"PORT": self.port, **(defines or {})}
        if tcp:
            given["TCP"] = 1
        argv = [find_program("kamailio"), "-DD", "-E", "-f", config, "-Y",
                directory, "-w", directory, "-P", pid_file, "-m", "32", "-M",
                "4"]
        for key, value in given.items():
            argv += ["-A", f"{key}={value}"]
        with open(self.log, "wb") as log:
            self.process = stage.spawn(argv, user=user, env=env, cwd="/",
                                       stdout=log, stderr=log)

        def ready():
            if not self.process.running:
                raise AssertionError(f"Kamailio ended:\n"
                                     f"{self.log_text()[-4000:]}")
            # Datagrams sent from now on wait in the socket for its children.
            return os.path.exists(pid_file) and self._bound()

        wait_until(ready, timeout, "Kamailio", 0.02)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def _bound(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                s.bind(("127.0.0.1", self.port))
            except OSError:
                return True
        return False

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        self.process.end(signal.SIGTERM)


def sipsak(stage, port, user, password, domain="example.com",
           username=None, ha1=None, timeout=60):
    """The real phone-side program; see the top."""
    hosts = stage.file("hosts", f"127.0.0.1 localhost {domain} "
                       f"{socket.gethostname()}\n", mode=0o644)
    secret = ["-J", ha1] if ha1 is not None else ["-a", password]
    done = stage.run(
        [find_program("unshare"), *([] if IS_ROOT else ["-r"]), "-m", "sh",
         "-c", f'mount --bind "{hosts}" /etc/hosts && exec "$@"', "sh",
         find_program("sipsak"), "-vvv", "-i", "-U", "-x", "60", "-C",
         f"sip:{user}@127.0.0.1:9", "-p", f"127.0.0.1:{port}", "-s",
         f"sip:{user}@{domain}", "-u", username or user, *secret],
        timeout=timeout)
    text = done.stdout + done.stderr
    return Answer(done.returncode == 0, "-Authenticate:" in text, text)


def call(port, method, user, password, domain="example.com", username=None,
         uri=None, timeout=10):
    """
    One SIP request over UDP, once more with digest when challenged -> the
    texts of the final answers, in order: (401 or 407, then what came of it).
    """
    uri = uri or f"sip:{domain}"
    branch = secrets.token_hex(8)
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.bind(("127.0.0.1", 0))
        us = f"127.0.0.1:{s.getsockname()[1]}"
        proof = ""
        while True:
            s.sendto((f"{method} {uri} SIP/2.0\r\n"
                      f"Via: SIP/2.0/UDP {us};branch=z9hG4bK{branch}"
                      f"{len(answers)};rport\r\n"
                      f"From: <sip:{user}@{domain}>;tag={branch}\r\n"
                      f"To: <sip:{user}@{domain}>\r\n"
                      f"Call-ID: {branch}\r\n"
                      f"CSeq: {1 + len(answers)} {method}\r\n"
                      f"Contact: <sip:{user}@{us}>\r\n"
                      f"Max-Forwards: 70\r\n{proof}"
                      "Content-Length: 0\r\n\r\n").encode(),
                     ("127.0.0.1", port))
            text = "SIP/2.0 1"
            while text.startswith("SIP/2.0 1"):
                text = s.recv(65536).decode(errors="replace")
            answers.append(text)
            asked = re.search(r"(?mi)^(WWW|Proxy)-Authenticate: Digest (.*)$",
                              text)
            if asked is None or len(answers) == 2:
                return answers
            said = dict(re.findall(r'(\w+)="([^"]*)"', asked[2]))
            fields = digest(username or user, password, said["realm"],
                            nonce=said["nonce"], method=method, uri=uri)
            proof = ("Proxy-" if asked[1].lower() == "proxy" else "") + \
                "Authorization: Digest " + ", ".join(
                    f"{k}={v}" if k in ("qop", "nc") else f'{k}="{v}"'
                    for k, v in fields.items()) + "\r\n"
