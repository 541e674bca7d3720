#!/usr/bin/python3 -B
"""
Postfix' smtpd with fragments/postfix-*: Cyrus SASL asks the [saslauthd] door.
A master and an smtpd of our own, with their own configuration, queue and
port; the master insists on root. Without root the fragment's SASL
configuration is used by libsasl2 alone, and Postfix itself is not run.
"""

import os
import smtplib
import ssl

import sasl
import xmpp
from fragment import fragment
from stage import (Daemon, IS_ROOT, NOBODY, case, free_port, run_cases,
                   wait_until)

CONFIG = """[database]
conninfo = {conninfo}

[saslauthd]
listen = {mux}
domains = example.com
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
cyrus_sasl_config_path = {directory}/sasl
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
    stage.make_directory("postfix/sasl")
    stage.make_directory("postfix/queue")
    stage.make_directory("postfix/data", "postfix")
    stage.cafile = xmpp.certificate(stage, directory)
    stage.smtp = free_port("tcp")
    log = os.path.join(stage.log_directory, "postfix.log")
    stage.file("postfix/sasl/smtpd.conf",
               fragment(stage, "postfix-smtpd.conf"), mode=0o644)
    stage.file("postfix/main.cf", MAIN.format(
        directory=directory, log=log, logs=stage.log_directory)
        + fragment(stage, "postfix-main.cf"), mode=0o644)
    stage.file("postfix/master.cf", MASTER.format(port=stage.smtp),
               mode=0o644)
    # Makes the folders of the queue.
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
        mux=stage.path("door/saslauthd.sock"))
    stage.daemon = Daemon(stage, stage.config)
    if IS_ROOT:
        start_postfix(stage)
    else:
        print("# Postfix is not run (its master insists on root): libsasl2 "
              "alone, with its smtpd.conf")
        stage.make_directory("sasl")
        stage.file("sasl/smtpd.conf", fragment(stage, "postfix-smtpd.conf"))


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


def login(stage, user, password, mechanism="PLAIN"):
    if not IS_ROOT:
        with sasl.Driver(stage, "smtpd") as driver:
            code = driver.code(mechanism, user, password)
        return {sasl.OK: "success", sasl.BADAUTH: "refused"}.get(
            code, "temporary")
    with Smtp(stage) as client:
        return client.attempt(mechanism, user, password)


@case("AUTH is offered after STARTTLS only: PLAIN and LOGIN")
def offered(stage):
    if not IS_ROOT:
        return
    with Smtp(stage) as client:
        assert "auth" not in client.plain_features
        assert set(client.esmtp_features["auth"].split()) == \
            {"PLAIN", "LOGIN"}


@case("right, as user@domain, capitals, colons, by PLAIN and by LOGIN")
def right(stage):
    for user, password in (("alice", "wonderland"), ("Alice", "wonderland"),
                           ("alice@example.com", "wonderland"),
                           ("carol", "pass:word:1")):
        for mechanism in ("PLAIN", "LOGIN"):
            answer = login(stage, user, password, mechanism)
            assert answer == "success", (user, mechanism, answer)


@case("wrong, unknown, disabled, a domain of others: refused, all alike")
def refused(stage):
    for user, password in (("alice", "wonderlanD"), ("nobody", "wonderland"),
                           ("bob", "pass:word:1"), ("alice", "w" * 200),
                           ("alice@example.org", "wonderland")):
        answer = login(stage, user, password)
        assert answer == "refused", (user, answer)


@case("PostgreSQL stopped: temporary, not refused, and afterwards let in")
def outage(stage):
    stage.postgres.stop()
    try:
        assert login(stage, "alice", "wonderland") == "temporary"
    finally:
        stage.postgres.start()
    wait_until(lambda: login(stage, "alice", "wonderland") == "success", 20)


@case("onecredd stopped: temporary; started again: let in")
def restarted(stage):
    stage.daemon.stop()
    assert login(stage, "alice", "wonderland") == "temporary"
    stage.daemon = Daemon(stage, stage.config)
    assert login(stage, "alice", "wonderland") == "success"


@case("50 logins in a row, right and wrong by turns")
def many(stage):
    for i in range(50):
        good = i % 2 == 0
        answer = login(stage, "alice", "wonderland" if good else "wrong-one")
        assert answer == ("success" if good else "refused"), (i, answer)


@case("no password in any log")
def logs(stage):
    for name in os.listdir(stage.log_directory):
        with open(os.path.join(stage.log_directory, name), encoding="utf-8",
                  errors="replace") as f:
            text = f.read()
        for secret in ("wonderland", "wonderlanD", "pass:word:1"):
            assert secret not in text, name


if __name__ == "__main__":
    run_cases(__file__, prepare)
