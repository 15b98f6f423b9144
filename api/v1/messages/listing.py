"""One page of a mailbox's messages: of a folder, of a search, or of one reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework.exceptions import ValidationError

from api.framework.pagination import Place
from api.v1.messages import by_reference
from engine.registry.models import Mailbox
from engine.storage.models import Message
from engine.storage.search import find
from engine.storage.search.query_parser import QueryError, parse


def page(
    mailbox: Mailbox, query: dict[str, Any], place: Place
) -> tuple[Sequence[Message], bool]:
    """Returns one page, newest first, and whether another follows beyond it."""
    before = None if place.is_backwards else place.row
    after = place.row if place.is_backwards else None
    limit = query["limit"]
    if "q" in query:
        if "reference" in query:
            raise ValidationError({"reference": ["Give this or `q`, not both."]})
        try:
            parsed = parse(query["q"])
            found = find.find(parsed, mailbox, before=before, after=after, limit=limit)
        except QueryError as error:
            raise ValidationError({"q": [str(error)]}) from error
        return found.messages, found.has_older
    if "reference" in query:
        rows = by_reference.find(query["reference"], mailbox)
    else:
        rows = Message.objects.filter(
            mailbox=mailbox, folder__role=query["folder"], is_draft=False
        )
    if before is not None:
        rows = rows.filter(pk__lt=before)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    shown = [*rows.order_by("-pk" if after is None else "pk")[: limit + 1]]
    page = shown[:limit]
    return page if after is None else page[::-1], len(shown) > limit
