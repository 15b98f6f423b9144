"""Both databases find the same messages: those that a comparison in Python finds."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.folding.words import pieces as pieces_of
from engine.registry.models import Mailbox
from engine.storage.models import Message
from engine.storage.search import document, indexer, pieces
from engine.storage.search.find import find
from engine.storage.search.query_parser import Clause, Query, QueryError, Term, parse
from tests.engine.storage.conftest import compose_message, deliver

# Names that differ in one sign, letters of many scripts, and some newer than Unicode 6.1.
NAMES = st.sampled_from(
    [
        *("O'Brien", "O\u2019Brien", "OBrien", "O Brien", "o", "brien", "D Souza"),
        *("Smith-Jones", "Smith\u2013Jones", "smithjones", "Smith", "jones", "SMITH"),
        *("Łódź", "lodz", "Þóra", "thora", "Y\u0131ld\u0131z", "Ħal", "Groß", "gross"),
        *(
            "\U0001e900\U0001e901",
            "\u08b6\u0629",
            "\u0939\u093f\u0928\u094d\u0926\u0940",
        ),
        *("\u7de8\u96c6", "\u304c", "\U00010d00", "\u1c90", "\ua7c2", "\U0001fbf5"),
    ]
)
TEXTS = st.lists(st.one_of(NAMES, st.text(max_size=6)), max_size=12).map(" ".join)
QUERIES = st.lists(
    st.one_of(
        NAMES,
        NAMES.map(lambda name: f"-{name}"),
        NAMES.map(lambda name: f"subject:{name}"),
        NAMES.map(lambda name: f"{name[:2]}*"),
        st.tuples(NAMES, NAMES).map(lambda pair: f'"{" ".join(pair)}"'),
        st.tuples(NAMES, NAMES).map(" OR ".join),
        st.text(max_size=6),
    ),
    min_size=1,
    max_size=3,
).map(" ".join)


@pytest.mark.slow
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=150,
)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4), QUERIES)
def test_the_database_finds_what_a_comparison_finds(
    mailbox: Mailbox, written: list[tuple[str, str]], typed: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE_WORDS", 8)
        patch.setattr(pieces, "OVERLAP", 3)
        Message.objects.all().delete()
        for subject, text in written:
            one_line = " ".join(pieces_text(subject))
            deliver(mailbox, compose_message(subject=one_line, text=text))
        try:
            query = parse(typed)
        except QueryError:
            return
        indexer.index_waiting()

        found = find(query, mailbox).messages

        rows = Message.objects.select_related("content", "mailbox").order_by("-pk")
        assert found == [one for one in rows if matches(query, one)]


def pieces_text(text: str) -> list[str]:
    """The words of a text: a header takes no controls."""
    return [word for piece in pieces_of(text) for word in piece.words]


def matches(query: Query, message: Message) -> bool:
    written = list(document.Document(message).pieces())
    return all(
        any(holds(clause, piece) for piece in written) is not clause.is_negated
        for clause in query.clauses
    )


def holds(clause: Clause, piece: pieces.FieldWords) -> bool:
    return any(
        stands_in(term, words)
        for term in clause.terms
        for field, words in piece.items()
        if term.field in (None, field)
    )


def stands_in(term: Term, words: list[str]) -> bool:
    size = len(term.words)
    for at in range(len(words) - size + 1):
        *first, last = words[at : at + size]
        is_last = last.startswith if term.is_prefix else last.__eq__
        if first == list(term.words[:-1]) and is_last(term.words[-1]):
            return True
    return False
