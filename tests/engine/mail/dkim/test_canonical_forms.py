from __future__ import annotations

import hashlib
import tracemalloc
from itertools import pairwise

import pytest
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.dkim.canonical_forms import (
    BodyDigest,
    BodyDigests,
    Form,
    canonical_field,
)
from engine.mail.header import HeaderBlock

ORACLE = {Form.SIMPLE: Simple, Form.RELAXED: Relaxed}

pieces = st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"b c", b" \r\n", b"\r\n\r\n"])
bodies = st.lists(pieces, max_size=30).map(lambda parts: b"".join(parts) + b"\r\n")
values = st.lists(
    st.sampled_from([b" ", b"\t", b"\r\n ", b"\r\n\t", b"a", b"B", b":"]), max_size=12
).map(b"".join)


def digest(form: Form, body: bytes, cuts: list[int]) -> bytes:
    running = BodyDigest(form)
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    for start, end in pairwise(edges):
        running.update(body[start:end])
    return running.digest()


@given(st.sampled_from(Form), bodies, st.lists(st.integers(0, 200), max_size=8))
def test_a_body_is_hashed_as_others_do_however_it_is_cut(
    form: Form, body: bytes, cuts: list[int]
) -> None:
    expected = hashlib.sha256(ORACLE[form].canonicalize_body(body)).digest()

    assert digest(form, body, cuts) == expected


@pytest.mark.parametrize(
    ("form", "octets"), [(Form.SIMPLE, b"\r\n"), (Form.RELAXED, b"")]
)
def test_an_empty_body(form: Form, octets: bytes) -> None:
    assert BodyDigest(form).digest() == hashlib.sha256(octets).digest()


@given(st.sampled_from(Form), st.sampled_from([b"From", b"SUBJECT", b"X-a"]), values)
def test_a_field_is_hashed_as_others_do(form: Form, name: bytes, value: bytes) -> None:
    field = HeaderBlock.parse(name + b":" + value + b"\r\n").fields[0]
    [(key, rest)] = ORACLE[form].canonicalize_headers([(name, value + b"\r\n")])

    assert canonical_field(field, form) == key + b":" + rest


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("block", [b" " * 65_536, b"\r\n" * 32_768, b" \r\n" * 20_000])
def test_a_hostile_body_takes_no_memory(form: Form, block: bytes) -> None:
    running = BodyDigests([form])
    running.update(block)
    tracemalloc.start()
    for _ in range(200):
        running.update(block)
    running.update(b"x\r\n")
    running.digest(form)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    # Enough for several blocks, and far below the body's twelve megabytes.
    assert peak < 4_000_000
