"""Messages with and without attachments, whose outermost type often suggests the opposite."""

from __future__ import annotations

import base64

from tests import smime

_FIELDS = (
    "From: Jane Jones <jane@firm.example>\r\n"
    "To: bob@northfield.secure.example\r\n"
    "Date: Mon, 02 Nov 2026 10:00:00 +0000\r\n"
    "MIME-Version: 1.0\r\n"
)
_PNG = (
    "Content-Type: image/png{}\r\nContent-Transfer-Encoding: base64\r\n{}\r\n"
    "iVBORw0KGgo=\r\n"
)
_TEXT = "Content-Type: text/plain\r\n\r\nSee below.\r\n"
_HTML = "Content-Type: text/html\r\n\r\n<p>See below.</p>\r\n"
_SHOWING = 'Content-Type: text/html\r\n\r\n<p>See <img src="cid:logo"></p>\r\n'
_EMBEDDED = _PNG.format("", "Content-ID: <logo>\r\nContent-Disposition: inline\r\n")
_PDF = "Content-Type: application/pdf; name=bundle.pdf\r\n\r\n%PDF-1.7\r\n"
_INVITATION = (
    "Content-Type: text/calendar; method=REQUEST\r\n\r\n"
    "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
)
_STATUS = (
    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.firm.example\r\n"
    "\r\nFinal-Recipient: rfc822; x@firm.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
)
_LETTER = "Content-Type: message/rfc822\r\n\r\nSubject: Earlier\r\n\r\nHello\r\n"
_SIGNATURE = (
    "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nMIIB\r\n"
)


def _multipart(kind: str, *parts: str, boundary: str = "=1") -> str:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'
    written = "".join(f"--{boundary}\r\n{part}" for part in parts)
    return f"{head}{written}--{boundary}--\r\n"


def _opaque() -> str:
    der = smime.signed(_TEXT.encode())
    encoded = base64.encodebytes(der).decode().replace("\n", "\r\n")
    return (
        "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{encoded}"
    )


WITHOUT = {
    "text": _TEXT,
    "text that has a name": _TEXT.replace("plain", "plain; name=letter.txt"),
    "text and a footer": _multipart("mixed", _TEXT, _TEXT),
    "HTML and text beside it": _multipart("mixed", _HTML, _TEXT),
    "two forms": _multipart("alternative", _TEXT, _HTML),
    "a picture in HTML": _multipart("related", _SHOWING, _EMBEDDED),
    "a picture in HTML, as Apple writes it": _multipart("mixed", _SHOWING, _EMBEDDED),
    "a picture in one of two forms": _multipart(
        "alternative", _TEXT, _multipart("related", _SHOWING, _EMBEDDED, boundary="=2")
    ),
    "an unusable type": _TEXT.replace("text/plain", "text"),
}

WITH = {
    "a file": _multipart("mixed", _TEXT, _PDF),
    "only a file": _PDF,
    "only a text that is a file": _TEXT.replace(
        "\r\n\r\n", "\r\nContent-Disposition: attachment; filename=notes.txt\r\n\r\n", 1
    ),
    "octets that are no text": (
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n"
    ),
    "only a picture": _PNG.format("", ""),
    "a file related to HTML": _multipart("related", _HTML, _PDF),
    "a picture that no HTML shows": _multipart("related", _HTML, _EMBEDDED),
    "an embedded picture and another": _multipart(
        "related", _SHOWING, _EMBEDDED, _PNG.format("", "")
    ),
    "a file in one of two forms": _multipart(
        "alternative", _TEXT, _multipart("mixed", _HTML, _PDF, boundary="=2")
    ),
    "an invitation": _multipart("alternative", _TEXT, _INVITATION),
    "an attached message": _multipart("mixed", _TEXT, _LETTER),
    "only an attached message": _LETTER,
    "a digest": _multipart("digest", "\r\nSubject: One\r\n\r\nHello\r\n"),
    "a delivery report": _multipart("report", _TEXT, _STATUS),
    "a signature": _multipart("signed", _TEXT, _SIGNATURE),
    "signed content": _opaque(),
    "a file within the text": (
        f"{_TEXT}\r\nbegin 644 note.txt\r\n#0V%T\r\n`\r\nend\r\n"
    ),
}

CASES = dict.fromkeys(WITHOUT, False) | dict.fromkeys(WITH, True)


def letter(case: str, *, padding: int = 0) -> bytes:
    """Returns the message of a case, its subject the case's name.

    With `padding`, that many octets stand before its first part, where nobody reads them.
    """
    entity = (WITHOUT | WITH)[case]
    fields, _, body = entity.partition("\r\n\r\n")
    ignored = ("x" * 74 + "\r\n") * (padding // 76)
    if not fields.startswith("Content-Type: multipart/"):
        ignored = ""
    head = f"{_FIELDS}Message-ID: <{case.replace(' ', '.')}.{padding}@firm.example>\r\n"
    return f"{head}Subject: {case}\r\n{fields}\r\n\r\n{ignored}{body}".encode()
