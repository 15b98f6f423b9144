"""One-time links, of which only a digest is stored."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from engine.registry.models import Person
from onboarding.models.application import Application


class LinkPurpose(models.TextChoices):
    """What a mailed or printed token allows its holder to do."""

    START = "start", "Begin an application"
    RETURN = "return", "Return to an application"
    SPONSOR = "sponsor", "Answer as its sponsor"
    SIGN = "sign", "Sign the terms"
    FIRST = "first", "Sign in for the first time, with the code of a letter"

    @property
    def lifetime(self) -> timedelta:
        """How long a new link of this purpose works."""
        return LIFETIMES[self]

    @property
    def is_single_use(self) -> bool:
        """True if opening ends it; the other kinds end once they are answered."""
        return self in (LinkPurpose.START, LinkPurpose.RETURN)


LIFETIMES = {
    LinkPurpose.START: timedelta(hours=24),
    LinkPurpose.RETURN: timedelta(days=7),
    LinkPurpose.SPONSOR: timedelta(days=14),
    LinkPurpose.SIGN: timedelta(days=14),
    LinkPurpose.FIRST: timedelta(days=14),
}


class Link(models.Model):
    """A one-time link mailed to an address, which proves that its holder reads mail there.

    Only a digest of the token is stored. `about` is the id of the row that the link is
    for: a Sponsorship, a Signature or a Person, depending on the purpose; 0 for none.
    """

    purpose = models.CharField(max_length=10, choices=LinkPurpose.choices)
    address = models.CharField(max_length=254)
    application = models.ForeignKey(
        Application,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="links",
    )
    about = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.address}"
