"""Tests format=flowed text as RFC 3676 defines it, and the quoting of replies."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.reading.flowed import quote, unflow

LINES = st.lists(st.text(alphabet="> -ab\u3042", max_size=12), max_size=12)


def flowed(paragraph: str, depth: int, *, delsp: bool) -> str:
    """Writes a paragraph as RFC 3676 §4.2 generates it, a line for each word."""
    words = paragraph.split(" ")
    last = len(words) - 1
    lines = [
        word + ("" if at == last else "  " if delsp else " ")
        for at, word in enumerate(words)
    ]
    return "\r\n".join(stuffed(line, depth) for line in lines)


def stuffed(line: str, depth: int) -> str:
    needs = depth or line.startswith((" ", ">", "From "))
    return ">" * depth + (" " if needs else "") + line


def shown(paragraph: str, depth: int) -> str:
    return ">" * depth + (" " if depth and paragraph else "") + paragraph


class TestUnflow:
    def test_soft_line_breaks_are_joined(self) -> None:
        assert unflow("one \r\ntwo\r\nthree", delsp=False) == "one two\nthree"

    def test_with_delsp_the_space_is_no_part_of_the_text(self) -> None:
        assert unflow("a flowed \r\nparagraph BETA \r\nTWO", delsp=True) == (
            "a flowedparagraph BETATWO"
        )
        assert unflow("日本 \n語です", delsp=True) == "日本語です"
        assert unflow("two  \nwords", delsp=True) == "two words"

    def test_space_stuffing_is_removed_once(self) -> None:
        assert unflow(" From here\n  two\n >mark\n \n", delsp=False) == (
            "From here\n two\n>mark\n\n"
        )

    def test_lines_of_one_quote_depth_are_joined(self) -> None:
        assert unflow("> one \n> two\n>> three \n>> four\nfive", delsp=False) == (
            "> one two\n>> three four\nfive"
        )

    @pytest.mark.parametrize("delsp", [False, True])
    def test_a_change_of_depth_ends_a_paragraph(self, delsp: bool) -> None:
        lines = unflow("> one \ntwo \n>> three", delsp=delsp).split("\n")
        assert [line.rstrip() for line in lines] == ["> one", "two", ">> three"]

    def test_the_signature_separator_is_kept_and_joins_nothing(self) -> None:
        assert unflow("text \n-- \nJane \nDoe", delsp=True) == "text\n-- \nJaneDoe"
        assert unflow("> text \n> -- \n> Jane", delsp=False) == (
            "> text \n> -- \n> Jane"
        )

    def test_empty_lines_stay(self) -> None:
        assert unflow("one\n\n\ntwo\n>\n> \n>> three", delsp=False) == (
            "one\n\n\ntwo\n>\n>\n>> three"
        )

    def test_other_separators_of_lines_are_text(self) -> None:
        assert unflow("one\u2028 \x0btwo \rthree", delsp=False) == (
            "one\u2028 \x0btwo three"
        )


class TestUnflowProperties:
    @given(
        st.lists(
            st.tuples(
                st.lists(
                    st.text(alphabet=">-ab\u3042", min_size=1, max_size=5),
                    max_size=6,
                ).map(" ".join),
                st.integers(0, 3),
            ),
            max_size=8,
        ),
        st.booleans(),
    )
    def test_what_a_program_writes_is_read_back(
        self, paragraphs: list[tuple[str, int]], delsp: bool
    ) -> None:
        written = "\r\n".join(flowed(t, d, delsp=delsp) for t, d in paragraphs)
        expected = "\n".join(shown(t, d) for t, d in paragraphs)
        # A separator written as a word of a flowed paragraph is one, says §4.3.
        if "-- " not in re.split(r"\r\n[> ]*", "\r\n" + written):
            assert unflow(written, delsp=delsp) == expected

    @given(LINES, st.booleans())
    def test_no_character_but_spaces_and_marks_is_lost(
        self, lines: list[str], delsp: bool
    ) -> None:
        def kept(text: str) -> str:
            return re.sub(r"[ >\n]", "", text)

        text = "\n".join(lines)
        assert kept(unflow(text, delsp=delsp)) == kept(text)

    @given(st.text(), st.booleans())
    def test_any_text_is_accepted(self, text: str, delsp: bool) -> None:
        unflow(text, delsp=delsp)

    @pytest.mark.parametrize("unit", ["a \n", "> \n", ">", " ", "-- \n", ">a \na \n"])
    def test_time_is_linear(self, unit: str) -> None:
        started = time.perf_counter()
        unflow(unit * (2_000_000 // len(unit)), delsp=True)
        assert time.perf_counter() - started < 10


class TestQuote:
    def test_each_line_gets_a_mark(self) -> None:
        assert quote("one\r\n\r\n> two\nthree") == "> one\n>\n>> two\n> three"

    @given(LINES)
    def test_the_quoted_text_stands_behind_the_marks(self, lines: list[str]) -> None:
        quoted = quote("\n".join(lines)).split("\n")
        assert len(quoted) == max(1, len(lines))
        for line, marked in zip(lines, quoted, strict=False):
            assert marked in (f"> {line}", f">{line}")
