"""Sets and reads the out-of-office reply of a mailbox."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.storage.models import Answered, OutOfOffice


def of(mailbox: Mailbox) -> OutOfOffice:
    """Returns the setting, or an unsaved one to start from."""
    found = OutOfOffice.objects.filter(mailbox=mailbox).first()
    return found or OutOfOffice(mailbox=mailbox, starts_at=timezone.now())


def current_text(mailbox_id: int) -> str:
    """Returns the text that is sent at this moment; empty where no reply is sent."""
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
    """Enables the reply from `starts_at`. Raises PolicyError.

    Senders who were answered before get the new text, because it may say something else.
    """
    if not text.strip():
        raise PolicyError("Enter the text of the automatic reply.")
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
    # Forgets who was answered before, or they would not get the new text for a week.
    Answered.objects.filter(mailbox=mailbox).delete()


def turn_off(mailbox: Mailbox) -> None:
    """Disables the reply; the text is kept for the next time."""
    OutOfOffice.objects.filter(mailbox=mailbox).update(is_on=False)
