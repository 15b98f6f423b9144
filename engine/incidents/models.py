"""What messages are found by, and withdrawals of what was found."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class MessageKey(models.Model):
    """One thing that an accepted message is found by, as a keyed digest.

    Without foreign keys: what became of the message is in the trace, by `reference`.
    With the database alone no guess can be confirmed by it.
    """

    key = models.BinaryField(max_length=16, help_text="see message_keys")
    at = models.DateTimeField(help_text="when the message was accepted")
    reference = models.CharField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=["key", "at"], name="message_key_at")]

    def __str__(self) -> str:
        return self.reference


class KeyIndex(models.Model):
    """How far accepted messages have been indexed. One row."""

    ONLY = 1

    position = models.BigIntegerField(default=0, help_text="id of a queued message")
    since = models.DateTimeField(null=True, help_text="of the first message indexed")
    until = models.DateTimeField(null=True, help_text="all before it are indexed")

    def __str__(self) -> str:
        return f"up to {self.until}"


class RescanState(models.TextChoices):
    """Where scanning what arrived lately again stands."""

    RUNNING = "running", "Running"
    DONE = "done", "Done"
    STOPPED = "stopped", "Stopped by an operator"


class Rescan(models.Model):
    """One scan of what arrived lately, with the signatures of today.

    It goes from the newest content to the oldest: `position` is the id of the last one
    that was looked at.
    """

    since = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=RescanState.choices, default=RescanState.RUNNING
    )
    signatures = models.CharField(max_length=500, blank=True)
    started_by_id = models.BigIntegerField()
    started_by = models.CharField(max_length=320)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    newest = models.BigIntegerField(default=0, help_text="the id that it began at")
    position = models.BigIntegerField()
    at = models.DateTimeField(null=True, help_text="when what is scanned now arrived")
    scanned = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)
    infected = models.PositiveIntegerField(default=0)
    copies = models.PositiveIntegerField(default=0)
    stopped = models.PositiveIntegerField(default=0, help_text="recipients held")
    fault = models.CharField(max_length=300, blank=True, help_text="why it waits")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="running"),
                name="rescan_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"Re-scan {self.pk}"

    @property
    def occasion(self) -> str:
        """What marks the withdrawn copies, and the mail that is held, as its own."""
        return f"rescan:{self.pk}"


class WithdrawalState(models.TextChoices):
    """Where a withdrawal, or putting one back, stands."""

    ASKED = "asked", "Waiting for two operators"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    REFUSED = "refused", "Not carried out"


WITHDRAWAL_TRANSITIONS: dict[WithdrawalState, set[WithdrawalState]] = {
    WithdrawalState.ASKED: {WithdrawalState.RUNNING, WithdrawalState.REFUSED},
    WithdrawalState.RUNNING: {WithdrawalState.DONE},
    WithdrawalState.DONE: set(),
    WithdrawalState.REFUSED: set(),
}


class Withdrawal(models.Model):
    """What an operator asked to be withdrawn from all mailboxes, or to be put back.

    `keys` has a list of keys in hexadecimal for each criterion; a message has one of each.
    `position_at` and `position_id` are those of the last MessageKey that is done.
    """

    undoes = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="undone_by"
    )
    rescan = models.OneToOneField(
        Rescan, null=True, on_delete=models.PROTECT, related_name="undone_by"
    )
    criteria = models.JSONField(default=dict, help_text="as typed, for the page")
    keys = models.JSONField(default=list)
    since = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.CharField(max_length=300, help_text="recipients read it")
    state = models.CharField(
        max_length=10, choices=WithdrawalState.choices, default=WithdrawalState.ASKED
    )
    found = models.PositiveIntegerField(default=0, help_text="messages, when asked")
    asked_by_id = models.BigIntegerField()
    asked_by = models.CharField(max_length=320)
    asked_at = models.DateTimeField(default=timezone.now)
    refused_by = models.CharField(max_length=320, blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    passes = models.PositiveSmallIntegerField(default=0)
    is_unfinished = models.BooleanField(
        default=False,
        db_default=False,
        help_text="something was being delivered in this pass",
    )
    position_at = models.DateTimeField(null=True)
    position_id = models.BigIntegerField(default=0)
    messages = models.PositiveIntegerField(default=0, help_text="looked at so far")
    copies = models.PositiveIntegerField(default=0, help_text="moved so far")
    used = models.PositiveIntegerField(default=0, help_text="that had been opened")
    stopped = models.PositiveIntegerField(default=0, help_text="recipients held")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Withdrawal {self.pk}"

    @property
    def occasion(self) -> str:
        """What marks the withdrawn copies, and the mail that is held, as its own."""
        if self.rescan_id:
            return f"rescan:{self.rescan_id}"
        return f"withdrawal:{self.undoes_id or self.pk}"

    @property
    def is_put_back(self) -> bool:
        """Whether it puts back what another, or a re-scan, withdrew."""
        return bool(self.undoes_id or self.rescan_id)


class WithdrawnMessage(models.Model):
    """That a withdrawal or a re-scan took a message out, whatever copies it had.

    For what is not a copy: files that the message links to. It is deleted when the message
    is put back. Without foreign keys, like the trace.
    """

    reference = models.CharField(max_length=32)
    occasion = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["occasion"], name="withdrawn_message_occasion")]
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "occasion"], name="withdrawn_message_once"
            )
        ]

    def __str__(self) -> str:
        return self.reference


class Agreement(models.Model):
    """One operator's approval of a withdrawal."""

    withdrawal = models.ForeignKey(
        Withdrawal, on_delete=models.CASCADE, related_name="agreements"
    )
    person_id = models.BigIntegerField()
    name = models.CharField(max_length=320)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["withdrawal", "person_id"], name="agreement_one_for_each"
            )
        ]

    def __str__(self) -> str:
        return self.name
