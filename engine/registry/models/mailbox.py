"""Mailboxes, the grants that share them, and aliases."""

from __future__ import annotations

from django.db import models

from engine.folding.columns import FoundByWords, unwritten_index
from engine.registry.models.change import ChangeKind, Logged, LoggedQuerySet
from engine.registry.models.organisation import Organisation
from engine.registry.models.person import Person


class MailboxKind(models.TextChoices):
    """Kinds of mailbox: one person's, or a team's."""

    PERSONAL = "personal", "Personal"
    GROUP = "group", "Group"


class Mailbox(FoundByWords):
    """A mailbox kept by this service, with the mail of one address."""

    FOUND_BY = ("name", "address")

    address = models.CharField(max_length=254, unique=True)
    name = models.CharField(max_length=150)
    kind = models.CharField(max_length=10, choices=MailboxKind.choices)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="mailboxes"
    )
    owner = models.OneToOneField(
        Person,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="mailbox",
    )
    is_active = models.BooleanField(default=True)
    is_published = models.BooleanField(default=True)
    quota_bytes = models.PositiveBigIntegerField(default=5 * 1024**3)
    used_bytes = models.BigIntegerField(
        default=0, editable=False, help_text="of all its messages; storage counts"
    )
    # A default of the database: the version before inserts without it.
    change_number = models.BigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="another one after each change of its mail; storage counts",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LoggedQuerySet["Mailbox"].as_manager()
    logged = Logged.of(
        ChangeKind.MAILBOX, "address", "organisation", "owner", "is_active"
    )

    class Meta:
        ordering = ["address"]
        verbose_name_plural = "mailboxes"
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(used_bytes__gte=models.F("quota_bytes")),
                name="mailbox_full",
            ),
            # Partial: nearly all mailboxes are people's own.
            models.Index(
                fields=["organisation", "name", "id"],
                condition=models.Q(kind="group"),
                name="mailbox_of_group",
            ),
            unwritten_index("mailbox_no_words"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind=MailboxKind.PERSONAL, owner__isnull=False)
                | models.Q(kind=MailboxKind.GROUP, owner__isnull=True),
                name="mailbox_personal_has_owner",
            )
        ]

    def __str__(self) -> str:
        return self.address


class Grant(models.Model):
    """A person's rights to a group mailbox; none of the three includes another."""

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.CASCADE, related_name="grants"
    )
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="grants")
    can_read = models.BooleanField(default=False)
    can_write = models.BooleanField(default=False)
    can_send = models.BooleanField(default=False)

    objects = LoggedQuerySet["Grant"].as_manager()
    logged = Logged.of(
        ChangeKind.GRANTS, "mailbox", "person", "can_send", key="person_id"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "person"], name="grant_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} on {self.mailbox}"


class Alias(FoundByWords):
    """An address whose mail goes to another address."""

    FOUND_BY = ("address",)

    address = models.CharField(max_length=254, unique=True)
    target = models.CharField(max_length=254)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="aliases"
    )

    objects = LoggedQuerySet["Alias"].as_manager()
    logged = Logged.of(ChangeKind.ALIAS, "address", "target")

    class Meta:
        ordering = ["address"]
        verbose_name_plural = "aliases"
        indexes = [unwritten_index("alias_no_words")]

    def __str__(self) -> str:
        return f"{self.address} → {self.target}"
