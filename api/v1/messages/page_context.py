"""What a page of messages shows beside them: correspondents, and what a search leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.v1.messages import serializers
from engine.registry.addresses.known_senders import known_senders
from engine.registry.models import Mailbox
from engine.storage import addressees
from engine.storage.models import Message
from engine.storage.organising import labels
from engine.storage.search import gaps, indexer


def coverage(mailbox: Mailbox) -> dict[str, Any]:
    """Indexes the newest messages, and returns what a search leaves out all the same."""
    return {
        "waiting": indexer.catch_up(mailbox),
        "not_whole_count": gaps.count(mailbox),
        "not_whole": gaps.page(mailbox, limit=serializers.GAPS_LISTED),
    }


def correspondents(messages: Sequence[Message]) -> dict[str, Any]:
    """Returns the context of MessageSerializer: known senders, recipients and labels."""
    return {
        "known": known_senders(message.from_address for message in messages),
        "recipients": addressees.of_messages(messages, shown=addressees.COUNTED),
        "labels": labels.names_of(messages),
    }
