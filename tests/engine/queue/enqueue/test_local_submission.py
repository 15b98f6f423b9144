from __future__ import annotations

import pytest

from engine.antivirus.models import QuarantinedMessage
from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.queue.enqueue import local_submission
from engine.queue.models import Recipient, RecipientStatus, Source
from engine.registry.models import Connection, Organisation, Person
from engine.routing import routes
from engine.storage.models import Message
from tests import factories
from tests.engine.antivirus.specimens import EICAR
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db


def send(
    by: Person, to: str, *, header: str = "", body: str = "Good morning\r\n"
) -> str:
    header = header or f"From: {by.address}\r\nTo: {to}\r\nSubject: Hello\r\n"
    envelope = Envelope.simple(Address.parse(by.address), Address.parse(to))
    raw = f"{header}\r\n{body}".encode()
    return local_submission.submit(raw, envelope=envelope, source=Source.WEBMAIL, by=by)


def test_an_alias_is_queued_as_the_address_that_it_means(
    bob: Person, northfield: Organisation, firm_connection: Connection
) -> None:
    factories.make_alias("solicitor@northfield.secure.example", JANE, northfield)

    send(bob, "solicitor@northfield.secure.example")

    recipient = Recipient.objects.get()
    assert recipient.address == JANE
    assert recipient.destination == f"connection:{firm_connection.pk}"


def test_a_message_in_another_name_is_refused(bob: Person, alice: Person) -> None:
    with pytest.raises(PermanentFailure):
        send(bob, alice.address, header=f"From: {alice.address}\r\n")


@pytest.mark.parametrize(
    "field", ['From: "{other}" <{own}>', "From: {own}\r\nResent-From: {other}"]
)
def test_a_message_that_seems_to_be_anothers_is_refused(
    bob: Person, alice: Person, field: str
) -> None:
    header = field.format(own=bob.address, other=alice.address)

    with pytest.raises(PermanentFailure, match="is not yours"):
        send(bob, alice.address, header=f"{header}\r\n")


@pytest.mark.parametrize("name", ["{own}", "Bob ({own})", "Bob at {own}", "Bob"])
def test_ones_own_address_may_stand_in_the_name(
    bob: Person, alice: Person, name: str
) -> None:
    named = name.format(own=bob.address)

    assert send(bob, alice.address, header=f'From: "{named}" <{bob.address}>\r\n')


@pytest.mark.parametrize("name", ["jane@elsewhere.example", "Postern Support"])
def test_a_strangers_address_and_the_services_name_may_not(
    bob: Person, alice: Person, name: str
) -> None:
    with pytest.raises(PermanentFailure):
        send(bob, alice.address, header=f'From: "{name}" <{bob.address}>\r\n')


def test_a_message_with_a_nul_is_refused(bob: Person, alice: Person) -> None:
    with pytest.raises(PermanentFailure, match="NUL"):
        send(bob, alice.address, header=f"From: {bob.address}\r\n\r\na\0b\r\n")


def test_a_stranger_is_refused_with_a_sentence(bob: Person) -> None:
    with pytest.raises(PermanentFailure) as refusal:
        send(bob, "someone@stranger.example")

    assert refusal.value.reply.enhanced == "5.1.1"


def test_somebody_added_a_moment_ago_can_be_written_to(
    bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The routes of a process of the site are up to two seconds old."""
    old = routes.current()
    monkeypatch.setattr(routes, "current", lambda: old)
    new = factories.make_person("new@northfield.secure.example", bob.organisation)
    factories.make_mailbox(new)

    send(bob, to=new.address)

    assert Recipient.objects.get().address == new.address
    with pytest.raises(PermanentFailure, match="not an address"):
        send(bob, to="nobody@northfield.secure.example")


def test_an_attachment_that_a_double_click_would_start_is_refused(
    bob: Person, alice: Person
) -> None:
    header = (
        f"From: {bob.address}\r\nContent-Type: application/octet-stream\r\n"
        'Content-Disposition: attachment; filename="a.exe"\r\n'
    )

    with pytest.raises(PermanentFailure) as refusal:
        send(bob, alice.address, header=header)

    assert ".exe" in refusal.value.reply.text


def test_an_infected_message_is_kept_as_its_organisations(
    bob: Person, alice: Person
) -> None:
    with pytest.raises(PermanentFailure):
        send(bob, alice.address, body=EICAR.decode())

    kept = QuarantinedMessage.objects.get()
    assert (kept.sender, kept.organisation_id) == (bob.address, bob.organisation_id)
    assert not Message.objects.filter(
        mailbox__owner=alice, folder__role="inbox"
    ).filter(envelope_sender=bob.address)


def test_a_message_that_cannot_be_examined_whole_is_refused(
    bob: Person, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = message_scan.scan_bytes(b"x")
    monkeypatch.setattr(message_scan, "scan_bytes", lambda raw: clean)
    header = f"From: {bob.address}\r\nContent-Type: multipart/mixed; boundary=x\r\n"

    with pytest.raises(PermanentFailure, match="too many parts"):
        send(bob, alice.address, header=header, body="--x\r\n\r\na\r\n" * 1001)


def test_nothing_is_sent_while_the_scanner_finds_nothing(
    bob: Person, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        local_submission.coverage_proof, "current", lambda: frozenset(["attachment"])
    )

    with pytest.raises(ScannerUnavailable):
        send(bob, alice.address)


def test_what_is_delivered_at_once_counts_one_attempt(
    bob: Person, alice: Person
) -> None:
    send(bob, alice.address)

    row = Recipient.objects.get()
    assert (row.status, row.attempts) == (RecipientStatus.DELIVERED, 1)
    assert row.last_reply.startswith("250 ")
    assert row.finished_at is not None
