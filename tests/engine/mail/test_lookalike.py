from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail import lookalike


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Jane  Marlow", "Jane Marlow"),
        ("\u202eenaJ\u202c", "enaJ"),
        ("Ja\u200bne\u00ad Mar\u2060low", "Jane Marlow"),
        ("Jane\u3000\u00a0Marlow", "Jane Marlow"),
        ("Z" + "\u0301" * 40, "\u0179" + "\u0301" * 2),
        ("José", "José"),
        (
            "\u0646\u06cc\u0645\u200c\u0641\u0627\u0635\u0644\u0647",
            "\u0646\u06cc\u0645\u200c\u0641\u0627\u0635\u0644\u0647",
        ),
        ("\u200c\u200d", ""),
        ("Jane\U000e0041\U000e0042", "Jane"),
    ],
)
def test_a_name_is_shown_without_what_hides_or_covers(name: str, expected: str) -> None:
    assert lookalike.displayable(name) == expected


@pytest.mark.parametrize(
    "text",
    [
        "\u041d\u0435l\u0440d\u0435sk",
        "HELPDESK",
        "He1pdesk",
        "Hel\u200bpdesk",
        "\U0001d4d7\U0001d4ee\U0001d4f5\U0001d4f9\U0001d4ed\U0001d4ee\U0001d4fc\U0001d4f4",
        "Hélpdesk",
        "He|pdesk",
    ],
)
def test_what_looks_alike_has_one_skeleton(text: str) -> None:
    assert lookalike.skeleton(text) == lookalike.skeleton("helpdesk")


def test_letters_that_differ_in_ascii_still_differ_where_they_are_only_read() -> None:
    assert lookalike.ascii_form("jim@firm.example") != lookalike.ascii_form(
        "jlm@firm.example"
    )


@given(st.text())
def test_what_is_shown_is_shown_the_same_again(name: str) -> None:
    shown = lookalike.displayable(name)

    assert lookalike.displayable(shown) == shown
    assert not any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in shown)


@given(st.text())
def test_a_skeleton_is_its_own(text: str) -> None:
    once = lookalike.skeleton(text)

    assert lookalike.skeleton(once) == once
