"""Entries of tickets, with their folded texts and the files attached to them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from engine.encryption.models import COMMUNITY
from engine.registry.models import Person
from engine.storage.models import Content
from portal.helpdesk.models.ticket import Ticket
from portal.helpdesk.status import PUBLIC, EntryKind, FoldKind


class EntryQuerySet(models.QuerySet["Entry"]):
    """Named sets of entries."""

    def public(self) -> EntryQuerySet:
        """Restricts to entries that the requester may read."""
        return self.filter(kind__in=PUBLIC)

    def to_send(self) -> EntryQuerySet:
        """Restricts to entries that have to be mailed and have not been submitted."""
        return self.filter(is_outgoing=True, reference="", failure="")


class Entry(models.Model):
    """One message, note or event of a ticket."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=8, choices=EntryKind.choices)
    author = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    author_name = models.CharField(max_length=150)
    author_address = models.CharField(max_length=254, blank=True)
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    # As mail. An outgoing entry is waiting while it has neither reference nor failure.
    message_id = models.CharField(max_length=300, blank=True, db_index=True)
    is_outgoing = models.BooleanField(default=False)
    reference = models.CharField(
        max_length=32, blank=True, help_text="by which its delivery is traced"
    )
    failure = models.CharField(
        max_length=500, blank=True, help_text="why it could not be sent"
    )

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "entries"
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(is_outgoing=True, reference="", failure=""),
                name="entry_to_send",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.author_name}"

    @property
    def is_from_colleague(self) -> bool:
        """Whether a colleague of the requester wrote it, by answering their mail."""
        is_request = self.kind == EntryKind.REQUEST
        return is_request and self.author_address != self.ticket.requester_address

    @property
    def label(self) -> str:
        """The kind as agents read it."""
        if self.is_from_colleague:
            return "From a colleague of the requester"
        return str(EntryKind(self.kind).label)


class FoldedText(models.Model):
    """A text that came with an entry and is shown one click away from it.

    Nothing that arrives by mail is left out: what is cut from an entry's text is here.
    """

    entry = models.ForeignKey(
        Entry, on_delete=models.PROTECT, related_name="folded_texts"
    )
    kind = models.CharField(max_length=10, choices=FoldKind.choices)
    title = models.CharField(
        max_length=200, blank=True, help_text="the subject of an attached message"
    )
    text = models.TextField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.label} of {self.entry_id}"

    @property
    def label(self) -> str:
        """What opens it on a page: the kind, and the title where there is one."""
        kind = FoldKind(self.kind).label
        return f"{kind}: {self.title}" if self.title else str(kind)


class Attachment(models.Model):
    """A file attached to an entry. Its bytes are stored as Content."""

    entry = models.ForeignKey(
        Entry, on_delete=models.PROTECT, related_name="attachments"
    )
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField(help_text="octets")
    content = models.ForeignKey(Content, on_delete=models.PROTECT, related_name="+")

    content_holder = COMMUNITY

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
