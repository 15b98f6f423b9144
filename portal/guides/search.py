"""Finds guides by any words, also by others that mean the same."""

from __future__ import annotations

import re

from wagtail.models import Page
from wagtail.search.query import And, Or, PlainText, SearchQuery

from portal.guides import synonyms
from portal.guides.models import GuideIndex, ReviewedPage

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


def words_of(text: str) -> list[str]:
    """The words that say something; all of them where none does."""
    every = _WORD.findall(text.casefold())
    return ([word for word in every if word not in _SMALL] or every)[:MOST_WORDS]


def search(text: str) -> list[ReviewedPage]:
    """The guides with every word; where there are none, those with any. Best first."""
    words = words_of(text)
    index = GuideIndex.objects.first()
    if not words or index is None:
        return []
    either = [_meaning(word) for word in words]
    return _found(index, And(either)) or _found(index, Or(either))


def _meaning(word: str) -> SearchQuery:
    return Or([PlainText(synonym) for synonym in synonyms.of(word)])


def _found(index: GuideIndex, query: SearchQuery) -> list[ReviewedPage]:
    pages = Page.objects.live().child_of(index).search(query)[:MOST_RESULTS]
    order = [page.pk for page in pages]
    found = {page.pk: page for page in Page.objects.filter(pk__in=order).specific()}
    return [found[pk] for pk in order]
