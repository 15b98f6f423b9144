"""The audit entries, and the end of their chain."""

from __future__ import annotations

from django.db import models

from engine.folding.columns import FoundByWords, unwritten_index


class Entry(FoundByWords):
    """One recorded act.

    No foreign keys, so that no deletion can be blocked by an entry or take one away.
    Each entry carries the digest of the one before it, so a change or a gap shows. Its
    words are not part of that: they follow from the rest.
    """

    FOUND_BY = ("event", "subject_name", "by_name")

    at = models.DateTimeField(db_index=True)
    event = models.CharField(max_length=80, db_index=True)
    subject_kind = models.CharField(max_length=80)
    subject_key = models.CharField(max_length=80)
    subject_name = models.CharField(max_length=320)
    organisation_key = models.CharField(max_length=80, blank=True, db_index=True)
    by_key = models.CharField(max_length=80, blank=True)
    by_name = models.CharField(max_length=320)
    detail = models.JSONField(default=dict)
    # Unique, so that two entries can never follow the same one: a fork of the chain.
    previous_digest = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["subject_kind", "subject_key"]),
            models.Index(fields=["by_key", "-id"], name="entry_by_actor"),
            unwritten_index("entry_no_words"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject_name}"


class ChainEnd(models.Model):
    """The length and last digest of the chain: one row, locked by each writer.

    Digests alone cannot show that the last entries were removed; the length can.
    """

    length = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="0" * 64)

    def __str__(self) -> str:
        return f"{self.length} entries"


class Checkpoint(models.Model):
    """A signed statement of the chain's length and last digest at a moment.

    `statement` is the signed JSON text itself. The columns beside it are for queries, and
    prove nothing.
    """

    at = models.DateTimeField(db_index=True)
    length = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    statement = models.TextField()
    signature = models.CharField(max_length=88, help_text="in base64")
    time_stamp = models.TextField(
        blank=True, db_default="", help_text="an RFC 3161 reply in base64"
    )
    sent = models.JSONField(
        default=dict, help_text="when it was sent to each place out of reach"
    )

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.length} entries at {self.at}"


class ChainCheck(models.Model):
    """One verification of the chain, and how far it has come.

    `position` and `digest` are those of the last entry that was verified. `is_counted` is
    false after a gap of unknown size, until a checkpoint says the position again.
    """

    began_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, db_index=True)
    position = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="0" * 64)
    last_id = models.PositiveBigIntegerField(default=0)
    is_counted = models.BooleanField(default=True)
    proved = models.PositiveBigIntegerField(
        default=0, help_text="entries up to the last checkpoint that agrees"
    )
    proved_id = models.PositiveBigIntegerField(default=0)
    proved_at = models.DateTimeField(null=True)
    is_outside = models.BooleanField(
        default=False, help_text="compared with checkpoints kept out of reach"
    )
    problems = models.JSONField(default=list)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.position} entries, {len(self.problems)} problems"


class SignInTally(models.Model):
    """Sign-ins, or failures, of one person or key by one way in within an hour.

    Several rows may count the same. Once their hour is over they become one entry.
    """

    hour = models.DateTimeField(db_index=True)
    subject_kind = models.CharField(max_length=80)
    subject_key = models.CharField(max_length=80)
    method = models.CharField(max_length=20)
    source = models.CharField(max_length=50, blank=True, help_text="the network")
    succeeded = models.BooleanField()
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.count} by {self.method} at {self.hour}"


class Opening(models.Model):
    """The first look at what is not one's own, within an occasion.

    See `engine.audit.openings`, which alone writes it.
    """

    at = models.DateTimeField()
    event = models.CharField(max_length=80)
    subject_kind = models.CharField(max_length=80)
    subject_key = models.CharField(max_length=80)
    subject_name = models.CharField(max_length=320)
    organisation_key = models.CharField(max_length=80, blank=True)
    by_key = models.CharField(max_length=80)
    by_name = models.CharField(max_length=320)
    method = models.CharField(max_length=40)
    occasion = models.CharField(max_length=40)
    hidden_until = models.DateTimeField(null=True, blank=True)
    is_appended = models.BooleanField(
        default=False, help_text="the audit trail has an entry of it"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_key", "by_key", "method", "occasion"],
                name="opening_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["subject_kind", "subject_key", "-id"], name="opening_by_subject"
            ),
            models.Index(
                fields=["id"],
                condition=models.Q(is_appended=False),
                name="opening_to_append",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject_name}"
