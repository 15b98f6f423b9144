"""Who has answered messages of a group mailbox, and who is writing an answer.

A person who writes is shown to the others until they send or delete the draft, or have not
saved it for ABANDONED_AFTER.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction

from engine.database import clock
from engine.registry.models import Mailbox, Person
from engine.storage import mailbox_changes
from engine.storage.models import (
    AnswerInProgress,
    Message,
    MessageAnswer,
)

ABANDONED_AFTER = timedelta(minutes=30)
KEPT = timedelta(days=1)
# Characters of a Message-ID that are kept and compared, as of those of stored messages.
COMPARED = 300
# People shown for a message.
SHOWN = 50


def note_answer(message: Message, *, reference: str, by: Person) -> None:
    """Records that a member has answered a message with the message of this reference."""
    MessageAnswer.objects.bulk_create(
        [
            MessageAnswer(
                message=message, person=by, reference=reference, at=clock.now()
            )
        ],
        ignore_conflicts=True,
    )
    mailbox_changes.note([message.mailbox_id])


def take_back(reference: str) -> None:
    """Forgets an answer whose sending was undone, in the caller's transaction."""
    answered = MessageAnswer.objects.filter(reference=reference)
    ids = list(answered.values_list("message_id", flat=True))
    answered.delete()
    left = MessageAnswer.objects.filter(message__in=ids)
    gone = set(ids) - set(left.values_list("message_id", flat=True))
    Message.objects.filter(pk__in=gone).update(is_answered=False)


def start(mailbox: Mailbox, in_reply_to: str, *, by: Person) -> None:
    """Records that a person writes an answer, or still does."""
    now = clock.now()
    answered = _compared(in_reply_to)
    own = AnswerInProgress.objects.filter(
        mailbox=mailbox, in_reply_to=answered, person=by
    )
    if own.filter(active_at__gt=now - ABANDONED_AFTER).update(active_at=now):
        return
    own.delete()
    try:
        with transaction.atomic():
            AnswerInProgress.objects.create(
                mailbox=mailbox,
                in_reply_to=answered,
                person=by,
                since=now,
                active_at=now,
            )
    except IntegrityError:
        # Another window of the same person was a moment faster.
        own.update(active_at=now)


def stop(mailbox: Mailbox, in_reply_to: str, *, by: Person) -> None:
    """Records that a person writes no answer any more."""
    AnswerInProgress.objects.filter(
        mailbox=mailbox, in_reply_to=_compared(in_reply_to), person=by
    ).delete()


def others(
    mailbox: Mailbox, in_reply_to: str, *, than: Person
) -> list[AnswerInProgress]:
    """Returns the other people who are writing an answer to the same message."""
    rows = AnswerInProgress.objects.filter(
        mailbox=mailbox,
        in_reply_to=_compared(in_reply_to),
        active_at__gt=clock.now() - ABANDONED_AFTER,
    )
    return list(rows.exclude(person=than).select_related("person")[:SHOWN])


def answers_to(
    mailbox: Mailbox, in_reply_to: str, *, than: Person
) -> list[MessageAnswer]:
    """Returns the answers of other people to the message with this Message-ID."""
    answered = Message.objects.filter(
        mailbox=mailbox, message_id=_compared(in_reply_to)
    )
    ids = list(answered.values_list("pk", flat=True)[:SHOWN])
    rows = MessageAnswer.objects.filter(message__in=ids).exclude(person=than)
    return list(rows.select_related("person").order_by("at", "pk")[:SHOWN])


def clean_up() -> int:
    """Deletes what was abandoned a day ago; returns how many. Idempotent."""
    old = AnswerInProgress.objects.filter(active_at__lt=clock.now() - KEPT)
    return old.delete()[0]


def _compared(in_reply_to: str) -> str:
    """Returns as much of a Message-ID as is kept: a header may hold any length."""
    return in_reply_to[:COMPARED]
