#!/usr/bin/python3 -B
"""
Accounts by ejabberd's external authentication: changed, registered, removed,
each by its own right; where changes are written; and who there is while
nobody can be asked.
"""

import re

from extauth import (CHANGES, FAILURE, FALSE, TRUE, add_user, config_text,
                     helper, prepare, relay, socket_path)
from handover import ConnectedDaemon as Daemon
from stage import NOBODY, Extauth, case, run_cases, wait_until


def rows(stage, name):
    return stage.postgres.value("SELECT count(*) FROM onecred.credential"
                                f" WHERE localpart = '{name}'")


# In this order; what the account is afterwards, the next ones see.
ACCOUNTS = [
    (b"removeuser:erik:example.com", TRUE),
    (b"setpass:erik:example.com:first-password", FAILURE),
    (b"tryregister:erik:example.com:short", FAILURE),
    (b"isuser:erik:example.com", FALSE),
    (b"tryregister:Erik:EXAMPLE.com:fir:st:password:", TRUE),
    (b"isuser:erik:example.com", TRUE),
    (b"auth:erik:example.com:fir:st:password:", TRUE),
    (b"tryregister:erik:example.com:other-password", FALSE),
    (b"auth:erik:example.com:other-password", FALSE),
    (b"setpass:erik:example.com:second-password", TRUE),
    (b"auth:erik:example.com:fir:st:password:", FALSE),
    (b"auth:erik:example.com:second-password", TRUE),
    (b"auth:erik:example.com:second-password\xff", FALSE),
    (b"setpass:erik:example.com:", FAILURE),
    (b"setpass:erik:example.com:second-password\n", FAILURE),
    (b"setpass:erik:example.com:second-\0password", FAILURE),
    (b"setpass:erik:example.com:second-password\xff", FAILURE),
    (b"setpass:erik:example.com:" + b"x" * 129, FAILURE),
    (b"setpass:erik:example.com:" + b"x" * (65535 - 25), FAILURE),
    (b"setpass:erik:example.net:third-password", FAILURE),
    (b"setpass:erik@example.net:example.com:third-password", FAILURE),
    (b"setpass:er ik:example.com:third-password", FAILURE),
    (b"setpass::example.com:third-password", FAILURE),
    (b"tryregister:anonymous:example.com:third-password", FAILURE),
    (b"tryregister:frida:example.net:third-password", FAILURE),
    (b"removeuser:erik:example.net", TRUE),
    (b"auth:erik:example.com:second-password", TRUE),
    (b"removeuser3:erik:example.com:first-password", FALSE),
    (b"isuser:erik:example.com", TRUE),
    (b"removeuser3:erik:example.com:second-password", TRUE),
    (b"isuser:erik:example.com", FALSE),
    (b"auth:erik:example.com:second-password", FALSE),
    (b"removeuser3:erik:example.com:second-password", FALSE),
    (b"tryregister:erik:example.com:third-password", TRUE),
    (b"removeuser:erik:example.com", TRUE),
    (b"certauth:alice:example.com:MII=", FAILURE),
    (b"auth:alice:example.com:wonderland", TRUE),
]


@case("accounts changed on the socket, through the relay, by the helper")
def accounts(stage):
    text = config_text(stage, CHANGES)
    stage.file("changing.conf", text, user=NOBODY)
    with Daemon(stage, text) as daemon, \
            Extauth.connect(socket_path(stage)) as direct, \
            relay(stage) as relayed, helper(stage, "changing.conf") as helped:
        wait_until(lambda: helped.request(b"isuser:alice:example.com")
                   == TRUE, 20, "the helper's database")
        for peer in (direct, relayed, helped):
            for payload, expected in ACCOUNTS:
                answer = peer.request(payload)
                assert answer == expected, (payload[:60], answer, expected)
            assert rows(stage, "erik") == "0"
        log = daemon.log_text()
        assert re.search("door=extauth user=erik@example.com change=create "
                         "result=refused .* why=.*too short", log), log
        assert "user=erik@example.com change=set result=no-account" in log
        assert "user=invalid change=set result=refused" in log
        assert "verdict=deny reason=malformed" in log


@case("one helper for many domains: the same name, other accounts")
def many_domains(stage):
    stage.script("domain-add", check=True, domain="example.org")
    stage.file("changing.conf", config_text(stage, CHANGES), user=NOBODY)
    with Daemon(stage, config_text(stage, CHANGES)), \
            relay(stage) as relayed, helper(stage, "changing.conf") as helped:
        wait_until(lambda: helped.request(b"isuser:alice:example.com")
                   == TRUE, 20, "the helper's database")
        for peer in (relayed, helped):
            for payload, expected in (
                    (b"isuser:alice:example.org", FALSE),
                    (b"tryregister:alice:example.org:through-the-glass",
                     TRUE),
                    (b"auth:alice:example.org:through-the-glass", TRUE),
                    (b"auth:alice:example.com:through-the-glass", FALSE),
                    (b"auth:alice:example.org:wonderland", FALSE),
                    (b"auth:alice@example.org:example.com:wonderland",
                     FALSE),
                    (b"auth:alice@example.com:example.org:wonderland",
                     FALSE),
                    (b"removeuser:alice:example.org", TRUE),
                    (b"isuser:alice:example.org", FALSE),
                    (b"auth:alice:example.com:wonderland", TRUE)):
                assert peer.request(payload) == expected, payload
    # A door for one domain changes no other.
    with Daemon(stage, config_text(stage, "domains = example.org\n" +
                                   CHANGES)), relay(stage) as peer:
        for payload in (b"setpass:alice:example.com:through-the-glass",
                        b"tryregister:erik:example.com:through-the-glass",
                        b"removeuser:alice:example.com"):
            assert peer.request(payload) == FAILURE, payload
        assert peer.request(b"removeuser3:alice:example.com:wonderland") == \
            FALSE
        assert rows(stage, "alice") == "1"


@case("a change needs its own right, and the log says which, once")
def account_rights(stage):
    for right, allowed in (("set", 0), ("create", 1), ("delete", 2)):
        requests = [b"setpass:alice:example.com:wonderland",
                    b"tryregister:alice:example.com:wonderland",
                    b"removeuser:nobody:example.com"]
        words = ["set", "create", "delete"]
        with Daemon(stage, config_text(stage, f"rights = {right}")) \
                as daemon, Extauth.connect(socket_path(stage)) as peer:
            for i, request in enumerate(requests):
                expected = FAILURE if i != allowed else \
                    FALSE if right == "create" else TRUE
                for _ in range(3):
                    assert peer.request(request) == expected, request
                assert daemon.log_text().count(
                    "reason=not-permitted: [extauth] rights has no "
                    f"\"{words[i]}\"") == (i != allowed)


@case("isuser in an outage: the last known yes, otherwise 00 02 00 02")
def known(stage):
    stage.file("changing.conf", config_text(stage, CHANGES), user=NOBODY)
    add_user(stage, "gone", "wonderland")
    add_user(stage, "seen", "wonderland")
    with Daemon(stage, config_text(stage, CHANGES)), \
            relay(stage) as relayed, helper(stage, "changing.conf") as helped:
        wait_until(lambda: helped.request(b"isuser:alice:example.com")
                   == TRUE, 20, "the helper's database")
        for peer in (relayed, helped):
            for payload, expected in (
                    (b"isuser:alice:example.com", TRUE),
                    (b"auth:carol:example.com:wrong", FALSE),
                    (b"auth:seen:example.com:wonderland", TRUE),
                    (b"isuser:nobody:example.com", FALSE),
                    (b"isuser:gone:example.com", TRUE),
                    (b"tryregister:erik:example.com:first-password", TRUE),
                    (b"isuser:erik:example.com", TRUE),
                    (b"removeuser:erik:example.com", TRUE)):
                assert peer.request(payload) == expected, payload
        stage.script("user-disable", check=True, user="gone@example.com")
        for peer in (relayed, helped):
            assert peer.request(b"isuser:gone:example.com") == FALSE
        for fault, mend in ((stage.postgres.freeze, stage.postgres.thaw),
                            (stage.postgres.stop, stage.postgres.start)):
            fault()
            try:
                for peer in (relayed, helped):
                    for name, expected in (
                            ("alice", TRUE), ("Alice", TRUE),
                            ("carol", TRUE), ("seen", TRUE),
                            ("nobody", FAILURE), ("gone", FAILURE),
                            ("erik", FAILURE), ("canary", FAILURE)):
                        assert peer.request(f"isuser:{name}:example.com"
                                            .encode()) == expected, name
                    # An outage opens no login and changes nothing.
                    for payload in (b"auth:alice:example.com:wonderland",
                                    b"auth:alice:example.com:wrong",
                                    b"setpass:alice:example.com:other-one",
                                    b"removeuser:alice:example.com"):
                        assert peer.request(payload) == FAILURE, payload
            finally:
                mend()
            for peer in (relayed, helped):
                wait_until(lambda p=peer: p.request(
                    b"isuser:nobody:example.com") == FALSE, 30, "healing")
                wait_until(lambda p=peer: p.request(
                    b"auth:alice:example.com:wonderland") != FAILURE, 30)
    # A frozen server may have removed her after all, once it thawed.
    if rows(stage, "alice") == "0":
        add_user(stage, "alice", "wonderland")
    stage.script("user-password", check=True, user="alice@example.com",
                 password_file=stage.password_file("wonderland"))


@case("write_conninfo: changes go there, logins do not")
def write_conninfo(stage):
    here = stage.postgres.conninfo()
    for place, expected in ((here, TRUE),
                            (here.replace("dbname=onecred", "dbname=absent"),
                             FAILURE)):
        text = config_text(stage, CHANGES).replace(
            "lookup_timeout", f"write_conninfo = {place} "
            "keepalives=1\nlookup_timeout")
        with Daemon(stage, text) as daemon, \
                Extauth.connect(socket_path(stage)) as peer:
            wait_until(lambda p=peer: p.request(
                b"auth:alice:example.com:wonderland") == TRUE, 20, "a login")
            wait_until(lambda p=peer: p.request(
                b"setpass:alice:example.com:wonderland") == expected, 20,
                "the change")
            assert peer.request(b"auth:alice:example.com:wonderland") == TRUE
            count = stage.postgres.value(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = 'onecred' AND usename = 'onecredd'")
            assert count == ("3" if expected == TRUE else "2"), count
            assert daemon.process.running


if __name__ == "__main__":
    run_cases(__file__, prepare)
