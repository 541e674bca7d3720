"""
Well-formed verifiers for tests that write rows themselves; no password fits
them. SHA-1 as scram(1), HA1s as hex text of n octets. And how such a test
talks to the server so that what it finds in the server's log is ours.
"""

import base64
import hashlib
import re

KEY_OCTETS = {1: 20, 256: 32, 512: 64}


def b64(octets):
    return base64.b64encode(octets).decode()


def scram(kind=256, iterations=4096, salt=b"0123456789abcdefghijklmn",
          seed=b"x"):
    key = hashlib.sha512(seed).digest()[:KEY_OCTETS[kind]]
    return f"SCRAM-SHA-{kind}${iterations}:{b64(salt)}${b64(key)}:{b64(key)}"


def ha1(octets=16, seed=b"x"):
    return hashlib.sha512(seed).digest()[:octets].hex()


def sealed(octets=16, key="k1"):
    return f"sealed:1:{key}:" + b64(hashlib.sha512(b"s").digest()
                                    [:12 + octets + 16])


def literal(text):
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def account_set(domain, localpart, mode="set", values=None, service="all",
                version=None):
    """
    The SQL of one account_set() call; values: {name: value} or {(name,
    realm, form): value}.
    """
    if values is None:
        values = {"scram_sha_256": scram()}
    rows = [(k if isinstance(k, tuple) else (k, "", "")) + (v,)
            for k, v in values.items()]
    lists = ", ".join("ARRAY[" + ",".join(literal(r[i]) for r in rows)
                      + "]::text[]" for i in range(4))
    return (f"SELECT onecred.account_set({literal(domain)}, "
            f"{literal(localpart)}, {literal(mode)}, {lists}, "
            f"{literal(service)}, {'NULL' if version is None else version})")


# Every verifier this file writes contains one of these; the log must not.
# Short, because PostgreSQL cuts the values in its messages.
CANARIES = [scram(1).rsplit("$", 1)[1][:12], ha1(16)[:12],
            sealed(16).rsplit(":", 1)[1][:12]]
# For what is to end in the log: rows written past the triggers.
OTHER = {k: scram(k, seed=b"other") for k in (1, 256, 512)}


def secret_statement(stage, statement, **options):
    """
    Runs a statement with verifiers in it as \\bind would: through a temporary
    table, so that the text in the server's log is none of our doing.
    """
    quiet = "SET log_statement = 'none'; SET log_min_duration_statement = -1;"
    return stage.postgres.psql(
        f"{quiet} SET log_min_error_statement = 'panic';\n{statement}",
        **options)


def refused(stage, statement, code=None, **options):
    """It fails, prints no verifier, and says so with the SQLSTATE."""
    done = secret_statement(
        stage, "\\set VERBOSITY verbose\n" + statement, **options)
    assert done.returncode == 3, (statement, done)
    if code is not None:
        assert f"ERROR:  {code}: " in done.stderr, (statement, done.stderr)
    assert "Failing row" not in done.stderr, done.stderr
    for canary in CANARIES:
        # psql prints the line of the statement, which is ours.
        assert canary not in re.sub(r"LINE [0-9]+:.*", "", done.stderr)
    return done.stderr


def number(stage, statement, **options):
    return int(secret_statement(stage, statement, check=True,
                                **options).stdout)
