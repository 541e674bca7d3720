#!/usr/bin/python3 -B
"""
Accounts and SASL exchanges over the HTTP door of an installed onecredd: set,
create, delete by rights; PLAIN, LOGIN and SCRAM step by step; outages.
"""

import base64
import hashlib
import hmac
import os
from concurrent.futures import ThreadPoolExecutor

from rawhttp import ask
from stage import NOBODY, Daemon, case, run_cases, wait_until

RIGHTS = {"all": "sasl exists check set create delete", "set": "set",
          "create": "create", "delete": "delete", "sasl": "sasl"}
TOKENS = {name: f"c4nary-{name}-0123456789" for name in RIGHTS}
SCRAMS = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256",
          "SCRAM-SHA-512": "sha512"}


class World:
    socket = None


def start(stage):
    text = (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
            f"lookup_timeout = 3s\n[http]\nlisten = {World.socket}\n")
    for name, rights in RIGHTS.items():
        text += (f"[http-client {name}]\ntoken_file = "
                 f"{stage.path(name)}.token\ndomains = example.com\n"
                 f"rights = {rights}\n")
    World.daemon = Daemon(stage, text, env={
        "STATE_DIRECTORY": stage.path("state")})


def prepare(stage):
    stage.basic()
    for name in ("run", "state"):
        stage.make_directory(name, NOBODY)
    for name, token in TOKENS.items():
        stage.file(f"{name}.token", token + "\n", user=NOBODY, mode=0o400)
    stage.script("user-add", check=True, user="bob@example.com",
                 password_file=stage.password_file("wonderland"))
    stage.script("user-disable", check=True, user="bob@example.com")
    World.socket = f"{stage.path('run')}/http.sock"
    start(stage)


def put(user, password, client="all", change=None):
    body = {"password": password}
    if change is not None:
        body["change"] = change
    return ask(World.socket, "PUT", f"/v1/account/{user}@example.com", body,
               token=TOKENS[client])


def delete(user, client="all"):
    return ask(World.socket, "DELETE", f"/v1/account/{user}@example.com",
               token=TOKENS[client])


def there(user):
    return ask(World.socket, "HEAD", f"/v1/account/{user}@example.com",
               token=TOKENS["all"]).status


def password_is(user, password):
    answer = ask(World.socket, "POST", "/v1/password",
                 {"user": f"{user}@example.com", "password": password},
                 token=TOKENS["all"])
    assert answer.status == 200, answer
    return answer.json["verdict"] == "allow"


@case("set, create, delete: by rights and by what is asked for")
def by_rights(_stage):
    first, second = "looking-glass", "jabberwocky-1"
    for client, change, status in (
            ("set", None, 404), ("set", "set", 404), ("all", "set", 404),
            ("set", "create", 403), ("create", "set", 403),
            ("delete", None, 403), ("sasl", "create", 403)):
        assert put("carol", first, client, change).status == status, client
        assert there("carol") == 404
    for client, change in (("create", None), ("create", "create"),
                           ("all", "create"), ("all", None)):
        answer = put("carol", first, client, change)
        assert (answer.status, answer.json) == (201, {"result": "done"})
        assert there("carol") == 200 and password_is("carol", first)
        # What must be new is not taken over.
        for other in ("create", "all"):
            answer = put("carol", second, other, "create")
            assert answer.status == 409 and answer.json["error"], answer
        assert password_is("carol", first)
        for other, way in (("set", None), ("all", "set"), ("all", None)):
            answer = put("Carol", second, other, way)
            assert (answer.status, answer.json) == (200, {"result": "done"})
            assert password_is("carol", second)
            assert not password_is("carol", first)
            assert put("carol", first, "set").status == 200
        assert delete("carol", "set").status == 403
        answer = delete("carol", "delete")
        assert (answer.status, answer.json) == (200, {"result": "done"})
        assert there("carol") == 404 and not password_is("carol", first)
        assert delete("carol", "delete").status == 404


@case("refused: 422 and a sentence; broken requests: 400")
def refused(_stage):
    for password in ("short", "w" * 129, "p\u00e4ssw\u00f6rter", "a\tb" * 9,
                     " blank-at-start", ""):
        for client in ("all", "set"):
            answer = put("alice", password, client)
            assert answer.status == 422, (password, answer)
            sentence = answer.json["error"]
            assert len(sentence) > 10, answer
            assert len(password) < 6 or password not in sentence, answer
    answer = put("al%20ice", "looking-glass")
    assert answer.status == 422, answer
    for body in ("", "{}", "[]", '{"password":1}', '{"password":"\\u0000"}',
                 '{"password":"x","change":"delete"}',
                 '{"password":"x","password":"y"}'):
        answer = ask(World.socket, "PUT", "/v1/account/alice@example.com",
                     body, token=TOKENS["all"])
        assert answer.status == 400 and answer.json["error"], (body, answer)
    assert put("alice", "x" * 9000).status == 413
    assert ask(World.socket, "PUT", "/v1/account/alice@example.org",
               {"password": "looking-glass"},
               token=TOKENS["all"]).status == 403
    assert password_is("alice", "wonderland")


def b64(data):
    return base64.b64encode(data).decode()


def step(mechanism, data, **more):
    body = {"mechanism": mechanism, "domain": "example.com", **more}
    if data is not None:
        body["data"] = b64(data)
    answer = ask(World.socket, "POST", "/v1/sasl", body,
                 token=TOKENS["sasl"])
    assert answer.status in (200, 503), answer
    return answer.json


def scram(mechanism, user, password, cb=None, gs2=None, between=None,
          last=None):
    """A whole exchange -> the last answer; the server's proof is checked."""
    hash_name = SCRAMS[mechanism.removesuffix("-PLUS")]

    def mac(key, text):
        return hmac.digest(key, text.encode(), hash_name)

    gs2 = gs2 or (f"p={cb[0]},," if cb else "n,,")
    bare = f"n={user},r={b64(os.urandom(12))}"
    bound = {"cb_type": cb[0], "cb_data": b64(cb[1])} if cb else {}
    answer = step(mechanism, (gs2 + bare).encode(), **bound)
    if answer["verdict"] != "continue":
        return answer
    first = base64.b64decode(answer["data"]).decode()
    said = dict(part.split("=", 1) for part in first.split(","))
    salted = hashlib.pbkdf2_hmac(hash_name, password.encode(),
                                 base64.b64decode(said["s"]), int(said["i"]))
    final = f"c={b64(gs2.encode() + (cb[1] if cb else b''))},r={said['r']}"
    signed = f"{bare},{first},{final}"
    key = mac(salted, "Client Key")
    proof = bytes(a ^ b for a, b in zip(key, mac(
        hashlib.new(hash_name, key).digest(), signed)))
    if between is not None:
        between()
    more = {"state": answer["state"], **bound, **(last or {})}
    answer = step(more.pop("mechanism", mechanism),
                  f"{final},p={b64(proof)}".encode(), **more)
    if answer["verdict"] == "allow":
        expected = b"v=" + b64(mac(mac(salted, "Server Key"),
                                   signed)).encode()
        assert base64.b64decode(answer["data"]) == expected
        assert answer["user"] == "alice@example.com", answer
    return answer


WRONG = {"verdict": "deny", "reason": "wrong-password"}


@case("SASL: PLAIN, LOGIN and SCRAM, right and wrong")
def exchanges(_stage):
    for name in ("alice", "ALICE", "alice@example.com"):
        assert step("PLAIN", f"\0{name}\0wonderland".encode()) == {
            "verdict": "allow", "user": "alice@example.com"}
        for mechanism in SCRAMS:
            assert scram(mechanism, name, "wonderland")["verdict"] == "allow"
            assert scram(f"{mechanism}-PLUS", name, "wonderland",
                         ("tls-exporter", b"\0\xff" * 16))["verdict"] == \
                "allow"
    for name, password in (("alice", "no"), ("nobody", "wonderland"),
                           ("bob", "wonderland")):
        assert step("PLAIN", f"\0{name}\0{password}".encode()) == WRONG
        for mechanism in SCRAMS:
            assert scram(mechanism, name, password) == WRONG
    # Without an initial response, and LOGIN's three steps.
    answer = step("PLAIN", None)
    assert (answer["verdict"], answer["data"]) == ("continue", ""), answer
    assert step("PLAIN", b"\0alice\0wonderland", state=answer["state"])[
        "verdict"] == "allow"
    answer = step("LOGIN", None)
    assert base64.b64decode(answer["data"]) == b"Username:"
    answer = step("LOGIN", b"alice", state=answer["state"])
    assert base64.b64decode(answer["data"]) == b"Password:"
    assert step("LOGIN", b"wonderland", state=answer["state"])["verdict"] \
        == "allow"


@case("SASL: authzid, downgrade, other bindings, tokens of something else")
def hostile(_stage):
    assert step("PLAIN", b"bob@example.com\0alice\0wonderland") == {
        "verdict": "deny", "reason": "identity"}
    cb = ("tls-unique", b"x" * 12)
    plus = "SCRAM-SHA-256-PLUS"
    # "y": the client believes that -PLUS is not offered.
    for cb_type, verdict in (("tls-unique", "deny"), (None, "continue")):
        more = {"cb_type": cb_type} if cb_type else {}
        assert step("SCRAM-SHA-256", b"y,,n=alice,r=x", **more)[
            "verdict"] == verdict
    for last in ({"cb_data": b64(b"y" * 12)}, {"cb_data": ""},
                 {"cb_type": "tls-exporter"}, {"state": b64(b"x" * 80)},
                 {"state": ""}, {"mechanism": "SCRAM-SHA-512-PLUS"}):
        answer = scram(plus, "alice", "wonderland", cb, last=last)
        assert answer["verdict"] == "deny", (last, answer)
    assert scram(plus, "alice", "wonderland", cb)["verdict"] == "allow"
    for data in (b"", b"x", b"n,,", b"\0" * 3, b"p=,,n=alice,r=x",
                 b"n,,n=alice,r=", b"n,,n=al=ice,r=x", b"x" * 4096):
        for mechanism in ("PLAIN", *SCRAMS):
            assert step(mechanism, data)["verdict"] == "deny", data
    for body, status in (
            ({"mechanism": "PLAIN", "domain": "example.org"}, 403),
            ({"mechanism": "X", "domain": "example.com"}, 400),
            ({"mechanism": "PLAIN", "domain": "example.com",
              "data": "*"}, 400), ({}, 400)):
        answer = ask(World.socket, "POST", "/v1/sasl", body,
                     token=TOKENS["sasl"])
        assert answer.status == status, (body, answer)


@case("SASL: the daemon restarted between two steps: the exchange goes on")
def restarted(stage):
    def restart():
        World.daemon.stop()
        start(stage)

    assert scram("SCRAM-SHA-256", "alice", "wonderland",
                 between=restart)["verdict"] == "allow"
    assert scram("SCRAM-SHA-256", "alice", "no", between=restart) == WRONG


@case("many changes and logins at once")
def many(_stage):
    names = [f"user{i}" for i in range(12)]

    def one(name):
        assert put(name, f"password-{name}", "create").status == 201
        assert password_is(name, f"password-{name}")
        assert put(name, f"changed-{name}", "set").status == 200
        assert not password_is(name, f"password-{name}")
        assert delete(name).status == 200

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, names))


@case("PostgreSQL frozen: 503, never a denial; afterwards it goes on")
def frozen(stage):
    stage.postgres.freeze()
    try:
        for answer in (put("alice", "looking-glass"), delete("nobody"),
                       ask(World.socket, "POST", "/v1/sasl", {
                           "mechanism": "PLAIN", "domain": "example.com",
                           "data": b64(b"\0alice\0wonderland")},
                           token=TOKENS["sasl"])):
            assert answer.status == 503, answer
            assert answer.fields["retry-after"] == "1", answer
        for mechanism in SCRAMS:
            assert scram(mechanism, "alice", "wonderland")["verdict"] == \
                "unavailable"
    finally:
        stage.postgres.thaw()
    wait_until(lambda: step("PLAIN", b"\0alice\0wonderland")["verdict"] !=
               "unavailable", 20)
    wait_until(lambda: put("alice", "wonderland", "set").status == 200, 20)
    assert scram("SCRAM-SHA-256", "alice", "wonderland")["verdict"] == \
        "allow"


@case("no secret in any log")
def logs(stage):
    for name in os.listdir(stage.log_directory):
        with open(os.path.join(stage.log_directory, name), encoding="utf-8",
                  errors="replace") as f:
            text = f.read()
        for secret in ("wonderland", "looking-glass", "jabberwocky",
                       "password-user", "changed-user", *TOKENS.values()):
            assert secret not in text, (name, secret)


if __name__ == "__main__":
    run_cases(__file__, prepare)
