"""What the members of a group mailbox did about a message, in one statement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, Value

from engine.database import clock, statements
from engine.registry.models import Person
from engine.storage.models import (
    InternalNote,
    Message,
    MessageAnswer,
    MessageOpening,
)
from engine.storage.organising.answers import SHOWN
from engine.storage.organising.assignments import MEMBERS_LIMIT
from engine.storage.organising.notes import NOTES_LIMIT

# Each row: what it is, its place among those, its id, the person, their name, time and text.
_WORK = """
    SELECT * FROM (
        SELECT 'opening' AS kind, ROW_NUMBER() OVER (ORDER BY opening.at, opening.id)
            AS place, opening.id AS id, person.id AS person, person.name AS name,
            opening.at AS at, '' AS text
        FROM storage_messageopening opening
        JOIN registry_person person ON person.id = opening.person_id
        WHERE opening.message_id = %s
        ORDER BY opening.at, opening.id LIMIT %s
    ) AS openings
    UNION ALL SELECT * FROM (
        SELECT 'answer', ROW_NUMBER() OVER (ORDER BY answer.at, answer.id) AS place,
            answer.id, person.id, person.name, answer.at, answer.reference
        FROM storage_messageanswer answer
        JOIN registry_person person ON person.id = answer.person_id
        WHERE answer.message_id = %s
        ORDER BY answer.at, answer.id LIMIT %s
    ) AS answers
    UNION ALL SELECT * FROM (
        SELECT 'note', note.id AS place, note.id, person.id, person.name, note.at,
            note.text
        FROM storage_internalnote note
        JOIN registry_person person ON person.id = note.author_id
        WHERE note.mailbox_id = %s AND note.thread = %s
        ORDER BY note.id LIMIT %s
    ) AS notes
    UNION ALL SELECT * FROM (
        SELECT 'member', ROW_NUMBER() OVER (ORDER BY person.name, person.id) AS place,
            person.id, person.id, person.name, person.created_at, ''
        FROM registry_person person
        JOIN registry_grant held ON held.person_id = person.id
        WHERE held.mailbox_id = %s AND held.can_read AND person.is_active
        ORDER BY person.name, person.id LIMIT %s
    ) AS members
    ORDER BY kind, place
"""
_MOMENT = Value(None, output_field=DateTimeField())


@dataclass(frozen=True, slots=True)
class SharedWork:
    """Who opened and answered a message, the notes on its conversation, and the members.

    The first three earliest first, the members by name.
    """

    openings: list[MessageOpening] = field(default_factory=list)
    answers: list[MessageAnswer] = field(default_factory=list)
    notes: list[InternalNote] = field(default_factory=list)
    members: list[Person] = field(default_factory=list)


def open_message(message: Message, *, by: Person) -> SharedWork:
    """Records that a member opens a message, the first time, and returns the work on it.

    Writes nothing later: most pages are of messages that the member has seen before.
    """
    found = of_message(message)
    if all(opening.person_id != by.pk for opening in found.openings):
        _note_opening(message, by=by)
        found = of_message(message)
    return found


def of_message(message: Message) -> SharedWork:
    """Returns the work on a message of a group mailbox."""
    mailbox, thread = message.mailbox_id, message.thread
    values = [message.pk, SHOWN, message.pk, SHOWN]
    values += [mailbox, thread, NOTES_LIMIT, mailbox, MEMBERS_LIMIT]
    work = SharedWork()
    moment = _moments()
    for kind, _, key, person_id, name, at, text in statements.fetch(_WORK, values):
        person = Person.from_db(connection.alias, ["id", "name"], [person_id, name])
        if kind == "opening":
            work.openings.append(
                MessageOpening(pk=key, message=message, person=person, at=moment(at))
            )
        elif kind == "answer":
            answer = MessageAnswer(pk=key, message=message, reference=text)
            answer.person, answer.at = person, moment(at)
            work.answers.append(answer)
        elif kind == "note":
            note = InternalNote(pk=key, thread=thread, author=person, text=text)
            note.mailbox_id, note.at = mailbox, moment(at)
            work.notes.append(note)
        else:
            work.members.append(person)
    return work


def _moments() -> Callable[[Any], datetime]:
    """Returns what makes a time of the database's column. SQLite keeps text."""
    converters = connection.ops.get_db_converters(_MOMENT)

    def moment(value: Any) -> datetime:
        for convert in converters:
            value = convert(value, _MOMENT, connection)
        found: datetime = value
        return found

    return moment


def _note_opening(message: Message, *, by: Person) -> None:
    MessageOpening.objects.bulk_create(
        [MessageOpening(message=message, person=by, at=clock.now())],
        ignore_conflicts=True,
    )
