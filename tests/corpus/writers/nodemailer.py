"""nodemailer, by which many programs on the web write their mail."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.corpus import material
from tests.corpus.letter import DOMAIN, RECIPIENT, SENDER, SENDER_NAME, Letter, subject
from tests.corpus.material import TEXTS, File
from tests.peers import node

PROGRAM = "nodemailer"
SCRIPT = Path(__file__).with_name("nodemailer_writer.mjs")


def letters(*, few: bool = False) -> Iterator[Letter]:
    asked = [
        {"shape": shape, "options": _complete(shape, number, options)}
        for number, (shape, options) in enumerate(_shapes(few))
    ]
    for written in node.run(SCRIPT, asked):
        yield Letter(PROGRAM, written["shape"], b64decode(written["raw"]))


def _complete(shape: str, number: int, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "from": {"name": SENDER_NAME, "address": SENDER},
        "to": RECIPIENT,
        "subject": subject(PROGRAM, shape),
        "messageId": f"<nodemailer.{number}@{DOMAIN}>",
        **options,
    }


def _attached(file: File, **options: Any) -> dict[str, Any]:
    return {
        "filename": file.name,
        "contentType": file.content_type,
        "content": b64encode(file.data).decode(),
        "encoding": "base64",
        **options,
    }


def _shapes(few: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    for charset in ("us-ascii", "utf-8", "koi8-r", "gb18030", "iso-2022-jp"):
        text = TEXTS[charset]
        for encoding in ("base64", "quoted-printable"):
            shape = f"text for {charset} in {encoding}"
            yield shape, {"text": text, "textEncoding": encoding}
        yield f"HTML with letters of {charset}", {"html": material.as_html(text)}
        yield (
            f"alternative with letters of {charset}",
            {"text": text, "html": material.as_html(text)},
        )
    for kind, file in material.files(few).items():
        yield (
            f"file with a {kind} name",
            {"text": f"With a {kind} name.", "attachments": [_attached(file)]},
        )
    yield from _with_pictures()
    yield from _with_events()
    yield from _with_files()


def _with_pictures() -> Iterator[tuple[str, dict[str, Any]]]:
    plan = File("plan.png", "image/png", material.picture())
    html = material.as_html("The plan:", '<img src="cid:plan@finch">')
    related = [_attached(plan, cid="plan@finch")]
    yield "picture in HTML", {"html": html, "attachments": related}
    yield (
        "picture in HTML beside text",
        {"html": html, "text": "The plan is attached.", "attachments": related},
    )
    order = File("order.pdf", "application/pdf", material.pdf())
    yield (
        "picture in HTML and a file",
        {"html": html, "text": "Both.", "attachments": [*related, _attached(order)]},
    )
    data = b64encode(material.picture(77)).decode()
    source = f'<img src="data:image/png;base64,{data}">'
    yield (
        "picture from a data URL",
        {"html": material.as_html("Plan:", source), "attachDataUrls": True},
    )
    for ending in ("jpeg", "gif", "svg+xml", "webp", "tiff"):
        content = File("", f"image/{ending}", ending.encode() + material.picture(7))
        options = _attached(content, filename=False)
        yield f"nameless image/{ending}", {"text": "A view.", "attachments": [options]}


def _with_events() -> Iterator[tuple[str, dict[str, Any]]]:
    event = {"method": "REQUEST", "content": material.CALENDAR}
    yield "invitation", {"text": "You are invited.", "icalEvent": event}
    yield (
        "invitation as a named file",
        {
            "text": "You are invited.",
            "html": material.as_html("You are invited."),
            "icalEvent": {**event, "filename": "hearing.ics"},
        },
    )


def _with_files() -> Iterator[tuple[str, dict[str, Any]]]:
    text = TEXTS["utf-8"]
    yield (
        "watch and AMP alternatives",
        {
            "text": "Plain: ż",
            "watchHtml": "<b>Watch: ż</b>",
            "html": material.as_html("HTML: ż"),
        },
    )
    yield (
        "alternative in Markdown",
        {
            "text": text,
            "html": material.as_html(text),
            "alternatives": [
                {"contentType": "text/x-web-markdown", "content": f"**{text}**"}
            ],
        },
    )
    raw = (
        f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: Within\r\n"
        "Message-ID: <within@marlowfinch.example>\r\n\r\nWritten before.\r\n"
    )
    message = {"contentType": "message/rfc822", "content": raw}
    yield "attached message", {"text": "See below.", "attachments": [message]}
    yield "attached message alone", {"attachments": [message]}
    for encoding in ("7bit", "base64", "quoted-printable"):
        note = {
            "filename": "note.txt",
            "content": "The note: 12%",
            "contentTransferEncoding": encoding,
        }
        yield f"text file in {encoding}", {"text": "Note.", "attachments": [note]}
    inline = {
        "filename": "note.txt",
        "content": "Read this",
        "contentDisposition": "inline",
    }
    yield "text file shown inline", {"text": "Note.", "attachments": [inline]}
    yield "file alone", {"attachments": [_attached(material.files()["greek"])]}
    many = [
        _attached(File(f"part {n}.pdf", "application/pdf", material.pdf(f"many {n}")))
        for n in range(25)
    ]
    yield "25 files", {"text": "All parts.", "attachments": many}
    yield "long line", {"text": material.long_line(), "textEncoding": "7bit"}
    yield "flowing", {"text": material.flowing()}
    big = File("big.pdf", "application/pdf", material.pdf("big", 700_000))
    yield "a file of 700 kB", {"text": "Large.", "attachments": [_attached(big)]}
    yield "nothing at all", {"text": ""}
