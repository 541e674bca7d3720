"""
A small HTTP/1.1 client that sends what it is told and reads no more than one
answer: Http(address).ask("POST", "/v1/password", body, token=T) -> Answer
with .status .fields (lower-case names) .body .json. It insists on what the
door promises: a Content-Length, never chunks.
"""

import json
import socket


class Answer:
    def __init__(self, status, fields, body):
        self.status = status
        self.fields = fields
        self.body = body

    @property
    def json(self):
        assert self.fields["content-type"] == "application/json", self.fields
        assert self.body.endswith(b"\n") and self.body.count(b"\n") == 1, \
            self.body
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:500]!r}"


class Http:
    """address: a path, or a port of 127.0.0.1. Kept alive."""

    def __init__(self, address, timeout=20):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(("127.0.0.1", address),
                                                   timeout)
        self._data = b""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self.socket.close()

    @staticmethod
    def request(method, target, body=None, token=None, fields=(),
                content_type="application/json"):
        lines = [f"{method} {target} HTTP/1.1", "Host: onecred"]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        if isinstance(body, dict):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
            if content_type is not None:
                lines.append(f"Content-Type: {content_type}")
        lines += fields
        return "\r\n".join(lines + ["", ""]).encode() + (body or b"")

    def send(self, *args, **options):
        self.socket.sendall(self.request(*args, **options))

    def _fill(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise EOFError(self._data)
        self._data += piece

    def receive(self, head=False):
        while b"\r\n\r\n" not in self._data:
            self._fill()
        top, self._data = self._data.split(b"\r\n\r\n", 1)
        lines = top.decode("ascii").split("\r\n")
        fields = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            assert name.lower() not in fields, top
            fields[name.lower()] = value.strip()
        assert "transfer-encoding" not in fields, top
        status = int(lines[0].split()[1])
        if status == 100:
            return self.receive(head)
        length = 0 if head else int(fields["content-length"])
        while len(self._data) < length:
            self._fill()
        body, self._data = self._data[:length], self._data[length:]
        return Answer(status, fields, body)

    def ask(self, method, target, body=None, **options):
        self.send(method, target, body, **options)
        return self.receive(method == "HEAD")

    def at_end(self):
        """Whether the peer has closed and nothing is left."""
        try:
            return self._data == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def ask(address, *args, **options):
    """One request on a connection of its own."""
    with Http(address) as peer:
        return peer.ask(*args, **options)
