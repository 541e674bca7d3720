"""
What the tests of ejabberd's external authentication share.

prepare(stage)      database, accounts, the directory run, helper.conf
config_text(stage, extra="")        extra: more keys for [extauth]
relay(stage, *options), helper(stage), connected_helper(stage) -> Extauth
FRAMES              payloads and what they are answered with
CHANGES             the key that permits changes
"""

from stage import NOBODY, Extauth, wait_until

TRUE, FALSE, FAILURE = Extauth.TRUE, Extauth.FALSE, Extauth.FAILURE
CANARY = "Canary-7f3a"
COLONS = "se:cr:et:12"
CHANGES = "rights = check exists set create delete"


def config_text(stage, extra=""):
    return (f"[database]\nconninfo = {stage.postgres.conninfo()}\n"
            f"lookup_timeout = 1s\n"
            f"[extauth]\nlisten = {stage.path('run')}/extauth.sock\n"
            f"{extra}\n[log]\nlevel = debug\n")


def socket_path(stage):
    return f"{stage.path('run')}/extauth.sock"


def relay(stage, *options, path=None):
    return Extauth.spawn(stage, [stage.program("onecred-extauth"),
                                 "--socket", path or socket_path(stage),
                                 *options])


def helper(stage, name="helper.conf"):
    return Extauth.spawn(stage, [stage.program("onecredd"), "--extauth",
                                 "-c", stage.path(name)])


def connected_helper(stage):
    peer = helper(stage)
    wait_until(lambda: peer.request(b"isuser:alice:example.com") == TRUE, 20,
               "the helper's database")
    return peer


def add_user(stage, name, password):
    stage.script("user-add", check=True, user=f"{name}@example.com",
                 password_file=stage.password_file(password))


def prepare(stage):
    stage.basic()
    stage.make_directory("run", NOBODY)
    add_user(stage, "carol", COLONS)
    add_user(stage, "dora", "wonderland")
    add_user(stage, "canary", CANARY)
    stage.script("user-disable", check=True, user="dora@example.com")
    stage.file("helper.conf", config_text(stage), user=NOBODY)


LONG = b"auth:alice:example.com:" + b"x" * (65535 - 23)

# What a frame is answered with, whichever way it came.
FRAMES = [
    (b"auth:alice:example.com:wonderland", TRUE),
    (b"auth:Alice:EXAMPLE.COM:wonderland", TRUE),
    (b"auth:alice@example.com:example.com:wonderland", TRUE),
    (b"auth:carol:example.com:" + COLONS.encode(), TRUE),
    (b"auth:alice:example.com:Wonderland", FALSE),
    (b"auth:alice:example.com:wonderland ", FALSE),
    (b"auth:alice:example.com:wonderland:", FALSE),
    (b"auth:carol:example.com:se", FALSE),
    (b"auth:nobody:example.com:wonderland", FALSE),
    (b"auth:dora:example.com:wonderland", FALSE),
    (b"auth:alice@example.net:example.com:wonderland", FALSE),
    (b"auth:alice:example.net:wonderland", FALSE),
    (b"auth:alice:example.com:", FALSE),
    (b"auth:alice:example.com:wonder\0land", FALSE),
    (b"auth:alice:example.com:wonderland\0", FALSE),
    (b"auth:alice:example.com:wonderland\n", FALSE),
    (b"auth:alice:example.com:wonderland\xff", FALSE),
    (b"auth:alice:example.com:\xc3\x28", FALSE),
    (b"auth::example.com:wonderland", FALSE),
    (b"auth:alice::wonderland", FALSE),
    (b"auth:::", FALSE),
    (b"auth:alice\0:example.com:wonderland", FALSE),
    (b"auth:al ice:example.com:wonderland", FALSE),
    (b"auth:" + b"a" * 300 + b":example.com:wonderland", FALSE),
    (b"auth:alice:" + b"e" * 300 + b":wonderland", FALSE),
    (LONG, FALSE),
    (b"isuser:alice:example.com", TRUE),
    (b"isuser:nobody:example.com", FALSE),
    (b"isuser:dora:example.com", FALSE),
    (b"isuser:alice:example.net", FALSE),
    (b"isuser::", FALSE),
    (b"setpass:alice:example.com:newpassword", FAILURE),
    (b"tryregister:erik:example.com:newpassword", FAILURE),
    (b"removeuser:alice:example.com", FAILURE),
    (b"removeuser3:alice:example.com:wonderland", FAILURE),
    (b"certauth:alice:example.com:MII=", FAILURE),
    (b"", FAILURE),
    (b"auth", FAILURE),
    (b"auth:alice:example.com", FAILURE),
    (b"isuser:alice:example.com:x", FAILURE),
    (b"AUTH:alice:example.com:wonderland", FAILURE),
    (b"x" * 65535, FAILURE),
    (b"auth:alice:example.com:wonderland", TRUE),
]
