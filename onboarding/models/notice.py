"""The outbox of notices, and the position of the audit scan."""

from __future__ import annotations

from django.db import models


class NoticeKind(models.TextChoices):
    """Which email a notice becomes; the name of its template."""

    APPLY = "apply", "Begin or return to an application"
    RECEIVED = "received", "Application received"
    TO_OFFICER = "to_officer", "An application waits"
    SPONSOR = "sponsor", "Will you sponsor?"
    SIGN = "sign", "Please sign the terms"
    SPONSOR_ANSWERED = "sponsor_answered", "The sponsor has answered"
    SIGNED = "signed", "The terms are signed"
    QUESTION = "question", "We have a question"
    ANSWERED = "answered", "The applicant has answered"
    REJECTED = "rejected", "Rejected"
    WELCOME = "welcome", "Welcome"
    FIRST_SIGN_IN = "first_sign_in", "First sign-in"
    LETTER = "letter", "A new welcome letter"
    SIGN_IN_CLAIM = "sign_in_claim", "A directory sign-in to take"
    HAS_SIGN_IN = "has_sign_in", "There is a sign-in already"
    CHANGE = "change", "A change to an account or a way for mail"
    CHANGE_INSIDE = "change_inside", "The same, to a member's own mailbox"


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Sets of notices by their delivery."""

    def waiting(self) -> NoticeQuerySet:
        """Returns notices neither sent nor given up."""
        return self.filter(sent_at=None, failed_at=None)


class Notice(models.Model):
    """An email in the outbox: stored by an action in its own transaction, sent by a job.

    `about` is the id of the row that the email is about; the type of that row depends on
    the kind. The text is composed only on sending, because it holds links whose tokens
    are stored nowhere.
    """

    kind = models.CharField(max_length=20, choices=NoticeKind.choices)
    address = models.CharField(max_length=254)
    about = models.BigIntegerField(default=0)
    promised_at = models.DateTimeField(auto_now_add=True)
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(sent_at=None, failed_at=None),
                name="notice_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.address}"


class NoticeMark(models.Model):
    """The last audit entry that the scan for notices has read. A single row."""

    last_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"up to {self.last_id}"
