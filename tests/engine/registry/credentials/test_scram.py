"""SCRAM-SHA-256 by the RFC's own example, and beside a client of another make."""

from __future__ import annotations

import base64

import pytest
import scramp
from hypothesis import given
from hypothesis import strategies as st

from engine.registry.credentials.scram_exchange import (
    LONGEST,
    ScramError,
    ScramExchange,
)
from engine.registry.credentials.scram_keys import ScramKeys

# RFC 7677 §3
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
FINAL = f"c=biws,r={NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode()
KEYS = ScramKeys.derive("pencil", SALT, 4096)

NAMES = st.text("abc.@,=é-", min_size=1, max_size=20)
SECRETS = st.text(st.sampled_from("0123456789abcdefghjkmnpqrstvwxyz-"), min_size=1)


def rfc_exchange() -> ScramExchange:
    exchange = ScramExchange(FIRST, own_nonce="%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    assert exchange.challenge(SALT, 4096) == (
        f"r={NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode()
    )
    return exchange


def test_the_example_of_the_rfc() -> None:
    exchange = rfc_exchange()

    exchange.read_proof(FINAL)

    assert exchange.username == "user"
    signed = exchange.signature(KEYS)
    assert signed == b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    assert exchange.signature(ScramKeys.derive("pencils", SALT, 4096)) is None


@given(NAMES, SECRETS, st.binary(min_size=12, max_size=32))
def test_a_client_of_another_make_signs_in(name: str, secret: str, salt: bytes) -> None:
    client = scramp.ScramClient(["SCRAM-SHA-256"], name, secret)
    exchange = ScramExchange(client.get_client_first().encode())
    client.set_server_first(exchange.challenge(salt, 4096).decode())
    exchange.read_proof(client.get_client_final().encode())

    signed = exchange.signature(ScramKeys.derive(secret, salt, 4096))

    assert signed is not None
    client.set_server_final(signed.decode())
    assert exchange.signature(ScramKeys.derive(f"{secret}x", salt, 4096)) is None


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (b"", "malformed"),
        (b"n,,n=,r=abc", "malformed"),
        (b"n,,n=user,r=", "malformed"),
        (b"n,,n=user,r=a b", "malformed"),
        (b"n,n=user,r=abc", "malformed"),
        (b"x,,n=user,r=abc", "malformed"),
        (b"n,,m=x,n=user,r=abc", "extensions"),
        (b"n,,n=us=er,r=abc", "user name"),
        (b"n,,n=us=2cer,r=abc", "user name"),
        (b"n,a=other,n=user,r=abc", "on behalf"),
        (b"n,,n=us\xffer,r=abc", "UTF-8"),
        (b"n,,n=us\0er,r=abc", "NUL"),
        (b"n,,n=user,r=" + b"x" * LONGEST, "too long"),
        (b"p=tls-exporter,,n=user,r=abc", "needs SCRAM-SHA-256-PLUS"),
    ],
)
def test_an_odd_first_message_is_refused(first: bytes, why: str) -> None:
    with pytest.raises(ScramError, match=why):
        ScramExchange(first)


def test_a_client_that_knows_bindings_signs_in_where_none_is_offered() -> None:
    assert ScramExchange(b"y,a=us=2Cer,n=us=2Cer,r=abc").username == "us,er"


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (b"c=biws", b"c=eSws", "channel binding"),
        (b"c=biws", b"c=biws=", "channel binding"),
        (b"r=rOpr", b"r=r0pr", "nonce"),
        (b"p=dHzb", b"p=", "length|base64"),
        (b",p=", b",q=", "malformed"),
        (b"c=biws,", b"", "malformed"),
    ],
)
def test_an_odd_last_message_is_refused(before: bytes, after: bytes, why: str) -> None:
    with pytest.raises(ScramError, match=why):
        rfc_exchange().read_proof(FINAL.replace(before, after))


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_octets_are_a_message_or_refused(first: bytes, final: bytes) -> None:
    try:
        exchange = ScramExchange(first)
        exchange.challenge(SALT, 4096)
        exchange.read_proof(final)
    except ScramError:
        return
    assert exchange.signature(KEYS) is None
