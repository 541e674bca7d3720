"""
An XMPP client (RFC 6120) for tests that must say what a well-behaved client
would not: one stream, STARTTLS, any SASL mechanism by force, any authzid.
Standard library only; nothing of ours is used to compute anything.

certificate(stage, directory, user=...)     cert.pem, key.pem, full.pem (both)
                    for example.com, self-signed -> path of cert.pem
Client(port, cafile)                reads on to the server's SASL features
  .features .mechanisms .channel_bindings     before the login
  .login("PLAIN", user, password, authzid="") -> "success", or the condition
                    of the failure: "not-authorized", ...
  .login("SCRAM-SHA-256", user, password, authzid="", gs2=None)
  .login("SCRAM-SHA-1-PLUS", ..., binding="tls-server-end-point")
                    as above; "bad-signature" if the server cannot prove that
                    it knows the account. password: text or raw octets
  .bind()           after "success": the full JID
  .change_password(new) -> "result", or the error's condition (XEP-0077)
  .ask(text, regex) sends, and reads until regex matches -> match

The client does no SASLprep: what is given is sent.
"""

import base64
import hashlib
import hmac
import os
import re
import socket
import ssl
from xml.sax.saxutils import escape

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
STREAM_END = "</stream:stream>"
HASHES = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}


def certificate(stage, directory, user=None, domain="example.com"):
    """A self-signed certificate that is its own authority."""
    cert, key = f"{directory}/cert.pem", f"{directory}/key.pem"
    stage.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
               f"/CN={domain}", "-addext", f"subjectAltName=DNS:{domain}",
               "-keyout", key, "-out", cert], user=user, check=True)
    stage.run(["sh", "-c", f"cat {key} {cert} >{directory}/full.pem"],
              user=user, check=True)
    return cert


def octets(value):
    return value.encode() if isinstance(value, str) else value


def b64(value):
    return base64.b64encode(octets(value)).decode()


class Client:
    """One stream; see the top."""

    def __init__(self, port, cafile, domain="example.com", host="127.0.0.1",
                 tls=True, tls_version=None, timeout=30):
        self.domain = domain
        self.cafile = cafile
        self._tls_version = tls_version
        self._got = b""
        self.socket = socket.create_connection((host, port), timeout)
        try:
            self.open_stream()
            if tls:
                self.start_tls()
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.socket.close()

    def ask(self, text, expected):
        """Sends text; reads until the regex matches -> that match."""
        self.socket.sendall(octets(text))
        while True:
            # NB: whatever is no UTF-8 is a fault of the server's.
            found = re.search(expected, self._got.decode(), re.DOTALL)
            if found:
                self._got = self._got[len(found.string[:found.end()]
                                          .encode()):]
                return found
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError(f"the server closed: {self._got!r}")
            self._got += piece

    def open_stream(self):
        found = self.ask(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
            "xmlns:stream='http://etherx.jabber.org/streams' "
            f"version='1.0' to='{self.domain}'>",
            f"</stream:features>|<stream:features */>|{STREAM_END}")
        self.features = found.string[:found.end()]
        self.mechanisms = re.findall("<mechanism(?: [^>]*)?>([^<]*)<",
                                     self.features)
        self.channel_bindings = re.findall(
            "<channel-binding type=.([^'\"]*)", self.features)

    def start_tls(self):
        self.ask(f"<starttls xmlns='{TLS}'/>", "<proceed[^>]*>")
        context = ssl.create_default_context(cafile=self.cafile)
        if self._tls_version is not None:
            context.maximum_version = self._tls_version
        self.socket = context.wrap_socket(self.socket,
                                          server_hostname=self.domain)
        self._got = b""
        self.open_stream()

    def login(self, mechanism, user, password, **options):
        if mechanism == "PLAIN":
            return self._plain(user, password, **options)
        return self._scram(mechanism, user, password, **options)

    def _step(self, element):
        """Sends one SASL element -> (name of the answer, its content)."""
        found = self.ask(element, r"<(challenge|success|failure)\b[^>]*?"
                         r"(?:/>|>(.*?)</\1>)")
        content = found[2] or ""
        if found[1] == "failure":
            return "failure", re.search("<([a-z-]+)", content)[1]
        return found[1], base64.b64decode(content)

    def _auth(self, mechanism, message):
        return self._step(f"<auth xmlns='{SASL}' mechanism='{mechanism}'>"
                          f"{b64(message)}</auth>")

    def _plain(self, user, password, authzid=""):
        kind, content = self._auth("PLAIN", b"\0".join(
            octets(part) for part in (authzid, user, password)))
        return content if kind == "failure" else kind

    def _binding(self, kind):
        if kind == "tls-server-end-point":
            return hashlib.sha256(self.socket.getpeercert(True)).digest()
        return self.socket.get_channel_binding(kind)

    def _scram(self, mechanism, user, password, authzid="", gs2=None,
               binding="tls-server-end-point"):
        plus = mechanism.endswith("-PLUS")
        name = HASHES[mechanism.removeprefix("SCRAM-").removesuffix("-PLUS")]

        def mac(key, text):
            return hmac.new(key, octets(text), name).digest()

        def escaped(text):
            return text.replace("=", "=3D").replace(",", "=2C")

        if gs2 is None:
            gs2 = f"p={binding}" if plus else "n"
        gs2 += f",a={escaped(authzid)}," if authzid else ",,"
        bare = f"n={escaped(user)},r={b64(os.urandom(18))}"
        kind, content = self._auth(mechanism, gs2 + bare)
        if kind != "challenge":
            return content
        first = content.decode()
        said = dict(part.split("=", 1) for part in first.split(","))
        salted = hashlib.pbkdf2_hmac(name, octets(password),
                                     base64.b64decode(said["s"]),
                                     int(said["i"]))
        bound = octets(gs2) + (self._binding(binding) if plus else b"")
        final = f"c={b64(bound)},r={said['r']}"
        signed = f"{bare},{first},{final}"
        key = mac(salted, "Client Key")
        signature = mac(hashlib.new(name, key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(key, signature))
        kind, content = self._step(f"<response xmlns='{SASL}'>"
                                   + b64(f"{final},p={b64(proof)}")
                                   + "</response>")
        if kind == "failure":
            return content
        expected = octets("v=" + b64(mac(mac(salted, "Server Key"), signed)))
        if kind == "challenge":
            # The proof in a round of its own (RFC 5802 5, no success data).
            last, extra = self._step(f"<response xmlns='{SASL}'/>")
            if last != "success" or extra not in (b"", expected):
                return extra if last == "failure" else "bad-success"
        return "success" if content == expected else "bad-signature"

    def bind(self):
        """A fresh stream and a resource of the server's choice."""
        self._got = b""
        self.open_stream()
        return self.ask("<iq type='set' id='bind'><bind "
                        "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
                        "<jid>([^<]*)</jid>.*?</iq>")[1]

    def change_password(self, new, user="alice"):
        """In-band (XEP-0077 3.3), once bound."""
        found = self.ask(
            f"<iq type='set' id='change' to='{self.domain}'>"
            f"<query xmlns='jabber:iq:register'><username>{user}</username>"
            f"<password>{escape(new)}</password></query></iq>",
            r"<iq [^>]*id=.change.[^>]*?(?:/>|>.*?</iq>)")[0]
        if "type='error'" in found or 'type="error"' in found:
            return re.search("<error.*?<([a-z-]+)", found, re.DOTALL)[1]
        return "result"
