"""Testing a next hop: what works, and each fault in one sentence."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings

from engine.transport.diagnosis.next_hop_diagnosis import Finding, Stage, diagnose
from engine.transport.next_hop import Hop
from portal.demo.certificates import Authority
from portal.demo.dns_server import NameServer
from tests.next_hop import NextHop

MAIL = "mail.firm.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def _trust_authority(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.POSTERN, "tls_ca_file", str(authority.ca_file))
    monkeypatch.setattr(settings.POSTERN, "tls_cert_file", "")


@pytest.fixture
def server(authority: Authority) -> Iterator[Callable[..., NextHop]]:
    running: list[NextHop] = []

    def start(name: str = MAIL, *, whose: Authority = authority, **over) -> NextHop:
        own = whose.issue(name)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(own.cert_file, own.key_file)
        hop = NextHop(**{"context": context} | over)
        hop.start()
        running.append(hop)
        return hop

    yield start
    for hop in running:
        hop.stop()


def run_diagnosis(port: int, host: str = "127.0.0.1") -> list[Finding]:
    return list(diagnose(Hop(host, port, MAIL)))


def test_a_good_server_passes_every_stage(server: Callable[..., NextHop]) -> None:
    findings = run_diagnosis(server().port)

    assert [finding.stage for finding in findings] == list(Stage)
    assert not any(finding.fault for finding in findings)
    certificate = findings[3].certificate
    assert certificate is not None
    assert certificate.names == (MAIL,)
    assert certificate.days_left > 300


def test_a_name_is_looked_up(
    server: Callable[..., NextHop], name_server: NameServer
) -> None:
    name_server.add(MAIL, "A", "127.0.0.1")

    assert run_diagnosis(server().port, MAIL)[-1].stage == Stage.LIMITS


@pytest.mark.parametrize(
    ("address", "fault"), [("10.1.2.3", "cannot be reached"), ("", "no address")]
)
def test_a_name_that_leads_nowhere_or_inside_is_not_dialled(
    name_server: NameServer, address: str, fault: str
) -> None:
    if address:
        name_server.add(MAIL, "A", address)

    (finding,) = run_diagnosis(25, MAIL)

    assert finding.stage == Stage.NAME
    assert fault in finding.fault


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::1", "0.0.0.0"])
def test_an_address_inside_is_not_dialled(address: str) -> None:
    (finding,) = run_diagnosis(25, address)

    assert "cannot be reached from outside" in finding.fault


def test_a_closed_port(server: Callable[..., NextHop]) -> None:
    hop = server()
    hop.stop()

    last = run_diagnosis(hop.port)[-1]

    assert last.stage == Stage.CONNECT
    assert "firewall" in last.fault


def test_a_server_without_tls(server: Callable[..., NextHop]) -> None:
    last = run_diagnosis(server(context=None).port)[-1]

    assert last.stage == Stage.STARTTLS
    assert "does not offer STARTTLS" in last.fault


def test_a_certificate_for_another_name(server: Callable[..., NextHop]) -> None:
    last = run_diagnosis(server("other.example").port)[-1]

    assert last.stage == Stage.CERTIFICATE
    assert f"not for {MAIL}" in last.fault
    assert last.certificate is not None
    assert last.certificate.names == ("other.example",)


def test_a_certificate_from_an_unknown_authority(
    server: Callable[..., NextHop], tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Authority(tmp_path_factory.mktemp("stranger"))

    last = run_diagnosis(server(whose=stranger).port)[-1]

    assert "authority that we trust" in last.fault


def test_a_server_that_takes_only_small_messages(
    server: Callable[..., NextHop],
) -> None:
    last = run_diagnosis(server(size_limit=5 * 1024 * 1024).port)[-1]

    assert last.stage == Stage.LIMITS
    assert "up to 5 MB only" in last.fault


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"220-" + b"x" * 500_000,
        b"220-x\r\n" * 50_000,
        b"554 5.7.1 \xff\x00 Go away\r\n",
        b"",
    ],
)
def test_what_is_no_mail_server_ends_the_probe(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def answer() -> None:
            connected, _ = listening.accept()
            try:
                connected.sendall(said)
            except OSError:
                pass
            connected.close()

        thread = threading.Thread(target=answer)
        thread.start()
        last = run_diagnosis(port)[-1]
        thread.join()

    assert last.stage == Stage.CONNECT
    assert last.fault
    assert last.seen.isprintable()
