"""Pictures and PDFs in place, and all files in one archive, whatever they claim to be."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from engine.mail.composer import Attachment
from engine.registry.models import Person
from engine.storage.models import Message
from portal.webmail.mailbox import attachments_view
from tests.portal.webmail.conftest import PDF, compose_html, store_message

PAGE = b"<script>document.title = 'owned'</script>"
DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def picture(kind: str, size: tuple[int, int] = (4, 3)) -> bytes:
    octets = io.BytesIO()
    Image.new("RGB", size).save(octets, kind)
    return octets.getvalue()


def bomb() -> bytes:
    """A small PNG that says that it is 50,000 pixels wide and high."""
    honest = picture("PNG")
    size = (50_000).to_bytes(4, "big") * 2
    chunk = b"IHDR" + size + honest[24:29]
    crc = zlib.crc32(chunk).to_bytes(4, "big")
    return honest[:12] + chunk + crc + honest[33:]


def with_file(bob: Person, data: bytes, name: str, kind: str) -> Message:
    return store_message(bob.mailbox, attachments=[Attachment(name, kind, data)])


def preview_url(message: Message, path: str = "2") -> str:
    return reverse("webmail:preview", args=[message.pk, path])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_is_shown_as_what_its_octets_are(
    as_bob: Client, bob: Person, kind: str
) -> None:
    message = with_file(bob, picture(kind), "scan.bin", "application/octet-stream")

    page = as_bob.get(reverse("webmail:read", args=[message.pk])).content.decode()
    shown = as_bob.get(preview_url(message))

    assert f'src="{preview_url(message)}"' in page
    assert 'width="4" height="3"' in page
    assert shown["Content-Type"] == f"image/{kind.lower()}"
    assert shown["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["X-Frame-Options"] == "SAMEORIGIN"
    assert "no-store" in shown["Cache-Control"]


def test_a_pdf_is_shown_in_the_viewer_of_the_browser(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox, attachments=[PDF])

    page = as_bob.get(reverse("webmail:read", args=[message.pk])).content.decode()
    shown = as_bob.get(preview_url(message))

    assert f'data-pdf="{preview_url(message)}"' in page
    assert shown["Content-Type"] == "application/pdf"
    assert shown["Content-Security-Policy"].startswith("default-src 'none';")
    assert shown["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (PAGE, "photo.png", "image/png"),
        (PAGE, "order.pdf", "application/pdf"),
        (DRAWING, "drawing.svg", "image/svg+xml"),
        (DRAWING, "drawing.png", "image/png"),
        (b" %PDF-1.7", "late.pdf", "application/pdf"),
        (b"GIF89a" + PAGE, "page.html", "text/html"),
        (b"%PDF-1.7" + PAGE, "page.html", "application/pdf"),
        (picture("PNG")[:20], "short.png", "image/png"),
        (picture("BMP"), "old.bmp", "image/bmp"),
        (picture("TIFF"), "old.tiff", "image/tiff"),
        (bomb(), "bomb.png", "image/png"),
        (b"", "empty.png", "image/png"),
    ],
)
def test_nothing_else_is_shown(
    as_bob: Client, bob: Person, data: bytes, name: str, kind: str
) -> None:
    message = with_file(bob, data, name, kind)

    page = as_bob.get(reverse("webmail:read", args=[message.pk]))

    assert page.status_code == 200
    assert "/preview/" not in page.content.decode()
    assert as_bob.get(preview_url(message)).status_code == 404
    assert as_bob.get(preview_url(message, "9")).status_code == 404


def test_all_files_come_as_one_archive_under_safe_names(
    as_bob: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [
        PDF,
        Attachment("bundle.PDF", "application/pdf", b"another"),
        Attachment("../../etc/passwd", "text/plain", b"x"),
        Attachment("Sign in.html", "text/html", PAGE),
    ]
    message = store_message(bob.mailbox, subject="Files", attachments=files)

    page = as_bob.get(reverse("webmail:read", args=[message.pk])).content.decode()
    answer = as_bob.get(reverse("webmail:all_files", args=[message.pk]))

    assert "Download 3 of 4 as one .zip file" in page
    assert answer["Content-Disposition"] == 'attachment; filename="Files.zip"'
    assert answer["Content-Type"] == "application/octet-stream"
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.namelist() == ["Bundle.pdf", "bundle (2).PDF", "passwd"]
    assert archive.read("Bundle.pdf") == PDF.data
    monkeypatch.setattr(attachments_view, "FILES_SHOWN", 1)
    fewer = as_bob.get(reverse("webmail:all_files", args=[message.pk]))
    octets = b"".join(fewer.streaming_content)
    assert len(zipfile.ZipFile(io.BytesIO(octets)).namelist()) == 1


def test_a_message_without_files_has_no_archive(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox)

    answer = as_bob.get(reverse("webmail:all_files", args=[message.pk]))

    assert answer.status_code == 404


def test_the_frame_that_is_measured_can_do_even_less(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox, compose_html("<p>Hello</p>"))
    url = reverse("webmail:content", args=[message.pk]) + "?measure=1"

    measured = as_bob.get(url, headers={"Sec-Fetch-Dest": "iframe"})
    alone = as_bob.get(url, headers={"Sec-Fetch-Dest": "document"})

    policy = measured["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-same-origin; default-src 'none';")
    assert "allow-scripts" not in policy and "allow-popups" not in policy
    assert "allow-same-origin" not in alone["Content-Security-Policy"]
