"""Importance, classification, receipts and sending later."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.mail.dates import parse_date
from engine.queue.models import QueuedMessage, Recipient
from engine.registry.actions import organisations
from engine.registry.models import Mailbox, Organisation, Person
from engine.storage import message_actions
from engine.storage.models import Folder, FolderRole, Message, Reminder
from engine.storage.standard_folders import folder
from portal.webmail.drafts.options import needs_classification
from portal.webmail.models import ReceiptAnswer, ScheduledSend, WritingPreferences
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.webmail.compose_page import (
    CHARLIE,
    JANE,
    ComposePage,
    messages_in,
    only_message_in,
)
from tests.portal.webmail.conftest import named_address, store_message

pytestmark = pytest.mark.usefixtures("firm_connection", "charlie")

OPTIONS = {"has_options": "1"}
RECEIPT = {"extra_headers": {"Disposition-Notification-To": f"Jane <{JANE}>"}}


@pytest.fixture
def compose_page(bob: Person) -> ComposePage:
    WritingPreferences.objects.create(person=bob, undo_seconds=0)
    return ComposePage(bob.mailbox)


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A community that classifies its messages."""
    names = ["OFFICIAL", "OFFICIAL-SENSITIVE"]
    monkeypatch.setattr(settings.POSTERN, "classifications", names)
    return monkeypatch


def test_importance_reaches_the_recipient_and_stays_with_the_draft(
    as_bob: Client, charlie: Person, signed_in: SignIn, compose_page: ComposePage
) -> None:
    page = compose_page.post(as_bob, "save", importance="high", **OPTIONS)
    assert '<option value="high" selected>' in page.content.decode()
    compose_page.post(as_bob, "save", text="A page without the options keeps it")

    compose_page.post(as_bob, "send", to=CHARLIE, text="x")

    message, received = only_message_in(charlie.mailbox, FolderRole.INBOX)
    assert received.header.text("Importance") == "high"
    assert received.header.text("X-Priority").startswith("1")
    client = signed_in(charlie, second_factor=True)
    page = client.get(reverse("webmail:read", args=[message.pk]))
    assert "marked this message as important" in page.content.decode()


def test_a_classification_is_in_header_and_subject_and_stays_with_the_reply(
    as_bob: Client,
    bob: Person,
    charlie: Person,
    compose_page: ComposePage,
    marks: pytest.MonkeyPatch,
) -> None:
    fields = {"to": CHARLIE, "subject": "Plea", "classification": "OFFICIAL", **OPTIONS}

    compose_page.post(as_bob, "send", **fields)

    message, received = only_message_in(charlie.mailbox, FolderRole.INBOX)
    assert message.subject == "[OFFICIAL] Plea"
    assert received.header.text("X-Classification") == "OFFICIAL"
    answered = store_message(
        bob.mailbox, extra_headers={"X-Classification": "OFFICIAL-SENSITIVE"}
    )
    page = as_bob.get(reverse("webmail:reply", args=[answered.pk])).content.decode()
    assert "<option selected>OFFICIAL-SENSITIVE</option>" in page
    page = as_bob.get(reverse("webmail:read", args=[answered.pk])).content.decode()
    assert "OFFICIAL-SENSITIVE</strong> How the sender classified" in page


def test_a_community_may_require_a_classification(
    as_bob: Client, compose_page: ComposePage, marks: pytest.MonkeyPatch
) -> None:
    marks.setattr(settings.POSTERN, "classification_required", True)
    marks.setattr(settings.POSTERN, "classification_in_subject", False)
    fields = {"to": CHARLIE, "subject": "Plea", **OPTIONS}

    for wrong in ("", "SECRET"):
        page = compose_page.post(as_bob, "send", classification=wrong, **fields)
        assert "Choose how the message is classified" in page.content.decode()
    compose_page.post(as_bob, "send", classification="OFFICIAL", **fields)

    assert Message.objects.filter(subject="Plea").count() == 2


def test_an_organisation_may_require_a_classification_of_its_own_people(
    as_bob: Client, bob: Person, compose_page: ComposePage, marks: pytest.MonkeyPatch
) -> None:
    organisations.edit(bob.organisation, requires_classification=True, by=None)
    fields = {"to": CHARLIE, "subject": "Plea", **OPTIONS}

    page = compose_page.post(as_bob, "send", classification="", **fields)
    assert "Choose how the message is classified" in page.content.decode()
    assert not QueuedMessage.objects.exists()
    # Another organisation's people are not asked, and nobody where none are used.
    organisations.edit(bob.organisation, requires_classification=False, by=None)
    other = Organisation.objects.exclude(pk=bob.organisation.pk).first()
    assert other is not None
    organisations.edit(other, requires_classification=True, by=None)
    assert not needs_classification(bob.organisation)
    marks.setattr(settings.POSTERN, "classifications", [])
    assert not needs_classification(other)


def test_a_message_is_sent_at_the_chosen_time_and_taken_back_until_then(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    moment = timezone.localtime() + timedelta(days=2)
    typed = moment.strftime("%Y-%m-%dT%H:%M")

    fields = {"to": CHARLIE, "send_at": typed, "text": "Later", "follow_up": "3"}
    page = compose_page.post(as_bob, "send", **fields)

    assert "Your message will be sent on" in page.content.decode()
    [scheduled] = ScheduledSend.objects.all()
    assert abs(scheduled.leaves_at - moment) < timedelta(minutes=1)
    assert Recipient.objects.get().next_attempt_at == scheduled.leaves_at
    due_at = Reminder.objects.get().due_at
    assert due_at > scheduled.leaves_at + timedelta(days=2)
    _, copy = only_message_in(bob.mailbox, FolderRole.SENT)
    assert parse_date(copy.header.text("Date")) == scheduled.leaves_at
    # No page counts the seconds of two days.
    assert (
        "will be sent in" not in as_bob.get(reverse("webmail:folder")).content.decode()
    )
    page = as_bob.get(reverse("webmail:scheduled")).content.decode()
    undo = re.search(r'action="(/mail/sent/[^"]+)"', page)
    assert undo and "About it" in page
    page = as_bob.post(undo[1], follow=True).content.decode()
    assert "It is a draft again" in page and "Later</textarea>" in page


def test_the_time_to_send_and_the_reminder_stay_with_the_draft(
    as_bob: Client, compose_page: ComposePage
) -> None:
    typed = (timezone.localtime() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    times = {"send_at": typed, "follow_up": "3"}

    page = compose_page.post(as_bob, "check", to=CHARLIE, **times, **OPTIONS)

    for shown in (page.content.decode(), compose_page.page(as_bob)):
        assert f'value="{typed}"' in shown
        assert '<option value="3" selected>' in shown
    compose_page.post(as_bob, "send", to=CHARLIE, text="A page without the times")
    [scheduled] = ScheduledSend.objects.all()
    assert scheduled.leaves_at > timezone.now() + timedelta(days=1)
    assert Reminder.objects.get().due_at > scheduled.leaves_at + timedelta(days=2)
    _, sent = only_message_in(compose_page.mailbox, FolderRole.SENT)
    assert "X-Draft" not in str(sent.header)


@pytest.mark.parametrize("typed", ["2020-01-01T10:00", "soon", "9999-12-31T23:59"])
def test_a_draft_is_saved_whatever_its_time(
    as_bob: Client, compose_page: ComposePage, typed: str
) -> None:
    fields = {"text": "Kept", "send_at": typed, **OPTIONS}

    saved = as_bob.post(f"{compose_page.url}save/", fields)

    assert saved.status_code == 200
    assert "Kept</textarea>" in compose_page.page(as_bob)


def test_the_copy_of_what_waits_is_not_deleted(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    typed = (timezone.localtime() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    compose_page.post(as_bob, "send", to=CHARLIE, send_at=typed)
    copy, _ = only_message_in(bob.mailbox, FolderRole.SENT)
    trash = folder(bob.mailbox, FolderRole.TRASH)

    def refused(do: str, place: str, box: Folder | Mailbox) -> bool:
        posted = {"do": do, "organise": do, "message": copy.pk}
        page = as_bob.post(reverse(place, args=[box.pk]), posted, follow=True)
        return "“About it” has not been sent yet" in page.content.decode()

    assert refused("delete", "webmail:act", copy.folder)
    assert refused("junk", "webmail:organise", bob.mailbox)
    assert refused("delete", "webmail:folder_bulk_actions", copy.folder)
    message_actions.move([copy], trash)
    assert refused("erase", "webmail:act", trash)
    assert refused("empty", "webmail:folder_bulk_actions", trash)
    assert "About it" in as_bob.get(reverse("webmail:scheduled")).content.decode()


def test_what_may_not_be_taken_back_any_more_is_not_listed(
    as_bob: Client, bob: Person, team: Mailbox
) -> None:
    grant = factories.make_grant(team, bob, can_send=True)
    ScheduledSend.objects.create(
        message=store_message(team, role=FolderRole.SENT, subject="Plea"),
        person=bob,
        reference="R1",
        leaves_at=timezone.now() + timedelta(days=2),
    )
    url = reverse("webmail:scheduled")
    assert "Plea" in as_bob.get(url).content.decode()

    grant.delete()

    assert "Plea" not in as_bob.get(url).content.decode()


@pytest.mark.parametrize("days", [-1, 100])
def test_a_time_that_is_past_or_far_away_is_refused(
    as_bob: Client, compose_page: ComposePage, days: int
) -> None:
    moment = timezone.localtime() + timedelta(days=days)
    typed = moment.strftime("%Y-%m-%dT%H:%M")

    page = compose_page.post(as_bob, "send", to=CHARLIE, send_at=typed)

    assert "Choose a time after now, within 60 days" in page.content.decode()
    assert not QueuedMessage.objects.exists()


def test_a_receipt_is_asked_for_by_the_header_alone(
    as_bob: Client, bob: Person, charlie: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "send", to=CHARLIE, wants_receipt="1", **OPTIONS)

    _, received = only_message_in(charlie.mailbox, FolderRole.INBOX)
    assert received.header.text("Disposition-Notification-To") == bob.address


def test_a_reader_is_asked_and_a_receipt_is_sent_once(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox, **RECEIPT)
    url = reverse("webmail:receipt", args=[message.pk])
    read = reverse("webmail:read", args=[message.pk])
    assert f'action="{url}"' in as_bob.get(read).content.decode()
    assert not QueuedMessage.objects.exists()

    for _ in "12":
        as_bob.post(url, {"do": "send"})

    queued = QueuedMessage.objects.get()
    assert (queued.sender, queued.person_id) == ("", bob.pk)
    assert Recipient.objects.get().address == JANE
    assert url not in as_bob.get(read).content.decode()


@pytest.mark.parametrize("asker", [JANE, "gone@northfield.secure.example"])
def test_a_reader_may_decline_even_what_could_not_be_sent(
    as_bob: Client, bob: Person, asker: str
) -> None:
    message = store_message(
        bob.mailbox,
        sender=named_address("Jane", asker),
        extra_headers={"Disposition-Notification-To": asker},
    )

    as_bob.post(reverse("webmail:receipt", args=[message.pk]), {"do": "ignore"})

    assert not ReceiptAnswer.objects.get().is_sent
    assert not QueuedMessage.objects.exists()


@pytest.mark.parametrize("asker", [CHARLIE, f"{JANE}, {CHARLIE}", "nonsense"])
def test_a_receipt_for_anybody_but_the_author_is_not_offered(
    as_bob: Client, bob: Person, asker: str
) -> None:
    headers = {"Disposition-Notification-To": asker}
    message = store_message(bob.mailbox, extra_headers=headers)
    url = reverse("webmail:receipt", args=[message.pk])

    page = as_bob.get(reverse("webmail:read", args=[message.pk])).content.decode()

    assert url not in page
    assert as_bob.post(url, {"do": "send"}).status_code == 404


def test_a_receipt_reads_as_one(
    bob: Person, charlie: Person, signed_in: SignIn
) -> None:
    message = store_message(
        charlie.mailbox,
        sender=named_address("Bob", bob.address),
        extra_headers={"Disposition-Notification-To": bob.address},
    )
    client = signed_in(charlie, second_factor=True)

    client.post(reverse("webmail:receipt", args=[message.pk]), {"do": "send"})

    [receipt] = messages_in(bob.mailbox, FolderRole.INBOX)
    page = signed_in(bob).get(reverse("webmail:read", args=[receipt.pk]))
    assert "Displayed" in page.content.decode()
