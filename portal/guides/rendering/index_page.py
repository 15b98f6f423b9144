"""The list of guides: by topic, videos first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from portal.guides.choices import Account, Topic
from portal.guides.rendering.guide_page import query_of

if TYPE_CHECKING:
    from portal.guides.models import ReviewedPage


@dataclass(frozen=True, slots=True)
class Shelf:
    """The guides of one topic."""

    topic: Topic
    guides: list[ReviewedPage]


def context(request: HttpRequest, pages: list[ReviewedPage]) -> dict[str, Any]:
    ordered = sorted(pages, key=lambda page: (page.position, page.title))
    written = [page for page in ordered if not hasattr(page, "film")]
    shelves = (
        Shelf(topic, [page for page in written if page.topic == topic])
        for topic in Topic
    )
    return {
        "videos": [page for page in ordered if _is_playable(page)],
        "shelves": [shelf for shelf in shelves if shelf.guides],
        "accounts": Account.choices,
        "account": request.GET.get("account", ""),
        "account_query": query_of(request),
    }


def _is_playable(page: ReviewedPage) -> bool:
    """True for a video guide that has been filmed."""
    script = getattr(page, "script", None)
    return script is not None and script.is_recorded
