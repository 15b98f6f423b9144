"""OpenSSL, which signs what a mail program hands to it (RFC 8551).

The service lets nothing in that it cannot scan, so that nothing is encrypted.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path

from tests.corpus import material
from tests.corpus.letter import DOMAIN, RECIPIENT, SENDER, Letter, subject
from tests.corpus.material import TEXTS
from tests.peers.process import open_folder, remove_folder

PROGRAM = "openssl"


@dataclass(frozen=True, slots=True)
class Pair:
    certificate: Path
    key: Path


def signer(folder: Path) -> Pair:
    """Creates a key and a certificate of the sender's own."""
    pair = Pair(folder / "signer.pem", folder / "signer.key")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-keyout", str(pair.key), "-out", str(pair.certificate)),
            *("-subj", "/CN=Jane Finch", "-days", "30"),
            *("-addext", f"subjectAltName=email:{SENDER}"),
            *("-addext", "keyUsage=digitalSignature,keyEncipherment"),
            *("-addext", "extendedKeyUsage=emailProtection"),
        ],
        capture_output=True,
        check=True,
    )
    return pair


def opened(der: bytes) -> bytes:
    """Returns what an opaque signature contains; empty if there is nothing signed."""
    done = subprocess.run(
        ["openssl", "cms", "-verify", "-noverify", "-inform", "DER"],
        input=der,
        capture_output=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else b""


def letters(*, few: bool = False) -> Iterator[Letter]:
    folder = open_folder()
    try:
        pair = signer(folder)
        for kind, entity in list(_entities())[-1 if few else 0 :]:
            for shape, options in (
                ("signed", ["-sign"]),
                ("signed and opaque", ["-sign", "-nodetach"]),
            ):
                yield _written(f"{kind} {shape}", entity, options, pair)
    finally:
        remove_folder(folder)


def _written(shape: str, entity: bytes, options: list[str], pair: Pair) -> Letter:
    signed_by = ["-signer", str(pair.certificate), "-inkey", str(pair.key)]
    command = ["openssl", "cms", *options, "-crlfeol", *signed_by]
    done = subprocess.run(command, input=entity, capture_output=True, check=True)
    header = (
        f"From: Jane Finch <{SENDER}>\r\nTo: {RECIPIENT}\r\n"
        f"Subject: {subject(PROGRAM, shape)}\r\n"
        "Date: Mon, 02 Nov 2026 09:00:00 +0000\r\n"
        f"Message-ID: <{shape.replace(' ', '.')}@{DOMAIN}>\r\n"
    ).encode()
    lines = b"\r\n".join(done.stdout.splitlines()) + b"\r\n"
    return Letter(PROGRAM, shape, header + lines)


def _entities() -> Iterator[tuple[str, bytes]]:
    text = EmailMessage(policy=policy.SMTP)
    text.set_content(TEXTS["utf-8"] + "\n", charset="utf-8", cte="quoted-printable")
    yield "text", text.as_bytes()

    latin = EmailMessage(policy=policy.SMTP)
    latin.set_content(TEXTS["koi8-r"] + "\n", charset="koi8-r", cte="base64")
    yield "Cyrillic text", latin.as_bytes()

    rich = EmailMessage(policy=policy.SMTP)
    rich.set_content("The plan is below.\n")
    html = material.as_html("The plan:", '<img src="cid:plan@finch">')
    rich.add_alternative(html, subtype="html")
    rich.get_payload()[1].add_related(
        material.picture(55), "image", "png", cid="<plan@finch>"
    )
    rich.add_attachment(
        material.pdf("signed"),
        maintype="application",
        subtype="pdf",
        filename="Załącznik.pdf",
    )
    yield "picture and file", rich.as_bytes()
