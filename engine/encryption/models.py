"""The organisations' keys."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

# The organisation of keys to what the community itself holds: mail that waits for its
# delivery, and the files of tickets.
COMMUNITY = 0


class OrganisationKey(models.Model):
    """One version of an organisation's key, wrapped by the master key.

    The newest version wraps new keys; earlier ones remain until everything is wrapped
    again. A destroyed key keeps its row, without the key.
    """

    # Not a foreign key: the community is no organisation, and the record that a key was
    # destroyed must outlive the organisation.
    organisation_id = models.BigIntegerField(help_text="0 is the community")
    version = models.PositiveIntegerField()
    wrapped = models.BinaryField(help_text="empty when destroyed")
    master = models.CharField(max_length=40, help_text="the id of the master key")
    created_at = models.DateTimeField(default=timezone.now)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation_id", "version"],
                name="organisation_key_one_for_each_version",
            ),
            models.CheckConstraint(
                condition=models.Q(destroyed_at=None)
                | models.Q(destroyed_at__isnull=False, wrapped=b""),
                name="organisation_key_destroyed_is_gone",
            ),
        ]

    def __str__(self) -> str:
        return f"key {self.version} of organisation {self.organisation_id}"

    @property
    def context(self) -> bytes:
        """What the master key authenticates with the key: no other row can use it."""
        return f"organisation key {self.organisation_id} {self.version}".encode()


class WrappedKey(models.Model):
    """A key of one thing's bytes, wrapped by its organisation's key.

    Every table of such keys inherits from this, so that rotation finds them all.
    """

    key = models.ForeignKey(OrganisationKey, on_delete=models.PROTECT, related_name="+")
    wrapped = models.BinaryField()

    class Meta:
        abstract = True

    @property
    def context(self) -> bytes:
        """What the organisation's key authenticates with the key."""
        raise NotImplementedError


class FileKey(WrappedKey):
    """The key of one encrypted file outside the message store, such as an export."""

    name = models.CharField(
        max_length=200, unique=True, help_text="the kind and the file: exports/…"
    )

    def __str__(self) -> str:
        return f"key of {self.name}"

    @property
    def context(self) -> bytes:
        """What the organisation's key authenticates: no other file can use it."""
        return f"file key {self.name}".encode()
