"""Files sent as links, and proofs of an address by a code."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.utils import timezone

from engine.antivirus.verdict import VerdictState
from engine.registry.models import Mailbox, Person
from engine.storage.models import Content


class ScanState(models.TextChoices):
    """The scanner's outcome. Infected and unscanned files are never stored."""

    CLEAN = VerdictState.CLEAN.value, "No virus found"
    ENCRYPTED = VerdictState.ENCRYPTED.value, "Cannot be scanned for viruses"


class End(models.TextChoices):
    """Why a file can no longer be downloaded."""

    EXPIRED = "expired", "Expired"
    STOPPED = "stopped", "Sharing stopped by its sender"
    RECALLED = "recalled", "Recalled with its message"
    WITHDRAWN = "withdrawn", "Sharing stopped by an operator of the service"
    INFECTED = "infected", "Found infected later"


class LinkedFileQuerySet(models.QuerySet["LinkedFile"]):
    """Sets of files."""

    def of_draft(self, mailbox: Mailbox, token: UUID) -> LinkedFileQuerySet:
        """The files of a draft that was not sent, in the order in which they were added."""
        return self.filter(mailbox=mailbox, token=token, reference="").order_by("pk")

    def live(self) -> LinkedFileQuerySet:
        """Those whose content is stored, which count for the limits."""
        return self.filter(ended_at=None)


class LinkedFile(models.Model):
    """A file that recipients of one message download by a link.

    It belongs to a draft until that is sent; `reference` and `expires_at` are set then.
    A file that has ended keeps its row, without the content, so that its page can say so.
    """

    secret = models.CharField(max_length=64, unique=True, help_text="in the link")
    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="linked_files"
    )
    sender = models.ForeignKey(
        Mailbox,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="the mailbox that sent it, which may be another than the draft's",
    )
    token = models.UUIDField(help_text="of the draft")
    # Not a foreign key: whose key reads the content, whatever becomes of the mailbox.
    organisation_id = models.BigIntegerField()
    person = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, related_name="linked_files"
    )
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField(help_text="octets")
    content = models.OneToOneField(
        Content, on_delete=models.PROTECT, null=True, related_name="+"
    )
    state = models.CharField(max_length=10, choices=ScanState.choices)
    added_at = models.DateTimeField(default=timezone.now)
    reference = models.CharField(
        max_length=32, blank=True, help_text="of the message; empty for a draft's"
    )
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, choices=End.choices, blank=True)

    objects = LinkedFileQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["mailbox", "token"], name="linked_file_of_draft"),
            models.Index(fields=["person", "-id"], name="linked_file_of_person"),
            models.Index(
                fields=["organisation_id"],
                condition=models.Q(ended_at=None),
                name="linked_file_live",
            ),
            models.Index(
                fields=["reference"],
                condition=models.Q(reference__gt=""),
                name="linked_file_of_message",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_at=None, end="", content__isnull=False)
                | models.Q(ended_at__isnull=False, content=None) & ~models.Q(end=""),
                name="linked_file_without_content_has_ended",
            ),
            models.CheckConstraint(
                condition=models.Q(reference="", expires_at=None)
                | models.Q(expires_at__isnull=False) & ~models.Q(reference=""),
                name="linked_file_expires_once_sent",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def content_holder(self) -> int:
        """The id of the organisation whose key reads the content."""
        return self.organisation_id

    @property
    def author(self) -> Mailbox:
        """The mailbox whose readers see it as theirs: the sender's, or the draft's."""
        # Files that were sent before the sender was recorded have none.
        return self.sender or self.mailbox

    @property
    def is_sent(self) -> bool:
        """Whether its message was sent."""
        return bool(self.reference)


class AddressProof(models.Model):
    """A code that proves that a visitor reads an address. One for each request.

    Requests for addresses that got no file have a row too, without a code, so that their
    answers are the same. Only the session that made the request knows its id.
    """

    file = models.ForeignKey(
        LinkedFile, on_delete=models.CASCADE, related_name="proofs"
    )
    address = models.CharField(max_length=254, help_text="as typed")
    code_digest = models.CharField(max_length=64, blank=True)
    recipient = models.CharField(
        max_length=254,
        blank=True,
        help_text="the address as the message was sent to it",
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.address
