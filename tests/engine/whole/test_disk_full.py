"""A disk that is full is told to the peer as a passing fault; nothing is half kept."""

from __future__ import annotations

import resource
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from engine.queue.models import QueuedMessage
from engine.registry.models import Person
from engine.storage.models import Message
from tests.peers.engine import Engine

LARGE = "x" * 70 + "\r\n"


@contextmanager
def files_of_at_most(octets: int, engine: Engine) -> Iterator[None]:
    """The kernel lets no file of the running engine grow beyond that."""
    usual = resource.prlimit(engine.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (octets, usual[1]))
    yield
    resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, usual)


@pytest.mark.slow
@pytest.mark.parametrize("lines", [20_000, 10], ids=["a file", "a row"])
def test_a_message_that_finds_no_room_is_asked_for_again(
    bob: Person,
    bobs_client: Callable[[Engine], smtplib.SMTP],
    engine: Engine,
    lines: int,
) -> None:
    letter = f"From: {bob.address}\r\nTo: {bob.address}\r\n\r\n{LARGE * lines}"
    # Signed in first, so that all that is left to write is the message.
    with (
        bobs_client(engine) as client,
        files_of_at_most(100_000 if lines > 100 else 0, engine),
        pytest.raises(smtplib.SMTPDataError) as refused,
    ):
        client.sendmail(bob.address, [bob.address], letter)
    with bobs_client(engine) as client:
        client.sendmail(bob.address, [bob.address], letter)

    assert 400 <= refused.value.smtp_code < 500
    assert QueuedMessage.objects.count() == 1
    assert Message.objects.get().mailbox == bob.mailbox
    assert not list(Path(settings.POSTERN.path("spool")).iterdir())
