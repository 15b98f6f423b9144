"""kill -9 at random moments: every acknowledged message is stored, exactly once."""

from __future__ import annotations

import random
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from engine.queue.models import Recipient, RecipientStatus
from engine.registry.models import Connection, Person
from engine.storage.models import Message
from tests.peers.engine import Engine, RestartedEngine
from tests.peers.process import wait_until

KILLS = 20
SENDERS = 4

LETTER = """\
From: Jane <jane@firm.example>\r
To: bob@northfield.secure.example\r
Message-ID: <{name}@firm.example>\r
Subject: {name}\r
\r
Good morning\r
"""


class Sender(threading.Thread):
    """Sends one message after another; resends those without a reply."""

    def __init__(
        self, number: int, connect: Callable[[], smtplib.SMTP], stop: threading.Event
    ) -> None:
        super().__init__()
        self._number, self._connect, self._ended = number, connect, stop
        self.acknowledged: list[str] = []

    def run(self) -> None:
        serial = 0
        while not self._ended.is_set():
            try:
                with self._connect() as client:
                    while not self._ended.is_set():
                        name = f"{self._number}-{serial}"
                        client.sendmail(
                            "jane@firm.example",
                            "bob@northfield.secure.example",
                            LETTER.format(name=name),
                        )
                        self.acknowledged.append(name)
                        serial += 1
            except (OSError, smtplib.SMTPException):
                time.sleep(0.05)


@pytest.mark.slow
def test_twenty_kills_under_load_lose_and_double_nothing(
    bob: Person,
    firm_with_credential: Connection,
    connect: Callable[[Engine], smtplib.SMTP],
    restarted_engine: RestartedEngine,
) -> None:
    engine = restarted_engine
    stop = threading.Event()
    senders = [Sender(n, lambda: connect(engine), stop) for n in range(SENDERS)]
    for sender in senders:
        sender.start()

    try:
        for _ in range(KILLS):
            before = sum(len(sender.acknowledged) for sender in senders)
            wait_until(
                lambda before=before: (
                    sum(len(s.acknowledged) for s in senders)
                    > before + random.randrange(30)
                ),
                "messages under way",
            )
            engine.kill()
            engine.start()
    finally:
        stop.set()
        for sender in senders:
            sender.join()
    wait_until(
        lambda: not Recipient.objects.filter(status=RecipientStatus.QUEUED).exists(),
        "an empty queue",
    )

    acknowledged = [name for sender in senders for name in sender.acknowledged]
    kept = Counter(Message.objects.values_list("subject", flat=True))
    assert len(acknowledged) > KILLS
    assert [name for name in acknowledged if kept[name] == 0] == []
    assert [name for name, count in kept.items() if count > 1] == []
