"""The list of all inboxes, and trying out a rule."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from engine.registry.models import Mailbox, Person
from engine.storage.models import FolderRole, Message, Rule
from tests.portal.webmail.conftest import PDF, store_message
from tests.portal.webmail.organising.pages import subjects, text_of

ALL = "/mail/all/"


def test_all_inboxes_are_one_list_that_names_the_mailbox_of_each_row(
    bobs: Client, bob: Person, office: Mailbox, alice: Person
) -> None:
    store_message(bob.mailbox, subject="Mine, older")
    store_message(office, subject="Ours")
    store_message(bob.mailbox, subject="Mine")
    store_message(alice.mailbox, subject="Hers")
    store_message(office, subject="Put away", role=FolderRole.ARCHIVE)

    assert subjects(bobs, ALL) == ["Mine", "Ours", "Mine, older"]
    assert "In Listing office" in text_of(bobs, ALL)


def test_the_list_of_all_inboxes_has_pages(
    bobs: Client, bob: Person, office: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.webmail.organising.all_inboxes.PAGE_SIZE", 2)
    ids = [
        store_message(office if n % 2 else bob.mailbox, subject=f"Number {n}").pk
        for n in range(5)
    ]

    assert subjects(bobs, ALL) == ["Number 4", "Number 3"]
    assert subjects(bobs, f"{ALL}?past={ids[3]}") == ["Number 2", "Number 1"]
    assert subjects(bobs, f"{ALL}?past={ids[1]}") == ["Number 0"]


def test_each_message_is_moved_within_its_own_mailbox(
    bobs: Client, bob: Person, office: Mailbox, alice: Person
) -> None:
    mine, ours = store_message(bob.mailbox), store_message(office)
    hers = store_message(alice.mailbox)

    bobs.post(f"{ALL}act/", {"do": "archive", "message": [mine.pk, ours.pk, hers.pk]})

    for message, mailbox in ((mine, bob.mailbox), (ours, office)):
        message.refresh_from_db()
        assert message.folder.role == FolderRole.ARCHIVE
        assert message.folder.mailbox == mailbox
    hers.refresh_from_db()
    assert hers.folder.role == FolderRole.INBOX


def test_nothing_is_changed_where_one_mailbox_may_only_be_read(
    ritas: Client, team: Mailbox, reader: Person
) -> None:
    message = store_message(team)

    page = ritas.post(
        f"{ALL}act/", {"do": "delete", "message": message.pk}, follow=True
    )

    assert "Nothing was changed" in page.content.decode()
    message.refresh_from_db()
    assert message.folder.role == FolderRole.INBOX
    assert not message.is_read


def test_all_inboxes_cost_the_same_however_many_messages(
    bobs: Client, bob: Person, office: Mailbox
) -> None:
    store_message(bob.mailbox), store_message(office)
    bobs.get(ALL)
    with CaptureQueriesContext(connection) as few:
        bobs.get(ALL)
    for _ in range(5):
        store_message(bob.mailbox), store_message(office)

    with CaptureQueriesContext(connection) as many:
        bobs.get(ALL)

    assert len(many) == len(few)


@pytest.mark.parametrize("is_saved", [False, True])
def test_a_rule_is_tried_out_without_changing_anything(
    bobs: Client, bob: Person, is_saved: bool
) -> None:
    store_message(bob.mailbox, subject="Listing of Osei")
    store_message(bob.mailbox, subject="Something else", attachments=[PDF])
    rule = {"name": "Listings", "subject_contains": "listing", "marks_read": "on"}
    url = reverse("webmail:rule_new", args=[bob.mailbox.pk])
    if is_saved:
        kept = Rule.objects.create(
            mailbox=bob.mailbox,
            position=1,
            name="Old",
            has_attachments=True,
            flags=True,
        )
        url = reverse("webmail:rule", args=[bob.mailbox.pk, kept.pk])

    page = bobs.post(url, rule | {"do": "try"}).content.decode()

    assert "The rule would apply to 1 of them" in page
    assert "Listing of Osei" in page and "Something else" not in page
    assert "mark it as read" in page
    assert not Message.objects.filter(is_read=True).exists()
    assert [one.name for one in Rule.objects.all()] == ["Old"] * is_saved


def test_a_rule_that_says_nothing_cannot_be_tried(bobs: Client, bob: Person) -> None:
    url = reverse("webmail:rule_new", args=[bob.mailbox.pk])

    page = bobs.post(url, {"name": "Empty", "do": "try"}).content.decode()

    assert "Choose which messages the rule applies to" in page
