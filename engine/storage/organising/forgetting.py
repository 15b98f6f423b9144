"""Deletes what is kept beside a message when the message goes for good."""

from __future__ import annotations

from collections.abc import Collection

from engine.storage.models import (
    InternalNote,
    MessageAnswer,
    MessageLabel,
    MessageOpening,
    Reminder,
)

BESIDE = (MessageOpening, MessageAnswer, InternalNote, MessageLabel, Reminder)


def forget(message_ids: Collection[int]) -> None:
    """Deletes notes, labels, reminders and the like of these messages, in the caller's
    transaction."""
    for model in BESIDE:
        model._default_manager.filter(message__in=message_ids).delete()
