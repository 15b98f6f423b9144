"""Snoozed messages, and reminders of sent mail that nobody has answered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.mail import mdn
from engine.mail.header import HeaderBlock
from engine.registry.models import Mailbox, Person
from engine.storage import message_actions, withdrawals
from engine.storage.models import (
    Folder,
    FolderRole,
    Message,
    Reminder,
    ReminderKind,
    WithdrawalKind,
)
from engine.storage.organising import reminders
from engine.storage.standard_folders import folder
from engine.storage.withdrawals import Cause
from tests.engine.storage.conftest import deliver
from tests.portal.webmail.conftest import (
    compose_message,
    named_address,
    store_message,
)
from tests.portal.webmail.organising.pages import (
    listed,
    organise,
    read,
    subjects,
)


def pass_time() -> None:
    """Lets every reminder become due."""
    Reminder.objects.filter(is_due=False).update(
        due_at=timezone.now() - timedelta(minutes=1)
    )


def inbox_url(mailbox: Mailbox) -> str:
    return reverse("webmail:folder", args=[folder(mailbox, FolderRole.INBOX).pk])


def test_a_snoozed_message_comes_back_unread_on_top(bobs: Client, bob: Person) -> None:
    old = store_message(bob.mailbox, subject="Old", is_read=True)
    store_message(bob.mailbox, subject="New", is_read=True)

    page = organise(bobs, old, organise="snooze", until="tomorrow")

    assert "1 message snoozed until" in page
    assert subjects(bobs, inbox_url(bob.mailbox)) == ["New"]
    old.refresh_from_db()
    assert old.folder.role == FolderRole.SNOOZED
    assert "Until" in listed(bobs, old)
    assert "Snoozed until" in read(bobs, old)
    assert reminders.wake() == 0

    pass_time()
    message_actions.mark_read([old], is_read=True)
    assert reminders.wake() == 1
    assert reminders.wake() == 0

    assert subjects(bobs, inbox_url(bob.mailbox)) == ["Old", "New"]
    old.refresh_from_db()
    assert not old.is_read
    assert "Was snoozed" in listed(bobs, old)
    read(bobs, old)
    assert subjects(bobs, inbox_url(bob.mailbox)) == ["New", "Old"]
    assert reminders.clean_up() == 1


def test_a_job_that_dies_brings_back_the_rest_later(
    bobs: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = [store_message(bob.mailbox) for _ in range(3)]
    organise(bobs, *stored, organise="snooze", until="week")
    pass_time()
    move, moved = message_actions.move, []

    def dying(messages: list[Message], target: Folder) -> None:
        move(messages, target)
        moved.append(messages)
        if len(moved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(message_actions, "move", dying)
    with pytest.raises(KeyboardInterrupt):
        reminders.wake()
    monkeypatch.undo()
    inbox = folder(bob.mailbox, FolderRole.INBOX)
    assert inbox.messages.count() == 1
    assert Reminder.objects.filter(is_due=True).count() == 1

    assert reminders.wake() == 2

    assert inbox.messages.count() == 3


def test_one_that_cannot_be_woken_keeps_no_other_asleep(
    bobs: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = [store_message(bob.mailbox) for _ in range(3)]
    organise(bobs, *stored, organise="snooze", until="week")
    pass_time()
    move = message_actions.move
    monkeypatch.setattr(reminders, "BATCH", 1)

    def failing(messages: list[Message], target: Folder) -> None:
        if messages == stored[:1]:
            raise ValueError("this one only")
        move(messages, target)

    monkeypatch.setattr(message_actions, "move", failing)
    with pytest.raises(ValueError, match="this one only"):
        reminders.wake()

    assert folder(bob.mailbox, FolderRole.INBOX).messages.count() == 2
    assert Reminder.objects.get(is_due=False).message_id == stored[0].pk


@pytest.mark.parametrize(
    ("until", "day", "sentence"),
    [
        ("", "", "Choose when the message comes back"),
        ("day", "", "Choose the day"),
        ("day", "2026-02-31", "Choose the day"),
        ("day", "2001-01-01", "still to come"),
        ("day", "9999-12-31", "within the next year"),
    ],
)
def test_a_message_cannot_be_snoozed_to_no_time(
    bobs: Client, bob: Person, until: str, day: str, sentence: str
) -> None:
    message = store_message(bob.mailbox)

    page = organise(bobs, message, organise="snooze", until=until, day=day)

    assert sentence in page
    assert not Reminder.objects.exists()


def test_a_snoozed_message_comes_back_early_or_to_the_inbox_if_its_folder_is_gone(
    bobs: Client, bob: Person
) -> None:
    own = Folder.objects.create(
        mailbox=bob.mailbox, role=FolderRole.CUSTOM, name="Papers"
    )
    early, late = store_message(bob.mailbox), store_message(bob.mailbox)
    message_actions.move([early, late], own)
    for message in (early, late):
        message.refresh_from_db()
    organise(bobs, early, late, organise="snooze", until="week")

    reminder = Reminder.objects.get(message=early.pk)
    bobs.post(reverse("webmail:end_reminder", args=[bob.mailbox.pk, reminder.pk]))
    early.refresh_from_db()
    assert early.folder == own
    message_actions.move([early], folder(bob.mailbox, FolderRole.INBOX))
    own.delete()
    pass_time()
    reminders.wake()

    late.refresh_from_db()
    assert late.folder.role == FolderRole.INBOX


def test_a_snoozed_message_that_was_moved_stays_where_it_is(
    bobs: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox)
    organise(bobs, message, organise="snooze", until="week")
    trash = folder(bob.mailbox, FolderRole.TRASH)
    message_actions.move([message], trash)
    pass_time()

    reminders.wake()

    message.refresh_from_db()
    assert message.folder == trash
    assert not Reminder.objects.exists()


def test_a_withdrawn_message_waits_until_it_is_put_back(
    bobs: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox)
    organise(bobs, message, organise="snooze", until="week")
    withdrawals.take_out([message.pk], Cause(WithdrawalKind.OPERATOR, by=None))
    pass_time()
    reminders.wake()
    withdrawals.put_back([message.pk], by=None)
    pass_time()

    reminders.wake()

    message.refresh_from_db()
    assert message.folder.role == FolderRole.INBOX


def test_a_folder_called_snoozed_may_be_there_already(
    bobs: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox)
    Folder.objects.create(mailbox=bob.mailbox, role=FolderRole.CUSTOM, name="Snoozed")

    organise(bobs, message, organise="snooze", until="week")

    message.refresh_from_db()
    assert message.folder.name == "Snoozed 2"


def test_the_neighbour_snoozes_nothing(
    charlies: Client, bob: Person, charlie: Person
) -> None:
    message = store_message(bob.mailbox)
    own = store_message(charlie.mailbox)

    url = reverse("webmail:organise", args=[charlie.mailbox.pk])
    data = {"organise": "snooze", "until": "week", "message": message.pk}
    charlies.post(url, data)
    sent = store_message(bob.mailbox, role=FolderRole.SENT)
    follow_up = reverse("webmail:follow_up", args=[sent.pk])

    assert charlies.post(follow_up, {"follow_up": 3}).status_code == 404
    assert own.folder.role == FolderRole.INBOX
    assert not Reminder.objects.exists()


def sent_by(bob: Person, **over: object) -> Message:
    return store_message(
        bob.mailbox,
        role=FolderRole.SENT,
        is_read=True,
        message_id="<1@northfield.example>",
        subject="When is the hearing",
        **over,
    )


def ask_to_be_reminded(client: Client, message: Message) -> None:
    client.post(reverse("webmail:follow_up", args=[message.pk]), {"follow_up": 3})


def test_the_inbox_reminds_of_a_message_that_nobody_answered(
    bobs: Client, bob: Person
) -> None:
    message = sent_by(bob)
    ask_to_be_reminded(bobs, message)
    arrived = store_message(bob.mailbox)
    assert "Nobody has answered" not in listed(bobs, arrived)
    pass_time()
    reminders.wake()

    assert "Nobody has answered When is the hearing" in listed(bobs, arrived)
    reminder = Reminder.objects.get(kind=ReminderKind.FOLLOW_UP)
    bobs.post(reverse("webmail:end_reminder", args=[bob.mailbox.pk, reminder.pk]))
    assert "Nobody has answered" not in listed(bobs, arrived)


@pytest.mark.parametrize(
    ("header", "is_answer"),
    [
        ({"in_reply_to": "<1@northfield.example>"}, True),
        ({"references": "<0@a.example> <1@northfield.example>"}, False),
        ({"in_reply_to": "<2@northfield.example>"}, False),
        (
            {
                "in_reply_to": "<1@northfield.example>",
                "extra_headers": {"Auto-Submitted": "auto-replied"},
            },
            False,
        ),
    ],
)
def test_an_answer_ends_the_reminder(
    bobs: Client, bob: Person, header: dict[str, object], is_answer: bool
) -> None:
    ask_to_be_reminded(bobs, sent_by(bob))
    deliver(bob.mailbox, compose_message(subject="Next week", **header))
    pass_time()

    reminders.wake()

    assert Reminder.objects.filter(is_due=True).exists() is not is_answer


def test_a_receipt_is_no_answer(bobs: Client, bob: Person) -> None:
    ask_to_be_reminded(bobs, sent_by(bob))
    receipt = mdn.compose_displayed(
        reader=named_address("Jane", "jane@firm.example.secure.example"),
        to=named_address("Bob", bob.address),
        original=HeaderBlock.parse(b"Message-ID: <1@northfield.example>\r\n\r\n"),
        reporting_ua="Postern",
    )
    mark = b"Auto-Submitted: auto-replied\r\n"
    assert mark in receipt
    # As other programs send it.
    deliver(bob.mailbox, receipt.replace(mark, b""))
    pass_time()

    reminders.wake()

    assert Reminder.objects.filter(is_due=True).exists()


def test_a_second_member_is_told_who_has_the_reminder(
    alices: Client, bobs: Client, office: Mailbox
) -> None:
    message = store_message(office, role=FolderRole.SENT)
    ask_to_be_reminded(alices, message)

    url = reverse("webmail:follow_up", args=[message.pk])
    page = bobs.post(url, {"follow_up": 5}, follow=True).content.decode()

    assert "Alice has a reminder of this message already" in page
    assert "You will be reminded on" not in page
    ending = reverse(
        "webmail:end_reminder", args=[office.pk, Reminder.objects.get().pk]
    )
    assert bobs.post(ending).status_code == 404
    assert "You will be reminded on" in read(alices, message)


def test_an_answer_deep_in_a_conversation_ends_the_reminder(
    bobs: Client, bob: Person
) -> None:
    ask_to_be_reminded(bobs, sent_by(bob, references="<0@firm.example>"))
    deliver(
        bob.mailbox,
        compose_message(references="<0@firm.example> <1@northfield.example>"),
    )
    pass_time()

    reminders.wake()

    assert not Reminder.objects.exists()


def send_with_reminder(client: Client, bob: Person) -> str:
    """Sends a message that is to be answered within a week; returns the page after it."""
    draft = reverse(
        "webmail:draft",
        args=[bob.mailbox.pk, "0f0e0d0c-0b0a-4f7b-9a35-0c8e7d2f4b61"],
    )
    fields = {"to": bob.address, "subject": "Hello", "text": "Hello"}
    posted = {**fields, "do": "send", "follow_up": "7"}
    return client.post(draft, posted, follow=True).content.decode()


def test_a_message_leaves_without_a_reminder_that_is_one_too_many(
    bobs: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "LIMIT", 0)

    page = send_with_reminder(bobs, bob)

    assert "You will not be reminded of it. A mailbox has at most 0" in page
    assert Message.objects.filter(folder__role=FolderRole.SENT).count() == 1
    assert not Reminder.objects.exists()


def test_a_reminder_is_asked_for_while_writing(bobs: Client, bob: Person) -> None:
    url = reverse("webmail:compose", args=[bob.mailbox.pk])
    assert "Remind me if nobody answers" in bobs.get(url).content.decode()

    send_with_reminder(bobs, bob)

    reminder = Reminder.objects.get()
    assert reminder.kind == ReminderKind.FOLLOW_UP
    assert timedelta(days=6) < reminder.due_at - timezone.now() < timedelta(days=8)
