from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from engine.linked_files.models import LinkedFile
from engine.registry.models import Person
from portal.webmail.models import UndoTime, WritingPreferences
from tests.portal.webmail.compose_page import KNOWN, ComposePage

FILE = b"%PDF-1.7 a bundle of the hearing, page by page\n" * 40


@pytest.fixture
def compose_page(bob: Person) -> Iterator[ComposePage]:
    """Bob's compose page; what he sends leaves at once."""
    WritingPreferences.objects.create(person=bob, undo_seconds=UndoTime.NONE)
    return ComposePage(bob.mailbox)


def upload(name: str = "Bundle.pdf", data: bytes = FILE) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "application/pdf")


def link(client: Client, page: ComposePage, *files: SimpleUploadedFile) -> str:
    """Adds files as links by the page; returns what it shows then."""
    chosen = {"attachments": list(files or [upload()])}
    answer = client.post(f"{page.url}links/", chosen, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def send_linked(
    client: Client, page: ComposePage, to: str, *files: SimpleUploadedFile, **over: str
) -> LinkedFile:
    """Sends a message with files as links; returns the first."""
    link(client, page, *files)
    shown = [one.pk for one in LinkedFile.objects.filter(reference="")]
    confirmed = [*KNOWN, *(f"new_recipient:{one.strip()}" for one in to.split(","))]
    typed = {"to": to, "text": "Here it is.", "confirmed": confirmed, "linked": shown}
    page.post(client, "send", **typed | over)
    file = LinkedFile.objects.order_by("pk").first()
    assert file is not None
    assert file.is_sent
    return file
