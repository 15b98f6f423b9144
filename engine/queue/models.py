"""The queue's tables: messages, their recipients, pending notices and sending counts."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone

from engine.encryption.models import COMMUNITY
from engine.storage.models import Content, WithdrawalKind
from engine.trace.timeline import RECALLED_FROM_MANY, TAKEN_BACK


class Source(models.TextChoices):
    """How a message entered the service."""

    RECEIVE = "receive", "An organisation's server"
    SUBMISSION = "submission", "A person's mail client"
    WEBMAIL = "webmail", "Webmail"
    API = "api", "The API"
    SYSTEM = "system", "Postern itself"
    DSN = "dsn", "A delivery status notification"
    LIST = "list", "A distribution list"


class QueuedMessage(models.Model):
    """An accepted message: its envelope, and a reference to its bytes."""

    reference = models.CharField(max_length=32, unique=True)
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, related_name="queued"
    )
    sender = models.CharField(max_length=254, blank=True, help_text="empty when null")
    source = models.CharField(max_length=12, choices=Source.choices)
    # Not a foreign key: an organisation or person may be deleted while mail is queued.
    organisation_id = models.BigIntegerField(
        null=True, help_text="the sender's, where there is one"
    )
    person_id = models.BigIntegerField(null=True, help_text="who wrote it, if known")
    fingerprint = models.CharField(
        max_length=64,
        blank=True,
        db_index=True,
        help_text="of envelope and content, to know a resend",
    )
    accepted_at = models.DateTimeField(default=timezone.now, db_index=True)
    expires_at = models.DateTimeField()
    envelope_id = models.CharField(max_length=100, blank=True, help_text="ENVID")
    dsn_full = models.BooleanField(default=False, help_text="RET=FULL was asked")
    requires_tls = models.BooleanField(
        default=False, db_default=False, help_text="REQUIRETLS, RFC 8689"
    )

    # The community's key reads the content while the queue has something to deliver.
    content_holder = COMMUNITY

    class Meta:
        indexes = [
            # Of an organisation, and of one of its senders in whatever case it was written.
            models.Index(
                "organisation_id",
                Upper("sender"),
                "id",
                name="queued_of_sender",
            ),
            # Pages of what an organisation sent. Copies that lists send on carry their
            # author's organisation, which may not see them.
            models.Index(
                fields=["organisation_id", "id"],
                condition=~models.Q(source="list"),
                name="queued_of_organisation",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class RecipientStatus(models.TextChoices):
    """The delivery status of one recipient of one message."""

    QUEUED = "queued", "Waiting"
    HELD = "held", "Held"
    DELIVERED = "delivered", "Delivered"
    RELAYED = "relayed", "Handed on"
    EXPANDED = "expanded", "Sent on to a list"
    FAILED = "failed", "Failed"
    DROPPED = "dropped", "Dropped"

    @property
    def is_final(self) -> bool:
        """Whether no other status can follow."""
        return not RECIPIENT_TRANSITIONS[self]


RECIPIENT_TRANSITIONS: dict[RecipientStatus, set[RecipientStatus]] = {
    RecipientStatus.QUEUED: {
        RecipientStatus.HELD,
        RecipientStatus.DELIVERED,
        RecipientStatus.RELAYED,
        RecipientStatus.EXPANDED,
        RecipientStatus.FAILED,
        RecipientStatus.DROPPED,
    },
    RecipientStatus.HELD: {RecipientStatus.QUEUED, RecipientStatus.DROPPED},
    RecipientStatus.DELIVERED: set(),
    RecipientStatus.RELAYED: set(),
    RecipientStatus.EXPANDED: set(),
    RecipientStatus.FAILED: set(),
    RecipientStatus.DROPPED: set(),
}


# Last replies that say more than the status: what became of it by its sender's act, or
# after the delivery.
WORDS_OF_REPLY: dict[str, tuple[str, ...]] = {
    RecipientStatus.DROPPED: (TAKEN_BACK,),
    RecipientStatus.DELIVERED: tuple(map(str, WithdrawalKind.labels)),
    RecipientStatus.EXPANDED: (RECALLED_FROM_MANY,),
}


def status_words(status: str, last_reply: str) -> str:
    """Returns a recipient's status in words, by its columns."""
    says_more = last_reply in WORDS_OF_REPLY.get(status, ())
    return last_reply if says_more else RecipientStatus(status).label


class Hold(models.TextChoices):
    """Why a recipient is held, which decides what releases it."""

    OPERATOR = "operator", "By an operator"
    SUSPENSION = "suspension", "While an organisation or address is suspended"
    RESTORE = "restore", "After a restore: may have been sent already"
    WITHDRAWN = "withdrawn", "By a withdrawal or a re-scan"
    UNPROVEN = "unproven", "Its sender could not be proved"


class SendingCount(models.Model):
    """What one sender sent in one minute, hour or day, counted by all processes."""

    sender = models.CharField(max_length=40, help_text="person:12, connection:7, …")
    span = models.CharField(max_length=6, help_text="minute, hour or day")
    starts = models.BigIntegerField(help_text="seconds since 1970")
    messages = models.PositiveBigIntegerField(default=0)
    recipients = models.PositiveBigIntegerField(default=0)
    deferred = models.PositiveBigIntegerField(
        default=0, help_text="how often it was told to wait"
    )
    alarmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "span", "starts"], name="sending_count_one_for_each"
            )
        ]
        indexes = [models.Index(fields=["starts"], name="sending_count_age")]

    def __str__(self) -> str:
        return f"{self.sender}: {self.messages} messages in one {self.span}"


class Recipient(models.Model):
    """One recipient of one accepted message: the queue's unit of work."""

    message = models.ForeignKey(
        QueuedMessage, on_delete=models.CASCADE, related_name="recipients"
    )
    address = models.CharField(max_length=254, help_text="in community form")
    original = models.CharField(max_length=500, blank=True, help_text="ORCPT")
    notify = models.CharField(max_length=40, blank=True, help_text="NOTIFY, RFC 3461")
    status = models.CharField(
        max_length=10, choices=RecipientStatus.choices, default=RecipientStatus.QUEUED
    )
    hold = models.CharField(max_length=10, choices=Hold.choices, blank=True)
    destination = models.CharField(
        max_length=60, help_text="what its deliveries share: mailbox, connection:7, …"
    )
    next_attempt_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    leased_by = models.CharField(max_length=40, blank=True)
    last_reply = models.CharField(max_length=500, blank=True)
    tls_failures = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="one after another, without another answer"
    )
    tls_failing_since = models.DateTimeField(null=True)
    received_by_id = models.BigIntegerField(
        null=True,
        help_text="the organisation that has the address; only on the first of its "
        "recipients, so that a message is listed once",
    )
    deferral_id = models.BigIntegerField(
        null=True, help_text="of the trace's event that tells of its present deferral"
    )
    delay_noticed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Partial, so that their size depends on the length of the queue and not on the
            # finished recipients, which stay for POSTERN_QUEUE_DAYS. due_recipients.py reads
            # the first one.
            models.Index(
                fields=["destination", "next_attempt_at", "id"],
                condition=models.Q(status="queued"),
                name="recipient_due_there",
            ),
            # For the pages of those that operators look at.
            models.Index(
                fields=["status", "id"],
                condition=models.Q(status__in=["queued", "held", "failed", "dropped"]),
                name="recipient_by_status",
            ),
            models.Index(fields=["address", "id"], name="recipient_by_address"),
            # Partial: no page lists the mail of all mailboxes, which is most of it.
            models.Index(
                fields=["destination", "id"],
                condition=~models.Q(destination="mailbox"),
                name="recipient_by_destination",
            ),
            # Pages of what an organisation received.
            models.Index(
                fields=["received_by_id", "message"],
                condition=models.Q(received_by_id__isnull=False),
                name="recipient_by_organisation",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="held") & ~models.Q(hold="")
                | ~models.Q(status="held") & models.Q(hold=""),
                name="recipient_held_for_a_reason",
            )
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def status_words(self) -> str:
        """The status in words; what the sender took back is told from other drops."""
        return status_words(self.status, self.last_reply)

    def wants(self, notice: str) -> bool:
        """Returns whether NOTIFY asks for SUCCESS, FAILURE or DELAY (RFC 3461 §4.1).

        Without NOTIFY, senders get notices of failure and delay.
        """
        asked = self.notify.upper().split(",") if self.notify else ["FAILURE", "DELAY"]
        return notice in asked


class PendingNotice(models.Model):
    """A notice about one recipient that the sender, or a list, is still due.

    Written with the outcome and deleted with the notice, each in a transaction of its own,
    so that a fault in writing the notice does not roll back the outcome.
    """

    DELAYED = "delayed"

    recipient = models.ForeignKey(
        Recipient, on_delete=models.CASCADE, related_name="pending_notices"
    )
    state = models.CharField(
        max_length=10, help_text="an OutcomeState that is final, or delayed"
    )
    reply = models.CharField(max_length=520)
    detail = models.JSONField(default=dict)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.state} {self.recipient_id}"
