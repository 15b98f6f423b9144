from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address import Address, InvalidAddressError
from engine.mail.smtp_path import SyntaxErrorInCommand, parse_path


def test_path_with_parameters() -> None:
    address, parameters = parse_path(
        "<Jane@firm.example> size=1000 BODY=8BITMIME  SMTPUTF8 ENVID=aB+2Bc"
    )

    assert address == Address("Jane", "firm.example")
    assert parameters == {
        "SIZE": "1000",
        "BODY": "8BITMIME",
        "SMTPUTF8": None,
        "ENVID": "aB+2Bc",
    }


def test_null_path() -> None:
    assert parse_path("<>") == (None, {})
    assert parse_path(" <> AUTH=<>") == (None, {"AUTH": "<>"})


def test_path_with_angle_brackets_and_spaces_in_quotes() -> None:
    assert parse_path('<"a> b"@firm.example> SIZE=1') == (
        Address("a> b", "firm.example"),
        {"SIZE": "1"},
    )


def test_postmaster_without_a_domain() -> None:
    address, _ = parse_path("<PostMaster>", postmaster_at="secure.example")

    assert address == Address("PostMaster", "secure.example")
    with pytest.raises(InvalidAddressError):
        parse_path("<postmaster>")


@pytest.mark.parametrize(
    "argument",
    ["<jane>", "<a b@x.example>", "<@r.example:jane@firm.example>", "<\ud800>"],
)
def test_path_with_a_bad_address(argument: str) -> None:
    with pytest.raises((InvalidAddressError, SyntaxErrorInCommand)):
        parse_path(argument)


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "jane@firm.example",
        "<jane@firm.example",
        "<jane@firm.example>SIZE=1",
        "<jane@firm.example> =1",
        "<jane@firm.example> SIZE=",
        "<jane@firm.example> SIZE=1=2",
        "<jane@firm.example> SIZE=1 size=2",
        "<jane@firm.example> SI\0ZE=1",
        "<jane@firm.example>\r\nRCPT TO:<bob@firm.example>",
        "<jane@firm.example> " + "A " * 30,
        "<" + "a" * 1_000_000 + ">",
    ],
)
def test_path_that_breaks_the_syntax(argument: str) -> None:
    with pytest.raises(SyntaxErrorInCommand) as refused:
        parse_path(argument)

    assert refused.value.reply.code == 501


@given(st.text(st.sampled_from('<>"\\@ab =.é\r\n\0'), max_size=40))
def test_any_argument_is_understood_or_refused(argument: str) -> None:
    try:
        address, _ = parse_path(argument)
    except (InvalidAddressError, SyntaxErrorInCommand):
        return

    assert address is None or Address.parse(str(address)) == address
