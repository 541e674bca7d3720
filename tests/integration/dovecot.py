"""
A client of Dovecot's authentication protocol (STANDARDS 7.3), and the client's
side of SCRAM (RFC 5802), computed here from the password.

Client(path, hello=..., handshake=True)     connects, sends hello, and reads
                    the server's handshake -> .offer
  .plain(user, password) .login(...) .scram(mech, user, password)
                    one exchange -> the fields of its end without the id:
                    ["OK", "user=alice"], ["FAIL"], ["FAIL", "temp", ...]
  .auth(mech, message) .cont(message) .ask(line) .line()    step by step
Scram(mech, user, password)     .first() .final(challenge) .check(server-final)
"""

import base64
import hashlib
import hmac
import os
import socket

SCRAMS = ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512")


def b64(octets):
    return base64.b64encode(
        octets if isinstance(octets, bytes) else octets.encode()).decode()


class Client:
    """One connection, as the application at its other end keeps it."""

    def __init__(self, path, hello=b"VERSION\t1\t1\nCPID\t4711\n",
                 handshake=True, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.id = 0
        self.send(hello)
        self.offer = b""
        while handshake and not self.offer.endswith(b"\nDONE\n"):
            line = self.file.readline()
            assert line, self.offer
            self.offer += line

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets if isinstance(octets, bytes)
                            else octets.encode())

    def line(self):
        """The next line's fields; none at the end of the stream."""
        text = self.file.readline().decode()
        if not text:
            return []
        assert text.endswith("\n")
        return text[:-1].split("\t")

    def ask(self, octets):
        self.send(octets)
        return self.line()

    def auth(self, mech, message=None, number=None, options="service=smtp"):
        """Begins an exchange -> the answer's fields without its id."""
        self.id = self.id + 1 if number is None else number
        resp = "" if message is None else f"\tresp={b64(message)}"
        return self.part(self.ask(
            f"AUTH\t{self.id}\t{mech}\t{options}{resp}\n"), self.id)

    def cont(self, message, number=None):
        number = self.id if number is None else number
        return self.part(self.ask(f"CONT\t{number}\t{b64(message)}\n"),
                         number)

    @staticmethod
    def part(fields, number):
        assert len(fields) > 1 and fields[1] == str(number), fields
        return [fields[0], *fields[2:]]

    def plain(self, user, password, authzid="", **options):
        return self.auth("PLAIN", b"\0".join(
            p if isinstance(p, bytes) else p.encode()
            for p in (authzid, user, password)), **options)

    def login(self, user, password, initial=False, **options):
        if initial:
            answer = self.auth("LOGIN", user, **options)
        else:
            answer = self.auth("LOGIN", **options)
            assert answer == ["CONT", b64("Username:")], answer
            answer = self.cont(user)
        assert answer == ["CONT", b64("Password:")], answer
        return self.cont(password)

    def scram(self, mech, user, password, gs2="n,,", spoil=False, **options):
        one = Scram(mech, user, password, gs2)
        answer = self.auth(mech, one.first(), **options)
        if answer[0] != "CONT":
            return answer
        answer = self.cont(one.final(answer[1], spoil))
        if answer[0] == "CONT":
            one.check(answer[1])
            return self.cont("")
        if answer[0] == "OK" and len(answer) > 2:
            assert answer[2].startswith("resp="), answer
            one.check(answer[2][5:])
        return answer


class Scram:
    """The client's side (RFC 5802)."""

    def __init__(self, mech, user, password, gs2="n,,"):
        self.hash = {"1": "sha1", "256": "sha256",
                     "512": "sha512"}[mech.split("-")[2]]
        self.password = password.encode()
        self.gs2 = gs2
        self.bare = f"n={user},r={b64(os.urandom(12))}"
        self.proved = None

    def mac(self, key, text):
        return hmac.new(key, text.encode(), self.hash).digest()

    def first(self):
        return self.gs2 + self.bare

    def final(self, challenge, spoil=False):
        first = base64.b64decode(challenge).decode()
        said = dict(p.split("=", 1) for p in first.split(","))
        assert said["r"].startswith(self.bare.split("r=")[1])
        self.salt, self.count = said["s"], int(said["i"])
        salted = hashlib.pbkdf2_hmac(self.hash, self.password,
                                     base64.b64decode(said["s"]), self.count)
        final = f"c={b64(self.gs2)},r={said['r']}"
        signed = f"{self.bare},{first},{final}"
        key = self.mac(salted, "Client Key")
        signature = self.mac(hashlib.new(self.hash, key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(key, signature))
        self.proved = self.mac(self.mac(salted, "Server Key"), signed)
        if spoil:
            proof = bytes([proof[0] ^ 1]) + proof[1:]
        return f"{final},p={b64(proof)}"

    def check(self, text):
        assert base64.b64decode(text) == b"v=" + b64(self.proved).encode()
