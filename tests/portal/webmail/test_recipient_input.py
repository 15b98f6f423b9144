from __future__ import annotations

import pytest

from portal.webmail.recipient_input import parse_recipients


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jane@firm.example", [("", "jane@firm.example")]),
        (
            "Jane Jones <jane@firm.example>, bob@x.example; carol@y.example",
            [
                ("Jane Jones", "jane@firm.example"),
                ("", "bob@x.example"),
                ("", "carol@y.example"),
            ],
        ),
        ('"Jones, Jane" <jane@firm.example>', [("Jones, Jane", "jane@firm.example")]),
        (" ,; ", []),
        ("Siân <sian@firm.example>", [("Siân", "sian@firm.example")]),
    ],
)
def test_what_people_type_is_read(text: str, expected: list[tuple[str, str]]) -> None:
    found = parse_recipients(text)

    assert [(n.name, str(n.address)) for n in found.recipients] == expected
    assert found.errors == []


@pytest.mark.parametrize(
    "text",
    ["jane", "jane@", "Jane <jane>", "<>", "a@b@c", "jane@firm.example\r\nBcc: x@y"],
)
def test_what_is_no_address_is_said(text: str) -> None:
    found = parse_recipients(text)

    assert found.errors and "is not an address" in found.errors[0]


def test_hostile_input_is_read_quickly() -> None:
    assert parse_recipients('"' * 20_000).recipients == []
    assert parse_recipients("<" * 20_000).recipients == []
    assert parse_recipients("a <" * 7_000 + ">").recipients == []
