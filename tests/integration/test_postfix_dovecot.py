#!/usr/bin/python3 -B
"""
Postfix' smtpd with fragments/postfix-dovecot.cf: it asks the [dovecot NAME]
door, in Dovecot's protocol. A master of our own as in test_postfix.py,
which insists on root; without root Postfix is not run, and test_dovecot.py
alone speaks as it does.
"""

import base64
import os
import smtplib
import ssl

import xmpp
from dovecot import SCRAMS, Scram
from fragment import fragment
from stage import (Daemon, IS_ROOT, NOBODY, case, free_port, run_cases,
                   wait_until)

CONFIG = """[database]
conninfo = {conninfo}

[dovecot postfix]
listen = {path}
domain = example.com
mode = 0666
"""


# What a main.cf has anyway.
MAIN = """compatibility_level = 3.6
config_directory = {directory}
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {log}
maillog_file_prefixes = {logs}
myhostname = example.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_tls_security_level = may
smtpd_tls_chain_files = {directory}/full.pem
smtpd_tls_loglevel = 0
smtpd_client_event_limit_exceptions = 127.0.0.1
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 100
"""

MASTER = """127.0.0.1:{port} inet n - n - 10 smtpd
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""

OUTCOMES = {235: "success", 535: "refused", 454: "temporary"}


def start_postfix(stage):
    directory = stage.make_directory("postfix")
    stage.make_directory("postfix/queue")
    stage.make_directory("postfix/data", "postfix")
    stage.cafile = xmpp.certificate(stage, directory)
    stage.smtp = free_port("tcp")
    log = os.path.join(stage.log_directory, "postfix.log")
    stage.file("postfix/main.cf", MAIN.format(
        directory=directory, log=log, logs=stage.log_directory)
        + fragment(stage, "postfix-dovecot.cf"), mode=0o644)
    stage.file("postfix/master.cf", MASTER.format(port=stage.smtp),
               mode=0o644)
    stage.run(["postfix", "-c", directory, "check"], check=True)
    with open(os.path.join(stage.log_directory, "master.log"), "wb") as out:
        stage.postfix = stage.spawn(
            ["/usr/lib/postfix/sbin/master", "-c", directory, "-d"],
            stdout=out, stderr=out)

    def answers():
        assert stage.postfix.running, open(log, encoding="utf-8").read()
        try:
            smtplib.SMTP("127.0.0.1", stage.smtp, timeout=20).quit()
        except OSError:
            return False
        return True
    wait_until(answers, 30, "Postfix")


def prepare(stage):
    stage.basic()
    for name in ("bob", "carol"):
        stage.script("user-add", check=True, user=f"{name}@example.com",
                     password_file=stage.password_file("pass:word:1"))
    stage.script("user-disable", check=True, user="bob@example.com")
    stage.make_directory("door", NOBODY)
    stage.config = CONFIG.format(
        conninfo=stage.postgres.conninfo("onecredd"),
        path=stage.path("door/dovecot-postfix.sock"))
    stage.daemon = Daemon(stage, stage.config)
    if IS_ROOT:
        start_postfix(stage)
    else:
        print("# Postfix is not run (its master insists on root)")


class Smtp(smtplib.SMTP):
    """STARTTLS done."""

    def __init__(self, stage):
        super().__init__("127.0.0.1", stage.smtp, timeout=30)
        self.ehlo()
        self.plain_features = dict(self.esmtp_features)
        self.starttls(context=ssl.create_default_context(
            cafile=stage.cafile))
        self.ehlo()

    def _get_socket(self, host, port, timeout):
        self._host = "example.com"      # the name in the certificate
        return super()._get_socket(host, port, timeout)

    def attempt(self, mechanism, user, password):
        self.user, self.password = user, password
        method = {"PLAIN": self.auth_plain, "LOGIN": self.auth_login}
        try:
            code, _ = self.auth(mechanism, method[mechanism])
        except smtplib.SMTPAuthenticationError as e:
            code = e.smtp_code
        return OUTCOMES.get(code, code)


def scram(client, mech, user, password):
    """By hand: smtplib knows no SCRAM."""
    one = Scram(mech, user, password)

    def text(words):
        return base64.b64encode(words.encode()).decode()
    code, said = client.docmd("AUTH", f"{mech} {text(one.first())}")
    if code == 334:
        code, said = client.docmd(text(one.final(said.decode())))
    if code == 334:
        one.check(said.decode())
        code, said = client.docmd("=" if mech == "SCRAM-SHA-1" else "")
    return OUTCOMES.get(code, (code, said))


def login(stage, mech, user, password):
    with Smtp(stage) as client:
        if mech in SCRAMS:
            return scram(client, mech, user, password)
        return client.attempt(mech, user, password)


@case("everything is offered after STARTTLS only")
def offered(stage):
    if not IS_ROOT:
        return
    with Smtp(stage) as client:
        assert "auth" not in client.plain_features
        assert set(client.esmtp_features["auth"].split()) == \
            {"PLAIN", "LOGIN", *SCRAMS}


@case("right, as user@domain, capitals, colons; wrong, unknown, disabled")
def logins(stage):
    if not IS_ROOT:
        return
    for mech in ("PLAIN", "LOGIN", *SCRAMS):
        for user, password, expected in (
                ("alice", "wonderland", "success"),
                ("Alice", "wonderland", "success"),
                ("alice@example.com", "wonderland", "success"),
                ("carol", "pass:word:1", "success"),
                ("alice", "wonderlanD", "refused"),
                ("nobody", "wonderland", "refused"),
                ("bob", "pass:word:1", "refused"),
                ("alice", "w" * 200, "refused"),
                ("alice@example.org", "wonderland", "refused")):
            answer = login(stage, mech, user, password)
            assert answer == expected, (mech, user, answer)


@case("an outage, a restart: not let in, and afterwards without a restart")
def outage(stage):
    if not IS_ROOT:
        return
    stage.postgres.freeze()
    try:
        for mech in ("PLAIN", "LOGIN", *SCRAMS):
            # NB: Postfix 3.7 makes 535 of the temporary failure it is told.
            assert login(stage, mech, "alice", "wonderland") != "success"
    finally:
        stage.postgres.thaw()
    wait_until(lambda: login(stage, "PLAIN", "alice", "wonderland") ==
               "success", 20)
    stage.daemon.stop()
    assert login(stage, "PLAIN", "alice", "wonderland") != "success"
    stage.daemon = Daemon(stage, stage.config)
    wait_until(lambda: login(stage, "SCRAM-SHA-256", "alice", "wonderland")
               == "success", 20)


if __name__ == "__main__":
    run_cases(__file__, prepare)
