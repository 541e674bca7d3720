#!/usr/bin/python3 -B
"""
`onecred hash` by itself: values, options, refusals, password files. What the
scripts make of it, and its prompt, is tested in test_scripts.py.
"""

import base64
import hashlib
import hmac
import os
import re

from stage import case, run_cases

ALICE = "alice@example.com"
PASSWORD = "Can4ry-pass word"


def hashes(stage, *argv, password=PASSWORD, **options):
    return stage.run([stage.program("onecred"), "hash", "--password-file",
                      stage.password_file(password), *argv], **options)


def fields(text):
    return [line.split("\t") for line in text.splitlines()]


@case("onecred hash: the values are the standards' own")
def values(stage):
    done = hashes(stage, "--realm", "example.com", "--realm", "sip.example",
                  "--iterations", "4096", ALICE)
    assert done.returncode == 0 and done.stderr == "", done
    rows = fields(done.stdout)
    assert rows[-1] == ["end", "", "", str(len(rows) - 1)]
    assert [len(r) for r in rows] == [4] * 16
    found = {tuple(r[:3]): r[3] for r in rows[:-1]}
    assert len(found) == 15
    for name, new in (("md5", "md5"), ("sha_256", "sha256"),
                      ("sha_512_256", "sha512_256")):
        for realm in ("example.com", "sip.example"):
            for form, user in (("local", "alice"), ("full", ALICE)):
                assert found[f"ha1_{name}", realm, form] == hashlib.new(
                    new, f"{user}:{realm}:{PASSWORD}".encode()).hexdigest()
    for name, new in (("1", "sha1"), ("256", "sha256"), ("512", "sha512")):
        mech, first, keys = found[f"scram_sha_{name}", "", ""].split("$")
        count, salt = first.split(":")
        assert mech == f"SCRAM-SHA-{name}" and count == "4096"
        salt = base64.b64decode(salt)
        assert len(salt) == 24 and len(base64.b64decode(salt)) == 18
        salted = hashlib.pbkdf2_hmac(new, PASSWORD.encode(), salt, 4096)
        client = hmac.digest(salted, b"Client Key", new)
        assert keys.split(":") == [base64.b64encode(k).decode() for k in (
            hashlib.new(new, client).digest(),
            hmac.digest(salted, b"Server Key", new))]
    salts = {v.split("$")[1] for k, v in found.items() if k[0] > "s"}
    assert len(salts) == 3, "a salt for each mechanism"


@case("onecred hash: options")
def options(stage):
    def names(*argv, **kwargs):
        done = hashes(stage, *argv, ALICE, **kwargs)
        assert done.returncode == 0, done
        return {r[0] for r in fields(done.stdout)[:-1]}

    scram = {"scram_sha_1", "scram_sha_256", "scram_sha_512"}
    ha1 = {"ha1_md5", "ha1_sha_256", "ha1_sha_512_256"}
    assert names() == scram | ha1
    assert names("--digests", "none") == scram
    assert names("--algorithms", "none") == scram
    assert names("--algorithms", "MD5,sha-256") == scram | {
        "ha1_md5", "ha1_sha_256"}
    assert names("--service", "sip") == ha1
    assert names("--service", "sip", "--algorithms", "MD5") == {"ha1_md5"}
    key = stage.file("seal.key", "k1 " + base64.b64encode(
        bytes(range(32))).decode() + "\n")
    done = hashes(stage, "--seal-key-file", key, ALICE)
    for row in fields(done.stdout)[:-1]:
        assert row[0] in scram or row[3].startswith("sealed:1:k1:"), row
    done = hashes(stage, "--role", "dave", password="role-password-1")
    rows = fields(done.stdout)
    assert [r[0] for r in rows] == ["role", "end"]
    assert rows[0][3].startswith("SCRAM-SHA-256$4096:")


@case("onecred hash: refusals and wrong usage print nothing")
def refusals(stage):
    for argv, status in (
            (["alice"], 1), (["Alice@example.com"], 1), (["@example.com"], 1),
            (["alice@"], 1), (["alice@exam_ple.com"], 1), ([""], 1),
            (["anonymous@example.com"], 1), (["+49@example.com"], 1),
            (["a" * 65 + "@example.com"], 1), ([], 2), ([ALICE, ALICE], 2),
            (["--bogus", ALICE], 2), (["--iterations", "4095", ALICE], 2),
            (["--iterations", "65537", ALICE], 2),
            (["--iterations", "4096x", ALICE], 2),
            (["--iterations", "", ALICE], 2),
            (["--realm", "", ALICE], 2), (["--realm", 'a"b', ALICE], 2),
            (["--realm", "a\tb", ALICE], 2),
            (["--realm", "a", "--realm", "a", ALICE], 2),
            (sum((["--realm", f"r{i}"] for i in range(65)), []) + [ALICE], 2),
            (["--algorithms", "SHA-1", ALICE], 2),
            (["--algorithms", "MD5,", ALICE], 2),
            (["--algorithms", "MD5-sess", ALICE], 2),
            (["--digests", "maybe", ALICE], 2),
            (["--digests", "sealed", ALICE], 1),
            (["--digests", "none", "--service", "sip", ALICE], 1),
            (["--service", "sip", "--algorithms", "none", ALICE], 1),
            (["--service", "xmpp", ALICE], 2), (["--rule", "any", ALICE], 2),
            (["--seal-key-file", "/nonexistent", ALICE], 3),
            (["--environment"], 2)):
        done = hashes(stage, *argv)
        assert done.returncode == status, (argv, done)
        assert done.stdout == "" and done.stderr != "", argv
    done = hashes(stage, "--rule", "wide", "+49@example.com")
    assert done.returncode == 0, done
    bad_keys = ["", "k1\n", "k1 AAAA\n", "k1 " + "A" * 44, "\0" * 10000]
    for text in bad_keys:
        done = hashes(stage, "--seal-key-file", stage.file("bad.key", text),
                      ALICE)
        assert done.returncode == 1 and done.stdout == "", (text, done)
    for argv in (["--help"], ["hash", "--help"]):
        done = stage.run([stage.program("onecred"), *argv])
        assert done.returncode == 0 and done.stdout.startswith("usage: ")
    done = stage.run([stage.program("onecred"), "--version"])
    assert re.fullmatch(r"onecred [0-9.]+\n", done.stdout), done
    for argv in ([], ["bogus"], ["hashx"]):
        done = stage.run([stage.program("onecred"), *argv])
        assert done.returncode == 2 and "usage: " in done.stderr
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            done = hashes(stage, ALICE, stdout=full)
        assert done.returncode == 3, done


@case("password files: one line, no blanks at its ends, no controls")
def password_files(stage):
    def of(octets, *argv):
        return stage.run([stage.program("onecred"), "hash", "--password-file",
                          stage.file("pw", octets), *argv, ALICE])

    def md5(octets, *argv):
        done = of(octets, *argv)
        assert done.returncode == 0, (octets, done)
        return {r[3] for r in fields(done.stdout)
                if r[0] == "ha1_md5" and r[2] == "local"}

    expected = {hashlib.md5(b"alice:example.com:12345678").hexdigest()}
    for octets in (b"12345678", b"12345678\n", b"12345678\r\n"):
        assert md5(octets) == expected, octets
    for octets in (b"", b"\n", b"1234567", b"1234567\n", b"12345678\n\n",
                   b"12345678\r", b"12345678\r\r\n", b" 12345678",
                   b"12345678 \n", b"12345678\t", b"1234\x005678",
                   b"1234\n5678", b"1234\x7f5678", b"\xef\xbb\xbf12345678",
                   b"x" * 129, b"x" * 100000, "pässwörter".encode(),
                   b"p\xe4ssword1"):
        done = of(octets)
        assert done.returncode == 1, (octets, done)
        assert done.stdout == "" and done.stderr.startswith("onecred: ")
        assert octets.decode("latin-1").strip() not in done.stderr or \
            octets.strip() == b""
    assert md5("pässwörter".encode(), "--non-ascii") == {hashlib.md5(
        "alice:example.com:pässwörter".encode()).hexdigest()}
    for text in ("pa\u0308sswort", "pass\u00a0word", "\u00adpassword1",
                 "ﬁnancial1"):
        assert of(text.encode(), "--non-ascii").returncode == 1, text
    for path, status in (("/nonexistent/file", 3), (stage.directory, 3)):
        done = stage.run([stage.program("onecred"), "hash", "--password-file",
                          path, ALICE])
        assert done.returncode == status and done.stdout == "", done
    loose = stage.file("loose", "12345678\n", mode=0o644)
    done = stage.run([stage.program("onecred"), "hash", "--password-file",
                      loose, ALICE])
    assert done.returncode == 0 and "chmod 600" in done.stderr, done


if __name__ == "__main__":
    run_cases(__file__)
