"""
Real SIP phones, headless, on loopback; example.com need not exist: all of
them reach the server 127.0.0.1:port by UDP, whatever the URI says.

Baresip(stage, port, user, password, registers=SECONDS or 0)
Linphone(stage, port, user, password, realms=(...), registers=1 or 0)
  .log_text()       what they say, the SIP messages among it
  .statuses()       of the answers they got, in order
  .call(uri) .hang_up()
sofia(stage, port, method, uri, user, password)   -> CompletedProcess
sipp(stage, port, users, calls, options)          the same: registrations
sipsak stands in kamailio.py.
"""

import os
import re
import subprocess
import wave

from process import find_program, free_port, wait_until
from stage import BUILD, TOP

SOFIA = os.path.join(TOP, BUILD, "tests", "integration", "sofia_uac")

BARESIP_CONFIG = """sip_listen 127.0.0.1:{port}
poll_method epoll
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module aufile.so
module_tmp account.so
module_app menu.so
audio_source aufile,{folder}/in.wav
audio_player aufile,{folder}/out.wav
"""

LINPHONE_CONFIG = """[sip]
sip_port={port}
sip_tcp_port=0
sip_tls_port=0
default_proxy=0
guess_hostname=0
use_ipv6=0
[rtp]
audio_rtp_port={rtp}
video_rtp_port=0
[video]
enabled=0
[sound]
echocancellation=0
[misc]
uuid=00000000-0000-4000-8000-000000000000
[proxy_0]
reg_proxy=<sip:127.0.0.1:{server};transport=udp>
reg_route=<sip:127.0.0.1:{server};transport=udp>
reg_identity=sip:{user}@example.com
reg_expires=60
reg_sendregister={registers}
publish=0
"""

LINPHONE_REALM = """[auth_info_{n}]
username={user}
passwd={password}
realm={realm}
"""

SIPP_SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="register">
 <send retrans="500"><![CDATA[{first}]]></send>
 <recv response="401" auth="true"/>
 <send retrans="500"><![CDATA[{second}]]></send>
 <!-- To the first one, sent again while the machine was busy. -->
 <recv response="401" optional="true"/>
 <recv response="200"/>
</scenario>
"""

SIPP_REGISTER = """
REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@example.com>;tag=[call_number]
To: <sip:[field0]@example.com>
Call-ID: [call_id]
CSeq: {cseq} REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
{row}Max-Forwards: 70
Expires: 60
Content-Length: 0

"""


class Phone:
    """What baresip and linphonec have in common."""

    _count = 0
    prompt = ""

    def __init__(self, stage, name, argv, env=None, folder=None):
        self.log = os.path.join(stage.log_directory,
                                f"{name}-{Phone._count}.log")
        with open(self.log, "wb") as log:
            self.process = stage.spawn(argv, env=env, stdout=log, stderr=log,
                                       stdin=subprocess.PIPE, cwd=folder)
        self.wait(self.prompt)

    @staticmethod
    def _folder(stage, name):
        Phone._count += 1
        name = f"{name}-{Phone._count}"
        return name, stage.make_directory(name)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.end()

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait(self, text, timeout=20):
        wait_until(lambda: text in self.log_text(), timeout,
                   f"{text!r} of {self.log}")

    def statuses(self):
        """Final ones."""
        return [int(s) for s in re.findall(r"^SIP/2\.0 ([2-6]\d\d) ",
                                           self.log_text(), re.M)]

    def wait_statuses(self, statuses, timeout=20):
        """At least these, and none but these."""
        wait_until(lambda: len(self.statuses()) >= len(statuses), timeout,
                   f"answers to {self.log}")
        assert self.statuses() == statuses, self.statuses()

    def type(self, text):
        self.process.popen.stdin.write(text.encode())
        self.process.popen.stdin.flush()


class Baresip(Phone):
    """registers: every so many seconds, 0 not at all."""

    prompt = "baresip is ready"

    def __init__(self, stage, port, user="alice", password="wonderland",
                 registers=0):
        name, folder = self._folder(stage, "baresip")
        stage.file(f"{name}/config", BARESIP_CONFIG.format(
            port=free_port("udp"), folder=folder))
        stage.file(f"{name}/accounts", f"<sip:{user}@example.com>;"
                   f"auth_user={user};auth_pass={password};outbound="
                   f"\"sip:127.0.0.1:{port};transport=udp\";"
                   f"regint={registers}\n")
        stage.file(f"{name}/contacts", "")
        # A minute: at the end of its file it hangs up.
        with wave.open(f"{folder}/in.wav", "wb") as silence:
            silence.setparams((1, 2, 8000, 0, "NONE", ""))
            silence.writeframes(bytes(2 * 8000 * 60))
        super().__init__(stage, "baresip", [
            find_program("baresip"), "-s", "-f", folder], folder=folder)

    def call(self, uri):
        self.type(f"d{uri}\n")

    def hang_up(self):
        self.type("b")


class Linphone(Phone):
    """linphonec; it knows its password for these realms."""

    prompt = "linphonec> "

    def __init__(self, stage, port, user="alice", password="wonderland",
                 realms=("example.com",), registers=1):
        name, folder = self._folder(stage, "linphonec")
        # Without this folder it opens no port.
        stage.make_directory(f"{name}/.local/share/linphone")
        text = LINPHONE_CONFIG.format(
            port=free_port("udp"), rtp=free_port("udp"), server=port,
            user=user, registers=registers)
        text += "".join(LINPHONE_REALM.format(
            n=n, user=user, password=password, realm=realm)
            for n, realm in enumerate(realms))
        config = stage.file(f"{name}/linphonerc", text)
        super().__init__(stage, "linphonec", [
            find_program("linphonec"), "-c", config, "-d", "6"],
            env={"HOME": folder, "XDG_CONFIG_HOME": f"{folder}/.config",
                 "XDG_DATA_HOME": f"{folder}/.local/share"}, folder=folder)

    def call(self, uri):
        # There is no sound card here.
        self.type(f"soundcard use files\ncall {uri}\n")

    def hang_up(self):
        self.type("terminate\n")


def sofia(stage, port, method, uri, user="alice", password="wonderland"):
    return stage.run([SOFIA, method, uri, f"sip:127.0.0.1:{port};lr", user],
                     input=password + "\n", timeout=30)


def sipp(stage, port, users, calls, options):
    """users: (name, password) by turns; whoever gets no 200 has failed."""
    folder = stage.make_directory("sipp")
    scenario = stage.file("sipp/register.xml", SIPP_SCENARIO.format(
        first=SIPP_REGISTER.format(cseq=1, row=""),
        second=SIPP_REGISTER.format(cseq=2, row="[field1]\n")))
    table = stage.file("sipp/users.csv", "SEQUENTIAL\n" + "".join(
        f"{name};[authentication username={name} password={password}]\n"
        for name, password in users))
    return stage.run([find_program("sipp"), f"127.0.0.1:{port}", "-sf",
                      scenario, "-inf", table, "-m", str(calls), "-i",
                      "127.0.0.1", "-p", str(free_port("udp")), "-nostdin",
                      "-auth_uri", "example.com", "-timeout", "60s",
                      "-timeout_error", *options], cwd=folder, timeout=90)
