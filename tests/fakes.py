"""Stand-ins for services that cannot run in tests, or must fail on demand."""

from __future__ import annotations

import smtplib
import socketserver
import ssl
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Self

from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.antivirus.verdict import Verdict, VerdictState
from engine.registry.models import Provider
from portal.demo.certificates import Authority
from portal.demo.demo_file import provider_certificate
from tests.signing import Signer


class FakeScanner:
    """Returns the verdict that words in a message ask for.

    INFECTED, SCANNER-AWAY and SCANNER-BROKEN count anywhere in the last 4096 octets;
    any other message is clean.
    """

    def open(self) -> FakeScan:
        return FakeScan()


class FakeScan:
    def __init__(self) -> None:
        self._seen = b""
        self.is_abandoned = False

    async def feed(self, chunk: bytes) -> None:
        self._seen = (self._seen + chunk)[-4096:]

    async def verdict(self) -> Verdict:
        if b"SCANNER-AWAY" in self._seen:
            raise ScannerUnavailable("nobody answers")
        if b"SCANNER-BROKEN" in self._seen:
            raise RuntimeError("a secret of the inside")
        if b"INFECTED" in self._seen:
            return Verdict(VerdictState.INFECTED, "Test.Signature", "fake")
        return Verdict(VerdictState.CLEAN, scanner="fake")

    async def abandon(self) -> None:
        self.is_abandoned = True


@dataclass(frozen=True)
class FakeTenant:
    """One customer of a cloud provider: its tenant id, and its signing domain."""

    tenant_id: str
    signer: Signer

    @property
    def domain(self) -> str:
        return self.signer.domain


@dataclass(frozen=True)
class FakeCloud:
    """A cloud provider's outgoing servers, which all of its tenants share.

    They present one certificate for all tenants. Microsoft names the tenant in header
    fields of its own; Google adds the fields that the tenant's routing settings
    specify. Both sign with the tenant's key.
    """

    provider: Provider
    authority: Authority

    def sign_and_name(self, message: bytes, tenant: FakeTenant) -> bytes:
        """Returns the message signed for the tenant, and naming it."""
        return self.add_tenant_fields(tenant.signer.sign(message), tenant.tenant_id)

    def add_tenant_fields(
        self, message: bytes, tenant_id: str, domain: str = ""
    ) -> bytes:
        """Returns the message with the provider's own header fields on top."""
        if self.provider == Provider.GOOGLE_WORKSPACE:
            fields = ["X-Gm-Message-State: AOJu0Yx", f"X-Postern-Tenant: {tenant_id}"]
        else:
            fields = [
                "X-MS-Exchange-CrossTenant-OriginalArrivalTime: 23 Nov 2026 15:00:00",
                "X-MS-Exchange-CrossTenant-FromEntityHeader: Hosted",
                f"X-MS-Exchange-CrossTenant-Id: {tenant_id}",
                "X-MS-Exchange-Transport-CrossTenantHeadersStamped: LO0P123MB0001",
                "X-OriginatorOrg: eastvale.example",
            ]
        return "".join(f"{field}\r\n" for field in fields).encode() + message

    def context(self) -> ssl.SSLContext:
        """Returns a TLS context that presents the provider's client certificate."""
        shown = self.authority.issue(provider_certificate(self.provider))
        context = ssl.create_default_context(cafile=str(self.authority.ca_file))
        context.load_cert_chain(shown.cert_file, shown.key_file)
        return context


def send_message(
    port: int,
    message: bytes,
    *,
    sender: str,
    recipient: str,
    context: ssl.SSLContext,
    login: tuple[str, str] | None = None,
) -> list[str]:
    """Delivers one message by SMTP with STARTTLS, and with a sign-in where one is given.

    Returns the replies from MAIL on, up to and including the first refusal.
    """
    said = []
    with smtplib.SMTP("localhost", port, timeout=20) as client:
        client.starttls(context=context)
        client.ehlo()
        if login:
            client.login(*login)
        for step in (
            lambda: client.mail(sender),
            lambda: client.rcpt(recipient),
            lambda: client.data(message),
        ):
            code, text = step()
            said.append(f"{code} {text.decode()}")
            if code >= 400:
                break
    return said


class RecordingClamd:
    """A clamd on a Unix socket in `folder` that records what it receives.

    It finds nothing. `answer` is its reply to a scan; with None it hangs up on scans
    and PINGs.
    """

    def __init__(self, folder: Path) -> None:
        self.socket = str(folder / "clamd")
        self.received: list[bytes] = []
        self.hung_up = 0
        self.pings = 0
        self.answer: bytes | None = b"stream: OK\0"
        self._server = _RecordingServer(self)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _RecordingServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, clamd: RecordingClamd) -> None:
        self.clamd = clamd
        super().__init__(clamd.socket, _RecordingHandler)


class _RecordingHandler(socketserver.StreamRequestHandler):
    server: _RecordingServer

    def handle(self) -> None:
        clamd = self.server.clamd
        command = self.rfile.read(2)
        if command == b"zV":
            self.wfile.write(b"ClamAV 1.4.1/27400/Mon Nov 30 2026\0")
            return
        if command == b"zP":
            clamd.pings += 1
            self.wfile.write(b"PONG\0" if clamd.answer is not None else b"")
            return
        if clamd.answer is None:
            clamd.hung_up += 1
            return
        self.rfile.read(len(b"NSTREAM\0"))
        heard = b""
        while size := int.from_bytes(self.rfile.read(4), "big"):
            heard += self.rfile.read(size)
        clamd.received.append(heard)
        self.wfile.write(clamd.answer)
