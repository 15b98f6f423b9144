"""What INSTALL.md says that one needs: release, names, certificates, S3 and a smart host.

All of it is at the address of the drill's own namespace, or put into a host's root.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from portal.demo.certificates import Authority
from tests.cluster.network import EDGE
from tests.deploy import guide
from tests.deploy.machine import Machine
from tests.peers.clamd import EICAR
from tests.peers.process import Daemon, answers

GATE, SITE = "gate.justice.test", "mail.justice.test"
S3, SMART_HOST = "s3.justice.test", "smart.justice.test"
# As INSTALL.md writes them.
CREDENTIALS = "KEY:SECRET"
BUCKETS = ("one-host", "restored", "postern", "backups")
DNS = """
import sys, threading
from portal.demo.dns_server import NameServer
names, edge = sys.argv[1:]
with NameServer(53) as server:
    for name in ("gate.justice.test", "mail.justice.test"):
        server.add(name, "A", names)
    for name in ("s3.justice.test", "smart.justice.test"):
        server.add(name, "A", edge)
    server.add("justice.test", "MX", "10 gate.justice.test.")
    threading.Event().wait()
"""


def bucket(name: str) -> str:
    """Returns the URL of a bucket."""
    return f"s3://{CREDENTIALS}@{name}/?endpoint=https://{S3}"


@dataclass
class SmartHost:
    """Takes mail for everyday addresses, and keeps their subjects."""

    context: ssl.SSLContext
    subjects: list[str] = field(default_factory=list)

    def start(self) -> None:
        self._controller = Controller(
            self,
            hostname=EDGE,
            port=587,
            tls_context=self.context,
            require_starttls=True,
            auth_required=True,
            authenticator=lambda *_: AuthResult(success=True),
        )
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    async def handle_DATA(
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content: Any = envelope.content
        for line in content.split(b"\r\n"):
            if line.lower().startswith(b"subject:"):
                self.subjects.append(line.decode().partition(": ")[2])
                break
        return "250 2.0.0 Kept"


class Surroundings:
    """The object store and the smart host, both with certificates, and the authority."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "authority")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        made = self.authority.issue(SMART_HOST)
        context.load_cert_chain(made.cert_file, made.key_file)
        self.smart_host = SmartHost(context)
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        store = self.folder / "s3"
        shutil.rmtree(store, ignore_errors=True)
        for name in BUCKETS:
            (store / name).mkdir(parents=True, exist_ok=True)
        made = self.authority.issue(S3)
        rclone = Daemon(
            [
                str(Path(sys.executable).with_name("rclone")), "serve", "s3", str(store),
                "--addr", f"{EDGE}:443", "--auth-key", CREDENTIALS.replace(":", ","),
                "--cert", str(made.cert_file), "--key", str(made.key_file),
                "--config", "/dev/null",
            ],
            self.folder / "s3.log",
        )  # fmt: skip
        self._ends.callback(rclone.stop)
        rclone.wait_for(lambda: answers(443, EDGE))
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def provide(self, host: Machine, names_at: str) -> None:
        """Puts release, certificates and names into a host's root.

        `names_at` is the address of the community's names.
        """
        subprocess.run(
            [
                "git", "archive", "--format=tar.gz",
                "-o", str(host.file("/root/postern-0.6.tar.gz")), "HEAD",
            ],
            cwd=guide.RELEASE,
            check=True,
        )  # fmt: skip
        made = self.authority.issue(GATE, SITE)
        for stem in ("gate", "site"):
            shutil.copy(made.cert_file, host.file(f"/root/{stem}.pem"))
            shutil.copy(made.key_file, host.file(f"/root/{stem}.key"))
        host.file("/etc/hosts").write_text(
            f"127.0.0.1 localhost {host.name}\n{names_at} {GATE} {SITE}\n"
            f"{EDGE} {S3} {SMART_HOST}\n"
        )
        dns = [*host.inside, sys.executable, "-c", DNS, names_at, EDGE]
        made_dns = Daemon(dns, self.folder / "dns.log", cwd=guide.RELEASE)
        self._ends.callback(made_dns.stop)


def signatures(host: Machine) -> None:
    """freshclam has no way to its servers here, or needs minutes."""
    folder = host.file("/var/lib/clamav")
    folder.mkdir(exist_ok=True)
    (folder / "local.ndb").write_text(f"Postern.Test.EICAR:0:*:{EICAR.hex()}\n")
