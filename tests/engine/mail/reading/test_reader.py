from __future__ import annotations

import base64
from pathlib import Path

import pytest
from compressed_rtf import compress

from engine.mail.message import split, with_line_ends
from engine.mail.mime import part_walker, rtf
from engine.mail.reading import reader
from engine.mail.reading.as_text import as_text
from engine.mail.reading.html_text import words_alone
from engine.mail.reading.items import Kind, Reading
from tests import winmail

CASES = Path("tests/messages")
HEADER = b"MIME-Version: 1.0\r\n"


def read(raw: bytes) -> Reading:
    return reader.read(*split(with_line_ends(raw)))


def case(name: str) -> Reading:
    return read((CASES / f"{name}.eml").read_bytes())


def multipart(kind: str, *parts: bytes, parameters: str = "") -> bytes:
    """A multipart of these parts, each with its own header."""
    boundary = f"b{abs(hash(parts)):x}".encode()
    head = f"Content-Type: multipart/{kind}; boundary={boundary.decode()}{parameters}"
    lines = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts)
    return head.encode() + b"\r\n\r\n" + lines + b"--%b--\r\n" % boundary


def part(content_type: str, content: str, *fields: str) -> bytes:
    lines = [f"Content-Type: {content_type}", *fields, "", content]
    return "\r\n".join(lines).encode()


def kinds(reading: Reading) -> list[tuple[str, str]]:
    return [(item.kind.value, item.name) for item in reading.items]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mixed-html-pdf-html", [("html", ""), ("file", "a.pdf"), ("html", "")]),
        ("mixed-text-beside-html", [("text", ""), ("html", "")]),
        ("alternative-then-footer", [("html", ""), ("text", "")]),
        ("type-without-subtype", [("text", "")]),
        ("named-text-as-whole-message", [("text", "body.txt")]),
        ("invitation", [("html", ""), ("invitation", "attachment-3.ics")]),
        ("attached-message", [("text", ""), ("message", "attachment-2.eml")]),
        ("format-flowed", [("text", "")]),
        ("inline-picture", [("html", "")]),
        ("inline-picture-cid-encoded", [("html", "")]),
        (
            "unnamed-pdf",
            [
                ("text", ""),
                ("file", "attachment-2.pdf"),
                ("picture", "attachment-3.jpg"),
            ],
        ),
    ],
)
def test_items_of_a_message(name: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(case(name)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "mixed-html-pdf-html",
            "ALPHAONE before\n\nBETATWO the hearing moved to Tuesday",
        ),
        ("mixed-text-beside-html", "ALPHAONE plain\n\nBETATWO html"),
        (
            "alternative-then-footer",
            "ALPHAONE plain\n\nBETATWO list footer / second text part",
        ),
        ("type-without-subtype", "ALPHAONE BETATWO body"),
        ("named-text-as-whole-message", "ALPHAONE BETATWO body"),
        ("invitation", "ALPHAONE plain"),
        ("attached-message", "ALPHAONE see attached mail"),
        (
            "format-flowed",
            "ALPHAONE this is a flowedparagraph that should join BETATWO",
        ),
    ],
)
def test_text_of_a_message(name: str, expected: str) -> None:
    assert as_text(case(name)) == expected


@pytest.mark.parametrize("name", ["inline-picture", "inline-picture-cid-encoded"])
def test_a_picture_belongs_to_the_html_that_embeds_it(name: str) -> None:
    reading = case(name)

    assert [one.content_type for one in reading.pictures] == ["image/png"]
    assert reading.offered == []


def test_a_picture_that_no_html_embeds_is_offered() -> None:
    picture = part("image/png", "x", "Content-ID: <other@x>")
    reading = read(
        HEADER
        + multipart("related", part("text/html", '<img src="cid:one@x">'), picture)
    )

    assert kinds(reading) == [("html", ""), ("picture", "attachment-2.png")]


def test_the_root_of_related_parts_is_the_one_that_it_names() -> None:
    raw = HEADER + multipart(
        "related",
        part("image/png", "x", "Content-ID: <p@x>"),
        part("text/html", '<img src="cid:p@x">', "Content-ID: <root@x>"),
        parameters='; start="<root@x>"',
    )

    [item] = read(raw).items

    assert item.kind is Kind.HTML
    assert [one.content_id for one in item.pictures] == ["p@x"]


def test_the_richest_form_is_shown_and_the_others_are_in_it() -> None:
    raw = HEADER + multipart(
        "alternative",
        part("text/plain", "plain"),
        part("text/enriched", "enriched"),
        part("text/html", "<p>html"),
    )

    [item] = read(raw).items

    assert item.kind is Kind.HTML
    assert [other.part.data() for other in item.alternatives] == [b"enriched", b"plain"]


def test_of_several_forms_the_plain_text_stands_for_the_html() -> None:
    forms = multipart(
        "alternative",
        part("text/plain", "The words"),
        part("text/watch-html", "<b>For a watch</b>"),
        part("text/html", "<p>The words</p>"),
    )

    assert as_text(read(HEADER + forms)) == "The words"


def test_plain_text_stands_only_for_what_it_is_another_form_of() -> None:
    inner = multipart(
        "alternative", part("text/plain", "first"), part("text/html", "<p>first")
    )
    rich = multipart("mixed", inner, part("text/plain", "second"))
    forms = (part("text/plain", "first and second"), rich)

    assert as_text(read(HEADER + multipart("alternative", *forms))) == "first\n\nsecond"
    assert as_text(read(HEADER + multipart("alternative", *reversed(forms)))) == (
        "first\n\nsecond"
    )


def test_an_empty_html_form_does_not_hide_the_text() -> None:
    raw = HEADER + multipart(
        "alternative", part("text/plain", "plain"), part("text/html", "")
    )

    [item] = read(raw).items

    assert (item.kind, item.part.data()) == (Kind.TEXT, b"plain")


def test_files_in_every_form_are_offered() -> None:
    raw = HEADER + multipart(
        "alternative",
        multipart("mixed", part("text/plain", "plain"), part("application/pdf", "1")),
        multipart(
            "mixed",
            part("text/html", "<p>1"),
            part("application/pdf", "2"),
            part("text/html", "<p>2"),
        ),
    )
    reading = read(raw)

    assert [item.part.data() for item in reading.words] == [b"<p>1", b"<p>2"]
    assert [item.part.data() for item in reading.offered] == [b"1", b"2"]
    assert [other.part.data() for other in reading.words[0].alternatives] == [b"plain"]


def test_data_that_claims_to_be_text_is_offered_as_a_file() -> None:
    raw = HEADER + part("text/plain", "\0\1binary")

    assert kinds(read(raw)) == [("file", "attachment-1.txt")]


def test_an_attached_message_is_read_on_its_own() -> None:
    raw = with_line_ends((CASES / "attached-message.eml").read_bytes())

    found = reader.attached(*split(raw), "2")

    assert found is not None
    assert as_text(found[1]) == "BETATWO inner text"
    assert [item.part.path for item in found[1].items] == ["2.1"]
    assert reader.attached(*split(raw), "1") is None
    assert reader.attached(*split(raw), "9") is None


def test_every_leaf_is_in_one_item() -> None:
    for path in CASES.glob("*.eml"):
        reading = read(path.read_bytes())
        paths = [one.path for one in reading.leaves()]
        assert len(paths) == len(set(paths)), path.name


UUENCODED = "begin 644 notes.txt\r\n#86)C\r\n`\r\nend\r\n"


@pytest.mark.parametrize("encoding", ["7bit", "base64"])
def test_a_file_within_a_text_is_offered_and_not_shown(encoding: str) -> None:
    text = f"Before\r\n{UUENCODED}After\r\n".encode()
    content = text if encoding == "7bit" else base64.encodebytes(text)
    head = f"Content-Type: text/plain\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    reading = read(HEADER + head.encode() + content)

    assert kinds(reading) == [("text", ""), ("file", "notes.txt")]
    assert as_text(reading) == "Before\nAfter"
    assert reading.offered[0].part.data() == b"abc"
    assert reading.offered[0].part.names >= {"notes.txt"}


def test_a_file_within_an_attached_text_is_not_offered_again() -> None:
    disposition = "Content-Disposition: attachment"
    reading = read(HEADER + part("text/plain", UUENCODED, disposition))

    assert kinds(reading) == [("file", "attachment-1.txt")]


WINMAIL = winmail.write(
    winmail.attachment(b"minutes", "minutes.pdf"),
    winmail.attached_message(
        winmail.write(
            winmail.attachment(b"inner", "inner.pdf"),
            written=(winmail.text(0x1000, "Dear Ben"),),
        )
    ),
    written=(winmail.text(0x1000, "Dear Jane"),),
)


def winmail_part() -> bytes:
    content = base64.encodebytes(WINMAIL).decode()
    name = 'application/ms-tnef; name="winmail.dat"'
    return part(name, content, "Content-Transfer-Encoding: base64")


def test_what_outlook_wraps_is_offered_file_by_file() -> None:
    reading = read(
        HEADER + multipart("mixed", part("text/plain", "Dear Jane"), winmail_part())
    )

    assert as_text(reading) == "Dear Jane"
    offered = [(item.name, item.part.data()[:9]) for item in reading.offered]
    assert ("winmail.dat", WINMAIL[:9]) in offered
    assert ("minutes.pdf", b"minutes") in offered
    assert ("inner.pdf", b"inner") in offered
    assert [data for _, data in offered].count(b"Dear Jane") == 1
    assert [data for _, data in offered].count(b"Dear Ben") == 1


def test_what_outlook_wraps_is_shown_where_there_are_no_other_words() -> None:
    reading = read(HEADER + winmail_part())

    assert as_text(reading).startswith("Dear Jane")
    assert "minutes.pdf" in [item.name for item in reading.offered]


def rich_winmail(text: str) -> bytes:
    octets = compress(b"{\\rtf1 " + text.encode() + b"}", True)
    data = winmail.write(written=[winmail.variable(0x1009, winmail.BINARY, octets)])
    content = base64.encodebytes(data).decode()
    return part("application/ms-tnef", content, "Content-Transfer-Encoding: base64")


def test_rich_text_is_read_within_a_budget_for_the_whole_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = HEADER + multipart("mixed", *(rich_winmail(f"text {n}") for n in range(9)))
    whole = as_text(read(raw))

    monkeypatch.setattr(rtf.Budget, "__init__", lambda self: setattr(self, "left", 40))

    assert whole.split() == [word for n in range(9) for word in ("text", str(n))]
    assert 0 < len(as_text(read(raw))) < len(whole)


def test_a_decision_about_files_opens_no_rich_text() -> None:
    raw = with_line_ends(HEADER + rich_winmail("Dear Jane"))

    parts = part_walker.walk(*split(raw), strict=True)

    assert [one.content_type for one in parts] == ["application/ms-tnef"]


def test_long_numbers_of_characters_in_html_are_read() -> None:
    markup = f'<img src="cid:p"> &#{"9" * 5000}; &#{"0" * 5000}65; &#65;b'
    raw = HEADER + multipart(
        "related",
        part("text/html", markup),
        part("image/png", "x", "Content-ID: <p>"),
    )

    [item] = read(raw).items

    assert [one.content_id for one in item.pictures] == ["p"]
    assert words_alone(markup).split() == ["\ufffd", "A", "Ab"]
