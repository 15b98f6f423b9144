from __future__ import annotations

import pytest
from django.core import mail

from engine.email_backend import EverydayMessage, QueueEmailBackend
from engine.mail.errors import MailError
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.transport.smart_host import outbox, smart_host

pytestmark = pytest.mark.django_db

STRANGER = "jane@firm.test"


def files():
    return [path.read_bytes() for path in outbox().glob("*.eml")]


@pytest.fixture(autouse=True)
def unscanned(monkeypatch, settings):
    monkeypatch.setattr(settings.POSTERN, "clamd", "off")


def test_notice_to_the_outside_lands_in_the_outbox(queue, db):
    queue.send("", STRANGER, source=Source.SYSTEM)

    queue.run()

    [file] = files()
    assert file.startswith(b"X-Envelope-To: jane@firm.test\r\nFrom: a@b.example\r\n")
    assert file.endswith(b"\r\n\r\nHello\r\n")


def test_notice_to_an_everyday_address_waits_for_no_connection(queue, firm_connection):
    note = ("Welcome", "Connect your server", None, ["jane@firm.example"])

    QueueEmailBackend().send_messages([EverydayMessage(*note)])
    QueueEmailBackend().send_messages([mail.EmailMessage(*note)])

    by_internet, by_connection = Recipient.objects.order_by("id")
    assert by_internet.address == "jane@firm.example"
    assert by_internet.destination == "outside"
    assert by_connection.address == "jane@firm.example.secure.example"
    assert by_connection.destination == f"connection:{firm_connection.pk}"


def test_notice_to_an_everyday_address_stays_in_the_community_where_that_is(queue, bob):
    note = EverydayMessage("Welcome", "Read this", None, [bob.address])

    QueueEmailBackend().send_messages([note])

    assert Recipient.objects.get().destination == "mailbox"


def test_mail_of_people_never_leaves(queue, bob):
    reference = queue.send(bob.address, STRANGER, source=Source.WEBMAIL)

    queue.run()

    row = queue.recipient(reference)
    assert row.status == RecipientStatus.FAILED
    assert row.last_reply.startswith("550 5.7.1")
    assert files() == []


def test_production_waits_for_a_smart_host(queue, db, monkeypatch, settings):
    monkeypatch.setattr(settings.POSTERN, "env", "production")
    reference = queue.send("", STRANGER, source=Source.SYSTEM)

    queue.run()

    row = queue.recipient(reference)
    assert row.status == RecipientStatus.QUEUED
    assert "POSTERN_SMARTHOST" in row.last_reply


def test_notice_goes_through_the_smart_host(queue, make_hop, monkeypatch, settings):
    hop = make_hop("localhost")
    monkeypatch.setattr(settings.POSTERN, "smarthost", f"localhost:{hop.port}")
    reference = queue.send("", STRANGER, source=Source.SYSTEM)

    queue.run()

    assert hop.received[0].recipients == [STRANGER]
    assert queue.status(reference) is RecipientStatus.RELAYED
    assert files() == []


def test_smart_host_is_read_with_its_credentials():
    hop = smart_host("user%40example:pa%3Ass@relay.example:2525")

    assert (hop.host, hop.port, hop.tls_name) == (
        "relay.example",
        2525,
        "relay.example",
    )
    assert (hop.username, hop.password) == ("user@example", "pa:ss")
    assert "pa:ss" not in repr(hop)


def test_mail_of_django_goes_through_the_queue(queue, bob):
    message = mail.EmailMessage(
        "Grüße", "Hello\nthere", to=[f"Bob <{bob.address}>"], bcc=[STRANGER]
    )

    sent = QueueEmailBackend().send_messages([message])
    queue.run()

    [notice] = queue.inbox(bob)
    assert sent == 1
    assert notice.subject == "Grüße"
    assert notice.envelope_sender == ""
    assert b"\r\nAuto-Submitted: auto-generated\r\n" in files()[0]
    assert STRANGER.encode() not in files()[0].partition(b"\r\n")[2]
    assert set(QueuedMessage.objects.values_list("source", flat=True)) == {"system"}


def test_one_bad_address_keeps_the_notice_from_nobody_else(queue, bob):
    message = mail.EmailMessage("Hello", "", to=["nobody@northfield.secure.example"])
    message.bcc = [bob.address]

    with pytest.raises(MailError):
        QueueEmailBackend().send_messages([message])

    assert QueueEmailBackend(fail_silently=True).send_messages([message]) == 1
    assert Recipient.objects.filter(address=bob.address).count() == 2
