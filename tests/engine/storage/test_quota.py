from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.mail.message import split
from engine.registry.models import Mailbox, Person
from engine.storage import (
    content,
    mailbox_delivery,
    message_actions,
    quota,
    standard_folders,
)
from engine.storage.models import Content, FolderRole

pytestmark = pytest.mark.django_db

RAW = b"From: a@b.example\r\nSubject: Bundle\r\n\r\nHello\r\n"


@pytest.fixture
def letter() -> Content:
    row = content.row(content.keep(*split(RAW)))
    row.save()
    return row


def delivered(letter: Content, *mailboxes: Mailbox) -> list[int | None]:
    return mailbox_delivery.deliver(
        [
            mailbox_delivery.Delivery(
                mailbox.pk,
                letter.pk,
                letter.size,
                "",
                mailbox_delivery.summary_of(letter.header),
                letter.header,
                has_attachments=False,
            )
            for mailbox in mailboxes
        ]
    )


def used_octets(person: Person) -> int:
    return Mailbox.objects.get(owner=person).used_bytes


def set_quota(person: Person, octets: int) -> None:
    Mailbox.objects.filter(owner=person).update(quota_bytes=octets)


def test_what_is_delivered_is_counted_for_each_mailbox(
    letter: Content, alice: Person, bob: Person
) -> None:
    delivered(letter, alice.mailbox, bob.mailbox, bob.mailbox)

    assert used_octets(alice) == len(RAW)
    assert used_octets(bob) == 2 * len(RAW)


def test_what_is_put_into_a_folder_counts_until_it_is_erased(bob: Person) -> None:
    sent = standard_folders.folder(bob.mailbox, FolderRole.SENT)
    message = message_actions.append(sent, RAW)
    assert used_octets(bob) == len(RAW)

    message_actions.delete([message])
    message.refresh_from_db()
    assert used_octets(bob) == len(RAW)

    message_actions.delete([message])
    assert used_octets(bob) == 0


def test_erasing_twice_counts_once(letter: Content, bob: Person) -> None:
    kept, gone = delivered(letter, bob.mailbox, bob.mailbox)
    assert kept and gone

    message_actions.erase([gone])
    message_actions.erase([gone])

    assert used_octets(bob) == len(RAW)


def test_a_mailbox_takes_what_fits_and_no_more(
    letter: Content, alice: Person, bob: Person
) -> None:
    set_quota(bob, 2 * len(RAW) + 1)

    ids = delivered(letter, bob.mailbox, alice.mailbox, bob.mailbox, bob.mailbox)

    assert [made is not None for made in ids] == [True, True, True, False]
    assert used_octets(bob) == 2 * len(RAW)


def test_a_mailbox_that_has_just_gone_holds_up_nobody(
    letter: Content, bob: Person
) -> None:
    gone, kept = delivered(letter, Mailbox(pk=bob.mailbox.pk + 1), bob.mailbox)

    assert gone is None
    assert kept is not None


def test_a_full_mailbox_is_known_at_the_next_look(letter: Content, bob: Person) -> None:
    set_quota(bob, len(RAW))
    message_id = delivered(letter, bob.mailbox)[0]
    assert message_id

    quota.refresh_full()
    assert quota.was_full(bob.mailbox.pk)

    message_actions.erase([message_id])
    quota.refresh_full()
    assert not quota.was_full(bob.mailbox.pk)


def test_delivery_costs_the_same_statements_however_many(
    letter: Content, alice: Person, bob: Person
) -> None:
    standard_folders.ensure_folders([alice.mailbox.pk, bob.mailbox.pk])

    with CaptureQueriesContext(connection) as captured:
        delivered(letter, *[alice.mailbox, bob.mailbox] * 20)

    # The inboxes, the messages, the mailboxes' sizes, and before those the locks.
    assert len(captured) == (4 if connection.vendor == "postgresql" else 3)
