"""Searches guides, with synonyms and correction of mistyped words."""

from __future__ import annotations

from dataclasses import dataclass, field

from wagtail.models import Page
from wagtail.search.query import And, Or, PlainText, SearchQuery

from engine.folding.words import AnyOf, wanted_words
from portal.guides.models import GuideIndex, ReviewedPage
from portal.guides.search import spelling, synonyms

MAX_WORDS = 8
MAX_LETTERS = 500
MAX_RESULTS = 20

# Words that say nothing about the subject of a search.
_STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "at",
        "by",
        "can",
        "cannot",
        "cant",
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
    """The guides found, best first. `read_as` is the query after spelling correction."""

    pages: list[ReviewedPage] = field(default_factory=list)
    read_as: str = ""


def words_of(text: str) -> list[AnyOf]:
    """Returns the words of a query without stop words; all of them where none is left.

    Each with the words by which it may stand instead: `smith`, or `smithjones`.
    """
    every = wanted_words(text[:MAX_LETTERS])
    return ([one for one in every if one[0] not in _STOP_WORDS] or every)[:MAX_WORDS]


def search(text: str) -> Found:
    """Returns the guides with every word; if there are none, those with any of them.

    A word that no guide contains is replaced by the most similar word that one does.
    """
    words = words_of(text)
    index = GuideIndex.objects.first()
    if not words or index is None:
        return Found()
    if pages := _with(index, And, words):
        return Found(pages)
    corrected = [_correct(index, word) for word in words]
    pages = _with(index, And, corrected) or _with(index, Or, corrected)
    read_as = " ".join(word for word, *_ in corrected)
    return Found(pages, read_as if pages and corrected != words else "")


def _correct(index: GuideIndex, word: AnyOf) -> AnyOf:
    if _with(index, Or, [word]):
        return word
    closest = spelling.closest_word(word[0])
    return word if closest == word[0] else (closest,)


def _with(
    index: GuideIndex, joined: type[And] | type[Or], words: list[AnyOf]
) -> list[ReviewedPage]:
    return _found(index, joined([_meaning(word) for word in words]))


def _meaning(word: AnyOf) -> SearchQuery:
    return Or([PlainText(same) for one in word for same in synonyms.of(one)])


def _found(index: GuideIndex, query: SearchQuery) -> list[ReviewedPage]:
    pages = Page.objects.live().child_of(index).search(query)[:MAX_RESULTS]
    order = [page.pk for page in pages]
    found = {page.pk: page for page in Page.objects.filter(pk__in=order).specific()}
    return [found[pk] for pk in order]
