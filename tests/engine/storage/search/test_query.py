from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.storage.search.pieces import Words
from engine.storage.search.query_parser import Clause, QueryError, Term, parse

PIECES = st.sampled_from(
    [
        *("from:", "in:", "has:", "larger:", "before:", "is:", "cc:", '"', "-", "*"),
        *(
            "OR",
            "NOT",
            "AND",
            "NEAR",
            ":",
            "(",
            ")",
            "{",
            "}",
            "^",
            "'",
            "\\",
            "&",
            "|",
        ),
        *("!", "<->", " ", "jane", "2026-11-23", "5M", "Siân", "\0", "\u202e", "%s"),
    ]
)


def test_words_stand_alone_or_in_a_field() -> None:
    query = parse('hearing from:"Jane Jones" -subject:draft filename:bund*')

    assert query.clauses == [
        Clause((Term(("hearing",)),)),
        Clause((Term(("jane", "jones"), Words.SENDER),)),
        Clause((Term(("draft",), Words.SUBJECT),), is_negated=True),
        Clause((Term(("bund",), Words.FILES, is_prefix=True),)),
    ]


def test_or_joins_its_neighbours() -> None:
    (clause,) = parse("osei OR lindqvist OR okafor").clauses

    assert [term.words for term in clause.terms] == [
        ("osei",),
        ("lindqvist",),
        ("okafor",),
    ]


def test_facts_are_understood() -> None:
    query = parse(
        "is:unread -is:flagged has:attachment in:archive"
        " after:2026-11-01 before:23/11/2026 larger:5M smaller:1g"
    )

    assert query.is_read is False
    assert query.is_flagged is False
    assert query.has_attachments is True
    assert query.folder == "archive"
    assert (query.since, query.before) == (date(2026, 11, 1), date(2026, 11, 23))
    assert (query.larger, query.smaller) == (5 * 1024**2, 1024**3)


def test_a_colon_after_another_word_is_no_operator() -> None:
    (clause,) = parse("Re:hearing").clauses

    assert clause.terms == (Term(("re", "hearing")),)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("is:lost", "After is:"),
        ("has:money", "After has:"),
        ("before:Thursday", "After before:"),
        ("before:2026-02-31", "After before:"),
        ("larger:big", "After larger:"),
        ("-larger:5M", "Leave out the minus"),
        ("OR hearing", "Type OR between"),
        ("hearing OR", "Type a word after OR"),
        ("hearing OR -draft", "Type OR between"),
        ("hearing OR is:read", "Type OR between"),
        ("a " * 31, "at most 30 words"),
        ("x" * 501, "at most 500 characters"),
    ],
)
def test_what_is_not_understood_is_answered_with_a_sentence(
    typed: str, sentence: str
) -> None:
    with pytest.raises(QueryError, match=sentence):
        parse(typed)


@given(st.one_of(st.text(max_size=600), st.lists(PIECES, max_size=40).map("".join)))
def test_anything_typed_is_understood_or_refused(typed: str) -> None:
    try:
        query = parse(typed)
    except QueryError as refusal:
        assert str(refusal)
    else:
        for clause in query.clauses:
            assert all(
                not c.isascii() or c.isalnum()
                for term in clause.terms
                for word in term.words
                for c in word
            )
