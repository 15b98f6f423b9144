"""Making certificates, and who may have which facts in one."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from engine.audit.checkpoints.verification import verify_chain
from engine.audit.models import Entry
from engine.certificates import purge
from engine.certificates.models import Certificate
from engine.queue.enqueue.mailbox_submission import SentMessage
from engine.registry.models import Organisation, Person
from engine.storage import content, message_actions
from engine.storage.models import Message
from engine.storage.standard_folders import inbox
from engine.trace.models import Event
from portal.certificates import making, public_views
from tests import encryption
from tests.portal.certificates.conftest import received, send
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


def make(client: Client, message: Message) -> dict[str, Any]:
    """Makes a certificate from the message's page; returns its statement."""
    page = client.post(reverse("webmail:certificate", args=[message.pk]), follow=True)
    assert page.status_code == 200, page.content
    number = page.resolver_match.kwargs["number"]
    return stated(client, number)


def stated(client: Client, number: object) -> dict[str, Any]:
    file = client.get(reverse("certificates:json", args=[number]))
    return json.loads(file.content)["certificate"]


def addresses(statement: dict[str, Any]) -> list[str]:
    return [one["address"] for one in statement["recipients"]]


def test_the_author_sees_every_recipient_and_the_facts_of_the_message(
    signed_in: SignIn, bob: Person, charlie: Person, alice: Person, sent: SentMessage
) -> None:
    statement = make(signed_in(bob), sent.copy)

    assert statement["made_for"] == {"role": "author", "name": bob.address}
    assert sorted(addresses(statement)) == [alice.address, charlie.address]
    assert {one["outcome"] for one in statement["recipients"]} == {"delivered"}
    message = statement["message"]
    assert message["reference"] == sent.reference
    assert message["sender"] == bob.address
    assert statement["scan"]["verdict"] == "no virus was found"
    got = received(charlie)
    header, body = content.header(got), content.open_body(got).read()
    assert message["header_sha256"] == hashlib.sha256(header).hexdigest()
    assert message["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert message["size"] == len(header) + len(body)
    assert statement["not_stated"] == []


def test_a_recipient_sees_no_other_and_not_how_many_there_are(
    signed_in: SignIn, charlie: Person, alice: Person, sent: SentMessage
) -> None:
    statement = make(signed_in(charlie, second_factor=True), received(charlie))

    assert statement["made_for"]["role"] == "recipient"
    assert addresses(statement) == [charlie.address]
    assert alice.address not in json.dumps(statement)


def test_who_has_the_authors_address_now_is_a_recipient_all_the_same(
    signed_in: SignIn, charlie: Person, alice: Person, sent: SentMessage
) -> None:
    event = Event.objects.get(reference=sent.reference, kind="received")
    event.detail |= {"sender": charlie.address}
    event.save()

    statement = make(signed_in(charlie, second_factor=True), received(charlie))

    assert statement["made_for"]["role"] == "recipient"
    assert alice.address not in json.dumps(statement)


def test_no_certificate_says_what_the_message_says_or_names_servers(
    signed_in: SignIn, bob: Person, sent: SentMessage
) -> None:
    received_event = Event.objects.get(reference=sent.reference, kind="received")
    received_event.detail |= {"peer": "198.51.100.7", "how": "mallory’s credential"}
    received_event.save()
    relayed = Event.objects.filter(reference=sent.reference, kind="delivered").first()
    relayed.kind = "relayed"
    relayed.detail |= {
        "next_hop": "mx.hidden.example:25",
        "tls_version": "TLSv1.3",
        "tls_cipher": "TLS_AES_256_GCM_SHA384",
        "certificate_verified_for": "mx.hidden.example",
        "certificate_names": ["mx.hidden.example"],
    }
    relayed.save()

    text = json.dumps(make(signed_in(bob), sent.copy))

    assert "TLSv1.3 TLS_AES_256_GCM_SHA384" in text
    for secret in ("Secret", "198.51.100.7", "mallory", "hidden.example"):
        assert secret not in text


def test_the_entry_in_the_audit_trail_and_the_certificate_name_each_other(
    signed_in: SignIn, bob: Person, sent: SentMessage
) -> None:
    audit = make(signed_in(bob), sent.copy)["audit"]

    entry = Entry.objects.get(event="certificate.made")
    assert (audit["digest"], audit["previous_digest"]) == (
        entry.digest,
        entry.previous_digest,
    )
    assert audit["position"] == Entry.objects.filter(pk__lte=entry.pk).count()
    assert (entry.by_name, entry.organisation_key) == (
        str(bob),
        str(bob.organisation_id),
    )
    assert entry.detail["reference"] == sent.reference
    verify_chain()


def test_only_its_maker_sees_a_certificate(
    signed_in: SignIn, bob: Person, alice: Person, charlie: Person, sent: SentMessage
) -> None:
    number = make(signed_in(bob), sent.copy)["number"]

    for other in (alice, charlie):
        client = signed_in(other, second_factor=True)
        for name in ("show", "pdf", "json"):
            page = client.get(reverse(f"certificates:{name}", args=[number]))
            assert page.status_code == 404


def test_nobody_else_has_one_made_of_a_message_in_a_mailbox(
    signed_in: SignIn, charlie: Person, sent: SentMessage
) -> None:
    client = signed_in(charlie, second_factor=True)

    page = client.post(reverse("webmail:certificate", args=[sent.copy.pk]))

    assert page.status_code == 404
    assert not Certificate.objects.exists()


def test_a_message_that_this_service_did_not_carry_has_none(
    signed_in: SignIn, bob: Person
) -> None:
    raw = b"From: a@elsewhere.example\r\nSubject: Old\r\n\r\nOld\r\n"
    message = message_actions.append(inbox(bob.mailbox), raw)

    page = signed_in(bob).post(
        reverse("webmail:certificate", args=[message.pk]), follow=True
    )

    assert "our records do not show" in page.content.decode()
    assert not Certificate.objects.exists()


def test_a_forged_reference_certifies_nothing_of_others(
    signed_in: SignIn, bob: Person, alice: Person, charlie: Person
) -> None:
    """Between Alice and Charlie; Bob is neither."""
    foreign = send(alice, charlie)
    message = message_actions.append(
        inbox(bob.mailbox),
        b"From: a@b.example\r\n\r\nx\r\n",
        reference=foreign.reference,
    )

    page = signed_in(bob).post(
        reverse("webmail:certificate", args=[message.pk]), follow=True
    )

    assert "our records do not show" in page.content.decode()


def organisation_certificate(
    client: Client, organisation: Organisation, ref: str
) -> Any:
    url = reverse("organisation:trace_certificate", args=[organisation.pk, ref])
    return client.post(url, follow=True)


def test_administrators_of_either_organisation_see_what_their_trace_shows(
    signed_in: SignIn,
    alice: Person,
    bob: Person,
    charlie: Person,
    northfield: Organisation,
    harbour: Organisation,
) -> None:
    reference = send(bob, charlie, bcc=(alice,)).reference

    page = organisation_certificate(
        signed_in(alice, second_factor=True), northfield, reference
    )
    own = page.context["statement"]
    page = organisation_certificate(
        signed_in(charlie, second_factor=True), harbour, reference
    )
    theirs = page.context["statement"]

    assert own["made_for"] == {"role": "sending_organisation", "name": northfield.name}
    assert sorted(addresses(own)) == [alice.address, charlie.address]
    assert theirs["made_for"]["role"] == "receiving_organisation"
    assert addresses(theirs) == [charlie.address]


def test_a_neighbour_gets_none(
    signed_in: SignIn,
    alice: Person,
    bob: Person,
    charlie: Person,
    harbour: Organisation,
) -> None:
    reference = send(alice, bob).reference
    client = signed_in(charlie, second_factor=True)

    assert organisation_certificate(client, harbour, reference).status_code == 404
    assert organisation_certificate(client, harbour, "NOTHING").status_code == 404


def test_one_is_made_after_the_message_was_deleted(
    signed_in: SignIn, alice: Person, bob: Person, northfield: Organisation
) -> None:
    sent = send(alice, bob)
    message_actions.erase(list(Message.objects.values_list("pk", flat=True)))
    assert not Message.objects.exists()

    page = organisation_certificate(
        signed_in(alice, second_factor=True), northfield, sent.reference
    )

    assert page.context["statement"]["message"]["body_sha256"]


def test_what_was_not_recorded_is_said(
    signed_in: SignIn, alice: Person, bob: Person, northfield: Organisation
) -> None:
    sent = send(alice, bob)
    for event in Event.objects.filter(kind="received"):
        event.detail = {"sender": alice.address, "organisation_id": northfield.pk}
        event.save()

    page = organisation_certificate(
        signed_in(alice, second_factor=True), northfield, sent.reference
    )

    statement = page.context["statement"]
    assert statement["message"]["header_sha256"] is None
    assert len(statement["not_stated"]) == 2
    assert "The digest of the header" in page.content.decode()


@pytest.fixture
def encrypted(settings: Settings) -> Iterator[None]:
    yield from encryption.switched_on(settings)


def test_where_contents_are_encrypted_the_readers_own_copy_is_digested(
    encrypted: None, signed_in: SignIn, bob: Person, charlie: Person
) -> None:
    sent = send(bob, charlie)

    detail = Event.objects.get(reference=sent.reference, kind="received").detail
    assert "body_digest" not in detail
    statement = make(signed_in(charlie, second_factor=True), received(charlie))
    assert statement["message"]["header_sha256"]
    assert statement["message"]["body_sha256"]
    statement = make(signed_in(bob), sent.copy)
    assert statement["message"]["body_sha256"]
    assert statement["message"]["header_sha256"] is None


def test_a_person_makes_so_many_in_an_hour(
    signed_in: SignIn,
    bob: Person,
    sent: SentMessage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(making, "LIMIT", 1)
    client = signed_in(bob)
    number = make(client, sent.copy)["number"]

    page = client.post(reverse("webmail:certificate", args=[sent.copy.pk]), follow=True)

    assert "as many certificates as we allow" in page.content.decode()
    assert client.get(reverse("certificates:pdf", args=[number])).status_code == 429


def test_rows_go_with_the_trace_and_files_stay_genuine(
    signed_in: SignIn, bob: Person, sent: SentMessage, client: Client
) -> None:
    number = make(signed_in(bob), sent.copy)["number"]
    file = client.get(reverse("certificates:json", args=[number])).content
    Certificate.objects.update(made_at="2001-01-01T00:00:00Z")

    assert purge.purge() == 1

    page = verify(Client(), file, "c.json")
    assert "This certificate is genuine" in page


def verify(client: Client, file: bytes, name: str) -> str:
    page = client.post(
        reverse("certificates:verify"), {"file": SimpleUploadedFile(name, file)}
    )
    return page.content.decode()


@pytest.mark.slow
def test_pdf_and_json_are_verified_by_a_stranger_and_offline(
    signed_in: SignIn, bob: Person, charlie: Person, sent: SentMessage, tmp_path: Path
) -> None:
    client = signed_in(bob)
    number = make(client, sent.copy)["number"]
    files = {
        "c.pdf": client.get(reverse("certificates:pdf", args=[number])).content,
        "c.json": client.get(reverse("certificates:json", args=[number])).content,
    }
    (keys := tmp_path / "keys.json").write_bytes(
        Client().get(reverse("certificates:keys")).content
    )
    (eml := tmp_path / "m.eml").write_bytes(content.read(received(charlie)))
    (other := tmp_path / "other.eml").write_bytes(b"From: a@b.example\r\n\r\nNo\r\n")
    assert len(files["c.pdf"]) < 90_000, "strangers may send 100,000 octets"

    for name, octets in files.items():
        page = verify(Client(), octets, name)
        assert "This certificate is genuine" in page
        assert "That a person has read or opened the message" in page
        (path := tmp_path / name).write_bytes(octets)
        said = StringIO()
        call_command("verify_certificate", path, keys=keys, message=eml, stdout=said)
        assert "GENUINE" in said.getvalue()
        assert "body: the same" in said.getvalue()
        with pytest.raises(CommandError, match="not the one"):
            call_command("verify_certificate", path, message=other, stdout=StringIO())

        for at in (100, len(octets) // 2, len(octets) - 2):
            changed = bytearray(octets)
            changed[at] ^= 1
            assert "This certificate is genuine" not in (
                verify(Client(), bytes(changed), name)
            )
            path.write_bytes(bytes(changed))
            with pytest.raises(CommandError, match="NOT GENUINE"):
                call_command("verify_certificate", path, keys=keys)

    structure = subprocess.run(
        ["pdfinfo", "-struct", "-"], input=files["c.pdf"], capture_output=True
    ).stdout.decode()
    assert "Table" in structure and "TH" in structure


def test_after_a_rotation_earlier_certificates_are_genuine(
    signed_in: SignIn, bob: Person, sent: SentMessage
) -> None:
    client = signed_in(bob)
    number = make(client, sent.copy)["number"]
    file = client.get(reverse("certificates:json", args=[number])).content

    call_command("rotate_signing_key", stdout=StringIO())

    assert "This certificate is genuine" in verify(Client(), file, "c.json")


def test_a_compromised_key_is_believed_only_by_the_audit_trail(
    signed_in: SignIn, bob: Person, sent: SentMessage, tmp_path: Path
) -> None:
    client = signed_in(bob)
    number = make(client, sent.copy)["number"]
    (path := tmp_path / "c.json").write_bytes(
        client.get(reverse("certificates:json", args=[number])).content
    )
    pdf = client.get(reverse("certificates:pdf", args=[number])).content

    call_command("rotate_signing_key", compromised=True, stdout=StringIO())

    # The trail holds the facts, not the pages that are shown.
    assert "others may have had" in verify(Client(), pdf, "c.pdf")

    with pytest.raises(CommandError, match="others may have had"):
        call_command("verify_certificate", path)
    assert "This certificate is genuine" in verify(
        Client(), path.read_bytes(), "c.json"
    )
    Entry.objects.filter(event="certificate.made").update(detail={})
    assert "audit trail has no entry" in verify(Client(), path.read_bytes(), "c.json")


def test_the_public_page_is_limited_and_takes_nothing_large(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Choose the certificate" in (
        client.post(reverse("certificates:verify")).content.decode()
    )
    assert "not a delivery certificate" in verify(client, b"Hello", "c.json")
    assert "not a delivery certificate" in verify(client, b"", "c.json")
    assert "not a delivery certificate" in verify(client, b"%PDF-1.7\n%%EOF", "c.pdf")
    large = verify(client, b"%PDF-" + b"0" * 200_000, "c.pdf")
    assert "too large" in large.lower() or "413" in large
    monkeypatch.setattr(public_views, "LIMIT", 1)
    assert "Too many attempts" in verify(client, b"Hello", "c.json")
