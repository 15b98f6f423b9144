"""Warns a person who answers from a group mailbox that another member does so too."""

from __future__ import annotations

from engine.registry.models import Person
from engine.storage.organising import answers
from portal.ui import date_formats
from portal.webmail.access import MailboxAccess


def begin(access: MailboxAccess, in_reply_to: str, *, by: Person) -> list[str]:
    """Records that a person is writing an answer; returns what others do meanwhile.

    One sentence for each of them. Nothing for answers from other mailboxes.
    """
    if not access.is_group or not in_reply_to or not access.can_read:
        return []
    answers.start(access.mailbox, in_reply_to, by=by)
    writing = answers.others(access.mailbox, in_reply_to, than=by)
    answered = answers.answers_to(access.mailbox, in_reply_to, than=by)
    return [
        *(
            f"{one.person.name} has been writing an answer since "
            f"{date_formats.format_datetime(one.since, 'short')}."
            for one in writing
        ),
        *(
            f"{one.person.name} answered this message, "
            f"{date_formats.format_datetime(one.at, 'short')}."
            for one in answered
        ),
    ]


def end(access: MailboxAccess, in_reply_to: str, *, by: Person) -> None:
    """Records that a person has sent the answer, or deleted its draft."""
    if access.is_group and in_reply_to:
        answers.stop(access.mailbox, in_reply_to, by=by)
