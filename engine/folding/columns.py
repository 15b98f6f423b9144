"""Columns of folded words, by which lists find their rows on either database.

A column holds the words of some texts of its row in order, ` thora gudmundsdottir | thora
law org`, and behind them the words by which a joined name is found as well. LIKE finds a
word in it, or a part of one; a text that is pasted, such as an address, as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from engine.folding.words import pieces, spaced, wanted_words

# Limits of a query: characters of the text, and conditions.
LONGEST_TEXT = 254
MOST_CONDITIONS = 10
# The shortest text that PostgreSQL's trigram indexes find anywhere in a word.
TRIGRAM = 3
NOTHING = Q(pk__in=[])
_BREAK = " |"


class WordsField(models.TextField):  # type: ignore[type-arg]
    """The words of the texts that its model names in FOUND_BY; None while not written.

    Written whenever the row is inserted, or the column is among those that save() updates.
    """

    def deconstruct(self) -> Any:
        """Has migrations know it as the text that it is."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        if not isinstance(model_instance, FoundByWords):
            raise TypeError(f"{model_instance!r} does not say what it is found by.")
        model_instance.write_words()
        return model_instance.words or ""


class FoundByWords(models.Model):
    """A row that is found by the words of the texts in FOUND_BY.

    `save` and `bulk_create` write `words`; before `bulk_update` call `write_words`, and
    have it update `words` too. `QuerySet.update` of one of these texts does not write it.
    """

    FOUND_BY: ClassVar[tuple[str, ...]] = ()

    # Null, because the version before inserts rows without it while hosts upgrade.
    words = WordsField(null=True, editable=False)

    class Meta:
        abstract = True

    def save(
        self,
        *args: Any,
        update_fields: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Saves the row, and its words where one of the texts is saved."""
        if update_fields is not None:
            names = set(update_fields)
            update_fields = names | {"words"} if names & {*self.FOUND_BY} else names
        super().save(*args, update_fields=update_fields, **kwargs)

    def write_words(self) -> None:
        """Sets `words` to those of the texts."""
        self.words = column_text(getattr(self, name) for name in self.FOUND_BY)

    @classmethod
    def found_by(cls, text: str) -> Q:
        """Matches the rows in which every word of the text is found; all without a text.

        A word of one or two letters must begin a word of the row: anywhere in it no index
        would find them, and most rows of a large table would have to be read.
        """
        if not text.strip():
            return Q()
        return _folded(text) | Q(words=None) & _unfolded(text, cls.FOUND_BY)


def unwritten_index(name: str) -> models.Index:
    """Returns the index of rows without words, nearly always empty."""
    return models.Index(fields=["id"], condition=Q(words=None), name=name)


def column_text(texts: Iterable[str]) -> str:
    """Returns what a column of words holds for the texts of a row."""
    whole: list[str] = []
    extra: dict[str, None] = {}
    for text in texts:
        found = list(spaced(pieces(text)))
        whole.append("".join(f" {word}" for piece in found for word in piece.words))
        extra.update(dict.fromkeys(word for piece in found for word in piece.extra))
    return _BREAK.join([*filter(None, whole), *(f" {word}" for word in extra)])


def is_found(texts: Iterable[str], query: str) -> bool:
    """Whether a row with these texts is found, for tables too small for a column."""
    column, wanted = column_text(texts), patterns(query)
    return all(any(one in column for one in group) for group in wanted) and bool(wanted)


def patterns(text: str) -> list[tuple[str, ...]]:
    """Returns what a query asks for: of each group a column must contain one."""
    text = text[:LONGEST_TEXT]
    wanted: dict[tuple[str, ...], None] = {}
    apart: list[str] = []
    for chunk in text.split():
        words = [word for piece in pieces(chunk) for word in piece.words]
        if len(words) > 1 and _is_pasted(chunk):
            wanted[(_pattern(" ".join(words), words[0]),)] = None
        else:
            apart.append(chunk)
    for group in wanted_words(" ".join(apart)):
        wanted[tuple(_pattern(word, word) for word in group)] = None
    return list(wanted)[:MOST_CONDITIONS]


def _is_pasted(chunk: str) -> bool:
    """Whether it is an address, a domain or an event: what stands between has an order."""
    return "@" in chunk or "." in chunk.strip(".")


def _pattern(text: str, first: str) -> str:
    return text if len(first) >= TRIGRAM else f" {text}"


def _folded(text: str) -> Q:
    found = Q()
    for group in patterns(text):
        found &= _any(Q(words__contains=one) for one in group)
    # Text without any letter or digit asks for something, so it must not match all.
    return found or NOTHING


def _unfolded(text: str, fields: Iterable[str]) -> Q:
    """Matches as long as a row has no words yet: one that another version wrote."""
    found = Q()
    # PostgreSQL refuses NUL in text.
    for word in text.replace("\0", " ")[:LONGEST_TEXT].split()[:MOST_CONDITIONS]:
        found &= _any(Q(**{f"{field}__icontains": word}) for field in fields)
    return found or NOTHING


def _any(conditions: Iterator[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found
