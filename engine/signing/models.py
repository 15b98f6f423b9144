"""The community's signing keys."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Purpose(models.TextChoices):
    """What a key signs. A key has one purpose, so no signature passes for another."""

    CERTIFICATE = "certificate", "Delivery certificates as JSON"
    CERTIFICATE_PDF = "certificate_pdf", "Delivery certificates as PDF"
    AUDIT = "audit", "Checkpoints of the audit trail"
    WEB_PUSH = "web_push", "Notifications in browsers"


# Of these, a key is replaced by itself. That of the audit trail signs the trail's end
# first: `manage.py audit_key --rotate`.
CERTIFICATES = (Purpose.CERTIFICATE, Purpose.CERTIFICATE_PDF)
# That of notifications, too: browsers then have to subscribe again.
REPLACEABLE = (*CERTIFICATES, Purpose.WEB_PUSH)
# Whose signatures other people keep, and verify with the published keys.
PUBLISHED = (*CERTIFICATES, Purpose.AUDIT)


class SigningKey(models.Model):
    """One signing key. Its public half is published for as long as the row exists.

    Rows are never deleted: what a key signed must stay verifiable after its replacement.
    """

    # Without choices: another purpose needs no migration.
    purpose = models.CharField(max_length=24)
    key_id = models.CharField(
        max_length=32, unique=True, help_text="from the digest of the public key"
    )
    algorithm = models.CharField(max_length=24)
    public_key = models.TextField(help_text="SubjectPublicKeyInfo in PEM")
    certificate = models.TextField(
        blank=True, help_text="X.509 in PEM, where the signature's format needs one"
    )
    sealed_private_key = models.TextField(help_text="PKCS #8, sealed")
    made_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True)
    compromised_at = models.DateTimeField(
        null=True, help_text="when it was reported that others may have it"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["purpose"],
                condition=models.Q(retired_at=None),
                name="signing_key_one_current",
            )
        ]

    def __str__(self) -> str:
        return f"{Purpose(self.purpose).label}: {self.key_id}"


class KeyState(models.TextChoices):
    """Where a mail key is in its life."""

    NEXT = "next", "Next"
    CURRENT = "current", "In use"
    RETIRED = "retired", "Retired"


class MailKey(models.Model):
    """A key that signs mail as it leaves (DKIM, ARC); its public half is in the DNS.

    Of each algorithm two are alive: the one in use, and the next or the one before. Each
    has one of two selectors, so that a domain whose records point here as CNAME follows
    every change of a key by itself.
    """

    # Without choices, as above.
    algorithm = models.CharField(max_length=24, help_text="as in the tag a=")
    selector = models.CharField(max_length=63, unique=True)
    state = models.CharField(max_length=8, default=KeyState.NEXT)
    public_key = models.TextField(help_text="as in the tag p= of its record")
    sealed_private_key = models.TextField(help_text="PKCS #8, sealed")
    made_at = models.DateTimeField(default=timezone.now)
    used_since = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["selector"]
        constraints = [
            models.UniqueConstraint(
                fields=["algorithm"],
                condition=models.Q(state=KeyState.CURRENT),
                name="mail_key_one_current",
            )
        ]

    def __str__(self) -> str:
        return self.selector

    @property
    def is_current(self) -> bool:
        """Whether it signs."""
        return self.state == KeyState.CURRENT


class KeyRecord(models.Model):
    """What the DNS said last of one key's record in one domain."""

    # Of the key, not of its selector, which another key will have.
    key = models.ForeignKey(MailKey, on_delete=models.CASCADE, related_name="records")
    domain = models.CharField(max_length=253)
    is_visible = models.BooleanField(default=False)
    problem = models.TextField(blank=True, help_text="what is wrong, and what to do")
    seen_at = models.DateTimeField(null=True, help_text="when it was last right")
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key", "domain"], name="key_record_one_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key}._domainkey.{self.domain}"
