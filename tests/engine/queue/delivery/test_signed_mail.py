"""Mail is signed when it is handed on, over what the next hop gets."""

from __future__ import annotations

import dkim
import pytest
from django.conf import settings

from engine.mail.header import HeaderBlock
from engine.queue.models import RecipientStatus, Source
from engine.registry.actions import mail_keys
from engine.signing import key_records
from engine.signing.models import MailKey
from engine.storage.content import INLINE_LIMIT
from engine.transport import signing
from tests.engine.queue.conftest import JANE

pytestmark = pytest.mark.django_db

RAW = (
    b"From: Bob <bob@northfield.secure.example>\r\nSubject: Bundle\r\n"
    b"Message-ID: <1@b.example>\r\n\r\n"
)


@pytest.fixture
def records(name_server) -> dict[str, bytes]:
    """The keys' records, published and in use."""
    mail_keys.make_missing(by=None)
    for record in key_records.wanted("secure.example"):
        name_server.add_text(record.name, record.value)
    mail_keys.check("secure.example", by=None)
    # dkimpy knows RSA alone, without a library that we do not have.
    found = key_records.wanted("secure.example")
    return {f"{one.name}.": one.value.encode() for one in found}


def verified(data: bytes, records: dict[str, bytes]) -> tuple[bool, bytes | None]:
    def answer(name: bytes, timeout: int = 5) -> bytes | None:
        return records.get(name.decode())

    message = dkim.DKIM(data)
    return message.verify(1, dnsfunc=answer), dkim.arc_verify(data, dnsfunc=answer)[0]


@pytest.mark.parametrize(
    "body",
    [
        b"Hello\r\n",
        b"",
        b".Hello\r\n..\r\n\r\n\r\n",
        b"No line end",
        b"Bare \r and \n ends\n",
        b"0123456 89\r\n" * (INLINE_LIMIT // 10),
    ],
)
def test_what_the_next_hop_gets_is_signed_and_sealed(
    queue, hop, firm_connection, bob, records, body
):
    firm_connection.subject_tag = "[SECURE]"
    firm_connection.save()
    queue.send(bob.address, JANE, raw=RAW + body)

    queue.run()

    [received] = hop.received
    assert verified(received.data, records) == (True, b"pass")
    header = HeaderBlock.salvage(received.data)
    names = [field.name for field in header.fields][:6]
    assert names == [
        "ARC-Seal",
        "ARC-Message-Signature",
        "ARC-Authentication-Results",
        "DKIM-Signature",
        "DKIM-Signature",
        "From",
    ]
    altered = received.data.replace(b"Subject: [SECURE]", b"Subject: [SECURe]")
    assert verified(altered, records) == (False, b"fail")


def test_what_is_converted_is_signed_afterwards(
    queue, make_hop, firm_connection, bob, records
):
    hop = make_hop("mail.firm.example", missing_extensions=("8BITMIME",))
    firm_connection.next_hop_port = hop.port
    firm_connection.save()
    queue.send(bob.address, JANE, raw=RAW + "Grüße\r\n".encode())

    queue.run()

    [received] = hop.received
    assert b"Content-Transfer-Encoding: base64" in received.data
    assert verified(received.data, records) == (True, b"pass")


def test_without_keys_in_use_mail_goes_unsigned(queue, hop, firm_connection, bob):
    mail_keys.make_missing(by=None)
    queue.send(bob.address, JANE)

    queue.run()

    assert b"Signature" not in hop.received[0].data


@pytest.mark.parametrize("fault", ["key", "program"])
def test_a_fault_of_ours_delays_no_mail(
    queue, hop, firm_connection, bob, records, monkeypatch, fault
):
    if fault == "key":
        MailKey.objects.update(sealed_private_key="sealed with another")
    else:
        monkeypatch.setattr(signing, "author_domain", None)
    reference = queue.send(bob.address, JANE)

    queue.run()

    assert queue.status(reference) is RecipientStatus.RELAYED
    assert b"Signature" not in hop.received[0].data


def test_mail_through_the_smart_host_is_signed(
    queue, make_hop, bob, records, monkeypatch
):
    hop = make_hop("127.0.0.1")
    monkeypatch.setattr(settings.POSTERN, "smarthost", f"127.0.0.1:{hop.port}")
    everyday = "bob@everyday.example"
    queue.send("", everyday, raw=RAW + b"Hello\r\n", source=Source.SYSTEM)

    queue.run()

    assert verified(hop.received[0].data, records) == (True, b"pass")
