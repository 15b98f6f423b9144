"""Group mailboxes: assignments, notes, who opened and answered, and colliding answers."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from engine.audit.models import Entry
from engine.registry.actions import mailboxes, people
from engine.registry.models import Mailbox, Person
from engine.storage import withdrawals
from engine.storage.exports import mailbox_export
from engine.storage.models import (
    AnswerInProgress,
    InternalNote,
    Message,
    MessageAnswer,
    MessageOpening,
    WithdrawalKind,
)
from engine.storage.organising import answers, assignments, notes, shared_work
from engine.storage.withdrawals import Cause
from portal.webmail.models import WritingPreferences
from tests.engine.storage.conftest import deliver
from tests.jobs import run_queued
from tests.portal.webmail.conftest import compose_message, store_message
from tests.portal.webmail.organising.pages import listed, read

ALICE = "alice@northfield.secure.example"


def assign(client: Client, message: Message, who: object) -> int:
    url = reverse("webmail:assign", args=[message.pk])
    return client.post(url, {"assignee": who}).status_code


def answer(client: Client, message: Message) -> tuple[str, dict[str, str]]:
    """Opens an answer; returns the address of its form and the fields."""
    opened = client.get(reverse("webmail:reply", args=[message.pk]))
    form = BeautifulSoup(opened.content, "html.parser").select_one("#write")
    fields = {
        one["name"]: one.get("value", "")
        for one in form.select("input[name]:not([type=file])")
    }
    return form["action"], fields | {"text": "Thank you.", "to": ALICE}


def send(client: Client, message: Message) -> None:
    url, fields = answer(client, message)
    client.post(url, fields | {"do": "send"})


def test_a_message_is_assigned_and_listed_by_its_assignee(
    alices: Client, bobs: Client, office: Mailbox, alice: Person
) -> None:
    mine = store_message(office, subject="Listing of Osei")
    free = store_message(office, subject="Listing of Vale")

    assert assign(bobs, mine, alice.pk) == 302

    assert "Assigned to Alice" in " ".join(read(bobs, mine).split())
    assert "Assigned to Alice" in listed(bobs, mine)
    assert "Osei" in listed(alices, mine, "?show=mine")
    assert "Vale" not in listed(alices, mine, "?show=mine")
    assert "Osei" not in listed(bobs, mine, "?show=mine")
    assert "Vale" in listed(bobs, free, "?show=nobodys")
    assert "Osei" not in listed(bobs, free, "?show=nobodys")
    entry = Entry.objects.get(event="mailbox.message_assigned")
    assert entry.detail == {"messages": [mine.pk], "to": alice.address}


def test_several_messages_are_assigned_from_the_list(
    bobs: Client, office: Mailbox, bob: Person
) -> None:
    chosen = [store_message(office, subject=f"Number {n}") for n in range(3)]
    place = reverse("webmail:folder", args=[chosen[0].folder_id]) + "?show=nobodys"

    answered = bobs.post(
        reverse("webmail:organise", args=[office.pk]),
        {
            "organise": "assign",
            "assignee": "me",
            "message": [chosen[0].pk, chosen[1].pk],
            "back": place,
        },
    )

    assert answered["Location"] == place
    assert Message.objects.filter(assigned_to=bob.pk).count() == 2


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/mail/", ""])
def test_an_action_never_leads_out_of_webmail(
    bobs: Client, office: Mailbox, back: str
) -> None:
    message = store_message(office)

    answered = bobs.post(
        reverse("webmail:organise", args=[office.pk]),
        {"organise": "assign", "assignee": "me", "message": message.pk, "back": back},
    )

    assert answered["Location"] == reverse("webmail:mailbox", args=[office.pk])


def test_a_reply_that_arrives_has_the_assignee_of_its_conversation(
    bobs: Client, office: Mailbox, bob: Person
) -> None:
    first = store_message(office, message_id="<1@firm.example>")
    assign(bobs, first, "me")

    deliver(office, compose_message(in_reply_to="<1@firm.example>", subject="Re: it"))
    deliver(office, compose_message(subject="Something else"))

    assigned = dict(Message.objects.values_list("subject", "assigned_to"))
    assert assigned["Re: it"] == bob.pk
    assert assigned["Something else"] == 0


def test_messages_are_assigned_to_members_alone(
    bobs: Client, office: Mailbox, charlie: Person, bob: Person
) -> None:
    message = store_message(office)
    own = store_message(bob.mailbox)

    assert assign(bobs, message, charlie.pk) == 404
    assert assign(bobs, message, "everybody") == 404
    assert assign(bobs, own, "me") == 404
    assert not Message.objects.filter(assigned_to__gt=0).exists()


def test_nobody_else_assigns_or_writes_notes(
    charlies: Client, ritas: Client, office: Mailbox, reader: Person
) -> None:
    message = store_message(office)
    writes = [
        reverse("webmail:assign", args=[message.pk]),
        reverse("webmail:add_note", args=[message.pk]),
        reverse("webmail:organise", args=[office.pk]),
    ]
    data = {
        "assignee": "me",
        "note": "Mine",
        "organise": "assign",
        "message": message.pk,
    }

    assert [charlies.post(url, data).status_code for url in writes] == [404] * 3
    assert [ritas.post(url, data).status_code for url in writes] == [403] * 3
    assert not Message.objects.filter(assigned_to__gt=0).exists()
    assert not InternalNote.objects.exists()


def test_members_see_who_opened_a_message(
    alices: Client, ritas: Client, office: Mailbox, reader: Person
) -> None:
    message = store_message(office)
    read(ritas, message)
    read(ritas, message)

    assert f"Opened by {reader.name}" in read(alices, message)
    assert MessageOpening.objects.count() == 2


def test_a_message_that_was_seen_before_is_shown_without_a_write(
    ritas: Client, office: Mailbox
) -> None:
    message = store_message(office)
    read(ritas, message)

    with CaptureQueriesContext(connection) as ran:
        read(ritas, message)

    assert not [one for one in ran if 'storage_messageopening" (' in one["sql"]]
    assert len(ran) <= 13


def test_a_note_is_seen_by_members_and_leaves_in_no_mail(
    alices: Client, bobs: Client, charlies: Client, ritas: Client, office: Mailbox
) -> None:
    message = store_message(office)
    bobs.post(
        reverse("webmail:add_note", args=[message.pk]), {"note": "Ask <b>Vera</b>"}
    )

    assert "Ask <b>Vera</b>" in read(alices, message)
    assert "Ask <b>Vera</b>" in read(ritas, message)
    assert charlies.get(reverse("webmail:read", args=[message.pk])).status_code == 404
    for name in ("original", "print", "reply", "source"):
        shown = alices.get(reverse(f"webmail:{name}", args=[message.pk])).content
        assert b"Vera" not in shown
    assert [one.event for one in Entry.objects.filter(event__startswith="mailbox.note")]
    assert "Vera" not in json.dumps(
        list(Entry.objects.values_list("detail", flat=True))
    )


def test_a_note_is_deleted_by_its_author_alone(
    alices: Client, bobs: Client, office: Mailbox
) -> None:
    message = store_message(office)
    bobs.post(reverse("webmail:add_note", args=[message.pk]), {"note": "Mine"})
    url = reverse(
        "webmail:delete_note", args=[message.pk, InternalNote.objects.get().pk]
    )

    assert alices.post(url).status_code == 404
    assert bobs.post(url).status_code == 302
    assert not InternalNote.objects.exists()


@pytest.mark.parametrize("text", ["  ", "x" * 2001])
def test_a_note_is_neither_empty_nor_endless(
    bobs: Client, office: Mailbox, text: str
) -> None:
    message = store_message(office)

    url = reverse("webmail:add_note", args=[message.pk])
    page = bobs.post(url, {"note": text}, follow=True).content.decode()

    assert "Write the note first" in page or "at most 2000 characters" in page
    assert not InternalNote.objects.exists()


def test_a_withdrawn_message_that_is_put_back_has_its_notes(
    office: Mailbox, bob: Person
) -> None:
    message = store_message(office)
    notes.add(office, message, text="Keep", by=bob)
    assignments.assign(office, [message], to=bob, by=bob)

    withdrawals.take_out([message.pk], Cause(WithdrawalKind.OPERATOR, by=None))
    [back] = withdrawals.put_back([message.pk], by=None)

    assert [note.text for note in shared_work.of_message(back).notes] == ["Keep"]
    assert back.assigned_to == bob.pk


def test_what_is_kept_beside_a_message_goes_with_it(
    bobs: Client, office: Mailbox, bob: Person
) -> None:
    message = store_message(office)
    read(bobs, message)
    notes.add(office, message, text="Gone", by=bob)
    answers.note_answer(message, reference="R", by=bob)
    for _ in range(2):
        bobs.post(
            reverse("webmail:act", args=[Message.objects.get().folder_id]),
            {"do": "erase" if _ else "delete", "message": message.pk},
        )

    assert not Message.objects.exists()
    for model in (InternalNote, MessageOpening, MessageAnswer):
        assert not model.objects.exists()


def test_an_export_says_that_it_has_no_notes(office: Mailbox, bob: Person) -> None:
    notes.add(office, store_message(office), text="Secret remark", by=bob)
    export = mailbox_export.start(office, folder=None, by=bob)

    mailbox_export.write(export)

    export.refresh_from_db()
    with (
        mailbox_export.open_copy(export) as file,
        zipfile.ZipFile(file) as copy,
    ):
        manifest = json.loads(copy.read("manifest.json"))
        held = b"".join(copy.read(name) for name in copy.namelist())
    assert manifest["not_included"] == {"internal_notes": 1}
    assert b"Secret remark" not in held


def test_who_answers_is_told_of_another_who_does(
    alices: Client, bobs: Client, office: Mailbox
) -> None:
    message = store_message(office)
    url, fields = answer(bobs, message)
    assert "writing an answer since" not in bobs.get(url).content.decode()

    opened = alices.get(reverse("webmail:reply", args=[message.pk])).content.decode()
    saved = bobs.post(f"{url}save/", fields).json()
    sent = bobs.post(url, fields | {"do": "send", "version": saved["version"]})

    assert "Bob has been writing an answer since" in opened
    assert "Alice has been writing an answer since" in saved["others"][0]
    assert "Alice has been writing an answer since" in sent.content.decode()
    assert "Send anyway" in sent.content.decode()


def test_who_answers_is_told_that_another_has_answered(
    alices: Client, bobs: Client, office: Mailbox
) -> None:
    message = store_message(office)
    send(bobs, message)

    opened = alices.get(reverse("webmail:reply", args=[message.pk])).content.decode()

    assert "Bob answered this message" in opened
    assert "been writing" not in opened
    assert "Answered by Bob" in read(alices, message)


def test_an_answer_that_was_undone_was_not_given(
    bobs: Client, office: Mailbox, bob: Person
) -> None:
    WritingPreferences.objects.create(person=bob, undo_seconds=30)
    message = store_message(office)
    send(bobs, message)
    assert MessageAnswer.objects.count() == 1

    banner = BeautifulSoup(
        bobs.get(reverse("webmail:mailbox", args=[office.pk]), follow=True).content,
        "html.parser",
    ).select_one(".app-undo-send form")
    bobs.post(banner["action"])

    message.refresh_from_db()
    assert not MessageAnswer.objects.exists()
    assert not message.is_answered


def test_who_deletes_the_draft_or_leaves_it_alone_writes_no_longer(
    alices: Client, bobs: Client, office: Mailbox
) -> None:
    message = store_message(office)
    url, fields = answer(bobs, message)
    answer(alices, message)
    bobs.post(url, fields | {"do": "save"})
    bobs.post(url, fields | {"do": "discard"})
    assert AnswerInProgress.objects.count() == 1
    AnswerInProgress.objects.update(active_at=timezone.now() - timedelta(hours=1))

    opened = bobs.get(reverse("webmail:reply", args=[message.pk])).content.decode()

    assert "been writing" not in opened


def test_ones_own_mailbox_has_no_group_work(bobs: Client, bob: Person) -> None:
    message = store_message(bob.mailbox)
    answer(bobs, message)

    page = read(bobs, message)

    assert "In this group mailbox" not in page
    assert "Nobody’s" not in listed(bobs, message)
    assert not AnswerInProgress.objects.exists()
    assert not MessageOpening.objects.exists()


def test_a_new_message_is_no_answer(bobs: Client, office: Mailbox) -> None:
    bobs.get(reverse("webmail:draft", args=[office.pk, uuid4()]))

    assert not AnswerInProgress.objects.exists()


def test_the_list_of_a_group_mailbox_asks_once_for_its_members(
    bobs: Client, office: Mailbox, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = store_message(office)
    url = reverse("webmail:folder", args=[first.folder_id])
    bobs.get(url)
    for _ in range(3):
        assign(bobs, store_message(office), "me")
    bobs.get(url)

    with django_assert_num_queries(7):
        bobs.get(url)


def test_the_page_of_a_message_asks_once_for_what_members_did(
    bobs: Client, office: Mailbox, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    message = store_message(office)
    assign(bobs, message, "me")
    url = reverse("webmail:read", args=[message.pk])
    for _ in range(2):
        bobs.get(url)

    with django_assert_num_queries(9):
        bobs.get(url)


def test_a_search_of_a_group_mailbox_costs_the_same_however_much_it_finds(
    bobs: Client, office: Mailbox, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    url = reverse("webmail:search", args=[office.pk]) + "?q=hearing"
    for _ in range(2):
        assign(bobs, store_message(office), "me")
        bobs.get(url)
        with django_assert_num_queries(9):
            bobs.get(url)


def test_the_audit_trail_is_locked_before_anything_else(
    office: Mailbox, bob: Person
) -> None:
    message = store_message(office)
    note = notes.add(office, message, text="First", by=bob)

    for act in (
        lambda: notes.add(office, message, text="Second", by=bob),
        lambda: notes.remove(office, note.pk, by=bob),
        lambda: assignments.assign(office, [message], to=None, by=bob),
    ):
        with CaptureQueriesContext(connection) as ran:
            act()
        said = [one["sql"] for one in ran if "SAVEPOINT" not in one["sql"]]
        assert "audit_chainend" in said[0]


def _loses_grant(office: Mailbox, bob: Person) -> None:
    mailboxes.revoke(office, bob, by=None)


def _may_send_alone(office: Mailbox, bob: Person) -> None:
    mailboxes.grant(
        office, bob, can_read=False, can_write=False, can_send=True, by=None
    )


def _is_suspended(office: Mailbox, bob: Person) -> None:
    people.suspend(bob, reason="left", by=None)


@pytest.mark.parametrize("end", [_loses_grant, _may_send_alone, _is_suspended])
def test_an_assignment_ends_with_the_right_to_read(
    end: Callable[[Mailbox, Person], None], office: Mailbox, bob: Person, alice: Person
) -> None:
    theirs = store_message(office, subject="Bob's")
    other = store_message(office, subject="Alice's")
    assignments.assign(office, [theirs], to=bob, by=bob)
    assignments.assign(office, [other], to=alice, by=bob)
    bob.save()  # anything else about a person changes nothing
    theirs.refresh_from_db()
    assert theirs.assigned_to == bob.pk

    end(office, bob)
    run_queued()

    theirs.refresh_from_db()
    other.refresh_from_db()
    assert (theirs.assigned_to, other.assigned_to) == (0, alice.pk)


def test_a_suspension_does_not_wait_for_the_end_of_assignments(
    office: Mailbox, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        message = store_message(office, message_id=f"<{number}@firm.example>")
        assignments.assign(office, [message], to=bob, by=bob)
    monkeypatch.setattr(assignments, "MESSAGES_LIMIT", 2)
    theirs = Message.objects.filter(assigned_to=bob.pk)

    people.suspend(bob, reason="left", by=None)

    assert theirs.count() == 5
    with CaptureQueriesContext(connection) as ran:
        run_queued()
    changes = [one for one in ran if 'UPDATE "storage_message"' in one["sql"]]
    assert len(changes) == 3
    assert not theirs.exists()


def test_an_assignment_stays_where_the_right_is_given_back(
    office: Mailbox, bob: Person
) -> None:
    message = store_message(office)
    assignments.assign(office, [message], to=bob, by=bob)
    mailboxes.revoke(office, bob, by=None)
    mailboxes.grant(office, bob, can_read=True, can_write=True, can_send=True, by=None)

    run_queued()

    message.refresh_from_db()
    assert message.assigned_to == bob.pk
