#!/usr/bin/python3 -B
"""
`make demo`: a private PostgreSQL, one account with one password, onecredd,
and a login through every door, with the right password and with others. One
line per door and case; exit status 0 only if all came out as they should.
KEEP=1 leaves everything running and prints how to try it by hand.
"""

import base64
import os
import re
import secrets
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "integration"))

import sasl  # noqa: E402
import rawhttp  # noqa: E402
from radius import digest, radclient, radclient_lines  # noqa: E402
from stage import Daemon, Extauth, NOBODY, Stage, free_port  # noqa: E402

DOMAIN = "example.com"
PASSWORD = "wonderland"
SECRET = "a-32-octet-or-longer-shared-secret!"

CONFIG = """[database]
conninfo = {conninfo}

[extauth]
listen = {socket}

[saslauthd]
listen = {mux}

[http]
listen = 127.0.0.1:{http}
token_file = {token}

[sip]
nonce_key_file = {key}

[radius]
listen = 127.0.0.1:{port}

[radius-client demo]
address = 127.0.0.1
secret_file = {secret}
"""

# Who, with which password, and whether it must pass.
LOGINS = [
    ("alice", PASSWORD, True, "right password"),
    ("alice@example.com", PASSWORD, True, "right, as user@domain"),
    ("alice", "wonderlanD", False, "wrong password"),
    ("nobody-here", PASSWORD, False, "unknown account"),
    ("bob", PASSWORD, False, "disabled account"),
]

ANSWERS = {Extauth.TRUE: True, Extauth.FALSE: False,
           "accept": True, "reject": False}


class Table:
    """Prints the lines and remembers whether all were good."""

    FORMAT = "{:<32} {:<23} {:<23} {:<9} {}"

    def __init__(self):
        self.bad = 0
        self.total = 0
        print(self.FORMAT.format("door", "case", "login", "answer", ""))

    def line(self, door, case, login, answer, expected):
        got = ANSWERS.get(answer)
        word = {True: "accepted", False: "refused"}.get(got, repr(answer))
        good = got is expected
        self.total += 1
        self.bad += not good
        print(self.FORMAT.format(door, case, login, word,
                                 "ok" if good else "NOT AS EXPECTED"))
        sys.stdout.flush()


def prepare(stage):
    stage.basic()
    stage.script("user-add", check=True, user=f"bob@{DOMAIN}",
                 password_file=stage.password_file(PASSWORD))
    stage.script("user-disable", check=True, user=f"bob@{DOMAIN}")


def extauth_lines(table, door, helper):
    for name, password, expected, case in LOGINS:
        answer = helper.request(f"auth:{name}:{DOMAIN}:{password}".encode())
        table.line(door, case, name, answer, expected)
    for name, expected, case in (("alice", True, "account exists"),
                                 ("nobody-here", False, "unknown account")):
        answer = helper.request(f"isuser:{name}:{DOMAIN}".encode())
        table.line(door, f"isuser: {case}", name, answer, expected)


def radius_lines(table, stage, port, secret):
    """radclient asks; the response is computed as a phone computes it."""
    for encoding in ("RFC 5090", "sterman"):
        for algorithm in ("MD5", "SHA-256"):
            for name, password, expected, case in LOGINS:
                fields = digest(name, password, DOMAIN, algorithm,
                                send_algorithm=True,
                                nonce=secrets.token_hex(16))
                answer, _ = radclient(stage, port, secret, radclient_lines(
                    fields, name, encoding))
                table.line(f"SIP digest {algorithm}, {encoding}", case, name,
                           answer, expected)
    for name, password, expected, case in LOGINS[1:]:
        if "@" not in name:
            name += f"@{DOMAIN}"
        answer, _ = radclient(stage, port, secret, [
            f'User-Name = "{name}"', f'User-Password = "{password}"',
            "Message-Authenticator = 0x00"])
        table.line("RADIUS password (PAP)", case, name, answer, expected)


def saslauthd_lines(table, stage, mux):
    """Cyrus' own testsaslauthd asks."""
    for name, password, expected, case in LOGINS:
        done = stage.run(["testsaslauthd", "-u", name, "-p", password, "-s",
                          "xmpp", "-r", DOMAIN, "-f", mux], user=NOBODY)
        # 0: OK "Success."
        word = done.stdout.partition(": ")[2][:2]
        table.line("PLAIN by saslauthd's protocol", case, name,
                   {"OK": "accept", "NO": "reject"}.get(word, word), expected)


def plugin_lines(table, stage, mux):
    """libsasl2, client and server in one program, loads the plugin."""
    answers = {sasl.OK: "accept", sasl.BADAUTH: "reject"}
    sasl.add_role(stage, "cyrus", "plugin", DOMAIN)
    sasl.configure(stage, saslauthd_path=mux)
    with sasl.Driver(stage) as driver:
        for mech in sasl.SCRAMS:
            for name, password, expected, case in LOGINS:
                code = driver.code(mech, name, password)
                table.line(f"{mech}, Cyrus SASL plugin", case, name,
                           answers.get(code, code), expected)


def register(name, fields=None):
    """A phone's REGISTER, as a SIP server hands it over."""
    lines = [f"REGISTER sip:{DOMAIN} SIP/2.0",
             "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKdemo",
             f"From: <sip:{name}@{DOMAIN}>;tag=1",
             f"To: <sip:{name}@{DOMAIN}>", "Call-ID: demo@192.0.2.1",
             "CSeq: 1 REGISTER", f"Contact: <sip:{name}@192.0.2.1>"]
    if fields:
        lines.append("Authorization: Digest " + ", ".join(
            f'{key}="{value}"' if key not in ("nc", "qop", "algorithm")
            else f"{key}={value}" for key, value in fields.items()))
    return "\r\n".join(lines + ["", ""])


def sip_lines(table, http, token):
    """Challenge, then the answer that a phone computes to its nonce."""
    target = f"/v1/sip?as=registrar&realm={DOMAIN}&source=192.0.2.1"
    words = {"accept": "accept", "challenge": "reject"}

    def ask(text):
        return http.ask("POST", target, text, token=token,
                        content_type="message/sip").json

    for name, password, expected, case in LOGINS:
        user = name.partition("@")[0]
        offer = ask(register(user))["challenges"][0]
        nonce = re.search('nonce="([^"]+)"', offer).group(1)
        fields = digest(name, password, DOMAIN, "MD5", nonce=nonce)
        answer = ask(register(user, {
            "username": fields["username"], "realm": DOMAIN, "nonce": nonce,
            "uri": fields["uri"], "response": fields["response"],
            "algorithm": "MD5", "qop": "auth", "nc": fields["nc"],
            "cnonce": fields["cnonce"]}))["verdict"]
        table.line("SIP request over HTTP", case, name,
                   words.get(answer, answer), expected)


def http_lines(table, port, token):
    with rawhttp.Http(port) as http:
        answer = http.ask("GET", "/healthz")
        table.line("HTTP /healthz", "database is there", "-",
                   "accept" if answer.body == b"ok\n" else "?", True)
    with rawhttp.Http(port) as http:
        for name, password, expected, case in LOGINS[1:]:
            if "@" not in name:
                name += f"@{DOMAIN}"
            verdict = http.ask("POST", "/v1/password", {
                "user": name, "password": password},
                token=token).json["verdict"]
            table.line("HTTP /v1/password", case, name,
                       {"allow": "accept", "deny": "reject"}.get(
                           verdict, verdict), expected)
        sip_lines(table, http, token)


def by_hand(stage, daemon, port, secret, socket):
    frame = f"auth:alice:{DOMAIN}:{PASSWORD}"
    stop = stage.file("stop", f"""#!/bin/sh
kill {daemon.pid}
kill -INT {stage.postgres.process.pid}
sleep 1
rm -rf {stage.directory}
""", mode=0o755)
    pg = stage.postgres
    print(f"""
All of it is still running in {stage.directory}:

  the log           tail -f {daemon.log}
  the table         psql -h {pg.directory} -p {pg.port} -U postgres \\
                      -c 'SELECT * FROM onecred.credential' onecred
  another account   ONECRED={stage.program("onecred")} \\
                      psql -h {pg.directory} -p {pg.port} -U postgres \\
                      -v user=carol@{DOMAIN} -f {stage.sql("user-add")} onecred
  ejabberd's frame  printf '\\000\\{len(frame):03o}{frame}' | \\
                      {stage.program("onecred-extauth")} --socket {socket} \\
                      | od -An -tx1
  RADIUS            echo 'User-Name="alice@{DOMAIN}",User-Password={PASSWORD},Message-Authenticator=0' | \\
                      radclient -S {secret} 127.0.0.1:{port} auth
  the end           {stop}
""")


def main():
    keep = os.environ.get("KEEP") == "1"
    with Stage("demo", keep) as stage:
        print(f"A private PostgreSQL and onecredd in {stage.directory}; "
              "logs afterwards in build/log/demo.")
        sys.stdout.flush()
        prepare(stage)
        socket = stage.path("door/extauth.sock")
        stage.make_directory("door", NOBODY)
        mux = stage.path("door/mux")
        port, http = free_port("udp"), free_port("tcp")
        secret = stage.file("radius.secret", SECRET + "\n", user=NOBODY)
        token = secrets.token_urlsafe(24)
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        daemon = Daemon(stage, CONFIG.format(
            conninfo=stage.postgres.conninfo("onecredd"), socket=socket,
            port=port, secret=secret, mux=mux, http=http,
            token=stage.file("token", token + "\n", user=NOBODY),
            key=stage.file("nonce.key", key + "\n", user=NOBODY)))
        print(f"alice@{DOMAIN}: one row, no plaintext, one password.\n")
        table = Table()
        with Extauth.spawn(stage, [stage.program("onecred-extauth"),
                                   "--socket", socket]) as helper:
            extauth_lines(table, "XMPP extauth, onecred-extauth", helper)
        with Extauth.spawn(stage, [stage.program("onecredd"), "--extauth",
                                   "-c", daemon.config]) as helper:
            extauth_lines(table, "XMPP extauth, onecredd --extauth", helper)
        saslauthd_lines(table, stage, mux)
        plugin_lines(table, stage, mux)
        radius_lines(table, stage, port, secret)
        http_lines(table, http, token)
        print(f"\n{table.total - table.bad} of {table.total} as expected.")
        if keep:
            by_hand(stage, daemon, port, secret, socket)
        else:
            daemon.stop()
    return 1 if table.bad else 0


if __name__ == "__main__":
    sys.exit(main())
