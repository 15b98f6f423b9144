"""A page of a large message: only what it shows is in memory."""

from __future__ import annotations

import tracemalloc

import pytest
from django.test import Client
from django.urls import reverse

from engine.mail.composer import Attachment
from engine.registry.models import Person
from tests.portal.webmail.conftest import store_message

MEGABYTE = 1024 * 1024


@pytest.mark.parametrize("page", ["read", "content", "print", "reply"])
def test_opening_a_large_message_takes_little_memory(
    as_bob: Client, bob: Person, page: str
) -> None:
    bundle = Attachment("bundle.pdf", "application/pdf", bytes(range(256)) * 90_000)
    message = store_message(bob.mailbox, text="See the bundle", attachments=[bundle])
    assert message.size > 30 * MEGABYTE
    address = reverse(f"webmail:{page}", args=[message.pk])
    as_bob.get(address)  # whatever is loaded once for all pages

    tracemalloc.start()
    try:
        assert as_bob.get(address).status_code == 200
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 10 * MEGABYTE
