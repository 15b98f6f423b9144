from __future__ import annotations

import itertools
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.folding.letters import fold
from engine.folding.words import MAX_LETTERS, index_words, wanted_words

# Each line is one name in the ways that people write it.
SPELLINGS = (
    ("Siân", "sian", "SIAN", "Sia\u0302n"),
    ("Łukasz Wałęsa", "lukasz walesa", "ŁUKASZ WAŁĘSA"),
    ("Søren Ørsted", "soren orsted", "SØREN ØRSTED"),
    ("Y\u0131ld\u0131z İnce", "yildiz ince", "YILDIZ INCE"),
    ("Þóra Guðmundsdóttir", "thora gudmundsdottir"),
    ("Ħal Għargħur", "hal gharghur"),
    ("Đặng Đình", "dang dinh"),
    ("Æthelred Œuvre", "aethelred oeuvre"),
    ("Groß Strauß", "gross strauss", "GROẞ STRAUSS"),
    (
        "O'Brien",
        "O Brien",
        "o\xa0brien",
        "OBrien",
        "obrien",
        *tuple(f"O{sign}Brien" for sign in "’‘`´\u02bc\u02bb\u2032\uff07\u02c8"),
    ),
    (
        "Smith-Jones",
        "Smith\u2010Jones",
        "Smith\u2011Jones",
        "Smith\u2013Jones",
        "smithjones",
    ),
    ("paral·lel", "paraŀlel", "parallel"),
    ("co\u00adoperate", "cooperate", "co-operate"),
    ("\uff37\uff49\uff44\uff45 ﬁle", "wide file"),
)
PAIRS = [pair for names in SPELLINGS for pair in itertools.product(names, names)]


def finds(query: str, name: str) -> bool:
    words = index_words(name)
    return all(words.intersection(wanted) for wanted in wanted_words(query))


@pytest.mark.parametrize(("query", "name"), PAIRS)
def test_every_spelling_of_a_name_finds_every_other(query: str, name: str) -> None:
    assert finds(query, name)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        *[("brien", "O'Brien"), ("o", "O’Brien"), ("neill smith", "O'Neill-Smith")],
        *[("oneill", "O'Neill-Smith"), ("o neill", "O'Neill-Smith")],
        *[("smith jones", "Smith-Jones"), ("jones", "Smith-Jones")],
        *[("jane", "Jane’s"), ("d smith", "D Smith"), ("o smith", "Olive O. Smith")],
        *[("d'souza", "Maria D Souza"), ("020 7946", "020-7946-0000")],
    ],
)
def test_a_part_of_a_name_finds_it(query: str, name: str) -> None:
    assert finds(query, name)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("obrien", "Brian"),
        ("brien", "OBrien"),
        ("lodz", "Lord"),
        ("smithjones", "Smith"),
    ],
)
def test_another_name_is_not_found(query: str, name: str) -> None:
    assert not finds(query, name)


@given(st.text(max_size=60))
def test_a_text_is_found_by_itself_however_it_is_composed(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert finds(text, unicodedata.normalize(form, text))
        assert finds(unicodedata.normalize(form, text), text)
    assert finds(text, text.swapcase()) or text.swapcase().casefold() != text.casefold()


@given(st.text(max_size=60))
def test_nothing_is_left_that_a_query_language_reads(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    for word in index_words(text).union(*wanted_words(text)):
        assert 0 < len(word) <= MAX_LETTERS
        assert all(c.isalnum() or not c.isascii() for c in word)
        assert not any(c.isspace() for c in word)


@pytest.mark.parametrize(
    "text", ["a\u0301\u0323" * 200_000, "'-" * 300_000, "o " * 300_000]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    started = time.process_time()

    index_words(text)

    assert time.process_time() - started < 5
