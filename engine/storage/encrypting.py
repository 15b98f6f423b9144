"""Encrypts contents that were stored before encryption was switched on.

Each content, or group of contents that share a blob, is one step: what was done stays
done, and what is left is found by its format. A message that the queue still delivers is
left for a later run, because the delivery adds holders meanwhile.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from engine.blobs import store
from engine.blobs.interface import Kind
from engine.database import clock
from engine.encryption import sealed_blobs, stream
from engine.storage import content, content_keys
from engine.storage.models import Content, Message

CHUNK = 50  # contents in one transaction, where their bodies are in the rows
# A younger one may be about to get its first holder.
SETTLED = timedelta(hours=1)


def encrypt_all() -> Iterator[int]:
    """Encrypts what can be; yields how many contents each step encrypted.

    The blobs that they had become orphans, and are deleted with those a day later: a
    reader may be about to open one. Raises MasterKeyUnavailableError, and
    FileNotFoundError where a blob is missing.
    """
    after = 0
    while ids := list(_ready(after).values_list("pk", "blob_key")[:CHUNK]):
        after = ids[-1][0]
        yield _encrypt([pk for pk, blob_key in ids if not blob_key], "", "")
        for blob_key in {blob_key for _, blob_key in ids if blob_key}:
            yield _encrypt_sharing(blob_key)


def waiting() -> int:
    """Returns how many contents are not encrypted."""
    return Content.objects.filter(format=Content.PLAIN).count()


def _ready(after: int) -> QuerySet[Content]:
    rows = Content.objects.filter(
        ~_is_pending(),
        format=Content.PLAIN,
        pk__gt=after,
        created_at__lt=clock.now() - SETTLED,
    )
    return rows.order_by("pk")


def _is_pending() -> Exists:
    """Whether the queue has something left to do with a content."""
    same = Content.objects.filter(pk=OuterRef("pk"))
    unfinished = Q(
        queued__recipients__isnull=False, queued__recipients__finished_at=None
    )
    noticed = Q(queued__recipients__pending_notices__isnull=False)
    return Exists(same.filter(unfinished | noticed))


def _encrypt_sharing(blob_key: str) -> int:
    """Encrypts a blob, and then the contents that share it under its key."""
    sharing = Content.objects.in_blobs([blob_key])
    ids = list(sharing.filter(format=Content.PLAIN).values_list("pk", flat=True))
    if sharing.filter(_is_pending()).exists():
        return 0
    key = stream.new_key()
    # Before the transaction: a large blob takes long to reach the disk.
    with store.open_blob(Kind.BODY, blob_key) as source:
        new = sealed_blobs.encrypt(Kind.BODY, source, key, purpose=content.BODY)
    return _encrypt(ids, blob_key, new, key)


@transaction.atomic
def _encrypt(ids: Sequence[int], old: str, new: str, key: bytes = b"") -> int:
    """Encrypts the contents that are still as they were found; returns how many."""
    locked = Content.objects.filter(pk__in=ids, format=Content.PLAIN, blob_key=old)
    rows = list(locked.select_for_update(of=("self",)).order_by("pk"))
    # Again, now that nothing can be queued with them without waiting for the lock.
    pending = Content.objects.filter(_is_pending(), pk__in=[row.pk for row in rows])
    busy = set(pending.values_list("pk", flat=True))
    rows = [row for row in rows if row.pk not in busy]
    keys = {row.pk: key or stream.new_key() for row in rows}
    for row in rows:
        _seal(row, keys[row.pk], new)
    Content.objects.bulk_update(
        rows, ["format", "header", "body", "blob_key", "body_digest"], batch_size=CHUNK
    )
    # Made again under the key by those who list them, unless the message is too large.
    Message.objects.filter(content__in=[r.pk for r in rows]).update(preview=None)
    content_keys.add(
        {(pk, holder): keys[pk] for pk, holder in _holders([r.pk for r in rows])}
    )
    return len(rows)


def _seal(row: Content, key: bytes, blob_key: str) -> None:
    row.format = Content.ENCRYPTED
    row.header = stream.encrypt(key, bytes(row.header), purpose=content.HEADER)
    if row.body is not None:
        row.body = stream.encrypt(key, bytes(row.body), purpose=content.BODY)
    row.blob_key = blob_key
    row.body_digest = hmac.digest(key, row.body_digest.encode(), "sha256").hex()


def _holders(ids: Sequence[int]) -> set[tuple[int, int]]:
    """Returns content and organisation of everything that holds one of the contents.

    Whatever has a content has a `content_holder`: messages, drafts' files, tickets' files.
    What the queue has finished with needs no key.
    """
    found: set[tuple[int, int]] = set()
    for field in Content._meta.get_fields(include_hidden=True):
        model: Any = field.related_model
        if field.name != "queued" and hasattr(model, "content_holder"):
            rows = model.objects.filter(content__in=ids)
            found |= {(row.content_id, row.content_holder) for row in rows}
    return found
