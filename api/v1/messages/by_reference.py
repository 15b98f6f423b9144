"""Finds the stored messages that have one reference."""

from __future__ import annotations

from django.db.models import QuerySet

from engine.registry.models import Mailbox
from engine.storage.models import Message
from engine.trace.models import Event, EventKind


def find(reference: str, mailbox: Mailbox) -> QuerySet[Message]:
    """Returns a mailbox's messages with that reference, in every folder.

    No index has the references of delivered mail, which every delivery would have to
    write. Their ids come from the trace, and copies in Sent from an index of their own.
    """
    reference = reference.upper()
    delivered = Event.objects.filter(
        reference=reference, kind=EventKind.DELIVERED, detail__mailbox=mailbox.pk
    ).values_list("detail__message", flat=True)
    # The second condition is that of the partial index.
    sent = Message.objects.filter(
        reference=reference, envelope_sender="", reference__gt="", mailbox=mailbox
    ).values_list("pk", flat=True)
    found = {*delivered, *sent}
    return Message.objects.filter(
        pk__in=found, mailbox=mailbox, reference=reference, is_draft=False
    )
