"""
A small SIP user agent client over UDP that answers digest challenges as the
test wants it, with nothing of ours but the password.

Challenge("Digest realm=...")   .realm .nonce .algorithm .stale .fields
Leg(port, ...)      a call leg by way of 127.0.0.1:port; keep="all" answers
                    every challenge of the leg (draft-sparks-sip-multiproxy-
                    auth-00), keep="newest" only the latest one
  .text(method, rows, ...)   the octets of its next request; cseq=N: that one
  .rows(method)     an answer to each challenge kept
  .row(challenge, ...)       one answer; password= user= nonce= nc= uri=
                    method= response= make another one of it
  .send(octets)     -> the final Message; .provisional has the others
  .once(method)     one request with the rows kept; keeps what comes
  .ask(method)      until it is no longer challenged, at most .rounds times
                    -> all final answers; .ack(), .bye(), .cancel() of a call
  .serve()          answers one request of the other side by 200
Everything about the request is in .fields and can be overridden by keywords:
uri from_uri to_uri to_tag call_id contact body role ("proxy", "registrar").
"""

import hashlib
import re
import secrets
import socket
import time

from uas import Message, build

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
CREDENTIALS = {"proxy": "Proxy-Authorization", "registrar": "Authorization"}
CHALLENGES = {407: "Proxy-Authenticate", 401: "WWW-Authenticate"}


class Challenge:
    def __init__(self, value):
        self.value = value
        assert value.startswith("Digest "), value
        fields = dict(re.findall(r'([a-z]+)=("[^"]*"|[^, ]*)', value[7:]))
        self.fields = {k: v.strip('"') for k, v in fields.items()}
        self.realm, self.nonce = self.fields["realm"], self.fields["nonce"]
        self.algorithm = self.fields.get("algorithm", "MD5")
        self.stale = self.fields.get("stale") == "true"

    def __repr__(self):
        return self.value


def challenges(answer):
    """Those of a 401 or 407."""
    return [Challenge(v) for v in
            answer.all(CHALLENGES.get(answer.status, "none"))]


class Leg:
    def __init__(self, port=None, user="alice", password="wonderland",
                 keep="all", rounds=6, timeout=10, **fields):
        self.port, self.user, self.password = port, user, password
        self.keep, self.rounds, self.timeout = keep, rounds, timeout
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.kept, self.used, self.cseq = [], {}, 0
        self.provisional, self.invite, self.accepted = [], None, None
        self.routes = []
        self.fields = {
            "uri": "sip:bob@example.com",
            "from_uri": f"sip:{user.partition('@')[0]}@example.com",
            "to_uri": "sip:bob@example.com", "to_tag": None,
            "call_id": secrets.token_hex(8), "from_tag": secrets.token_hex(4),
            "contact": f"<sip:{user.partition('@')[0]}@{self.place}>",
            "body": "", "role": "proxy", **fields}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.socket.close()

    def row(self, challenge, method="INVITE", password=None, user=None,
            nonce=None, nc=None, uri=None, realm=None, response=None):
        """One credentials value."""
        user, nonce = user or self.user, nonce or challenge.nonce
        uri, realm = uri or self.fields["uri"], realm or challenge.realm

        def h(*parts):
            return hashlib.new(HASHES[challenge.algorithm],
                               ":".join(parts).encode()).hexdigest()
        if nc is None:
            nc = self.used[nonce] = self.used.get(nonce, 0) + 1
        a1 = h(user, realm, self.password if password is None else password)
        digest = h(a1, nonce, f"{nc:08x}", "0a4f113b", "auth", h(method, uri))
        return (f'Digest username="{user}", realm="{realm}", nonce="{nonce}",'
                f' uri="{uri}", response="{response or digest}",'
                f' algorithm={challenge.algorithm}, qop=auth, nc={nc:08x},'
                ' cnonce="0a4f113b"')

    def rows(self, method="INVITE", **changes):
        return [self.row(c, method, **changes) for c in self.kept]

    def text(self, method="INVITE", rows=(), **changes):
        """One request as it stands on the wire."""
        if "cseq" not in changes:
            self.cseq += 1
        f = {"cseq": self.cseq, "branch": secrets.token_hex(8),
             **self.fields, **changes}
        tag = f";tag={f['to_tag']}" if f["to_tag"] else ""
        fields = [("Via", f"SIP/2.0/UDP {self.place};rport;branch=z9hG4bK"
                   f"{f['branch']}"),
                  *[("Route", r) for r in self.routes],
                  ("From", f"\"A\" <{f['from_uri']}>;tag={f['from_tag']}"),
                  ("To", f"<{f['to_uri']}>{tag}"),
                  ("Call-ID", f["call_id"]), ("CSeq", f"{f['cseq']} {method}"),
                  ("Contact", f["contact"]), ("Max-Forwards", "70"),
                  *[(CREDENTIALS[f["role"]], row) for row in rows]]
        return build(f"{method} {f['uri']} SIP/2.0", fields, f["body"])

    def learn(self, answer):
        """Keeps its challenges as .keep says -> them."""
        new = challenges(answer)
        if new and self.keep == "newest":
            self.kept = []
        # A new challenge of a realm takes the place of the old one.
        self.kept = [c for c in self.kept
                     if c.realm not in [n.realm for n in new]] + new
        return new

    def push(self, octets):
        self.socket.sendto(octets, ("127.0.0.1", self.port))

    def send(self, octets):
        """
        -> the final answer to this very request; sends again what gets lost,
        and the ACK to a final answer to INVITE that is not 200.
        """
        request = Message(octets)
        end, again = time.monotonic() + self.timeout, 1.0
        self.provisional = []
        self.push(octets)
        while True:
            left = end - time.monotonic()
            assert left > 0, f"no answer to\n{request}"
            self.socket.settimeout(min(left, again))
            try:
                answer = Message(self.socket.recv(65536))
            except TimeoutError:
                again = min(2 * again, 4)
                if not self.provisional:
                    self.push(octets)
                continue
            if answer.status is None or \
                    answer.one("CSeq") != request.one("CSeq") or \
                    answer.one("Call-ID") != request.one("Call-ID"):
                continue
            if answer.status < 200:
                self.provisional.append(answer)
                continue
            if request.method == "INVITE" and answer.status >= 300:
                self.push(self._ack_of(request, answer))
            return answer

    def _ack_of(self, request, answer):
        """RFC 3261 17.1.1.3: within the transaction, hop by hop."""
        fields = [("Via", request.one("Via")),
                  *[("Route", r) for r in request.all("Route")],
                  ("From", request.one("From")), ("To", answer.one("To")),
                  ("Call-ID", request.one("Call-ID")),
                  ("CSeq", f"{request.one('CSeq').split()[0]} ACK"),
                  ("Max-Forwards", "70")]
        return build(f"ACK {request.start.split()[1]} SIP/2.0", fields)

    def once(self, method="INVITE", **changes):
        octets = self.text(method, self.rows(method), **changes)
        answer = self.send(octets)
        self.learn(answer)
        if method == "INVITE" and answer.status < 300:
            self._established(Message(octets), answer)
        return answer

    def ask(self, method="INVITE", **changes):
        answers = []
        while len(answers) < self.rounds:
            answers.append(self.once(method, **changes))
            if answers[-1].status not in CHALLENGES:
                break
        return answers

    def _established(self, request, answer):
        """From now on requests go within the dialog (RFC 3261 12.1.2)."""
        self.invite, self.accepted = request, answer
        self.fields["to_tag"] = answer.parameter("To", "tag")
        self.fields["uri"] = answer.uri("Contact")
        self.routes = [r for v in reversed(answer.all("Record-Route"))
                       for r in reversed(re.findall(r"<[^>]*>", v))]

    def ack(self, rows=None):
        """Of the 200: with the rows of the INVITE (RFC 3261 22.1)."""
        if rows is None:
            rows = self.invite.all("Proxy-Authorization")
        cseq = int(self.invite.one("CSeq").split()[0])
        self.push(self.text("ACK", rows, cseq=cseq))

    def cancel(self, octets, rows=()):
        """The pending INVITE of these octets; its answers stay unread."""
        request = Message(octets)
        fields = [("Via", request.one("Via")), ("From", request.one("From")),
                  ("To", request.one("To")),
                  ("Call-ID", request.one("Call-ID")),
                  ("CSeq", f"{request.one('CSeq').split()[0]} CANCEL"),
                  ("Max-Forwards", "70"),
                  *[("Proxy-Authorization", row) for row in rows]]
        return self.send(build(f"CANCEL {request.start.split()[1]} SIP/2.0",
                               fields))

    def bye(self):
        return self.ask("BYE")

    def serve(self):
        """Answers the next request that comes by 200 -> the request."""
        self.socket.settimeout(self.timeout)
        while True:
            request = Message(self.socket.recv(65536))
            if request.status is None:
                break
        self.push(build("SIP/2.0 200 OK", [
            (n, v) for n in ("Via", "From", "To", "Call-ID", "CSeq")
            for v in request.all(n)]))
        return request


def register(port=None, user="alice", **fields):
    """A leg that registers."""
    name = user.partition("@")[0]
    return Leg(port, user, **{
        "uri": "sip:example.com", "to_uri": f"sip:{name}@example.com",
        "role": "registrar", **fields})
