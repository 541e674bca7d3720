#!/usr/bin/python3 -B
"""
Another helper that we compare with, in Python: what a careful administrator
writes with the standard library, which has no PostgreSQL; so libpq by ctypes.
One connection that stays, one prepared statement, one SHA-256.

    extauth_pg.py CONNINFO_FILE
"""

import ctypes
import ctypes.util
import hashlib
import hmac
import os
import struct
import sys

QUERY = (b"SELECT ha1_sha_256 FROM onecred.credential"
         b" WHERE domain = $1 AND localpart = $2 AND enabled")
TUPLES_OK = 2


class Database:
    """As much of libpq as one question needs."""

    def __init__(self, conninfo):
        pq = ctypes.CDLL(ctypes.util.find_library("pq"))
        for name, result, arguments in (
                ("PQconnectdb", ctypes.c_void_p, [ctypes.c_char_p]),
                ("PQstatus", ctypes.c_int, [ctypes.c_void_p]),
                ("PQprepare", ctypes.c_void_p, [
                    ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p,
                    ctypes.c_int, ctypes.c_void_p]),
                ("PQexecPrepared", ctypes.c_void_p, [
                    ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int,
                    ctypes.c_char_p * 2, ctypes.c_void_p, ctypes.c_void_p,
                    ctypes.c_int]),
                ("PQresultStatus", ctypes.c_int, [ctypes.c_void_p]),
                ("PQntuples", ctypes.c_int, [ctypes.c_void_p]),
                ("PQgetvalue", ctypes.c_char_p, [
                    ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
                ("PQclear", None, [ctypes.c_void_p])):
            function = getattr(pq, name)
            function.restype, function.argtypes = result, arguments
        self.pq = pq
        self.connection = pq.PQconnectdb(conninfo)
        if pq.PQstatus(self.connection) != 0:
            sys.exit("no connection")
        pq.PQclear(pq.PQprepare(self.connection, b"q", QUERY, 2, None))

    def verifier(self, name, domain):
        pq = self.pq
        result = pq.PQexecPrepared(self.connection, b"q", 2,
                                   (ctypes.c_char_p * 2)(domain, name), None,
                                   None, 0)
        found = None
        if pq.PQresultStatus(result) == TUPLES_OK and pq.PQntuples(result):
            found = pq.PQgetvalue(result, 0, 0)
        pq.PQclear(result)
        return found


def read(count):
    data = b""
    while len(data) < count:
        piece = os.read(0, count - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data


def main():
    with open(sys.argv[1], "rb") as f:
        database = Database(f.read().strip())
    while True:
        frame = read(struct.unpack(">H", read(2))[0])
        command, name, domain, password = (frame.split(b":", 3) + [b""] * 3)[:4]
        good = False
        if command == b"auth":
            stored = database.verifier(name, domain)
            made = hashlib.sha256(b":".join((name, domain, password)))
            good = bool(stored) and hmac.compare_digest(
                stored, made.hexdigest().encode())
        os.write(1, struct.pack(">HH", 2, good))


if __name__ == "__main__":
    main()
