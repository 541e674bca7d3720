#!/usr/bin/python3 -B
"""
The Cyrus SASL plugin under valgrind and under AddressSanitizer: 10,000 logins
without an error, a leak or a descriptor.
"""

import os

from sasl import BADAUTH, NOUSER, OK, Driver, configure, prepare
from stage import TOP, case, find_program, run_cases


@case("valgrind: 10,000 logins, no error, no leak, no descriptor")
def valgrind(stage):
    report = os.path.join(stage.log_directory, "valgrind.log")
    configure(stage, "slow", onecred_timeout="30000")
    with Driver(stage, "slow", before=[
            find_program("valgrind"), "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect",
            "--show-leak-kinds=definite,indirect", "--error-exitcode=97",
            "--track-fds=no", f"--log-file={report}"]) as d:
        for mech, count in (("DIGEST-MD5", 5), ("SCRAM-SHA-256", 1),
                            ("SCRAM-SHA-1", 1)):
            for user in ("alice", "nobody"):
                d.login(mech, user, "wonderland", count=count, timeout=300)
        before = int(d.ask("fds"))
        for user, password, code in (("alice", "wonderland", OK),
                                     ("nobody", "x", BADAUTH),
                                     ("carol", "carolcarol", BADAUTH),
                                     ("alice@evil.example", "x", NOUSER)):
            codes, _, _ = d.login("DIGEST-MD5", user, password, count=2500,
                                  timeout=600)
            assert codes == {code: 2500}, codes
        assert int(d.ask("fds")) == before


@case("AddressSanitizer preloaded: 10,000 logins, nothing to report")
def asan(stage):
    name = "libasan.so"
    library = stage.run(["gcc", f"-print-file-name={name}"],
                        check=True).stdout.strip()
    assert os.path.isabs(library), library
    build = stage.path("asan")
    stage.run(["make", "-s", "-C", TOP, f"B={build}",
        "CC=gcc", "FORTIFY=", "CFLAGS=-O1 -g -fno-omit-frame-pointer",
        "SANITIZE=-fsanitize=address,undefined",
        f"{build}/plugin/libonecred.so"], check=True, timeout=300)
    configure(stage, "slow", onecred_timeout="30000")
    with Driver(stage, "slow", plugins=f"{build}/plugin",
                env={"LD_PRELOAD": library,
                     "ASAN_OPTIONS": "exitcode=99:quarantine_size_mb=8:"
                     "detect_leaks=1:leak_check_at_exit=0"}) as d:
        d.login("DIGEST-MD5", "alice", "wonderland", count=200)
        fds, rss = int(d.ask("fds")), int(d.ask("rss"))
        for user, password, code in (("alice", "wonderland", OK),
                                     ("nobody", "x", BADAUTH)):
            codes, _, _ = d.login("DIGEST-MD5", user, password, threads=4,
                                  count=1250, timeout=300)
            assert codes == {code: 5000}, codes
        codes, _, _ = d.login("SCRAM-SHA-256", "alice", "wonderland",
                              processes=2, threads=2, count=5, timeout=300)
        assert codes == {OK: 20}, codes
        assert int(d.ask("fds")) == fds
        # What is left is the quarantine's and the threads' of the sanitizer.
        assert int(d.ask("rss")) < rss + 64 * 1024
        # Asked here, because it cannot look at a process at its end from
        # which libsasl2 has unloaded libraries.
        assert d.ask("leaks") == "0", d.log_text()[-3000:]
        d.ask("again")
        assert d.code("DIGEST-MD5", "alice", "wonderland") == OK
        assert d.ask("leaks") == "0", d.log_text()[-3000:]


if __name__ == "__main__":
    run_cases(__file__, prepare)
