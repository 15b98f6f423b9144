"""A full disk is reported as a temporary failure; nothing is half stored."""

from __future__ import annotations

import resource
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from engine.queue.models import QueuedMessage
from engine.registry.models import Person
from engine.storage.models import Message
from tests.full_disk import refuse_new_rows
from tests.peers.engine import Engine

LARGE = "x" * 70 + "\r\n"


@contextmanager
def files_of_at_most(octets: int, engine: Engine) -> Iterator[None]:
    """Limits the size of every file that the running engine writes, by the kernel."""
    usual = resource.prlimit(engine.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (octets, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, usual)


@contextmanager
def full_database(engine: Engine) -> Iterator[None]:
    """Makes the database refuse rows of message content with its own error."""
    if connection.vendor == "sqlite":
        with files_of_at_most(0, engine):  # its database is a file of the engine
            yield
        return
    with refuse_new_rows():
        yield


def send(client: smtplib.SMTP, bob: Person, lines: int) -> None:
    letter = f"From: {bob.address}\r\nTo: {bob.address}\r\n\r\n{LARGE * lines}"
    client.sendmail(bob.address, [bob.address], letter)


@pytest.mark.slow
def test_a_large_message_that_finds_no_room_is_asked_for_again(
    bob: Person,
    bobs_client: Callable[[Engine], smtplib.SMTP],
    engine: Engine,
    left_by_others: set[Path],
) -> None:
    with bobs_client(engine) as client:
        with (
            files_of_at_most(100_000, engine),
            pytest.raises(smtplib.SMTPDataError) as refused,
        ):
            send(client, bob, lines=20_000)
        send(client, bob, lines=20_000)

    assert refused.value.smtp_code == 452
    assert refused.value.smtp_error.startswith(b"4.3.1 ")
    check_kept_once(bob, left_by_others)


@pytest.mark.slow
def test_a_small_message_that_finds_no_room_is_asked_for_again(
    bob: Person,
    bobs_client: Callable[[Engine], smtplib.SMTP],
    engine: Engine,
    left_by_others: set[Path],
) -> None:
    with bobs_client(engine) as client:
        with (
            full_database(engine),
            pytest.raises(smtplib.SMTPDataError) as refused,
        ):
            send(client, bob, lines=10)
        send(client, bob, lines=10)

    assert refused.value.smtp_code == 451
    check_kept_once(bob, left_by_others)


def spooled() -> set[Path]:
    return set(Path(settings.POSTERN.path("spool")).glob("*"))


@pytest.fixture
def left_by_others() -> set[Path]:
    """The spool files that engines killed by other tests have left."""
    return spooled()


def check_kept_once(bob: Person, left_by_others: set[Path]) -> None:
    assert QueuedMessage.objects.count() == 1
    assert Message.objects.get().mailbox == bob.mailbox
    assert spooled() <= left_by_others
