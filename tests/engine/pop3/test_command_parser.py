from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pop3 import replies
from engine.pop3.command_parser import Command
from engine.pop3.replies import Refused
from engine.pop3.sasl import read_plain


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_keyword_in_any_case() -> None:
    assert Command.parse(b"pAsS  two words ") == Command("PASS", " two words ")


@pytest.mark.parametrize(
    "line",
    [b"", b" USER x", b"USER\tx", b"US\0ER", b"PASS a\0b", b"\xff", b"USER \xff"],
)
def test_line_that_is_no_command(line: bytes) -> None:
    with pytest.raises(Refused):
        Command.parse(line)


@given(st.binary(max_size=300))
def test_any_line_is_a_command_or_refused(line: bytes) -> None:
    try:
        command = Command.parse(line)
        command.numbers(least=1, most=2)
    except Refused as error:
        assert bytes(error.reply).startswith(b"-ERR ")
        assert bytes(error.reply).count(b"\r\n") == 1


def test_numbers() -> None:
    assert Command.parse(b"TOP 12 0").numbers(least=2, most=2) == [12, 0]


@pytest.mark.parametrize("rest", ["", "1 2 3", "one", "+1", "-1", "1.0", "²", "1" * 10])
def test_numbers_that_are_none(rest: str) -> None:
    with pytest.raises(Refused):
        Command("RETR", rest).numbers(least=1, most=2)


@pytest.mark.parametrize("acts_as", ["", "bob"])
def test_plain(acts_as: str) -> None:
    response = encoded(f"{acts_as}\0bob\0secret")

    assert read_plain(response) == ("bob", "secret")


@pytest.mark.parametrize(
    "response",
    ["", "=", "Ym9i", encoded("\0bob"), encoded("\0bob\0a\0b"), "AGJvYg==AHg=", "é"],
)
def test_plain_that_is_none(response: str) -> None:
    with pytest.raises(Refused) as refused:
        read_plain(response)

    assert refused.value.reply == replies.BAD_SASL


def test_plain_on_anothers_behalf() -> None:
    with pytest.raises(Refused) as refused:
        read_plain(encoded("alice\0bob\0secret"))

    assert refused.value.reply == replies.WRONG
