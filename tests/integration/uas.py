"""
A small SIP user agent server over UDP, and the reading of SIP messages, for
what no real phone shows: every octet of every header field that arrived.

Message(octets)     .start .method .status .fields [(name, value)] .body
  .all("Via") .one("Call-ID") -> values as they stood, case of names ignored
Uas()               a thread on a free port of 127.0.0.1 that answers 200 to
                    everything (486 for user `busy`, 180 and then nothing to
                    INVITE for user `ringing`, which CANCEL ends by 487)
  .port .requests   what came, in order; .of("INVITE") -> those
  .wait("BYE")      waits for the next one that nobody has waited for
  .send_bye(invite, from_uri)   as the callee, along the recorded route, under
                    this name; .reply() -> its answer
  .close()
"""

import queue
import re
import socket
import threading

COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id",
           "m": "contact", "l": "content-length", "c": "content-type"}


class Message:
    def __init__(self, octets):
        self.octets = octets
        head, _, self.body = octets.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        self.start = lines[0]
        self.fields = []
        for line in lines[1:]:
            if line[:1] in (" ", "\t") and self.fields:
                name, value = self.fields[-1]
                self.fields[-1] = name, f"{value}\r\n{line}"
            else:
                name, _, value = line.partition(":")
                self.fields.append((name, value.strip(" \t")))
        words = self.start.split(" ", 2)
        self.status = int(words[1]) if words[0] == "SIP/2.0" else None
        self.method = words[0] if self.status is None else \
            self.one("CSeq").split()[1]

    def all(self, name):
        name = name.lower()
        return [v for n, v in self.fields
                if COMPACT.get(n.lower().strip(), n.lower().strip()) == name]

    def one(self, name):
        found = self.all(name)
        assert len(found) == 1, (name, self)
        return found[0]

    def parameter(self, name, parameter):
        found = re.search(rf";\s*{parameter}=([^;>\s]*)", self.one(name))
        return found[1] if found else None

    def uri(self, name):
        return re.search(r"<([^>]*)>|^([^;\s]+)", self.one(name))[0].strip(
            "<>")

    def __repr__(self):
        return self.octets.decode("utf-8", "replace")


def build(start, fields, body=b""):
    """The octets of a message; Content-Length is added."""
    if isinstance(body, str):
        body = body.encode()
    lines = [start, *[f"{n}: {v}" for n, v in fields],
             f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


class Uas:
    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        # Where RTP goes; nobody listens to it.
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.0.0.1", 0))
        self.requests = []
        self._new = queue.Queue()
        self._replies = queue.Queue()
        self._seen = {}
        self._ringing = {}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.socket.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(10)
        self.socket.close()
        self.rtp.close()

    def of(self, method, call_id=None):
        return [r for r in self.requests if r.method == method and
                call_id in (None, r.one("Call-ID"))]

    def wait(self, method, timeout=10):
        while True:
            request = self._new.get(timeout=timeout)
            if request.method == method:
                return request

    def wait_all(self, methods, timeout=10):
        """One of each; on their way over UDP they may overtake each other."""
        found = {}
        while len(found) < len(methods):
            request = self._new.get(timeout=timeout)
            if request.method in methods:
                found.setdefault(request.method, request)
        return [found[method] for method in methods]

    def forget(self):
        """What came up to now is history."""
        while not self._new.empty():
            self._new.get()

    def _answer(self, request, status, phrase, extra=(), body=b""):
        to = request.one("To")
        if ";tag=" not in to and status != 100:
            to += f";tag=uas{self.port}"
        fields = [("Via", v) for v in request.all("Via")]
        fields += [("Record-Route", v) for v in request.all("Record-Route")]
        fields += [("From", request.one("From")), ("To", to),
                   ("Call-ID", request.one("Call-ID")),
                   ("CSeq", request.one("CSeq"))]
        return build(f"SIP/2.0 {status} {phrase}", [*fields, *extra], body)

    def _sdp(self):
        return ("v=0\r\no=u 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
                "c=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                f"m=audio {self.rtp.getsockname()[1]} RTP/AVP 0\r\n"
                "a=rtpmap:0 PCMU/8000\r\n").encode()

    def _handle(self, request, peer):
        if request.status is not None:
            self._replies.put(request)
            return
        key = (request.method, *request.all("Via")[:1])
        if key in self._seen:           # sent again: the same answer
            if self._seen[key] is not None:
                self.socket.sendto(self._seen[key], peer)
            return
        self._seen[key] = None
        self.requests.append(request)
        self._new.put(request)
        contact = [("Contact", f"<sip:uas@127.0.0.1:{self.port}>")]
        if request.method == "ACK":
            return
        if request.method != "INVITE":
            answer = self._answer(request, 200, "OK", contact)
        elif "sip:busy@" in request.start:
            answer = self._answer(request, 486, "Busy Here")
        elif "sip:ringing@" in request.start:
            answer = self._answer(request, 180, "Ringing", contact)
            self._ringing[request.one("Call-ID")] = request, peer
        else:
            answer = self._answer(request, 200, "OK", [
                *contact, ("Content-Type", "application/sdp")], self._sdp())
        self._seen[key] = answer
        self.socket.sendto(answer, peer)
        waiting = self._ringing.pop(request.one("Call-ID"), None) \
            if request.method == "CANCEL" else None
        if waiting is not None:
            self.socket.sendto(self._answer(waiting[0], 487, "Terminated"),
                               waiting[1])

    def _run(self):
        while True:
            octets, peer = self.socket.recvfrom(65536)
            if not octets:
                return
            if octets.strip():
                self._handle(Message(octets), peer)

    def send_bye(self, invite, from_uri):
        """Ends the call from our side; .reply() has what comes of it."""
        routes = [r for v in invite.all("Record-Route")
                  for r in re.findall(r"<[^>]*>", v)]
        fields = [("Via", f"SIP/2.0/UDP 127.0.0.1:{self.port};"
                   f"branch=z9hG4bKbye{len(self.requests)};rport"),
                  *[("Route", r) for r in routes],
                  ("From", f"<{from_uri}>;tag=uas{self.port}"),
                  ("To", invite.one("From")),
                  ("Call-ID", invite.one("Call-ID")), ("CSeq", "77 BYE"),
                  ("Max-Forwards", "70")]
        port = int(re.search(r":(\d+)[;>]", routes[0])[1])
        self.socket.sendto(build(f"BYE {invite.uri('Contact')} SIP/2.0",
                                 fields), ("127.0.0.1", port))

    def reply(self, timeout=10):
        return self._replies.get(timeout=timeout)
