"""The engine of the version before serves on this version's schema, beside this one."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.database import clock
from engine.queue.models import Recipient, RecipientStatus
from engine.registry.models import Connection, Person
from engine.storage.models import Message
from portal.demo.certificates import Authority
from tests.next_hop import NextHop
from tests.peers.engine import Engine
from tests.peers.process import wait_until
from tests.upgrade import versions

JANE, BOB = "jane@firm.example", "bob@northfield.secure.example"
Connect = Callable[[Engine], smtplib.SMTP]


def letter(subject: str, sender: str) -> str:
    return f"From: {sender}\r\nMessage-ID: <{subject}@x>\r\nSubject: {subject}\r\n\r\n-\r\n"


@pytest.mark.slow
@pytest.mark.skipif(
    not versions.is_history_here(),
    reason="a shallow clone has no version before: git fetch --unshallow",
)
def test_mail_in_flight_passes_from_the_version_before_to_this_one(
    authority: Authority,
    bob: Person,
    firm_with_credential: Connection,
    next_hop: NextHop,
    connect: Connect,
    bobs_client: Connect,
    transactional_db: None,
    tmp_path: Path,
) -> None:
    home = versions.extract(versions.BEFORE, tmp_path / "before")
    next_hop.stop()
    before = Engine(authority, home=home, PYTHONPATH=str(home), POSTERN_CLAMD="off")

    with before:
        with connect(before) as client:
            client.sendmail(JANE, BOB, letter("one", JANE))
        with bobs_client(before) as client:
            client.sendmail(BOB, "jane@firm.example", letter("two", BOB))
        wait_until(
            lambda: bool(
                Recipient.objects.get(status=RecipientStatus.QUEUED).last_reply
            ),
            "an attempt",
        )
        with Engine(authority, POSTERN_CLAMD="off") as now:
            with connect(now) as client:
                client.sendmail(JANE, BOB, letter("three", JANE))
            with connect(before) as client:
                client.sendmail(JANE, BOB, letter("four", JANE))
            assert now.faults == before.faults == 0, before.log
    next_hop.start()
    Recipient.objects.update(next_attempt_at=clock.now())
    with Engine(authority, POSTERN_CLAMD="off") as now:
        wait_until(lambda: bool(next_hop.received), f"the next hop\n{now.log}")
        wait_until(
            lambda: (
                not Recipient.objects.filter(status=RecipientStatus.QUEUED).exists()
            ),
            "an empty queue",
        )

    assert len(next_hop.received) == 1
    kept = Message.objects.order_by("id").values_list("subject", flat=True)
    assert list(kept) == ["one", "three", "four"]
