from __future__ import annotations

from email import message_from_bytes
from email.policy import compat32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.message import split
from engine.mail.mime import seven_bit_conversion
from engine.mail.mime.entities import is_seven_bit
from engine.mail.mime.part_walker import walk
from engine.mail.mime.seven_bit_conversion import CannotConvertError, convert

ENCODINGS = ["", "7bit", "8bit", "binary"]

lines = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=120),
    max_size=6,
)
texts = lines.map(lambda them: "\r\n".join(them).encode())
# A text in another charset, with bare line ends and white space at both ends.
octets = st.binary(max_size=200)


def leaf(kind: str, encoding: str, data: bytes) -> bytes:
    field = f"Content-Transfer-Encoding: {encoding}\r\n" if encoding else ""
    return f"Content-Type: {kind}\r\n{field}\r\n".encode() + data


def multipart(children: list[bytes], number: int, around: bytes = b"") -> bytes:
    mark = f"=_{number}_{len(b''.join(children))}"
    head = f'Content-Type: multipart/mixed; boundary="{mark}"\r\n\r\n'.encode()
    between = b"".join(f"--{mark}\r\n".encode() + one + b"\r\n" for one in children)
    return head + around + b"\r\n" + between + f"--{mark}--\r\n".encode() + around


leaves = st.builds(
    leaf,
    st.sampled_from(["text/plain; charset=utf-8", "text/html", "application/pdf"]),
    st.sampled_from(ENCODINGS),
    st.one_of(texts, octets),
)
entities = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(
            multipart,
            st.lists(inner, min_size=1, max_size=3),
            st.integers(0, 10**9),
            st.sampled_from([b"", b"for nobody", "für niemand".encode()]),
        ),
        inner.map(
            lambda one: b"Content-Type: message/rfc822\r\n\r\nSubject: inside\r\n" + one
        ),
    ),
    max_leaves=6,
)


def contents(raw: bytes) -> list[tuple[str, str, bytes]]:
    return [
        (part.path, part.content_type, part.data())
        for part in walk(*split(raw), strict=True)
        if part.content_type != "message/rfc822"
    ]


def parse_with_stdlib(raw: bytes) -> list[tuple[str, bytes]]:
    """Parses with the standard library, which shares no code with ours."""
    found = message_from_bytes(raw, policy=compat32).walk()
    return [
        (part.get_content_type(), part.get_payload(decode=True))
        for part in found
        if not part.is_multipart()
    ]


@given(entities)
def test_every_part_decodes_to_the_same_and_nothing_is_beyond_ascii(
    entity: bytes,
) -> None:
    raw = b"MIME-Version: 1.0\r\nSubject: Bundle\r\n" + entity

    header, body = convert(*split(raw))
    converted = header + body

    assert converted.isascii()
    assert contents(converted) == contents(raw)
    assert parse_with_stdlib(converted) == parse_with_stdlib(raw)
    assert convert(header, body) == (header, body)


@given(octets)
def test_whatever_it_encodes_is_fit_for_any_transport(data: bytes) -> None:
    for kind in ("text/plain", "application/pdf"):
        _, body = convert(*split(b"MIME-Version: 1.0\r\n" + leaf(kind, "8bit", data)))

        if not data.isascii():
            assert is_seven_bit(body)
            assert max(map(len, body.split(b"\r\n"))) <= 76


def test_text_stays_readable_and_says_how_it_is_encoded() -> None:
    raw = leaf("text/plain; charset=utf-8", "8bit", "Grüße\r\nJane\r\n".encode())

    header, body = convert(*split(b"MIME-Version: 1.0\r\n" + raw))

    assert b"Content-Transfer-Encoding: quoted-printable\r\n" in header
    assert header.count(b"Content-Transfer-Encoding") == 1
    assert body == b"Gr=C3=BC=C3=9Fe\r\nJane\r\n"


@pytest.mark.parametrize(
    ("body", "charset"), [("Grüße".encode(), "utf-8"), (b"Gr\xfc\xdfe", "unknown-8bit")]
)
def test_text_without_a_label_gets_one(body: bytes, charset: str) -> None:
    header, _ = convert(b"Subject: x\r\n\r\n", body)

    assert b"MIME-Version: 1.0\r\n" in header
    assert f"Content-Type: text/plain; charset={charset}\r\n".encode() in header


def test_what_is_ascii_already_stays_octet_for_octet() -> None:
    raw = b"MIME-Version: 1.0\r\n" + multipart([leaf("text/plain", "8bit", b"a")], 1)

    assert b"".join(convert(*split(raw))) == raw


EIGHT = leaf("text/plain; charset=utf-8", "8bit", "Grüße".encode())
INSIDE = b"Content-Type: message/rfc822\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (
            multipart([EIGHT], 1).replace(b"multipart/mixed", b"multipart/signed"),
            seven_bit_conversion.SIGNED,
        ),
        (
            multipart(
                [multipart([EIGHT], 1).replace(b"/mixed", b"/encrypted"), b"\r\nx"], 2
            ),
            seven_bit_conversion.SIGNED,
        ),
        (INSIDE + b"DKIM-Signature: v=1\r\n" + EIGHT, seven_bit_conversion.SIGNED),
        (INSIDE + "Subject: Grüße\r\n\r\nx".encode(), seven_bit_conversion.HEADER),
        ("Subject: Grüße\r\n\r\nx".encode(), seven_bit_conversion.HEADER),
        (
            multipart(["Content-Type: text/x; name=Grüße\r\n\r\nx".encode()], 1),
            seven_bit_conversion.HEADER,
        ),
        (
            leaf("text/plain", "x-uuencode", "Grüße".encode()),
            seven_bit_conversion.UNCLEAR,
        ),
        (
            leaf("message/partial", "8bit", "Grüße".encode()),
            seven_bit_conversion.UNCLEAR,
        ),
        (
            leaf("multipart/mixed", "8bit", "Grüße".encode()),
            seven_bit_conversion.UNCLEAR,
        ),
        (
            b"Content-Type: text/plain\r\n" + leaf("text/html", "8bit", b"\xff"),
            seven_bit_conversion.UNCLEAR,
        ),
    ],
)
def test_what_may_not_be_changed_is_not(raw: bytes, why: str) -> None:
    with pytest.raises(CannotConvertError) as refused:
        convert(*split(b"MIME-Version: 1.0\r\n" + raw))

    assert refused.value.why == why


def test_a_signed_part_that_is_ascii_stays_as_it_is_beside_one_that_is_not() -> None:
    signed = multipart([leaf("text/plain", "7bit", b"Sealed")], 1).replace(
        b"multipart/mixed", b"multipart/signed"
    )

    _, body = convert(*split(b"MIME-Version: 1.0\r\n" + multipart([EIGHT, signed], 2)))

    assert signed in body
    assert body.isascii()


def test_an_international_message_is_encoded_as_a_whole() -> None:
    inner = "Subject: Grüße\r\n\r\nJänner\r\n".encode()

    raw = b"MIME-Version: 1.0\r\n" + leaf("message/global", "8bit", inner)
    converted = b"".join(convert(*split(raw)))

    assert converted.isascii()
    assert next(part.data() for part in walk(*split(converted))) == inner


def test_nesting_without_end_is_not_followed() -> None:
    raw = EIGHT
    for number in range(40):
        raw = multipart([raw], number)

    with pytest.raises(CannotConvertError):
        convert(*split(b"MIME-Version: 1.0\r\n" + raw))
