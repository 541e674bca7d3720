"""
A small RADIUS client of our own, for what radclient cannot do, and radclient
itself. Digest responses are computed here, with nothing of ours but the
password.

digest("alice", password="wonderland", algorithm="SHA-256") -> dict of fields
rfc5090(fields), sterman(fields)       the attributes of either encoding
Client(port, secret, source="127.0.0.1")
  .request(attributes, sign=True, ...) -> octets     .ask(octets) -> Reply/None
  .login(attributes) -> Reply/None    a signed Access-Request and its answer
Reply: .code .attributes .octets .accepted .rejected .challenged .stale .nonce
    (verified)
radclient(stage, port, secret_file, lines) -> "accept", "reject", "challenge"
    or "silence", and what it printed
"""

import hashlib
import hmac
import os
import socket
import struct

from process import find_program

ACCESS_REQUEST, ACCEPT, REJECT, CHALLENGE, STATUS_SERVER = 1, 2, 3, 11, 12
USER_NAME, USER_PASSWORD, PROXY_STATE, MESSAGE_AUTHENTICATOR = 1, 2, 33, 80
RESPONSE_AUTH, NEXTNONCE, SIP_AOR = 106, 107, 122
DIGEST_NONCE, DIGEST_ALGORITHM, DIGEST_DOMAIN, STALE = 105, 111, 119, 120

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
# Field -> number of RFC 5090, sub-attribute of 207, name for radclient.
FIELDS = {
    "response": (103, None, "Digest-Response"),
    "realm": (104, 1, "Digest-Realm"),
    "nonce": (105, 2, "Digest-Nonce"),
    "method": (108, 3, "Digest-Method"),
    "uri": (109, 4, "Digest-URI"),
    "qop": (110, 5, "Digest-QOP"),
    "algorithm": (111, 6, "Digest-Algorithm"),
    "body": (112, 7, "Digest-Body-Digest"),
    "cnonce": (113, 8, "Digest-CNonce"),
    "nc": (114, 9, "Digest-Nonce-Count"),
    "username": (115, 10, "Digest-User-Name"),
}
DICTIONARY = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "radius-dictionary")


def octets(value):
    return value.encode() if isinstance(value, str) else value


def digest(username="alice", password="wonderland", realm="example.com",
           algorithm="MD5", qop="auth", send_algorithm=False,
           method="REGISTER", uri="sip:example.com",
           nonce="awIZlmsCGGosr4beDP8efWIgdjELflpa", nc="00000001",
           cnonce="", **changes):
    """
    The fields of one login, the response computed with password; each has a
    cnonce of its own unless one is given. changes overrides fields
    afterwards. None leaves a field out.
    """
    if cnonce == "":
        cnonce = os.urandom(8).hex()

    def h(*parts):
        text = b":".join(octets(part or "") for part in parts)
        return hashlib.new(HASHES[algorithm], text).hexdigest()

    ha1, ha2 = h(username, realm, password), h(method, uri)
    fields = {"username": username, "realm": realm, "nonce": nonce,
              "uri": uri, "method": method}
    if qop is None:
        fields["response"] = h(ha1, nonce, ha2)
    else:
        fields.update(qop=qop, nc=nc, cnonce=cnonce, response=h(
            ha1, nonce, nc, cnonce, qop, ha2))
    if send_algorithm:
        fields["algorithm"] = algorithm
    fields.update(changes)
    return {k: v for k, v in fields.items() if v is not None}


def rspauth(fields, password="wonderland", algorithm="MD5"):
    """What a server that knows the password answers to digest()'s fields."""
    same = {k: fields.get(k) for k in (
        "username", "realm", "uri", "nonce", "qop", "nc", "cnonce")}
    return digest(password=password, algorithm=algorithm, method="",
                  **same)["response"]


def rfc5090(fields):
    return [(FIELDS[k][0], octets(v)) for k, v in fields.items()]


def sterman(fields, joined=False):
    """joined: all sub-attributes in as few attributes as possible."""
    subs = b"".join(bytes([FIELDS[k][1], len(octets(v)) + 2]) + octets(v)
                    for k, v in fields.items() if k != "response")
    out = [(206, octets(fields["response"]))] if "response" in fields else []
    if joined:
        return out + [(207, subs[i:i + 200])
                      for i in range(0, len(subs), 200)]
    while subs:
        out.append((207, subs[:subs[1]]))
        subs = subs[subs[1]:]
    return out


ENCODINGS = {"RFC 5090": rfc5090, "sterman": sterman,
             "sterman, joined": lambda f: sterman(f, joined=True)}


def attribute_octets(attributes):
    return b"".join(bytes([t, len(v) + 2]) + v for t, v in attributes)


class Reply:
    """A reply whose authenticators were right for its request."""

    def __init__(self, data, request, secret):
        code, ident, length = struct.unpack(">BBH", data[:4])
        assert length == len(data) >= 20, "Length of the reply"
        assert ident == request[1], "Identifier of the reply"
        self.octets = data
        self.code = code
        self.attributes = []
        at = 20
        while at < length:
            t, n = data[at], data[at + 1]
            assert n >= 2 and at + n <= length, "attributes of the reply"
            self.attributes.append((t, data[at + 2:at + n]))
            at += n
        expected = hashlib.md5(data[:4] + request[4:20] + data[20:] +
                               secret).digest()
        assert data[4:20] == expected, "Response Authenticator"
        # NB: in every reply, and before anything else (CVE-2024-3596).
        assert [t for t, _ in self.attributes].index(
            MESSAGE_AUTHENTICATOR) == 0, self.attributes
        signed = data[:4] + request[4:20] + data[20:22] + bytes(16) + data[38:]
        assert hmac.new(secret, signed, "md5").digest() == data[22:38], \
            "Message-Authenticator"

    def __repr__(self):
        return f"Reply({self.code}, {self.attributes})"

    @property
    def accepted(self):
        return self.code == ACCEPT

    @property
    def rejected(self):
        return self.code == REJECT

    @property
    def challenged(self):
        return self.code == CHALLENGE

    @property
    def stale(self):
        return self.challenged and self.values(STALE) == [b"true"]

    @property
    def nonce(self):
        """That of a challenge, in either encoding."""
        found = self.values(DIGEST_NONCE) + [
            v[2:] for v in self.values(207) if v[0] == 2]
        assert self.challenged and len(found) == 1, self
        return found[0].decode()

    def values(self, kind):
        return [v for t, v in self.attributes if t == kind]


class Client:
    """One socket; identifiers are used in turn."""

    def __init__(self, port, secret, source="127.0.0.1", timeout=5.0):
        self.secret = octets(secret)
        self.timeout = timeout
        self._next = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.socket.close()

    def request(self, attributes, code=ACCESS_REQUEST, sign=True,
                authenticator=None, ident=None):
        """The octets of a request; signed in front, unless sign is False."""
        if ident is None:
            ident = self._next = (self._next + 1) % 256
        authenticator = authenticator or os.urandom(16)
        body = attribute_octets(attributes)
        if sign:
            body = bytes([MESSAGE_AUTHENTICATOR, 18]) + bytes(16) + body
        head = struct.pack(">BBH", code, ident, 20 + len(body))
        data = head + authenticator + body
        if sign:
            mac = hmac.new(self.secret, data, "md5").digest()
            data = data[:22] + mac + data[38:]
        return data

    def hide(self, password, authenticator):
        """User-Password (RFC 2865 5.2)."""
        text = octets(password)
        text += bytes(-len(text) % 16 or (0 if text else 16))
        out, last = b"", authenticator
        for at in range(0, len(text), 16):
            mask = hashlib.md5(self.secret + last).digest()
            last = bytes(a ^ b for a, b in zip(text[at:at + 16], mask))
            out += last
        return out

    def pap(self, name, password, **options):
        authenticator = os.urandom(16)
        return self.request(
            [(USER_NAME, octets(name)),
             (USER_PASSWORD, self.hide(password, authenticator))],
            authenticator=authenticator, **options)

    def send(self, data):
        self.socket.send(data)

    def receive(self, request, timeout=None):
        """The next datagram as the Reply to request; None: silence."""
        self.socket.settimeout(self.timeout if timeout is None else timeout)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return None
        return Reply(data, request, self.secret)

    def ask(self, data, timeout=None):
        self.send(data)
        return self.receive(data, timeout)

    def login(self, attributes, timeout=None, **options):
        return self.ask(self.request(attributes, **options), timeout)

    def drain(self):
        """All that has come and not been read, as raw octets."""
        found = []
        self.socket.setblocking(False)
        try:
            while True:
                found.append(self.socket.recv(65536))
        except (BlockingIOError, ConnectionRefusedError):
            return found


def radclient_lines(fields, user_name, encoding="sterman"):
    """The attributes of a login as radclient reads them."""
    lines = [f'User-Name = "{user_name}"', "Message-Authenticator = 0x00"]
    for key, value in fields.items():
        name = FIELDS[key][2]
        if encoding == "RFC 5090":
            name = "Rfc5090-" + {
                "Digest-QOP": "Digest-Qop",
                "Digest-User-Name": "Digest-Username"}.get(name, name)
        lines.append(f'{name} = "{value}"')
    return lines


def radclient(stage, port, secret_file, lines, command="auth", timeout=3):
    """
    -> ("accept" | "reject" | "challenge" | "silence", everything it printed)
    """
    done = stage.run(
        [find_program("radclient"), "-x", "-d", DICTIONARY, "-r", "1", "-t",
         str(timeout), "-S", secret_file, f"127.0.0.1:{port}", command],
        input="\n".join(lines) + "\n")
    text = done.stdout + done.stderr
    if "Received Access-Accept" in text:
        return "accept", text
    if "Received Access-Reject" in text:
        return "reject", text
    if "Received Access-Challenge" in text:
        return "challenge", text
    assert "No reply" in text, text
    return "silence", text
