"""The weekly digest of group mailboxes that nobody opened."""

from __future__ import annotations

import quopri
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from engine.audit.record import record
from engine.pop3.maildrop_lock import MaildropLease
from engine.queue.models import QueuedMessage, Source
from engine.registry.models import Mailbox, Organisation, Person
from engine.storage import content
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from portal.webmail.arrival_notices import weekly_digest
from portal.webmail.tasks import send_unopened_digests
from tests import factories
from tests.portal.webmail.arrival_notices.conftest import arrive

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(northfield: Organisation, alice: Person, charlie: Person) -> Mailbox:
    """A group mailbox of Northfield with a message from three days ago."""
    made = factories.make_group_mailbox("team@northfield.secure.example", northfield)
    arrive(made.address)
    Message.objects.update(received_at=timezone.now() - timedelta(days=3))
    return made


def digests() -> list[str]:
    """Runs the job, and returns the digests that were queued so far."""
    send_unopened_digests()
    rows = QueuedMessage.objects.filter(source=Source.SYSTEM)
    return [
        quopri.decodestring(content.read(one)).decode().replace("\r", "")
        for one in rows.select_related("content").order_by("pk")
    ]


def test_administrators_hear_once_a_week(
    team: Mailbox, alice: Person, bob: Person
) -> None:
    send_unopened_digests()
    [digest] = digests()

    assert f"To: {alice.address}" in digest
    assert f"{team.address}: 1 unread message, the oldest from" in digest
    assert "Bundle" not in digest
    week = weekly_digest._week() + timedelta(days=7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weekly_digest, "_week", lambda: week)
        assert len(digests()) == 2


def by_program(team: Mailbox, alice: Person) -> None:
    lease = MaildropLease(team.pk)
    lease.acquire()
    lease.release()


def by_key(team: Mailbox, alice: Person) -> None:
    record("message.read", team, organisation_key=team.organisation_id, by=alice)


def in_webmail(team: Mailbox, alice: Person) -> None:
    arrive(team.address)
    Message.objects.filter(pk=Message.objects.latest("pk").pk).update(is_read=True)


def filed(team: Mailbox, alice: Person) -> None:
    in_webmail(team, alice)
    read = Message.objects.filter(is_read=True)
    read.update(folder=folder(team, FolderRole.ARCHIVE))


def emptied(team: Mailbox, alice: Person) -> None:
    Message.objects.update(is_read=True)


def fresh(team: Mailbox, alice: Person) -> None:
    Message.objects.update(received_at=timezone.now() - timedelta(hours=5))


def closed(team: Mailbox, alice: Person) -> None:
    Mailbox.objects.filter(pk=team.pk).update(is_active=False)


@pytest.mark.parametrize(
    "happens", [by_program, by_key, in_webmail, filed, emptied, fresh, closed]
)
def test_nothing_is_sent_where_nothing_waits(
    team: Mailbox, alice: Person, happens: Callable[[Mailbox, Person], None]
) -> None:
    happens(team, alice)

    assert digests() == []


def test_personal_mailboxes_are_nobody_elses_business(
    alice: Person, bob: Person, charlie: Person
) -> None:
    arrive(bob.address)
    Message.objects.update(received_at=timezone.now() - timedelta(days=30))

    assert digests() == []


class PowerCut(BaseException):
    """Stands for the end of the process."""


def test_a_process_that_dies_sends_once_all_the_same(
    team: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as dying, pytest.raises(PowerCut):
        dying.setattr(weekly_digest.commit, "commit_messages", die)
        send_unopened_digests()

    assert len(digests()) == 1
    assert len(digests()) == 1


@pytest.mark.parametrize(
    ("moment", "monday"),
    [
        (datetime(2026, 11, 30, 6, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 30, 7, 1, tzinfo=UTC), "2026-11-30"),
        (datetime(2026, 12, 6, 23, 0, tzinfo=UTC), "2026-11-30"),
    ],
)
def test_a_week_begins_on_monday_morning(
    moment: datetime, monday: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weekly_digest.clock, "now", lambda: moment)

    week = weekly_digest._week()

    assert (week.isoformat() if week else None) == monday
