from __future__ import annotations

import hashlib

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from engine.incidents import message_keys
from engine.incidents.message_keys import Kind

HEADER = (
    b"From: Jane <Jane@firm.example>\r\nSubject: Re: Fwd:  The   Bundle\r\n"
    b"Message-ID: <1@b.example>\r\n"
)
PDF = b"%PDF-1.7 and more"
FILES_HEADER = (
    HEADER + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
)
FILES_BODY = (
    b"--x\r\nContent-Type: text/plain\r\n\r\nSee the files.\r\n"
    b"--x\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjcgYW5kIG1vcmU=\r\n"
    b"--x\r\nContent-Type: text/csv; name=a.csv\r\n"
    b"Content-Disposition: attachment\r\n\r\na,b\r\n1,2\r\n--x--\r\n"
)
TWO_FILES = (FILES_HEADER, FILES_BODY)


def key(kind: Kind, text: str) -> bytes:
    return message_keys.key_of(kind, message_keys.normal(kind, text))


def digest(data: bytes) -> bytes:
    return key(Kind.FILE, hashlib.sha256(data).hexdigest())


def test_the_header_is_found_by_what_an_operator_types() -> None:
    found = message_keys.of_header(HEADER + b"\r\n", "bounces@firm.example")

    assert found == {
        key(Kind.SENDER, "jane@FIRM.example"),
        key(Kind.SENDER, "<bounces@firm.example>"),
        key(Kind.SUBJECT, "the bundle"),
        key(Kind.MESSAGE_ID, "1@b.example"),
    }


def test_files_are_found_decoded_and_texts_with_either_line_ending() -> None:
    found = message_keys.of_files(*TWO_FILES)

    assert found == {digest(PDF), digest(b"a,b\r\n1,2"), digest(b"a,b\n1,2")}


def test_a_file_in_an_attached_message_is_found() -> None:
    inner = b"".join(TWO_FILES)
    header = HEADER + b"Content-Type: message/rfc822\r\n\r\n"

    assert digest(PDF) in message_keys.of_files(header, inner)


def test_a_digest_may_be_typed_in_capitals_and_groups() -> None:
    plain = hashlib.sha256(PDF).hexdigest()
    typed = " ".join(plain[at : at + 8] for at in range(0, 64, 8)).upper()

    assert message_keys.normal(Kind.FILE, typed) == plain
    assert not message_keys.normal(Kind.FILE, plain[:-1])
    assert not message_keys.normal(Kind.FILE, "z" * 64)


def test_an_earlier_secret_key_still_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    before = message_keys.key_of(Kind.SUBJECT, "the bundle")
    monkeypatch.setattr(settings, "SECRET_KEY_FALLBACKS", [settings.SECRET_KEY])
    monkeypatch.setattr(settings, "SECRET_KEY", "another" * 8)

    searched = message_keys.searched(Kind.SUBJECT, "the bundle")

    assert message_keys.key_of(Kind.SUBJECT, "the bundle") != before
    assert before.hex() in searched


def test_one_value_has_another_key_as_another_thing() -> None:
    keys = {message_keys.key_of(kind, "a@b.example") for kind in Kind}

    assert len(keys) == len(Kind)


@given(st.binary(max_size=300), st.binary(max_size=600))
def test_nothing_malformed_raises(header: bytes, body: bytes) -> None:
    message_keys.of_header(header + b"\r\n\r\n", "x")
    message_keys.of_files(
        header + b"\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n",
        b"--x\r\n" + body,
    )


@given(st.text(max_size=80))
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    for kind in Kind:
        once = message_keys.normal(kind, text)
        if once:
            assert message_keys.normal(kind, once) == once
