"""Messages with a 25 MB attachment, in each direction, and ten of them at once."""

from __future__ import annotations

import hashlib
import random
import smtplib
import threading
import time
from collections.abc import Callable
from functools import cache

import pytest

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import Attachment, compose
from engine.mail.mime.part_walker import walk
from engine.registry.models import Connection, Person
from engine.storage import content
from engine.storage.models import Message
from tests.next_hop import NextHop
from tests.peers.engine import Engine
from tests.peers.process import wait_until

MEGABYTE = 1024 * 1024
BUNDLE = random.Random(5).randbytes(25 * MEGABYTE)

pytestmark = [pytest.mark.slow, pytest.mark.any_database]


@cache
def letter(sender: str, recipient: str) -> bytes:
    return compose(
        sender=NamedAddress("", Address.parse(sender)),
        to=[NamedAddress("", Address.parse(recipient))],
        subject="Bundle",
        text="The bundle is attached.",
        attachments=[Attachment("bundle.pdf", "application/pdf", BUNDLE)],
    )


def attachment_of(message: Message) -> bytes:
    with content.open_body(message) as body:
        parts = walk(bytes(message.content.header), body.read())
        return next(part.data() for part in parts if part.filename == "bundle.pdf")


def test_25_megabytes_come_in_byte_for_byte(
    bob: Person,
    firm_with_credential: Connection,
    connect: Callable[[Engine], smtplib.SMTP],
    engine: Engine,
) -> None:
    with connect(engine) as client:
        client.sendmail(
            "jane@firm.example", bob.address, letter("jane@firm.example", bob.address)
        )

    message = Message.objects.select_related("content").get()
    assert (
        hashlib.sha256(attachment_of(message)).digest()
        == hashlib.sha256(BUNDLE).digest()
    )


def test_25_megabytes_go_out_byte_for_byte(
    bob: Person,
    next_hop: NextHop,
    bobs_client: Callable[[Engine], smtplib.SMTP],
    engine: Engine,
) -> None:
    jane = "jane@firm.example.secure.example"
    raw = letter(bob.address, jane)

    with bobs_client(engine) as client:
        client.sendmail(bob.address, jane, raw)
    wait_until(lambda: bool(next_hop.received), "the message at the firm's server", 60)

    received = next_hop.received[0]
    assert received.recipients == ["jane@firm.example"]
    assert received.data.partition(b"\r\n\r\n")[2] == raw.partition(b"\r\n\r\n")[2]


def test_ten_large_messages_at_once_take_less_than_150_megabytes(
    bob: Person,
    firm_with_credential: Connection,
    connect: Callable[[Engine], smtplib.SMTP],
    engine: Engine,
) -> None:
    def send(number: int) -> None:
        with connect(engine) as client:
            raw = letter("jane@firm.example", bob.address)
            numbered = raw.replace(
                b"Subject: Bundle", b"Subject: Bundle %d" % number, 1
            )
            client.sendmail("jane@firm.example", bob.address, numbered)

    senders = [threading.Thread(target=send, args=(n,)) for n in range(10)]
    before = peak = engine.resident_memory()
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        peak = max(peak, engine.resident_memory())
        time.sleep(0.01)

    assert Message.objects.count() == 10
    assert peak - before < 150 * MEGABYTE
