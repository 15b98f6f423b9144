"""Labels, reminders, assignments and merged lists, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from engine.database import clock
from engine.registry.models import Grant, Mailbox, Organisation, Person
from engine.storage.models import Label, Message, MessageLabel, Reminder
from engine.storage.organising import (
    answers,
    assignments,
    labels,
    merged_lists,
    notes,
    reminders,
    shared_work,
)
from engine.storage.search.find import find
from engine.storage.search.query_parser import parse
from engine.storage.standard_folders import inbox
from tests import factories
from tests.engine.storage.conftest import compose_message, deliver
from tests.jobs import run_queued

pytestmark = pytest.mark.django_db


def test_the_newest_of_several_folders_are_one_list(
    mailbox: Mailbox, alice: Person
) -> None:
    stored = [deliver(mailbox if n % 2 else alice.mailbox) for n in range(6)]
    folders = [inbox(mailbox).pk, inbox(alice.mailbox).pk]

    first = merged_lists.newest(folders, before=None, limit=4)
    rest = merged_lists.newest(folders, before=first[-1].pk, limit=4)

    assert first + rest == stored[::-1]
    assert merged_lists.newest([], before=None, limit=4) == []


def test_a_label_is_given_twice_and_found(mailbox: Mailbox) -> None:
    first, _ = deliver(mailbox), deliver(mailbox)
    label = Label.objects.create(mailbox=mailbox, name="Urgent")

    for _ in range(2):
        labels.put_on(label, [first])

    assert MessageLabel.objects.count() == 1
    assert labels.messages_with(label, before=None, limit=5) == [first]
    assert find(parse("label:urgent"), mailbox).messages == [first]
    labels.set_on(first, [])
    assert not MessageLabel.objects.exists()
    for _ in range(2):
        labels.set_on(first, [label.pk, label.pk + 1, None])
    assert MessageLabel.objects.get().label == label


def test_a_snoozed_message_returns_once(mailbox: Mailbox, bob: Person) -> None:
    message = deliver(mailbox)
    soon = clock.now() + timedelta(hours=1)
    for _ in range(2):
        message = Message.objects.select_related("folder").get(pk=message.pk)
        reminders.snooze(mailbox, [message], until=soon, by=bob)
    assert Reminder.objects.get().folder == inbox(mailbox)
    Reminder.objects.update(due_at=clock.now() - timedelta(hours=1))

    assert (reminders.wake(), reminders.wake()) == (1, 0)

    message.refresh_from_db()
    assert message.folder == inbox(mailbox)
    assert [one.message for one in reminders.due(mailbox, person=bob)] == [message]


def test_what_arrives_gets_the_assignee_of_its_conversation(bob: Person) -> None:
    assert bob.organisation is not None
    team = factories.make_group_mailbox("t@northfield.example", bob.organisation)
    factories.make_grant(team, bob, can_read=True)
    first = deliver(team, compose_message(message_id="<1@firm.example>"))
    assignments.assign(team, [first], to=bob, by=bob)

    answer = deliver(team, compose_message(in_reply_to="<1@firm.example>"))

    assert Message.objects.get(pk=answer.pk).assigned_to == bob.pk


def test_assignments_end_with_the_right_to_read(bob: Person, alice: Person) -> None:
    team = factories.make_group_mailbox("t@northfield.example", bob.organisation)
    for person in (alice, bob):
        factories.make_grant(team, person, can_read=True)
        message = deliver(team, compose_message(message_id=f"<{person.pk}@x.example>"))
        assignments.assign(team, [message], to=person, by=person)

    Grant.objects.get(person=bob, mailbox=team).delete()
    run_queued()

    assert set(Message.objects.values_list("assigned_to", flat=True)) == {0, alice.pk}


def test_two_windows_of_one_person_are_one_answer(
    mailbox: Mailbox, alice: Person, bob: Person
) -> None:
    for person in (alice, bob, bob):
        answers.start(mailbox, "<1@firm.example>", by=person)

    found = answers.others(mailbox, "<1@firm.example>", than=alice)

    assert [one.person for one in found] == [bob]


def test_a_message_id_of_any_length_is_answered(
    mailbox: Mailbox, alice: Person, bob: Person
) -> None:
    long = f"<{'a' * 2000}@firm.example>"
    answers.start(mailbox, long, by=bob)
    assert [one.person for one in answers.others(mailbox, long, than=alice)] == [bob]

    answers.stop(mailbox, long, by=bob)

    assert not answers.others(mailbox, long, than=alice)


def test_the_work_on_a_message_is_read_at_once(
    northfield: Organisation,
    alice: Person,
    bob: Person,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    office = factories.make_group_mailbox(
        "office@northfield.secure.example", northfield
    )
    message, other = deliver(office), deliver(office)
    for person in (bob, alice):
        factories.make_grant(office, person, can_read=True)
    before = clock.now()
    for person in (bob, alice, bob):
        shared_work.open_message(message, by=person)
    answers.note_answer(message, reference="A1", by=alice)
    for text in ("First", "Second"):
        notes.add(office, message, text=text, by=alice)

    with django_assert_num_queries(1):
        work = shared_work.open_message(message, by=bob)
        assert [one.person.name for one in work.openings] == [bob.name, alice.name]
        assert [one.person for one in work.answers] == [alice]
        assert [(n.author.name, n.text) for n in work.notes] == [
            (alice.name, "First"),
            (alice.name, "Second"),
        ]
        assert work.members == sorted([alice, bob], key=lambda one: one.name)
        moments = [work.openings[1].at, work.answers[0].at, work.notes[1].at]
    minute = timedelta(minutes=1)
    assert all(before - minute < moment < before + minute for moment in moments)
    alice.is_active = False
    alice.save()
    assert shared_work.of_message(other).members == [bob]
    assert not shared_work.of_message(other).openings
