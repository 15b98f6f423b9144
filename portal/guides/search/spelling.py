"""What a mistyped word was meant to be, by the words of the guides themselves."""

from __future__ import annotations

import re
from difflib import get_close_matches

from django.core.cache import cache

from portal.guides.models import Guide, VideoGuide
from portal.guides.search import synonyms

# Shorter words are near to too many others.
SHORTEST = 4
# As difflib counts: one letter wrong, missing or swapped in a word of six.
NEAR = 0.8
KEPT_SECONDS = 600

_WORD = re.compile(r"[^\W\d_]{4,30}")


def meant(word: str) -> str:
    """The nearest word that a guide uses; the word itself where none is near."""
    if len(word) < SHORTEST:
        return word
    near = get_close_matches(word, _vocabulary(), n=1, cutoff=NEAR)
    return near[0] if near else word


def _vocabulary() -> list[str]:
    kept: list[str] | None = cache.get_or_set(
        "guide-vocabulary", _words_in_use, KEPT_SECONDS
    )
    return kept or []


def _words_in_use() -> list[str]:
    texts = [synonyms.FILE.read_text(encoding="utf-8")]
    for kind in (Guide, VideoGuide):
        for page in kind.objects.live():
            texts += [page.title, page.summary, page.words]
    return sorted({word for text in texts for word in _WORD.findall(text.casefold())})
