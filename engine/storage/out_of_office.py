"""Saying that the holder of a mailbox is away, and what is told to whom."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.storage.models import Answered, OutOfOffice


def of(mailbox: Mailbox) -> OutOfOffice:
    """What is set, or where to begin."""
    found = OutOfOffice.objects.filter(mailbox=mailbox).first()
    return found or OutOfOffice(mailbox=mailbox, starts_at=timezone.now())


def told_now(mailbox_id: int) -> str:
    """What writers are told at this moment; empty while the holder is there."""
    now = OutOfOffice.objects.on_at(timezone.now())
    return now.filter(mailbox=mailbox_id).values_list("text", flat=True).first() or ""


@transaction.atomic
def turn_on(
    mailbox: Mailbox,
    *,
    starts_at: datetime,
    ends_at: datetime | None,
    subject: str,
    text: str,
) -> None:
    """Answer from then on, each sender once in a while. Raises PolicyError."""
    if not text.strip():
        raise PolicyError("Write what people are told.")
    if ends_at is not None and ends_at <= starts_at:
        raise PolicyError("The last day must not be before the first.")
    OutOfOffice.objects.update_or_create(
        mailbox=mailbox,
        defaults={
            "is_on": True,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "subject": subject,
            "text": text,
        },
    )
    Answered.objects.filter(mailbox=mailbox).delete()


def turn_off(mailbox: Mailbox) -> None:
    """Answer nobody any more; the text stays for the next time."""
    OutOfOffice.objects.filter(mailbox=mailbox).update(is_on=False)
