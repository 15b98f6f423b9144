from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from engine.signing import canonical_json
from engine.signing.canonical_json import NotCanonicalError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = (
    KEY.public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)


def _shuffled(value: Any) -> Any:
    """Returns an equal value, the members of its objects in the reverse order."""
    if isinstance(value, dict):
        return {name: _shuffled(value[name]) for name in reversed(value)}
    return [_shuffled(one) for one in value] if isinstance(value, list) else value


@given(VALUES)
def test_what_was_signed_verifies_however_its_members_are_ordered(value: Any) -> None:
    signature = canonical_json.sign(value, KEY)
    again = json.loads(json.dumps(_shuffled(value), indent=2))

    assert canonical_json.verifies(again, signature, PUBLIC)
    assert canonical_json.decode(canonical_json.encode(value)) == value


@given(VALUES, VALUES)
def test_a_signature_is_of_one_value(value: Any, other: Any) -> None:
    signature = canonical_json.sign(value, KEY)
    is_same = canonical_json.encode(value) == canonical_json.encode(other)

    assert canonical_json.verifies(other, signature, PUBLIC) is is_same


@given(VALUES, st.data())
def test_no_octet_can_change_without_another_value(
    value: Any, data: st.DataObject
) -> None:
    text = bytearray(canonical_json.encode(value))
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] ^= data.draw(st.integers(1, 255))

    try:
        read = canonical_json.decode(bytes(text))
    except NotCanonicalError:
        return
    assert canonical_json.encode(read) != canonical_json.encode(value)


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(text: bytes) -> None:
    try:
        canonical_json.decode(text)
    except NotCanonicalError:
        pass


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b"1.0",
        b"NaN",
        b'"\\ud800"',
        b"9007199254740993",
        b"1" * 5000,
        b"[" * 100_000,
        b"\xff",
        b"",
    ],
)
def test_only_the_canonical_form_is_read(text: bytes) -> None:
    with pytest.raises(NotCanonicalError):
        canonical_json.decode(text)


@pytest.mark.parametrize("signature", ["", "0" * 127, "G" * 128, None, 7, "00" * 64])
def test_what_is_no_signature_verifies_nothing(signature: object) -> None:
    assert not canonical_json.verifies({"a": 1}, signature, PUBLIC)


def test_a_signature_has_one_spelling() -> None:
    signature = canonical_json.sign({"a": 1}, KEY)

    assert not canonical_json.verifies({"a": 1}, signature.upper(), PUBLIC)
