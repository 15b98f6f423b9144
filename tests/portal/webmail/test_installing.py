from __future__ import annotations

import gzip
import json

from django.test import Client
from django.urls import reverse

from engine.registry.models import Person
from tests.portal.webmail.conftest import store_message


def test_the_manifest_and_the_offline_page_are_the_same_for_everybody(
    client: Client, as_bob: Client, db: None
) -> None:
    for name in ("manifest", "service_worker", "offline"):
        url = reverse(f"webmail:{name}")
        assert Client().get(url).content == as_bob.get(url).content

    manifest = json.loads(client.get(reverse("webmail:manifest")).content)
    assert manifest["start_url"] == "/mail/" and manifest["display"] == "standalone"
    worker = client.get(reverse("webmail:service_worker")).content.decode()
    assert worker.count(".put(") == 1 and worker.count("addAll(") == 1


def test_pages_are_compressed_but_not_downloads_nor_what_repeats_its_address(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox, text="word " * 100)
    accepts = {"Accept-Encoding": "gzip"}

    page = as_bob.get(reverse("webmail:read", args=[message.pk]), headers=accepts)
    file = as_bob.get(reverse("webmail:original", args=[message.pk]), headers=accepts)
    search = reverse("webmail:search", args=[bob.mailbox.pk]) + "?q=word"
    inbox = reverse("webmail:folder", args=[message.folder_id])

    assert page["Content-Encoding"] == "gzip"
    assert b"word word" in gzip.decompress(page.content)
    assert "Content-Encoding" not in file
    for url, is_compressed in (
        (search, False),
        (f"{inbox}?sender=jane@firm.example", False),
        (f"{inbox}?order=word", False),
        (f"{inbox}?page=word", False),
        (f"{inbox}?order=oldest&show=unread&page=2&past=9", True),
    ):
        answer = as_bob.get(url, headers=accepts)
        assert ("Content-Encoding" in answer) == is_compressed, url
