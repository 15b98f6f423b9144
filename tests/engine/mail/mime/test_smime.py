from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.mail.mime import smime as smime_reader
from tests import smime

ENTITY = b"Content-Type: text/plain\r\n\r\nGood morning\r\n"


@given(st.binary(max_size=2_000))
def test_what_was_signed_is_found(content: bytes) -> None:
    signed = smime.signed(content)

    assert smime_reader.kind_of(signed) is smime_reader.Kind.SIGNED
    assert smime_reader.read(signed).signed == content


@given(st.binary(max_size=3_000), st.integers(1, 500))
def test_lengths_may_be_left_open_and_octets_come_in_pieces(
    content: bytes, piece: int
) -> None:
    loose = smime.loosened(smime.signed(content), piece)

    assert smime_reader.read(loose).signed == content


def test_the_kind_shows_in_the_first_octets() -> None:
    assert (
        smime_reader.kind_of(smime.signed(bytes(70_000))[:20])
        is smime_reader.Kind.SIGNED
    )


def test_a_signature_that_stands_apart_holds_nothing() -> None:
    apart = smime.detached(ENTITY)

    assert smime_reader.read(apart).signed is None
    assert not smime_reader.read(apart).is_broken
    assert not smime_reader.read(smime.loosened(apart, 9)).is_broken


def test_a_signature_that_cannot_be_read_is_broken() -> None:
    assert smime_reader.read(smime.signed(ENTITY)[:70]).is_broken
    assert not smime_reader.read(smime.signed(ENTITY)).is_broken


def test_more_pieces_than_anybody_writes_are_not_read() -> None:
    pieces = smime.loosened(smime.signed(bytes(110_000)), 1)

    assert smime_reader.read(pieces).is_broken


def test_what_is_encrypted_is_no_signature() -> None:
    enveloped = smime.enveloped(ENTITY)

    assert smime_reader.kind_of(enveloped) is smime_reader.Kind.ENVELOPED
    assert smime_reader.read(enveloped).signed is None


@pytest.mark.parametrize("length", range(0, 60, 7))
def test_what_is_cut_off_holds_nothing(length: int) -> None:
    assert smime_reader.read(smime.signed(ENTITY)[:length]).signed is None


@given(st.binary(max_size=300))
@example(b"\x30\x80" * 150)
@example(b"\x30\x89" + b"\xff" * 20)
def test_any_octets_are_read_without_an_error(data: bytes) -> None:
    assert smime_reader.kind_of(data) is None or smime_reader.read(data).signed is None


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6))
def test_damage_is_read_without_an_error(places: list[tuple[int, int]]) -> None:
    data = bytearray(smime.loosened(smime.signed(ENTITY), 9))
    for place, octet in places:
        data[place % len(data)] = octet

    found = smime_reader.read(bytes(data)).signed

    assert found is None or len(found) <= len(data)
