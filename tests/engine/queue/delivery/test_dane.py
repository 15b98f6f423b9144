"""DANE by real parts: Knot signs the zones, Unbound validates, Postfix receives."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from engine.mail import dsn
from engine.network import dnssec
from engine.queue.delivery import maintenance
from engine.queue.models import Recipient, RecipientStatus
from engine.registry.models import AccountType
from engine.trace.models import Event, EventKind
from engine.transport.diagnosis.next_hop_diagnosis import Stage, diagnose
from engine.transport.next_hop import Hop
from portal.demo.certificates import Authority
from portal.preflight import network_checks
from portal.preflight.results import Status
from tests import factories
from tests.engine.queue.conftest import JANE
from tests.engine.queue.delivery.test_relay import tls_failed_since
from tests.peers.postfix import Postfix
from tests.peers.signed_zones import SignedZones

pytestmark = pytest.mark.django_db

NOUGHT, OTHER = "00" * 32, "11" * 32


@dataclass
class Members:
    """A member's Postfix, and what the DNS says about it."""

    postfix: Postfix
    zones: SignedZones


def records(server: Postfix, chain: list[x509.Certificate]) -> str:
    """Names of one host, each with other TLSA records."""
    own, authority = chain
    key = own.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    whole = authority.public_bytes(Encoding.DER)
    tlsa = {
        "key": f"3 1 1 {hashlib.sha256(key).hexdigest()}",
        "key512": f"3 1 2 {hashlib.sha512(key).hexdigest()}",
        "whole": f"3 0 0 {own.public_bytes(Encoding.DER).hex()}",
        "mail": f"2 0 1 {hashlib.sha256(whole).hexdigest()}",
        "elsewhere": f"2 0 1 {hashlib.sha256(whole).hexdigest()}",
        "mismatch": f"3 1 1 {NOUGHT}",
        "bogus": f"3 1 1 {OTHER}",
        "unusable": f"1 1 1 {hashlib.sha256(key).hexdigest()}",
    }
    lines = [f"{name} A 127.0.0.1\n" for name in (*tlsa, "without")]
    lines += [
        f"_{server.port}._tcp.{name} TLSA {what}\n" for name, what in tlsa.items()
    ]
    lines.append("alias CNAME key\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    folder = tmp_path_factory.mktemp("strange")
    authority = Authority(folder)
    made = authority.issue("mail.dane.test")
    chain = folder / "chain.pem"
    chain.write_bytes(made.cert_file.read_bytes() + authority.ca_file.read_bytes())
    certificates = x509.load_pem_x509_certificates(chain.read_bytes())
    with Postfix(
        "firm.example", "jane", cert_file=chain, key_file=made.key_file
    ) as postfix:
        zone = records(postfix, certificates)
        zones = {"dane.test": zone, "plain.test": zone}
        altered = {OTHER: NOUGHT[:-2] + "22"}
        with SignedZones(zones, altered=altered, unsigned=("plain.test",)) as signed:
            yield Members(postfix, signed)


@pytest.fixture(autouse=True)
def resolve(members: Members, settings, monkeypatch) -> None:
    """Trusts Unbound, and lets the system know the hosts by their names."""
    monkeypatch.setattr(settings.POSTERN, "validating_resolver", members.zones.resolver)
    known = socket.getaddrinfo

    def found(host, *rest, **named):
        is_ours = isinstance(host, str) and host.endswith(".test")
        return known("127.0.0.1" if is_ours else host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", found)


def send(queue, firm, bob, members: Members, host: str, **over: str) -> Recipient:
    factories.make_connection(
        firm, next_hop_host=host, next_hop_port=members.postfix.port, **over
    )
    reference = queue.send(bob.address, JANE)
    queue.run()
    return queue.recipient(reference)


@pytest.mark.parametrize("host", ["key", "key512", "whole", "mail", "alias"])
def test_server_whose_dns_names_its_certificate_gets_the_mail(
    queue, firm, bob, members, host
):
    before = members.postfix.count("jane")

    sent = send(queue, firm, bob, members, f"{host}.dane.test")

    assert sent.status == RecipientStatus.RELAYED, sent.last_reply
    assert len(members.postfix.wait_for_messages("jane", before + 1)) == before + 1
    event = Event.objects.get(kind=EventKind.RELAYED)
    assert event.detail["tls_policy"] == "tlsa"
    assert event.detail["certificate_names"] == ["mail.dane.test"]
    assert event.detail["tlsa"][:3] in ("3 1", "3 0", "2 0")


@pytest.mark.parametrize(
    ("host", "why", "result"),
    [
        ("mismatch.dane.test", "no TLSA record in its DNS", "tlsa-invalid"),
        ("elsewhere.dane.test", "it is for another name", "certificate-host-mismatch"),
        ("bogus.dane.test", "its DNSSEC signatures fail", "dnssec-invalid"),
        (
            "unusable.dane.test",
            "authority that is not trusted",
            "certificate-not-trusted",
        ),
        (
            "without.dane.test",
            "authority that is not trusted",
            "certificate-not-trusted",
        ),
        ("key.plain.test", "authority that is not trusted", "certificate-not-trusted"),
    ],
)
def test_server_that_its_dns_does_not_vouch_for_gets_nothing_and_mail_waits(
    queue, firm, bob, members, read, host, why, result
):
    before = members.postfix.count("jane")

    sent = send(queue, firm, bob, members, host)

    assert sent.status == RecipientStatus.QUEUED
    assert sent.last_reply.startswith("454 4.7.5 ")
    assert why in sent.last_reply
    assert sent.tls_failures == 1
    event = Event.objects.get(kind=EventKind.DEFERRED)
    assert event.detail["tls_result"] == result
    for _ in range(2):
        queue.make_all_due()
        queue.run()
    tls_failed_since(minutes=16)
    maintenance.run_due()
    [notice] = queue.inbox(bob)
    assert dsn.read(read(notice))[0].action == "delayed"
    assert members.postfix.count("jane") == before


def test_own_pin_of_the_connection_comes_before_its_dns(queue, firm, bob, members):
    sent = send(
        queue, firm, bob, members, "key.dane.test", next_hop_tls_name="mail.dane.test"
    )

    # The DNS names the certificate, but the pin asks for an authority that we trust.
    assert "authority that is not trusted" in sent.last_reply


def test_silent_resolver_holds_up_the_mail_of_no_other_connection(
    queue, hop, firm_connection, bob, members, settings, monkeypatch
):
    other = factories.make_organisation(account_type=AccountType.SMTP)
    factories.make_domain(other, "other.example")
    factories.make_connection(other, next_hop_host="key.dane.test", next_hop_port=25)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(settings.POSTERN, "validating_resolver", where)
        monkeypatch.setattr(dnssec, "SECONDS", 1.0)
        waiting = queue.send(bob.address, "joe@other.example.secure.example")
        reference = queue.send(bob.address, JANE)
        queue.run()

    assert queue.status(reference) is RecipientStatus.RELAYED
    assert queue.recipient(waiting).last_reply.startswith("451 4.4.3 ")
    assert queue.recipient(waiting).tls_failures == 0


def test_check_before_the_start_looks_whether_the_resolver_validates(
    name_server, settings, monkeypatch
):
    monkeypatch.setattr(settings.POSTERN, "validating_resolver", name_server.server)
    [unproved] = network_checks.validation()
    name_server.is_vouched = True
    [proved] = network_checks.validation()
    monkeypatch.setattr(settings.POSTERN, "validating_resolver", "127.0.0.1:9")
    monkeypatch.setattr(dnssec, "SECONDS", 0.2)
    [silent] = network_checks.validation()

    assert (unproved.status, proved.status) == (Status.WARNING, Status.OK)
    assert silent.status is Status.FAULT


@pytest.mark.parametrize(
    ("host", "stage", "fault"),
    [
        ("key", Stage.LIMITS, ""),
        ("mismatch", Stage.CERTIFICATE, "Publish records for this certificate"),
        ("bogus", Stage.CERTIFICATE, "Sign the zone again"),
    ],
)
def test_diagnosis_says_what_the_administrator_can_do(
    members, name_server, host, stage, fault
):
    name_server.add(f"{host}.dane.test", "A", "127.0.0.1")
    hop = Hop(f"{host}.dane.test", members.postfix.port, f"{host}.dane.test")

    found = list(diagnose(hop))[-1]

    assert found.stage is stage
    assert fault in found.fault
    assert bool(found.fault) == bool(fault)
