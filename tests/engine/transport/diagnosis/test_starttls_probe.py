from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from engine.network import ssrf_protection
from engine.transport.diagnosis import starttls_probe
from engine.transport.diagnosis.starttls_probe import ProbeFailedError
from portal.demo.certificates import Authority

HELLO = b"220 mail.firm.example ESMTP\r\n"
FEATURES = b"250-mail.firm.example\r\n250 STARTTLS\r\n"
READY = b"220 Go ahead\r\n"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path / "tls")
    ours = made.issue("localhost")
    for name, value in (
        ("tls_ca_file", made.ca_file),
        ("tls_cert_file", ours.cert_file),
        ("tls_key_file", ours.key_file),
    ):
        monkeypatch.setattr(settings.POSTERN, name, str(value))
    monkeypatch.setattr(settings.POSTERN, "probe_private_addresses", True)
    return made


Serve = Callable[..., int]


@pytest.fixture
def serve(authority: Authority) -> Iterator[Serve]:
    """Starts a server that sends these replies, then TLS; returns its port."""
    listening: list[socket.socket] = []

    def start(*replies: bytes, name: str = "mail.firm.example") -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listening.append(listener)
        files = authority.issue(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.cert_file, files.key_file)
        threading.Thread(
            target=_answer, args=(listener, replies, context), daemon=True
        ).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listening:
        listener.close()


def _answer(listener: socket.socket, replies: tuple[bytes, ...], context: Any) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer:
            try:
                for number, reply in enumerate(replies):
                    if number:
                        peer.recv(1024)
                    peer.sendall(reply)
                if replies[-1] != READY:
                    continue
                with context.wrap_socket(peer, server_side=True) as secured:
                    secured.recv(1)
            except OSError:
                continue


def test_a_good_server_is_described(serve: Serve) -> None:
    port = serve(HELLO, FEATURES, READY)

    seen = starttls_probe.starttls("127.0.0.1", port, tls_name="mail.firm.example")

    assert seen.fault == ""
    assert seen.version.startswith("TLSv1.")
    assert seen.names == ("mail.firm.example",)
    assert seen.days_left > 0


def test_a_certificate_for_another_name_is_a_fault(serve: Serve) -> None:
    port = serve(HELLO, FEATURES, READY, name="other.example")

    seen = starttls_probe.starttls("127.0.0.1", port, tls_name="mail.firm.example")

    assert "not good for mail.firm.example" in seen.fault
    assert seen.names == ("other.example",)


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ((b"554 No\r\n",), "does not greet"),
        ((HELLO, b"500 What?\r\n"), "does not answer EHLO"),
        ((HELLO, b"250 mail.firm.example\r\n"), "does not offer STARTTLS"),
        ((HELLO, FEATURES, b"454 Not now\r\n"), "refuses it"),
        ((b"220-" + b"x" * 10_000,), "does not speak SMTP"),
        ((b"220-more\r\n" * 2_000,), "does not speak SMTP"),
    ],
)
def test_what_is_wrong_is_said_plainly(
    serve: Serve, replies: tuple[bytes, ...], said: str
) -> None:
    port = serve(*replies)

    with pytest.raises(ProbeFailedError, match=said):
        starttls_probe.starttls("127.0.0.1", port)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"]
)
def test_our_own_network_is_never_dialled(host: str) -> None:
    with pytest.raises(ProbeFailedError, match="no address on the internet"):
        starttls_probe.starttls(host, 25)


@pytest.mark.parametrize("port", [22, 80, 5432, 6379])
def test_a_probe_looks_at_mail_ports_only(port: int) -> None:
    with pytest.raises(ProbeFailedError, match="Only these ports"):
        starttls_probe.starttls("192.0.2.1", port)


@pytest.mark.parametrize(
    ("text", "is_public"),
    [
        ("8.8.8.8", True),
        ("2a00:1450::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_only_addresses_that_stand_for_themselves_are_public(
    text: str, is_public: bool
) -> None:
    assert ssrf_protection.is_public(ip_address(text)) == is_public
