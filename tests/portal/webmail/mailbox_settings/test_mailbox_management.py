"""Pages for search, conversations, folders, rules, automatic replies, exports."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from engine.audit.models import Entry
from engine.queue.models import Recipient
from engine.registry.models import Mailbox, Person
from engine.storage import folder_actions
from engine.storage.models import (
    Export,
    FolderRole,
    GapReason,
    Message,
    OutOfOffice,
    Rule,
)
from engine.storage.search import index_table, indexer
from engine.storage.standard_folders import folder
from portal.webmail import tasks
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.webmail.conftest import PDF, compose_message, store_message

REPLY = {"subject": "Re: Hearing on Monday", "references": "<first@firm.example>"}


def first_message() -> bytes:
    return compose_message(message_id="<first@firm.example>")


def open_folder(client: Client, mailbox: Mailbox, role: FolderRole) -> str:
    place = reverse("webmail:folder", args=[folder(mailbox, role).pk])
    return client.get(place).content.decode()


def search(client: Client, mailbox: Mailbox, typed: str) -> str:
    place = reverse("webmail:search", args=[mailbox.pk])
    return client.get(place, {"q": typed}).content.decode()


def post(client: Client, url: str, /, *args: object, **data: object) -> str:
    answer = client.post(reverse(f"webmail:{url}", args=args), data, follow=True)
    return answer.content.decode()


def test_mail_is_found_by_what_is_typed(as_bob: Client, bob: Person) -> None:
    store_message(bob.mailbox, attachments=[PDF])

    page = search(as_bob, bob.mailbox, 'from:jane filename:bundle "see the"')

    assert "1 message" in page
    assert "Hearing on Monday" in page
    assert "Nothing was found" in search(as_bob, bob.mailbox, "holiday")


def test_a_search_that_is_not_understood_says_what_to_type(
    as_bob: Client, bob: Person
) -> None:
    assert "After is: type unread" in search(as_bob, bob.mailbox, "is:lost")
    assert "No folder is called" in search(as_bob, bob.mailbox, "in:lost")
    assert "How to search" in search(as_bob, bob.mailbox, "")


def test_a_search_says_what_could_not_be_searched_whole(
    as_bob: Client, bob: Person, charlie: Person
) -> None:
    message = store_message(bob.mailbox)
    assert "searched whole" not in search(as_bob, bob.mailbox, "hearing")
    index_table.note_gap(message.pk, bob.mailbox.pk, GapReason.ENCRYPTED)

    page = search(as_bob, bob.mailbox, "hearing")

    assert "1 message of this mailbox could not be searched whole" in page
    place = reverse("webmail:search_not_whole", args=[bob.mailbox.pk])
    assert place in page
    listed = as_bob.get(place).content.decode()
    assert reverse("webmail:read", args=[message.pk]) in listed
    assert "Encrypted." in listed
    theirs = reverse("webmail:search_not_whole", args=[charlie.mailbox.pk])
    assert as_bob.get(theirs).status_code == 404


def test_a_search_says_how_many_messages_wait_for_the_index(
    as_bob: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_message(bob.mailbox)
    monkeypatch.setattr(indexer, "CHUNK_OCTETS", 1)

    page = search(as_bob, bob.mailbox, "hearing")

    assert "1 message is not indexed yet" in page


def test_a_search_cannot_carry_markup(as_bob: Client, bob: Person) -> None:
    page = search(as_bob, bob.mailbox, '"><script>alert(1)</script>')

    assert "<script>alert" not in page


def test_a_conversation_stands_on_one_line(as_bob: Client, bob: Person) -> None:
    store_message(bob.mailbox, first_message(), is_read=True)
    newest = store_message(bob.mailbox, **REPLY)

    page = open_folder(as_bob, bob.mailbox, FolderRole.INBOX)

    assert page.count("app-mail-row__link") == 1
    assert reverse("webmail:read", args=[newest.pk]) in page
    assert "conversation of </span>2<" in page


def test_what_is_done_to_the_line_is_done_to_the_conversation(
    as_bob: Client, bob: Person
) -> None:
    store_message(bob.mailbox, first_message())
    newest = store_message(bob.mailbox, **REPLY)
    store_message(bob.mailbox, subject="Lunch")

    page = post(
        as_bob, "act", newest.folder_id, message=newest.pk, do="archive", gathers="1"
    )

    assert "2 messages moved to Archive" in page
    assert bob.mailbox.messages.filter(folder__role=FolderRole.ARCHIVE).count() == 2


def test_conversations_can_be_turned_off(as_bob: Client, bob: Person) -> None:
    store_message(bob.mailbox, first_message())
    store_message(bob.mailbox, **REPLY)

    post(as_bob, "settings", bob.mailbox.pk)

    page = open_folder(as_bob, bob.mailbox, FolderRole.INBOX)
    assert page.count("app-mail-row__link") == 2


def test_an_open_message_shows_what_came_before_and_names_what_came_after(
    as_bob: Client, bob: Person
) -> None:
    first = store_message(bob.mailbox, first_message())
    newest = store_message(bob.mailbox, **REPLY, role=FolderRole.SENT)
    trashed = store_message(bob.mailbox, **REPLY, role=FolderRole.TRASH)

    above = as_bob.get(reverse("webmail:read", args=[newest.pk])).content.decode()
    below = as_bob.get(reverse("webmail:read", args=[first.pk])).content.decode()

    assert "Earlier in this conversation" in above
    assert "Please see the bundle." in above
    assert "There is a newer message in this conversation" in below
    assert reverse("webmail:read", args=[trashed.pk]) not in above


def test_a_move_can_be_taken_back(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox)
    inbox = message.folder

    page = post(as_bob, "act", inbox.pk, message=message.pk, do="delete")
    assert "Undo" in page
    assert "Undo" not in open_folder(as_bob, bob.mailbox, FolderRole.INBOX)
    assert "1 message moved back to Inbox" in post(as_bob, "undo_move", inbox.pk)

    message.refresh_from_db()
    assert message.folder == inbox
    assert message.expires_at is None
    assert "no longer where they were put" in post(as_bob, "undo_move", inbox.pk)


def test_everything_in_a_folder_is_done_at_once_after_a_question(
    as_bob: Client, bob: Person
) -> None:
    inbox = store_message(bob.mailbox).folder
    store_message(bob.mailbox)

    asked = as_bob.get(
        reverse("webmail:folder_bulk_actions", args=[inbox.pk])
    ).content.decode()
    moved = post(as_bob, "folder_bulk_actions", inbox.pk, do="delete")

    assert "2 messages" in asked
    assert "2 messages moved to Deleted" in moved
    trash = folder(bob.mailbox, FolderRole.TRASH)
    assert "2 messages deleted for good" in post(
        as_bob, "folder_bulk_actions", trash.pk, do="empty"
    )
    assert not Message.objects.exists()
    assert "Only Deleted and Junk" in post(
        as_bob, "folder_bulk_actions", inbox.pk, do="empty"
    )


def test_folders_are_made_renamed_and_deleted(as_bob: Client, bob: Person) -> None:
    assert "Folder Cases created" in post(
        as_bob, "folder_new", bob.mailbox.pk, name="Cases"
    )
    made = bob.mailbox.folders.get(name="Cases")
    again = post(as_bob, "folder_new", bob.mailbox.pk, name="cases")
    assert "A folder called cases already exists" in again
    assert "renamed to Closed" in post(as_bob, "folder_rename", made.pk, name="Closed")
    assert "Folder Closed deleted" in post(as_bob, "folder_delete", made.pk)


def test_rules_are_laid_down_ordered_applied_and_forgotten(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox)
    archive = folder(bob.mailbox, FolderRole.ARCHIVE)
    box = bob.mailbox.pk

    empty = post(as_bob, "rule_new", box, name="Firm")
    assert "Choose which messages the rule applies to" in empty
    post(as_bob, "rule_new", box, name="Firm", from_contains="jane", folder=archive.pk)
    post(as_bob, "rule_new", box, name="Big", larger_than="500", flags="on")
    firm, big = Rule.objects.all()
    assert big.larger_than == 500 * 1024
    post(as_bob, "rule_do", box, big.pk, do="up")
    assert list(Rule.objects.all()) == [big, firm]
    opened = as_bob.get(reverse("webmail:rule", args=[box, firm.pk])).content.decode()
    assert 'value="jane"' in opened
    assert "1 message changed" in post(as_bob, "rule_do", box, firm.pk, do="run")
    message.refresh_from_db()
    assert message.folder == archive
    assert "Rule Firm deleted" in post(as_bob, "rule_do", box, firm.pk, do="delete")


def test_a_rule_for_many_messages_is_applied_by_a_job(
    as_bob: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.webmail.mailbox_settings.rules.IMMEDIATE_LIMIT", 0)
    message = store_message(bob.mailbox)
    rule = Rule.objects.create(
        mailbox=bob.mailbox, position=1, name="Firm", from_contains="jane", flags=True
    )

    said = post(as_bob, "rule_do", bob.mailbox.pk, rule.pk, do="run")
    tasks.run_rule(rule.pk, message.folder_id)

    message.refresh_from_db()
    assert "is being applied" in said
    assert message.is_flagged


def test_being_away_is_said_and_taken_back(as_bob: Client, bob: Person) -> None:
    box = bob.mailbox.pk

    wrong = post(
        as_bob,
        "out_of_office",
        box,
        first_day="2/1/2027",
        last_day="1/1/2027",
        text="Away",
    )
    assert "must not be before the first" in wrong
    assert "Enter a date such as" in post(
        as_bob, "out_of_office", box, first_day="soon"
    )
    post(as_bob, "out_of_office", box, first_day="1/1/2026", text="Back soon.")
    assert OutOfOffice.objects.on_at(bob.mailbox.created_at).filter(is_on=True)
    post(as_bob, "out_of_office", box, do="off")
    assert not OutOfOffice.objects.filter(is_on=True).exists()


def test_a_copy_is_made_by_a_job_told_of_and_fetched(
    as_bob: Client, bob: Person, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "engine.email_backend.QueueEmailBackend"
    store_message(bob.mailbox)

    page = post(as_bob, "exports", bob.mailbox.pk)
    made = Export.objects.get()
    tasks.write_export(made.pk)
    tasks.write_export(made.pk)

    place = reverse("webmail:export", args=[bob.mailbox.pk, made.token])
    answer = as_bob.get(place)
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert "manifest.json" in archive.namelist()
    assert "We are making your copy" in page
    assert Recipient.objects.filter(address=bob.address).count() == 1


def test_a_copy_asks_for_the_password_again(signed_in: SignIn, bob: Person) -> None:
    client = signed_in(bob)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": 0.0}]
    session.save()

    answer = client.get(reverse("webmail:exports", args=[bob.mailbox.pk]))

    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]


def test_nobody_else_manages_a_mailbox(
    signed_in: SignIn, bob: Person, alice: Person, charlie: Person, team: Mailbox
) -> None:
    cases = folder_actions.create(bob.mailbox, name="Cases")
    rule = Rule.objects.create(mailbox=bob.mailbox, position=1, name="Firm")
    box = bob.mailbox.pk
    urls = [
        *(("settings", box), ("out_of_office", box), ("rules", box), ("rule_new", box)),
        *(("exports", box), ("folder_new", box), ("search", box)),
        *(
            ("folder_bulk_actions", cases.pk),
            ("folder_rename", cases.pk),
            ("folder_delete", cases.pk),
        ),
    ]
    for person in (alice, charlie):
        client = signed_in(person, second_factor=True)
        for name, key in urls:
            place = reverse(f"webmail:{name}", args=[key])
            assert client.get(place).status_code == 404, name
        other = reverse("webmail:rule", args=[person.mailbox.pk, rule.pk])
        assert client.get(other).status_code == 404
        undo = reverse("webmail:undo_move", args=[cases.pk])
        assert client.post(undo).status_code == 404

    factories.make_grant(team, alice, can_read=True)
    client = signed_in(alice, second_factor=True)
    for name in ("settings", "out_of_office", "rules", "exports", "folder_new"):
        place = reverse(f"webmail:{name}", args=[team.pk])
        assert client.get(place).status_code == 403, name


ENDLESS = "9" * 5000


def test_numbers_without_end_are_places_that_are_not_there(
    as_bob: Client, bob: Person
) -> None:
    inbox = folder(bob.mailbox, FolderRole.INBOX)
    message = store_message(bob.mailbox)
    moved = as_bob.post(
        reverse("webmail:act", args=[inbox.pk]),
        {"do": "move", "target": ENDLESS, "message": message.pk},
    )
    copied = as_bob.post(
        reverse("webmail:exports", args=[bob.mailbox.pk]), {"folder": ENDLESS}
    )

    assert (moved.status_code, copied.status_code) == (404, 404)


def test_nobody_is_away_until_the_end_of_the_calendar(
    as_bob: Client, bob: Person
) -> None:
    page = post(
        as_bob,
        "out_of_office",
        bob.mailbox.pk,
        first_day="23/11/2026",
        last_day="31/12/9999",
        text="Away",
    )

    assert "Enter a date such as 23/11/2026" in page
    assert not OutOfOffice.objects.exists()


def test_nothing_leaves_in_a_teams_name_without_the_right_to_send(
    as_bob: Client, bob: Person, team: Mailbox
) -> None:
    factories.make_grant(team, bob, can_read=True, can_write=True)
    rule = {"name": "On", "subject_contains": "a", "forward_to": bob.address}

    page = post(as_bob, "rule_new", team.pk, **rule)
    away = as_bob.post(
        reverse("webmail:out_of_office", args=[team.pk]),
        {"first_day": "23/11/2026", "text": "Write to me instead"},
    )

    assert "You may not send from this mailbox" in page
    assert away.status_code == 403
    assert not Rule.objects.exists()
    assert not OutOfOffice.objects.exists()


def test_where_mail_is_forwarded_to_is_on_record(
    as_bob: Client, bob: Person, charlie: Person
) -> None:
    rule = {"name": "On", "subject_contains": "a", "forward_to": charlie.address}

    post(as_bob, "rule_new", bob.mailbox.pk, **rule)
    post(as_bob, "rule_do", bob.mailbox.pk, Rule.objects.get().pk, do="delete")

    entries = Entry.objects.filter(event="mailbox.forwarding_changed").order_by("pk")
    assert [entry.detail["forward_to"] for entry in entries] == [
        ["", charlie.address],
        [charlie.address, ""],
    ]
