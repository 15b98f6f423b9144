from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.mime.encoded_words import MAX_WORDS, decode_words, encode_text, fold


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?q?J=C3=A4ne_Doe?=", "Jäne Doe"),
        (b"=?UTF-8?B?SsOkbmU=?=", "Jäne"),
        (b"=?utf-8*en?q?a?=", "a"),
        (b"=?iso-8859-1?q?J=E4ne?= Doe", "Jäne Doe"),
        (b"Re: =?utf-8?q?a?= b", "Re: a b"),
        (b"=?utf-8?q?a?= \t =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?= =?iso-8859-1?q?=E4?= c", "aä c"),
        (b"=?utf-8?b?SsM=?= =?utf-8?b?pG5l?=", "Jäne"),
        (b"=?utf-8?b?SsOkbmU?=", "Jäne"),
        (b"=?utf-8?b?YQ==YQ?=x", "ax"),
        (b"=?utf-8?b?a?=", "a"),
        (b"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?utf-16?b?AAAA?=", "\ufffd"),
        ("Jäne".encode(), "Jäne"),
        (b"J\xe4ne", "Jäne"),
        (b"=?unknown?q?J=E4ne?=", "Jäne"),
        (b"=?utf-8?q?a=0D=0ABcc:_x=00=7F?=", "a  Bcc: x"),
        (b"=?utf-8?b?YQpCY2M6IHg=?=", "a Bcc: x"),
        ("=?utf-8?q?a=E2=80=AEb?= \u202ec".encode(), "ab c"),
        (b"=?utf-7?q?J+AOQ-ne?=", "Jäne"),
        (b"=?utf-7?q?+AAoAPA-?=", " <"),
        (b"=?utf-7?q?+AOQ?= =?utf-7?q?a?=", "äa"),
        (b"=?utf-8?q?What?? now?=", "What?? now"),
        (b"=?utf-8?q?a =?utf-8?q?b?=", "=?utf-8?q?a b"),
        (b"=?iso-8859-1?q?J\xe4ne?=", "Jäne"),
        (b"=?utf-8?q?J\xc3\xa4ne?=", "Jäne"),
        (b"=?utf-8?b?J\xc3\xa4ne?=", "Jäne"),
        (b"=?iso-8859-1?q?J=C3=A4ne?=", "Jäne"),
        (b"=?utf-8?q?J=E4ne?=", "Jäne"),
        (b"=?iso-8859-1?q?don=92t?=", "don’t"),
        (b"=??q?J=E4ne?=", "Jäne"),
        (b"=?utf-8?b?SsOkbmUgSsOkbmUgS?=", "Jäne Jäne "),
        (b"=?iso-2022-jp?b?GyRCLSEbKEI=?=", "①"),
        (b"=?_iso-2022-jp$ESC?b?GyRCRnxLXBsoQg==?=", "日本"),
        (b"\x1b$BF|K\\\x1b(B", "日本"),
        (b"J\xe4ne don\x92t", "Jäne don’t"),
        (b"=?unicode_escape?q?=5Cn?=", "\\n"),
        (b"=?hex?q?61?=", "61"),
        (b"=?idna?q?xn--bcher-kva?=", "xn--bcher-kva"),
        (b"=?a/../b?q?x?=", "=?a/../b?q?x?="),
        (b"=?utf-8?q?a", "=?utf-8?q?a"),
        (b"=?utf-8?q?a b?=", "a b"),
        (b"", ""),
    ],
)
def test_decode_words(value: bytes, text: str) -> None:
    assert decode_words(value) == text


@pytest.mark.parametrize(
    "value",
    [
        b"=?utf-8?q?a?= " * 20_000,
        b"=?" * 100_000,
        b"=?utf-8?q?" * 20_000,
        b"=?u?q?a?" * 20_000,
        b"=?utf-8?b?" + b"A" * 1_000_000 + b"?=",
        b"=?punycode?q?" + b"a" * 60_000 + b"?=",
        b"\xff" * 1_000_000,
    ],
    ids=lambda value: repr(value[:20]),
)
def test_decode_words_of_a_hostile_value_is_bounded(value: bytes) -> None:
    assert len(decode_words(value)) <= 64 * 1024


def test_words_after_too_many_are_shown_as_written() -> None:
    text = decode_words(b"=?utf-8?q?a?= " * (MAX_WORDS + 1))

    assert text.startswith("a" * MAX_WORDS + " =?utf-8")


@given(st.binary(max_size=200))
def test_decoded_text_has_no_controls(value: bytes) -> None:
    for wrapped in (value, b"=?utf-8?q?" + value + b"?="):
        text = decode_words(wrapped)
        assert not {"Cc", "Cs", "Zl", "Zp"} & set(map(unicodedata.category, text))


@given(st.text(max_size=200))
def test_encoded_text_is_safe_and_survives(text: str) -> None:
    encoded = encode_text(text)

    assert encoded.isascii() and encoded.isprintable()
    assert decode_words(fold(encoded, 10).replace("\r\n", "").encode()) == decode_words(
        encoded.encode()
    )


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=100))
def test_encoded_text_round_trip(text: str) -> None:
    assert decode_words(encode_text(text).encode()) == text.replace("\ufeff", "")


def test_encode_text_leaves_plain_text_alone() -> None:
    assert encode_text("Case 2026/123 (urgent)") == "Case 2026/123 (urgent)"


def test_encode_text_hides_what_looks_encoded() -> None:
    assert decode_words(encode_text("=?utf-8?q?a?=").encode()) == "=?utf-8?q?a?="


def test_encode_text_removes_line_ends() -> None:
    assert encode_text("a\r\nBcc: x\0b") == "a Bcc: x b"
    assert decode_words(encode_text("a\ud800").encode()) == "a?"
