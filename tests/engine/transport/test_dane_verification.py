"""What a chain must be for a TLSA record, with certificates made for each fault."""

from __future__ import annotations

import datetime as dt
import hashlib
from itertools import product

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from engine.transport.dane import DanePolicy, TlsaRecord
from engine.transport.dane_verification import DaneError, names_of, verify
from engine.transport.tls_attempts import ResultType

NOW = dt.datetime.now(dt.UTC)
HOST = "mail.firm.test"
TOP, MIDDLE, OWN = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))


def certificate(
    subject, issuer, key, signer, *, names=(), ca=None, days=30, usage=None, other=None
):
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=60))
        .not_valid_after(NOW + dt.timedelta(days=days))
    )
    if ca is not None:
        made = made.add_extension(x509.BasicConstraints(ca, None), critical=True)
    if names:
        listed = [x509.DNSName(name) for name in names]
        made = made.add_extension(x509.SubjectAlternativeName(listed), critical=False)
    if usage is not None:
        made = made.add_extension(usage, critical=True)
    if other is not None:
        made = made.add_extension(other, critical=False)
    return made.sign(signer, hashes.SHA256())


def own(*names, **over):
    return certificate("Own", "Middle", OWN, MIDDLE, names=names, **over)


ANCHOR = certificate("Top", "Top", TOP, TOP, ca=True)
BETWEEN = certificate("Middle", "Top", MIDDLE, TOP, ca=True)


def record(usage, selector, matching, of):
    key = of.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    data = key if selector else of.public_bytes(Encoding.DER)
    hashed = {0: bytes, 1: hashlib.sha256, 2: hashlib.sha512}[matching](data)
    return TlsaRecord(
        usage, selector, matching, hashed if matching == 0 else hashed.digest()
    )


def checked(records, *chain, host=HOST):
    policy = DanePolicy(host, (host,), tuple(records))
    return verify(policy, [one.public_bytes(Encoding.DER) for one in chain])


@pytest.mark.parametrize(
    ("usage", "selector", "matching"), list(product((2, 3), (0, 1), (0, 1, 2)))
)
def test_each_usable_kind_of_record_matches(usage, selector, matching):
    server = own(HOST)
    of = server if usage == 3 else ANCHOR

    assert checked([record(usage, selector, matching, of)], server, BETWEEN, ANCHOR)


def test_own_certificate_counts_whatever_its_name_and_dates():
    server = own("elsewhere.test", days=-1)

    assert checked([record(3, 1, 1, server)], server)


@pytest.mark.parametrize(
    ("chain", "anchor", "why", "result"),
    [
        ((own("other.test"), BETWEEN, ANCHOR), ANCHOR, "another name", "WRONG_NAME"),
        ((own(), BETWEEN, ANCHOR), ANCHOR, "another name", "WRONG_NAME"),
        ((own(HOST, days=-1), BETWEEN, ANCHOR), ANCHOR, "has expired", "EXPIRED"),
        # Signed by another than the anchor that was sent along.
        (
            (certificate("Own", "Top", OWN, MIDDLE, names=[HOST]), ANCHOR),
            ANCHOR,
            "does not come from the authority",
            "NOT_TRUSTED",
        ),
        ((own(HOST), ANCHOR), ANCHOR, "does not come from", "NOT_TRUSTED"),
        ((own(HOST), BETWEEN), ANCHOR, "no TLSA record", "TLSA_INVALID"),
        # Usage 2 is never for the server's own certificate.
        ((own(HOST),), own(HOST), "no TLSA record", "TLSA_INVALID"),
    ],
)
def test_chain_that_does_not_lead_to_the_anchor_is_refused(chain, anchor, why, result):
    with pytest.raises(DaneError, match=why) as refused:
        checked([record(2, 0, 1, anchor)], *chain)

    assert refused.value.result is ResultType[result]


@pytest.mark.parametrize(
    "over",
    [
        {"ca": False},
        {},
        {
            "ca": True,
            "usage": x509.KeyUsage(
                True, False, False, False, False, False, False, False, False
            ),
        },
    ],
)
def test_certificate_of_no_authority_signs_nothing(over):
    between = certificate("Middle", "Top", MIDDLE, TOP, **over)

    with pytest.raises(DaneError, match="does not come from the authority"):
        checked([record(2, 0, 1, ANCHOR)], own(HOST), between, ANCHOR)


def test_own_certificate_counts_even_if_its_names_cannot_be_read():
    server = own(HOST, other=x509.IssuerAlternativeName([x509.DNSName(HOST)]))
    # Two lists of names, which X.509 forbids.
    der = server.public_bytes(Encoding.DER).replace(b"\x55\x1d\x12", b"\x55\x1d\x11")
    of = TlsaRecord(3, 0, 1, hashlib.sha256(der).digest())

    assert verify(DanePolicy(HOST, (HOST,), (of,)), [der]) == str(of)
    assert names_of(x509.load_der_x509_certificate(der)) == set()


def test_wildcard_stands_for_one_label():
    records = [record(2, 1, 1, BETWEEN)]

    assert checked(records, own("*.firm.test"), BETWEEN)
    with pytest.raises(DaneError):
        checked(records, own("*.firm.test"), BETWEEN, host="a.b.firm.test")


def test_one_record_of_several_is_enough():
    server = own(HOST)
    records = [TlsaRecord(3, 1, 1, bytes(32)), record(3, 1, 1, server)]

    assert checked(records, server) == str(records[1])


@given(
    usage=st.integers(0, 255),
    selector=st.integers(0, 255),
    matching=st.integers(0, 255),
    data=st.binary(max_size=80),
)
def test_record_is_usable_only_in_the_forms_that_are_known(
    usage, selector, matching, data
):
    is_usable = TlsaRecord(usage, selector, matching, data).is_usable

    assert is_usable == (
        usage in (2, 3)
        and selector in (0, 1)
        and {0: len(data) > 0, 1: len(data) == 32, 2: len(data) == 64}.get(
            matching, False
        )
    )


@given(st.lists(st.binary(max_size=60), max_size=3))
def test_chain_of_any_octets_is_refused_in_words(chain):
    with pytest.raises(DaneError):
        verify(DanePolicy(HOST, (HOST,), (TlsaRecord(3, 1, 1, bytes(32)),)), chain)
