"""The keys of encrypted contents."""

from __future__ import annotations

from django.db import models

from engine.encryption.models import WrappedKey
from engine.storage.models.content import Content


class ContentKey(WrappedKey):
    """The key of one content, wrapped for one organisation that holds the message.

    A message to people of a hundred organisations is one content with a hundred of these.
    One more, of the community, exists while the queue has the message to deliver.
    """

    content = models.ForeignKey(
        # Without an index of its own: that of the constraint begins with it.
        Content,
        on_delete=models.CASCADE,
        related_name="keys",
        db_index=False,
    )
    organisation_id = models.BigIntegerField(help_text="the key's; 0 is the community")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content", "organisation_id"],
                name="content_key_one_for_each_organisation",
            )
        ]

    def __str__(self) -> str:
        return f"key of content {self.content_id} for {self.organisation_id}"

    @property
    def context(self) -> bytes:
        """What the organisation's key authenticates: no other content can use it."""
        return context(self.content_id, self.organisation_id)


def context(content_id: int, organisation_id: int) -> bytes:
    """Returns the context under which a content's key is wrapped."""
    return f"content key {content_id} {organisation_id}".encode()
