"""
A machine of one's own for a test that runs what an administrator types: the
same programs, but private /etc, /run, /usr/local, /var/lib, /var/log and
/var/spool, and a private network with nothing but loopback, where every port
is free. For root only.

call(function)      in a child process that lives there -> its exit status;
                    the machine is gone afterwards, with all that was written

/etc, /var/log and /var/spool begin as copies, /var/lib as a folder of the
real entries, those in OWN_STATE as copies and the others read-only; /usr/local and /run are
empty. NB: within the child the real entries stand below its folder: only the
parent, which does not see them there, may remove it.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import traceback

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_RDONLY, MS_REMOUNT, MS_BIND = 0x1, 0x20, 0x1000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

# Folders of /var/lib that a test may write to.
OWN_STATE = ("ejabberd", "kamailio", "onecred", "postfix", "prosody")

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def _mount(source, target, kind=None, flags=0, options=None):
    def octets(text):
        return None if text is None else text.encode()

    _check(_libc.mount(octets(source), octets(target), octets(kind),
                       ctypes.c_ulong(flags), octets(options)),
           f"mount {source} on {target}")


def _copy(source, target):
    """As cp -a: owners too. Sockets and the like are left out."""
    info = os.lstat(source)
    if stat.S_ISLNK(info.st_mode):
        os.symlink(os.readlink(source), target)
    elif stat.S_ISDIR(info.st_mode):
        os.mkdir(target)
        for name in os.listdir(source):
            _copy(os.path.join(source, name), os.path.join(target, name))
    elif stat.S_ISREG(info.st_mode):
        shutil.copyfile(source, target)
    else:
        return
    os.lchown(target, info.st_uid, info.st_gid)
    if not stat.S_ISLNK(info.st_mode):
        os.chmod(target, stat.S_IMODE(info.st_mode))


def _loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(
            s, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(s, SIOCSIFFLAGS,
                    struct.pack("16sH22x", b"lo", flags | IFF_UP))


def _state(folder):
    """/var/lib: what is there, some of it as copies."""
    target = os.path.join(folder, "var-lib")
    os.mkdir(target)
    for name in os.listdir("/var/lib"):
        source = os.path.join("/var/lib", name)
        here = os.path.join(target, name)
        if name in OWN_STATE:
            _copy(source, here)
        elif os.path.isdir(source) and not os.path.islink(source):
            os.mkdir(here)
            _mount(source, here, flags=MS_BIND)
            _mount(source, here, flags=MS_BIND | MS_REMOUNT | MS_RDONLY)
    _mount(target, "/var/lib", flags=MS_BIND | MS_REC)


def _enter(folder):
    _check(_libc.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    _mount(None, "/", flags=MS_REC | MS_PRIVATE)
    for path in ("/etc", "/var/log", "/var/spool"):
        copy = os.path.join(folder, path[1:].replace("/", "-"))
        _copy(path, copy)
        _mount(copy, path, flags=MS_BIND)
    _state(folder)
    local = os.path.join(folder, "usr-local")
    os.mkdir(local)
    _mount(local, "/usr/local", flags=MS_BIND)
    _mount("tmpfs", "/run", "tmpfs", options="mode=755")
    os.mkdir("/run/lock", 0o1777)
    _loopback_up()


def call(function):
    folder = tempfile.mkdtemp(prefix="onecred.",
                              dir=os.environ.get("ONECRED_TMP", "/tmp"))
    os.chmod(folder, 0o755)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        status = 1
        try:
            _enter(folder)
            function()
            status = 0
        except SystemExit as e:
            status = e.code or 0
        except BaseException:   # pylint: disable=broad-except
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    try:
        signal.signal(signal.SIGTERM,
                      lambda *_: os.kill(child, signal.SIGTERM))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", folder],
                       check=True)
