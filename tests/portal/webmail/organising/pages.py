"""Reads webmail's pages as text."""

from __future__ import annotations

from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from engine.storage.models import Message


def text_of(client: Client, url: str) -> str:
    """Returns the text of a page, with one space between words."""
    page = BeautifulSoup(client.get(url).content, "html.parser")
    return " ".join(page.get_text(" ").split())


def read(client: Client, message: Message) -> str:
    """Returns the text of a message's page."""
    return text_of(client, reverse("webmail:read", args=[message.pk]))


def listed(client: Client, message: Message, query: str = "") -> str:
    """Returns the text of the page of the message's folder."""
    return text_of(client, reverse("webmail:folder", args=[message.folder_id]) + query)


def subjects(client: Client, url: str) -> list[str]:
    """Returns the subjects that a list shows, in its order."""
    page = BeautifulSoup(client.get(url).content, "html.parser")
    return [one.get_text() for one in page.select(".app-mail-row__subject")]


def organise(client: Client, *messages: Message, **data: object) -> str:
    """Acts on messages chosen in a list; returns the text of the page that follows."""
    url = reverse("webmail:organise", args=[messages[0].mailbox_id])
    posted = {"message": [one.pk for one in messages]} | data
    followed = client.post(url, posted, follow=True)
    page = BeautifulSoup(followed.content, "html.parser")
    return " ".join(page.get_text(" ").split())
