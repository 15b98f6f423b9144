"""A compose page as tests submit it, and what the mailbox holds afterwards."""

from __future__ import annotations

import re
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from engine.registry.models import Mailbox
from engine.storage import content
from engine.storage.models import FolderRole, Message
from portal.webmail.rendering.parsed_message import ParsedMessage, parse_message
from tests.portal.webmail.conftest import PDF

JANE = "jane@firm.example.secure.example"
CHARLIE = "charlie@harbour.secure.example"

# What the check before sending asks about these two.
KNOWN = [
    f"new_recipient:{JANE}",
    f"new_recipient:{CHARLIE}",
    f"other_name:{CHARLIE}",
    f"other_organisation:{CHARLIE}",
]


class ComposePage:
    """An empty compose page."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.url = reverse("webmail:draft", args=[mailbox.pk, uuid4()])

    def post(self, client: Client, do: str, **fields: object) -> HttpResponse:
        """Posts the page. A sent message has a subject unless `fields` has one.

        That Jane and Charlie were never written to is confirmed, unless `fields` say so.
        """
        typed: dict[str, object] = {}
        if do == "send":
            typed = {"subject": "About it", "confirmed": KNOWN}
        return client.post(self.url, typed | {"do": do} | fields, follow=True)

    def page(self, client: Client) -> str:
        return client.get(self.url).content.decode()


def messages_in(mailbox: Mailbox, role: FolderRole) -> list[Message]:
    return list(Message.objects.filter(mailbox=mailbox, folder__role=role))


def parsed_of(message: Message) -> ParsedMessage:
    return parse_message(content.read(message))


def only_message_in(
    mailbox: Mailbox, role: FolderRole
) -> tuple[Message, ParsedMessage]:
    [message] = messages_in(mailbox, role)
    return message, parsed_of(message)


def file(name: str = "Bundle.pdf", data: bytes = PDF.data) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "application/pdf")


def value_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    return found[1] if found else ""
