"""Corrects mistyped words, with the words of the guides as the vocabulary."""

from __future__ import annotations

from difflib import get_close_matches

from django.core.cache import cache

from engine.folding.words import index_words
from portal.guides.models import Guide, VideoGuide
from portal.guides.search import synonyms

# Shorter words resemble too many others.
MIN_LENGTH = 4
MAX_LENGTH = 30
# difflib's ratio: one letter wrong, missing or swapped in a word of six.
MIN_SIMILARITY = 0.8
CACHE_SECONDS = 600


def closest_word(word: str) -> str:
    """Returns the most similar word in the guides; the word itself if none is close."""
    if len(word) < MIN_LENGTH:
        return word
    near = get_close_matches(word, _vocabulary(), n=1, cutoff=MIN_SIMILARITY)
    return near[0] if near else word


def _vocabulary() -> list[str]:
    kept: list[str] | None = cache.get_or_set(
        "guide-vocabulary", _words_in_use, CACHE_SECONDS
    )
    return kept or []


def _words_in_use() -> list[str]:
    texts = [synonyms.FILE.read_text(encoding="utf-8")]
    for kind in (Guide, VideoGuide):
        for page in kind.objects.live():
            texts += [page.title, page.summary, page.words]
    words = index_words("\n".join(texts))
    return sorted(
        word
        for word in words
        if word.isalpha() and MIN_LENGTH <= len(word) <= MAX_LENGTH
    )
