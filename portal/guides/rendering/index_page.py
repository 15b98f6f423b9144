"""The template context of the list of guides: videos first, then by topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.http import HttpRequest

from portal.guides.choices import Account, Topic
from portal.guides.rendering.guide_page import query_of


class ListedPage(Protocol):
    """What the list needs of a page. A protocol, so that models can import this module."""

    title: str
    topic: str
    position: int


@dataclass(frozen=True, slots=True)
class TopicGroup:
    """The guides of one topic."""

    topic: Topic
    guides: list[ListedPage]


def context(request: HttpRequest, pages: Sequence[ListedPage]) -> dict[str, Any]:
    """Returns the context for the live pages below the list."""
    ordered = sorted(pages, key=lambda page: (page.position, page.title))
    written = [page for page in ordered if not hasattr(page, "film")]
    groups = (
        TopicGroup(topic, [page for page in written if page.topic == topic])
        for topic in Topic
    )
    return {
        "videos": [page for page in ordered if _is_playable(page)],
        "groups": [group for group in groups if group.guides],
        "accounts": Account.choices,
        "account": request.GET.get("account", ""),
        "account_query": query_of(request),
    }


def _is_playable(page: ListedPage) -> bool:
    """Returns True for a video guide that has been recorded."""
    script = getattr(page, "script", None)
    return script is not None and script.is_recorded
