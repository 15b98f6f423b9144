"""The message that an intruder wants to read."""

from __future__ import annotations

import pytest

from engine.registry.models import Person
from engine.storage.models import Message
from tests.portal.conftest import give_app
from tests.portal.webmail.conftest import named_address, store_message

SECRET_WORDS = "The witness lives at the old mill."


@pytest.fixture
def letter(bob: Person) -> Message:
    """A message to Bob, who has a second factor and no everyday address."""
    give_app(bob)
    return store_message(
        bob.mailbox,
        to=[named_address("Bob", bob.address)],
        text=SECRET_WORDS,
        is_read=False,
    )
