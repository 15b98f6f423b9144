from __future__ import annotations

import time
from collections.abc import Callable

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.authentication import arc_sealing
from engine.mail.authentication.arc_sealing import Chain
from engine.mail.dkim import signing
from engine.mail.dkim.canonical_forms import BodyDigest, BodyDigests, Form
from engine.mail.dkim.signature import Signature, signatures
from engine.mail.dkim.signing import DomainKey
from engine.mail.dkim.verification import Outcome, verify
from engine.mail.header import HeaderBlock
from tests.signing import Signer, rsa_key, text_of_key

RSA = Signer("secure.example", rsa_key(), "rsa")
SHORT = ed25519.Ed25519PrivateKey.generate()
RSA_KEY = DomainKey("secure.example", "rsa", RSA.key)
SHORT_KEY = DomainKey("secure.example", "short", SHORT)
RECORDS = {
    RSA.name: RSA.record,
    "short._domainkey.secure.example": "v=DKIM1; k=ed25519; p="
    + text_of_key(SHORT.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
}
HEADER = (
    b"From: Jane <jane@firm.example.secure.example>\r\nTo: bob@court.example\r\n"
    b"Subject: A  bundle\r\n of papers\r\nMessage-ID: <1@firm.example>\r\n\r\n"
)
BODY = b"Good  morning \r\n\r\n.\r\n\r\n\r\n"
OURS = ("mx.secure.example", "secure.example")


def hash_of(body: bytes) -> bytes:
    digest = BodyDigest(Form.RELAXED)
    digest.update(body)
    return digest.digest()


def signed(raw: bytes, body: bytes = BODY) -> bytes:
    header, now = HeaderBlock.parse(raw), time.time()
    fields = [
        signing.sign(header, key, body_hash=hash_of(body), now=now)
        for key in (RSA_KEY, SHORT_KEY)
    ]
    return HeaderBlock((*fields, *header.fields)).to_bytes()


def sealed(raw: bytes, results: str = "", body: bytes = BODY) -> bytes:
    """What we hand on of a message that arrived with these results of ours on top."""
    header = HeaderBlock.parse(raw)
    if results:
        header = header.prepended("Authentication-Results", results)
    fields = arc_sealing.seal(
        header,
        RSA_KEY,
        arrived=arc_sealing.arrival(header, OURS),
        server_name=OURS[0],
        body_hash=hash_of(body),
        now=time.time(),
    )
    return HeaderBlock((*fields, *header.fields)).to_bytes()


def outcomes(raw: bytes, body: bytes = BODY) -> list[Outcome]:
    header = HeaderBlock.parse(raw)
    digests = BodyDigests([Form.RELAXED])
    digests.update(body)
    results = verify(
        signatures(header),
        header=header,
        body=digests,
        key_texts=lambda name: [RECORDS[name]],
        now=time.time(),
    )
    return [one.outcome for one in results]


def answer(name: bytes, timeout: int = 5) -> bytes | None:
    return RECORDS[name.decode().rstrip(".")].encode()


def chain(raw: bytes, body: bytes = BODY) -> str:
    """What dkimpy says of the chain."""
    result, _, reason = dkim.arc_verify(raw + body, dnsfunc=answer)
    return result.decode() if result else str(reason)


def tags(raw: bytes, name: str) -> str:
    field = HeaderBlock.parse(raw).get(name)
    assert field is not None
    return " ".join(field.value.decode().split())


def test_both_algorithms_sign_and_dkimpy_agrees() -> None:
    raw = signed(HEADER)

    assert outcomes(raw) == [Outcome.PASS, Outcome.PASS]
    assert dkim.verify(raw + BODY, dnsfunc=answer)
    assert max(map(len, raw.split(b"\r\n"))) <= 80


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b"Subject: A", b"Subject: B"),
        lambda raw: b"From: Eve <eve@firm.example>\r\n" + raw,
        lambda raw: b"Subject: Another\r\n" + raw,
        lambda raw: raw.replace(b"To: bob", b"To: eve"),
    ],
)
def test_a_changed_or_added_field_breaks_them(change: Callable[[bytes], bytes]) -> None:
    assert outcomes(change(signed(HEADER))) == [Outcome.FAIL, Outcome.FAIL]


def test_a_changed_octet_of_the_body_breaks_them() -> None:
    raw = signed(HEADER)

    assert outcomes(raw, BODY.replace(b"m", b"M")) == [Outcome.FAIL, Outcome.FAIL]
    assert outcomes(raw, BODY + b"More\r\n") == [Outcome.FAIL, Outcome.FAIL]
    found = signatures(HeaderBlock.parse(raw))
    assert not any(isinstance(one, Signature) and one.has_length for one in found)


NAMES = ["From", "To", "Subject", "X-Other", "DKIM-Signature", "References", "List-Id"]
FIELDS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.text("ab :;=\t\u00e9", max_size=40)),
    max_size=40,
)


@given(FIELDS, st.binary(max_size=200))
def test_whatever_the_message_is_the_signature_holds(
    fields: list[tuple[str, str]], raw_body: bytes
) -> None:
    lines = (f"{name}: {value}\r\n" for name, value in fields)
    header = "".join(lines).encode() + b"\r\n"
    body = b"\r\n".join(raw_body.splitlines()) + b"\r\n"

    assert outcomes(signed(header, body), body)[:2] == [Outcome.PASS, Outcome.PASS]


def test_a_message_without_sets_gets_the_first() -> None:
    raw = sealed(
        signed(HEADER), "mx.secure.example; spf=pass smtp.mailfrom=a@b; arc=none"
    )

    assert chain(raw) == "pass"
    assert tags(raw, "ARC-Seal").startswith("i=1; a=rsa-sha256; t=")
    assert "cv=none" in tags(raw, "ARC-Seal")
    assert tags(raw, "ARC-Authentication-Results") == (
        "i=1; mx.secure.example; spf=pass smtp.mailfrom=a@b; arc=none"
    )
    covered = tags(raw, "ARC-Message-Signature").replace(" ", "")
    assert ":DKIM-Signature:DKIM-Signature;" in covered


def test_a_message_of_our_own_has_no_results() -> None:
    raw = sealed(HEADER)

    assert tags(raw, "ARC-Authentication-Results") == "i=1; mx.secure.example; none"
    assert chain(raw) == "pass"


def test_a_chain_that_passed_goes_on() -> None:
    once = sealed(HEADER, "mx.secure.example; arc=none")

    twice = sealed(once, "mx.secure.example; dkim=pass; arc=pass (i=1)")

    assert "cv=pass" in tags(twice, "ARC-Seal")
    assert chain(twice) == "pass"
    assert chain(twice.replace(b"cv=none", b"cv=pass")) == "fail"


def test_a_chain_that_failed_is_sealed_as_failed_and_left_alone_from_then_on() -> None:
    once = sealed(HEADER).replace(b"secure.example; none", b"secure.example; spf=pass")

    failed = sealed(once, "mx.secure.example; arc=fail")

    assert "i=2;" in tags(failed, "ARC-Seal")
    assert "cv=fail" in tags(failed, "ARC-Seal")
    assert chain(failed) == "ARC-Seal[2] reported failure, the chain is terminated"
    again = sealed(failed, "mx.secure.example; arc=fail")
    assert again.count(b"ARC-Seal") == failed.count(b"ARC-Seal")


@pytest.mark.parametrize(
    "results",
    [
        "",
        "mx.elsewhere.example; arc=pass",
        "mx.secure.example; dkim=pass",
        'mx.secure.example; dkim=fail reason="; arc=pass"',
        "mx.secure.example; dkim=fail (; arc=pass (; arc=pass) ; arc=pass)",
        'mx.secure.example; dkim=fail reason="x; arc=pass',
        "mx.secure.example; arc=pass; arc=fail",
        "mx.secure.example; arc=excellent",
    ],
)
def test_without_a_clear_word_of_ours_a_chain_is_left_alone(results: str) -> None:
    once = sealed(HEADER)

    assert sealed(once, results).count(b"ARC-Seal") == 1


def test_only_the_topmost_results_count() -> None:
    header = HeaderBlock.parse(sealed(HEADER))
    below = header.prepended("Authentication-Results", "mx.secure.example; arc=pass")
    top = below.prepended("Authentication-Results", "mx.elsewhere.example; arc=fail")

    assert arc_sealing.arrival(below, OURS).chain is Chain.PASS
    assert arc_sealing.arrival(top, OURS).chain is None


def test_fields_that_are_no_whole_set_are_a_failed_chain() -> None:
    header = HeaderBlock.parse(HEADER).prepended("ARC-Seal", "i=3; cv=none; b=x")
    found = header.prepended("Authentication-Results", "mx.secure.example; arc=none")

    raw = sealed(found.to_bytes())

    assert "i=4;" in tags(raw, "ARC-Seal")
    assert "cv=fail" in tags(raw, "ARC-Seal")


def test_a_chain_ends_at_fifty_sets() -> None:
    raw = HEADER
    for number in range(1, 51):
        raw = sealed(raw, f"mx.secure.example; arc={'pass' if number > 1 else 'none'}")

    assert "i=50;" in tags(raw, "ARC-Seal")
    assert chain(raw) == "pass"
    assert b"i=51" not in sealed(raw, "mx.secure.example; arc=pass")
