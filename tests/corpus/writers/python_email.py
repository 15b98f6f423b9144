"""Python's own email package, with its present policy and the one of Python 2."""

from __future__ import annotations

import email.charset
from collections.abc import Iterator
from email import policy
from email.header import Header
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.audio import MIMEAudio
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.utils import formatdate, make_msgid

from tests.corpus import material
from tests.corpus.letter import DOMAIN, RECIPIENT, SENDER, SENDER_NAME, Letter, subject
from tests.corpus.material import TEXTS

PROGRAM = "Python email"
OLD = "compat32, "
SMTP_8BIT = policy.SMTP.clone(cte_type="8bit")


def letters(*, few: bool = False) -> Iterator[Letter]:
    for shape, message in _present(few):
        yield Letter(PROGRAM, shape, message.as_bytes(policy=policy.SMTP))
    for shape, message in _present_8bit():
        yield Letter(PROGRAM, shape, message.as_bytes(policy=SMTP_8BIT))
    for shape, old in _old(few):
        raw = old.as_bytes().replace(b"\n", b"\r\n")
        yield Letter(PROGRAM, f"{OLD}{shape}", raw)


def _blank(shape: str) -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = f"{SENDER_NAME} <{SENDER}>"
    message["To"] = RECIPIENT
    message["Subject"] = subject(PROGRAM, shape)
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=DOMAIN)
    return message


def _present(few: bool) -> Iterator[tuple[str, EmailMessage]]:
    for charset, text in material.texts(few).items():
        for encoding in ("base64", "quoted-printable"):
            shape = f"text in {charset}, {encoding}"
            message = _blank(shape)
            message.set_content(text + "\n", charset=charset, cte=encoding)
            yield shape, message
    for charset in ("utf-8", "iso-8859-1", "windows-1252", "iso-2022-jp", "koi8-r"):
        shape = f"HTML in {charset}"
        message = _blank(shape)
        html = material.as_html(TEXTS[charset])
        message.set_content(html, subtype="html", charset=charset)
        yield shape, message
        shape = f"alternative in {charset}"
        message = _blank(shape)
        message.set_content(TEXTS[charset], charset=charset)
        message.add_alternative(html, subtype="html", charset=charset)
        yield shape, message
    for kind, file in material.files(few).items():
        shape = f"file with a {kind} name"
        message = _blank(shape)
        message.set_content(f"{material.PARAGRAPH} {kind}\n")
        message.add_attachment(
            file.data, maintype="application", subtype="pdf", filename=file.name
        )
        yield shape, message
    yield from _present_nested()


def _present_nested() -> Iterator[tuple[str, EmailMessage]]:
    message = _blank(shape := "inline picture")
    message.set_content("The plan is below.\n")
    html = material.as_html("The plan:", '<img src="cid:plan@finch" alt="plan">')
    message.add_alternative(html, subtype="html")
    message.get_payload()[1].add_related(
        material.picture(), "image", "png", cid="<plan@finch>", filename="plan.png"
    )
    yield shape, message

    message.replace_header("Subject", subject(PROGRAM, shape := "picture and file"))
    message.replace_header("Message-ID", make_msgid(domain=DOMAIN))
    message.add_attachment(material.pdf(), maintype="application", subtype="pdf")
    yield shape, message

    message = _blank(shape := "attached message")
    message.set_content("See what he wrote.\n")
    inner = _blank("attached inner")
    inner.set_content("He is ill: Żółć.\n")
    inner.add_attachment(
        material.pdf("inner"), maintype="application", subtype="pdf", filename="in.pdf"
    )
    message.add_attachment(inner)
    yield shape, message

    message = _blank(shape := "message attached to an attached message")
    message.set_content("Third hand.\n")
    middle = _blank("middle")
    middle.set_content("Second hand.\n")
    middle.add_attachment(inner)
    message.add_attachment(middle)
    yield shape, message

    message = _blank(shape := "calendar beside text")
    message.set_content("You are invited.\n")
    message.add_alternative(
        material.CALENDAR.replace("\r\n", "\n"),
        subtype="calendar",
        params={"method": "REQUEST"},
    )
    yield shape, message

    for shape, words in (
        ("long line", material.long_line()),
        ("flowing", material.flowing()),
    ):
        message = _blank(shape)
        message.set_content(words)
        yield shape, message

    message = _blank(shape := "text files")
    message.set_content("Notes and a table.\n")
    message.add_attachment("Note: źródło\n", filename="note.txt")
    message.add_attachment("a;b\n1;ż\n", subtype="csv", filename="table.csv")
    message.add_attachment("<p>Page</p>\n", subtype="html", filename="page.html")
    yield shape, message

    message = _blank(shape := "texts and files in turn")
    message.set_content("First part.\n")
    message.add_attachment(
        material.pdf("one"), maintype="application", subtype="pdf", filename="one.pdf"
    )
    message.add_attachment("Second part.\n", disposition="inline")
    message.add_attachment(
        material.as_html("Third part."), subtype="html", disposition="inline"
    )
    yield shape, message

    message = _blank(shape := "nested multiparts")
    inside = _part_with("level 0")
    for number in range(1, 6):
        level = EmailMessage(policy=policy.SMTP)
        level.make_mixed()
        level.attach(_part_with(f"level {number}"))
        level.attach(inside)
        inside = level
    message.make_mixed()
    message.attach(inside)
    yield shape, message


def _part_with(words: str) -> EmailMessage:
    part = EmailMessage(policy=policy.SMTP)
    part.set_content(f"Text of {words}.\n")
    part.add_alternative(material.as_html(f"Text of {words}."), subtype="html")
    part.add_attachment(
        material.pdf(words),
        maintype="application",
        subtype="pdf",
        filename=f"{words}.pdf",
    )
    return part


def _present_8bit() -> Iterator[tuple[str, EmailMessage]]:
    for charset in ("utf-8", "koi8-r", "iso-8859-15", "windows-1252", "shift_jis"):
        message = _blank(shape := f"text in {charset}, 8bit")
        message.set_content(TEXTS[charset] + "\n", charset=charset, cte="8bit")
        yield shape, message


def _old_headers(message: MIMEBase | MIMENonMultipart, shape: str) -> MIMEBase:
    message["From"] = f"{SENDER_NAME} <{SENDER}>"
    message["To"] = RECIPIENT
    message["Subject"] = Header(subject(PROGRAM, f"{OLD}{shape}"), "utf-8")
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=DOMAIN)
    return message


def _old(few: bool) -> Iterator[tuple[str, MIMEBase]]:
    for charset, text in material.texts(few).items():
        shape = f"text in {charset}"
        yield shape, _old_headers(MIMEText(text, "plain", charset), shape)
    for kind in ("mixed", "related", "alternative", "parallel", "x-own"):
        shape = f"multipart/{kind}"
        whole = _old_headers(MIMEMultipart(kind), shape)
        whole.attach(MIMEText("The words.", "plain", "utf-8"))
        whole.attach(MIMEText(material.as_html("The words."), "html", "utf-8"))
        if kind != "alternative":
            whole.attach(MIMEApplication(material.pdf(kind), "pdf"))
        yield shape, whole
    for kind, file in material.files(few).items():
        shape = f"file with a {kind} name in RFC 2231"
        whole = _old_headers(MIMEMultipart(), shape)
        part = MIMEApplication(file.data, "pdf")
        name: object = file.name if file.name.isascii() else ("utf-8", "", file.name)
        part.add_header("Content-Disposition", "attachment", filename=name)
        whole.attach(MIMEText(f"A file with a {kind} name."))
        whole.attach(part)
        yield shape, whole
        if file.name.isascii():
            continue
        shape = f"file with a {kind} name in an encoded word"
        whole = _old_headers(MIMEMultipart(), shape)
        part = MIMEApplication(file.data, "pdf", name=Header(file.name).encode())
        part.add_header("Content-Disposition", "attachment")
        whole.attach(part)
        yield shape, whole
    yield from _old_kinds()


def _old_kinds() -> Iterator[tuple[str, MIMEBase]]:
    shape = "picture and sound"
    whole = _old_headers(MIMEMultipart(), shape)
    whole.attach(MIMEImage(material.picture(), "png"))
    whole.attach(MIMEAudio(b"RIFF\x24\0\0\0WAVEfmt sound", "x-wav"))
    yield shape, whole

    inner = _old_headers(MIMEText("Inside: ó", "plain", "iso-8859-1"), "inside")
    for kind in ("mixed", "digest"):
        shape = f"two messages in multipart/{kind}"
        whole = _old_headers(MIMEMultipart(kind), shape)
        whole.attach(MIMEMessage(inner))
        whole.attach(MIMEMessage(_old_headers(MIMEText("Second one"), "second")))
        yield shape, whole

    shape = "quoted-printable in iso-8859-1"
    quoted = email.charset.Charset("iso-8859-1")
    quoted.body_encoding = email.charset.QP
    part = MIMENonMultipart("text", "plain", charset="iso-8859-1")
    part.set_payload(TEXTS["iso-8859-1"].encode("iso-8859-1").decode("latin-1"), quoted)
    yield shape, _old_headers(part, shape)

    shape = "related picture that nothing names"
    whole = _old_headers(MIMEMultipart("related"), shape)
    whole.attach(MIMEText(material.as_html("No picture here."), "html"))
    image = MIMEImage(material.picture(90), "png")
    image.add_header("Content-ID", "<alone@finch>")
    whole.attach(image)
    yield shape, whole
