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
