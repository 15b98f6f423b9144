from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail import dsn_parameters
from engine.mail.dsn_fields import from_xtext
from engine.mail.smtp_path import SyntaxErrorInCommand

# RFC 3461 §4, as it is written there.
XTEXT = re.compile(r"([!-*,-<>-~]|\+[0-9A-F][0-9A-F])*")
VALUES = st.text(
    st.sampled_from("aZ0+=<>;,\\x{}2BFf0D \x00\x7f\u00e9\u20ac"), max_size=40
)


@pytest.mark.parametrize("value", ["QQ314159", "a+2Bb", "<1@firm.example>", "x" * 100])
def test_envelope_ids_that_are_passed_on(value: str) -> None:
    assert dsn_parameters.envelope_id(value) == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "ENVID needs a value"),
        ("a+b", "xtext"),
        ("a+2b", "xtext"),
        ("a+", "xtext"),
        ("a=b", "xtext"),
        ("\u00e9", "xtext"),
        ("a+0D+0Ab", "printable"),
        ("a+00", "printable"),
        ("a+E9", "printable"),
        ("x" * 101, "100 characters"),
    ],
)
def test_envelope_ids_that_a_next_hop_would_refuse(
    value: str | None, reason: str
) -> None:
    with pytest.raises(
        SyntaxErrorInCommand, match=f"^501 5.5.4 .*ENVID.*{reason}|{reason}"
    ):
        dsn_parameters.envelope_id(value)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("rfc822;bob@other.example", "rfc822;bob@other.example"),
        ("RFC822;bob+2Btag@other.example", "RFC822;bob+2Btag@other.example"),
        ("x400;/C=GB".replace("=", "+3D"), "x400;/C+3DGB"),
        (r"utf-8;j\x{E4}nner@x.example", r"utf-8;j\x{E4}nner@x.example"),
        ("UTF-8;j\u00e4nner@x.example", r"UTF-8;j\x{E4}nner@x.example"),
    ],
)
def test_original_recipients_that_are_passed_on(value: str, kept: str) -> None:
    assert dsn_parameters.original_recipient(value) == kept


@pytest.mark.parametrize(
    "value",
    [
        None,
        "bob@other.example",
        "rfc822;",
        ";bob@other.example",
        "rfc 822;bob@other.example",
        "rfc822;bob+tag@other.example",
        "rfc822;bob+0A@other.example",
        "rfc822;b\u00f6b@other.example",
        "utf-8;bob+2Btag@x.example",
        r"utf-8;bob\n@x.example",
        r"utf-8;bob\x{A}@x.example",
        r"utf-8;bob\x{D800}@x.example",
        r"utf-8;bob\x{110000}@x.example",
        "rfc822;" + "x" * 500,
        "utf-8;" + "\u00e4" * 100,
    ],
)
def test_original_recipients_that_a_next_hop_would_refuse(value: str | None) -> None:
    with pytest.raises(SyntaxErrorInCommand, match=r"^501 5\.5\.4 ORCPT "):
        dsn_parameters.original_recipient(value)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("NEVER", "NEVER"),
        ("success,Failure", "FAILURE,SUCCESS"),
        ("DELAY,DELAY", "DELAY"),
    ],
)
def test_notify_that_is_passed_on(value: str, kept: str) -> None:
    assert dsn_parameters.notify(value) == kept


@pytest.mark.parametrize(
    "value", [None, "SOMETIMES", ",", "SUCCESS,", "NEVER,DELAY", "FAILURE;DELAY"]
)
def test_notify_that_a_next_hop_would_refuse(value: str | None) -> None:
    with pytest.raises(SyntaxErrorInCommand, match=r"^501 5\.5\.4 NOTIFY "):
        dsn_parameters.notify(value)


@pytest.mark.parametrize("value", [None, "BODY", ""])
def test_ret_that_is_neither(value: str | None) -> None:
    with pytest.raises(SyntaxErrorInCommand, match=r"^501 5\.5\.4 RET "):
        dsn_parameters.wants_full(value)


def test_ret() -> None:
    assert dsn_parameters.wants_full("full")
    assert not dsn_parameters.wants_full("HDRS")


@given(VALUES)
def test_what_is_passed_on_is_xtext(value: str) -> None:
    for check in (dsn_parameters.envelope_id, dsn_parameters.original_recipient):
        for written in (value, f"rfc822;{value}", f"utf-8;{value}"):
            try:
                kept = check(written)
            except SyntaxErrorInCommand:
                continue
            assert XTEXT.fullmatch(kept)
            assert from_xtext(kept).isprintable()
            assert len(kept) <= 500
