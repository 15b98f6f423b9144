"""Saves preferences and signatures. Not audited: they affect only their owner."""

from __future__ import annotations

from django.db import transaction

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from portal.webmail.models import (
    Density,
    ReadingPreferences,
    Signature,
    UndoTime,
    WritingPreferences,
)

SIGNATURES_LIMIT = 20


def save_preferences(
    person: Person,
    *,
    undo_time: UndoTime,
    asks_about_new: bool,
    writes_rich_text: bool,
) -> None:
    """Saves how a person writes."""
    WritingPreferences.objects.update_or_create(
        person=person,
        defaults={
            "undo_seconds": undo_time,
            "asks_about_new": asks_about_new,
            "writes_rich_text": writes_rich_text,
        },
    )


def set_reading(
    person: Person, *, density: Density, uses_shortcuts: bool | None = None
) -> None:
    """Sets how the person's lists look and, unless None, whether single keys act."""
    chosen: dict[str, object] = {"density": density}
    if uses_shortcuts is not None:
        chosen["uses_shortcuts"] = uses_shortcuts
    ReadingPreferences.objects.update_or_create(person=person, defaults=chosen)


@transaction.atomic
def save_signature(
    signature: Signature, *, name: str, text: str, is_default: bool
) -> Signature:
    """Adds or changes a signature. A mailbox has at most one default signature.

    Raises PolicyError if the mailbox has another signature of that name, or too many.
    """
    mailbox = Mailbox.objects.select_for_update().get(pk=signature.mailbox_id)
    others = Signature.objects.filter(mailbox=mailbox).exclude(pk=signature.pk or 0)
    if others.filter(name=name).exists():
        raise PolicyError(f"This mailbox already has a signature called {name}.")
    if others.count() >= SIGNATURES_LIMIT:
        raise PolicyError(f"A mailbox has at most {SIGNATURES_LIMIT} signatures.")
    if is_default:
        others.update(is_default=False)
    signature.name, signature.text = name, text
    signature.is_default = is_default
    signature.save()
    return signature


def delete_signature(signature: Signature) -> None:
    """Deletes a signature. Messages that contain it keep it."""
    signature.delete()
