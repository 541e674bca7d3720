"""
What the tests and benches of the Cyrus SASL plugin share: accounts whose
verifiers are computed here, with hashlib, and not by the code under test;
SASL configurations; and the client side of sasl_driver.c.
"""

import base64
import glob
import hashlib
import hmac
import os
import select
import socket
import struct
import subprocess
import threading
import time

from stage import BUILD, TOP

DRIVER = os.path.join(TOP, BUILD, "tests", "integration", "sasl_driver")
SYSTEM = "/usr/lib/*/sasl2"     # where Cyrus' own plugins are
MECHS = "SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512 DIGEST-MD5 PLAIN"

# libsasl2's numbers.
OK, FAIL, BADAUTH, NOMECH, NOUSER, UNAVAIL = 0, -1, -13, -4, -20, -24

SCRAMS = ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512")
NON_ASCII = "\u043f\u0430\u0440\u043e\u043b\u044c-1"   # beyond Latin-1
LATIN_1 = "p\u00e4ssw\u00f6rd"


def scram(hash_name, mechanism, password, iterations=4096, salt=None):
    """The RFC 5803 text; salts as DESIGN 3 has them."""
    salt = salt or base64.b64encode(os.urandom(18))
    salted = hashlib.pbkdf2_hmac(hash_name, password.encode(), salt,
                                 iterations)
    client = hmac.digest(salted, b"Client Key", hash_name)
    server = hmac.digest(salted, b"Server Key", hash_name)
    salt, stored, server = (
        base64.b64encode(x).decode()
        for x in (salt, hashlib.new(hash_name, client).digest(), server))
    return f"{mechanism}${iterations}:{salt}${stored}:{server}"


def ha1(user, realm, password, hash_name="md5"):
    return hashlib.new(hash_name,
                       f"{user}:{realm}:{password}".encode()).hexdigest()


def add_account(stage, localpart, password, domain="example.com", **columns):
    """An account with every verifier; columns overrides (None is NULL)."""
    row = {"domain": domain, "localpart": localpart,
           "scram_sha_1": scram("sha1", "SCRAM-SHA-1", password),
           "scram_sha_256": scram("sha256", "SCRAM-SHA-256", password),
           "scram_sha_512": scram("sha512", "SCRAM-SHA-512", password),
           "ha1_md5": ha1(localpart, domain, password), **columns}
    values = ", ".join("NULL" if v is None else f"'{v}'"
                       for v in row.values())
    stage.postgres.psql(f"INSERT INTO onecred.credential ({', '.join(row)}) "
                        f"VALUES ({values});", check=True)


def add_role(stage, name, grants, domain="*"):
    for grant in grants.split():
        stage.role(name, grant, domain)


def add_domain(stage, domain, **variables):
    stage.script("domain-add", check=True, domain=domain,
                 **{"iterations": 4096, "digest_md5": "yes", **variables})


def prepare(stage):
    """Domains, accounts of every kind, and roles: what test_plugin*.py use."""
    stage.database()
    stage.script("schema", check=True)
    add_domain(stage, "example.com")
    add_domain(stage, "plain.example.com", digest_md5="no")
    add_domain(stage, "other.example.org")
    add_account(stage, "alice", "wonderland")
    add_account(stage, "bob", "pass:word:1")
    add_account(stage, "carol", "carolcarol", enabled="false")
    add_account(stage, "dave", "davedavedave", scram_sha_1=None,
                scram_sha_256=None, scram_sha_512=None, ha1_md5=None)
    add_account(stage, "olga", NON_ASCII)
    add_account(stage, "latin", LATIN_1)
    add_account(stage, "sip", "sipsipsip", ha1_origin="separate",
                ha1_md5=ha1("sip", "example.com", "another1"))
    add_account(stage, "alice", "wonderland", "plain.example.com")
    add_account(stage, "alice", "otherworld", "other.example.org")
    add_role(stage, "cyrus", "plugin", "example.com")
    add_role(stage, "cyrusall", "plugin")
    add_role(stage, "writer", "plugin daemon",
             "example.com")
    add_role(stage, "writerall", "plugin daemon")
    configure(stage)


def sasl_path(stage):
    """Directory in which `make install` put the plugin."""
    found = glob.glob(f"{stage.root}/usr/lib/*/sasl2/libonecred.so")
    assert len(found) == 1, found
    return os.path.dirname(found[0])


def configure(stage, name="sample", conninfo=None, **options):
    """Writes NAME.conf; an option of None is left out."""
    lines = {"auxprop_plugin": "onecred", "pwcheck_method": "saslauthd",
             "saslauthd_path": stage.path("mux"), "mech_list": MECHS,
             "log_level": "7",
             "onecred_conninfo": conninfo or stage.postgres.conninfo("cyrus"),
             **options}
    stage.make_directory("sasl")
    stage.file(f"sasl/{name}.conf",
               "".join(f"{k}: {v}\n" for k, v in lines.items()
                       if v is not None))


def environment(stage, plugins=None):
    """For everything that loads libsasl2."""
    system = os.path.dirname(glob.glob(f"{SYSTEM}/libscram.so")[0])
    return {"SASL_CONF_PATH": stage.path("sasl"),
            "SASL_PATH": f"{system}:{plugins or sasl_path(stage)}"}


class Driver:
    """One sasl_driver: an application named name."""

    _count = 0

    def __init__(self, stage, name="sample", realm="example.com",
                 fqdn="srv.example.com", env=None, before=(),
                 plugins=None):
        assert os.path.exists(DRIVER), f"{DRIVER} is not built"
        Driver._count += 1
        self.log = os.path.join(stage.log_directory,
                                f"sasl-{Driver._count}.log")
        with open(self.log, "wb") as log:
            self.process = stage.spawn(
                [*before, DRIVER, name, realm, fqdn],
                env={**environment(stage, plugins), **(env or {})},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self._pipes = self.process.popen

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind is None:
            self.close()
        else:
            self.process.end()

    def close(self, timeout=60):
        """End of input; the driver has to end well."""
        self._pipes.stdin.close()
        assert self.process.wait(timeout) == 0, self.log_text()[-3000:]

    def send(self, *fields):
        self._pipes.stdin.write("\t".join(str(f) for f in fields).encode()
                                + b"\n")
        self._pipes.stdin.flush()

    def receive(self, timeout=60):
        end = time.monotonic() + timeout
        line = b""
        while not line.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._pipes.stdout], [], [],
                                              left)[0]:
                raise AssertionError(f"no answer of the driver in {timeout} s")
            piece = os.read(self._pipes.stdout.fileno(), 4096)
            if not piece:
                raise AssertionError("the driver ended: "
                                     f"{self.process.wait(10)}\n"
                                     f"{self.log_text()[-3000:]}")
            line += piece
        return line.decode().strip()

    def ask(self, *fields, timeout=60):
        self.send(*fields)
        return self.receive(timeout)

    def login(self, mech, user, password, authzid="", binding=False,
              processes=0, threads=1, count=1, timeout=60):
        """-> ({code: count}, the slowest in ms, the name)"""
        answer = self.ask("login", processes, threads, count, mech, user,
                          authzid, password, *(["cb"] if binding else []),
                          timeout=timeout)
        words = dict(w.split("=", 1) for w in answer.split(" "))
        slowest, name = int(words.pop("ms")), words.pop("as")
        return {int(k) if k != "crashed" else k: int(v)
                for k, v in words.items()}, slowest, name

    def code(self, mech, user, password, **options):
        """The result of one login."""
        codes, _, _ = self.login(mech, user, password, **options)
        assert len(codes) == 1, codes
        return next(iter(codes))

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()


def log_lines(driver, word):
    return [line for line in driver.log_text().splitlines() if word in line]


def check_canaries(stage, *words):
    """No password and no verifier stands in any log, at any level."""
    words = ("wonderland", "otherworld", "davedavedave", "SCRAM-SHA-256$",
             "SCRAM-SHA-1$", "SCRAM-SHA-512$", *words,
             *stage.postgres.value("SELECT string_agg(ha1_md5, ' ') "
                                   "FROM onecred.credential").split())
    for name in os.listdir(stage.log_directory):
        with open(os.path.join(stage.log_directory, name),
                  encoding="utf-8", errors="replace") as f:
            text = f.read()
        for word in words:
            assert word not in text, (name, word)


class Mux:
    """saslauthd's socket: says OK to everybody, or nothing at all."""

    def __init__(self, stage):
        self.path = stage.path("mux")
        self.asked = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(5)
        os.chmod(self.path, 0o777)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        try:
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    fields = [self._field(connection) for _ in range(4)]
                    self.asked.append(fields)
                    connection.sendall(b"\0\2OK")
        except OSError:
            pass

    @staticmethod
    def _field(connection):
        def take(n):
            data = b""
            while len(data) < n:
                piece = connection.recv(n - len(data))
                if not piece:
                    raise OSError("short")
                data += piece
            return data
        return take(struct.unpack(">H", take(2))[0])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        os.unlink(self.path)
