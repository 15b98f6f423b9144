"""ARC, with dkimpy as the signer and as the oracle."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.authentication.arc import Arc, ArcChain, ArcResult
from engine.mail.dkim.canonical_forms import BodyDigests
from engine.mail.dkim.verification import KeyUnavailable
from engine.mail.header import HeaderBlock, MalformedHeader
from engine.mail.message import split
from tests.signing import Signer, rsa_key, seal

ONE, TWO, THREE = (
    Signer(domain, rsa_key(serial=number))
    for number, domain in enumerate(["one.example", "two.example", "three.example"])
)
RECORDS = {one.name: one.record for one in (ONE, TWO, THREE)}
MESSAGE = (
    b"From: Jane <jane@firm.example>\r\nTo: bob@northfield.secure.example\r\n"
    b"Date: Mon, 30 Nov 2026 10:00:00 +0000\r\nSubject: Papers\r\n"
    b"Message-ID: <1@firm.example>\r\n\r\nGood morning\r\n"
)


def sealed(*by: Signer, message: bytes = MESSAGE) -> bytes:
    for number, signer in enumerate(by):
        message = seal(message, signer, arc="pass" if number else "none")
    return message


def check(message: bytes, records: dict[str, str] = RECORDS) -> ArcResult:
    raw, content = split(message)
    header = HeaderBlock.parse(raw)
    chain = ArcChain.read(header)
    body = BodyDigests({chain.newest.body_form} if chain.newest else ())
    body.update(content)

    def texts(name: str) -> Sequence[str]:
        if records.get(name) == "away":
            raise KeyUnavailable(name)
        return [records[name]] if name in records else []

    return chain.result(header, body, texts, time.time())


def oracle(message: bytes) -> str:
    def text(name: bytes, timeout: int = 5) -> bytes:
        return RECORDS.get(name.decode().rstrip("."), "").encode()

    try:
        verdict: bytes = dkim.arc_verify(message, dnsfunc=text)[0]
    except Exception:  # noqa: BLE001 - dkimpy raises errors of many kinds
        return "fail"
    return verdict.decode()


CHAIN = sealed(ONE, TWO)


def test_a_message_without_sets() -> None:
    assert check(MESSAGE).outcome is Arc.NONE


@pytest.mark.parametrize("signers", [[ONE], [ONE, TWO], [ONE, TWO, THREE], [ONE] * 4])
def test_what_another_seals_we_validate(signers: list[Signer]) -> None:
    message = sealed(*signers)

    assert check(message) == ArcResult(Arc.PASS)
    assert oracle(message) == "pass"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Good", b"Bad"),
        (b"jane@firm", b"eve@firm"),
        (b"i=1; one.example;", b"i=1; two.example;"),
        (b"i=2; two.example;", b"i=2; one.example;"),
        (b"cv=none", b"cv=pass"),
        (b"cv=pass", b"cv=fail"),
        (b"ARC-Seal: i=1", b"X-Seal: i=1"),
        (b"ARC-Authentication-Results: i=1", b"ARC-Authentication-Results: i=3"),
        (b"ARC-Message-Signature: i=2", b"ARC-Message-Signature: i=1"),
        (b"ARC-Seal: i=2;", b"ARC-Seal: i=2; h=from;"),
        (b"ARC-Seal: i=1;", b"ARC-Seal: i=51;"),
    ],
)
def test_a_changed_chain_fails(old: bytes, new: bytes) -> None:
    assert old in CHAIN

    found = check(CHAIN.replace(old, new, 1))

    assert found.outcome is Arc.FAIL
    assert found.reason


def test_a_set_that_is_taken_out_breaks_the_chain() -> None:
    without = re.sub(
        rb"(?m)^ARC-[A-Za-z-]+: i=1;(?:.*\r\n)(?:[ \t].*\r\n)*", b"", CHAIN
    )

    assert check(without).outcome is Arc.FAIL
    assert oracle(without) != "pass"


@pytest.mark.parametrize("name", [ONE.name, TWO.name])
def test_keys_that_are_not_there_or_not_yet(name: str) -> None:
    away = {**RECORDS, name: "away"}
    gone = {key: text for key, text in RECORDS.items() if key != name}

    assert check(CHAIN, away).outcome is Arc.TEMPERROR
    assert check(CHAIN, gone).outcome is Arc.FAIL


def test_more_sets_than_a_chain_may_have() -> None:
    many = b"".join(
        b"ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=x.example; s=s; b=AAAA\r\n" % number
        for number in range(1, 60)
    )

    assert check(many + MESSAGE) == ArcResult(Arc.FAIL, "too many sets")


@given(st.data())
def test_no_change_passes_that_the_other_verifier_refuses(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(CHAIN) - 1))
    piece = data.draw(st.sampled_from([b"", b" ", b"x", b"\r\n ", b";", b"=", b"1"]))
    changed = CHAIN[:at] + piece + CHAIN[at + 1 :]
    lines = changed.count(b"\r\n")
    if not changed.count(b"\r") == changed.count(b"\n") == lines:
        return  # no such message is read to its end
    try:
        ours = check(changed)
    except MalformedHeader:
        return  # an invalid header is refused earlier

    assert ours.outcome is not Arc.PASS or oracle(changed) == "pass"


@given(st.text("i=123;abhdvscvpassnone- \t", max_size=60), st.sampled_from([0, 1, 2]))
def test_a_hostile_set_is_read_or_refused(text: str, kind: int) -> None:
    name = ["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"][kind]
    field = f"{name}:{text}\r\n".encode()

    assert check(field + MESSAGE).outcome is Arc.FAIL
    assert check(field + CHAIN).outcome is Arc.FAIL
