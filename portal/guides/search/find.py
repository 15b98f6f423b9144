"""Finds guides by any words, also by others that mean the same."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from wagtail.models import Page
from wagtail.search.query import And, Or, PlainText, SearchQuery

from portal.guides.models import GuideIndex, ReviewedPage
from portal.guides.search import spelling, synonyms

MOST_WORDS = 8
MOST_RESULTS = 20

_WORD = re.compile(r"[\w’'-]+")
# What says nothing of what somebody looks for.
_SMALL = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "at",
        "by",
        "can",
        "cannot",
        "can't",
        "can’t",
        "do",
        "does",
        "for",
        "from",
        "get",
        "have",
        "how",
        "i",
        "in",
        "is",
        "it",
        "me",
        "my",
        "not",
        "of",
        "on",
        "or",
        "the",
        "to",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "will",
        "with",
        "you",
        "your",
    ]
)


@dataclass(frozen=True, slots=True)
class Found:
    """The guides, best first. `read_as` is what mistyped words were taken for."""

    pages: list[ReviewedPage] = field(default_factory=list)
    read_as: str = ""


def words_of(text: str) -> list[str]:
    """The words that say something; all of them where none does."""
    every = _WORD.findall(text.casefold())
    return ([word for word in every if word not in _SMALL] or every)[:MOST_WORDS]


def search(text: str) -> Found:
    """The guides with every word; where there are none, those with any. Best first.

    A word that no guide has is read as the nearest one that some guide uses.
    """
    words = words_of(text)
    index = GuideIndex.objects.first()
    if not words or index is None:
        return Found()
    if pages := _with(index, And, words):
        return Found(pages)
    read = [_read(index, word) for word in words]
    pages = _with(index, And, read) or _with(index, Or, read)
    return Found(pages, " ".join(read) if pages and read != words else "")


def _read(index: GuideIndex, word: str) -> str:
    return word if _with(index, Or, [word]) else spelling.meant(word)


def _with(
    index: GuideIndex, joined: type[And] | type[Or], words: list[str]
) -> list[ReviewedPage]:
    return _found(index, joined([_meaning(word) for word in words]))


def _meaning(word: str) -> SearchQuery:
    return Or([PlainText(synonym) for synonym in synonyms.of(word)])


def _found(index: GuideIndex, query: SearchQuery) -> list[ReviewedPage]:
    pages = Page.objects.live().child_of(index).search(query)[:MOST_RESULTS]
    order = [page.pk for page in pages]
    found = {page.pk: page for page in Page.objects.filter(pk__in=order).specific()}
    return [found[pk] for pk in order]
