from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from engine import calendar_days
from engine.audit.models import Entry
from engine.registry.models import Mailbox, Person
from engine.storage import message_actions, retention_periods, trash_purge
from engine.storage.models import Content, FolderRole, Message
from engine.storage.standard_folders import folder
from tests.engine.storage.conftest import deliver


def age(message: Message, days: int) -> None:
    Message.objects.filter(pk=message.pk).update(
        expires_at=timezone.now() - timedelta(days=days)
    )


def test_what_lies_in_deleted_goes_after_its_time(mailbox: Mailbox) -> None:
    gone, kept = deliver(mailbox), deliver(mailbox)
    message_actions.move([gone, kept], folder(mailbox, FolderRole.TRASH))
    age(gone, days=1)

    assert trash_purge.purge() == 1
    assert list(Message.objects.all()) == [kept]
    assert Content.objects.count() == 1


def test_time_stops_when_a_message_is_moved_back(mailbox: Mailbox) -> None:
    message = deliver(mailbox)
    message_actions.move([message], folder(mailbox, FolderRole.TRASH))
    message_actions.move([message], folder(mailbox, FolderRole.INBOX))

    message.refresh_from_db()
    assert message.expires_at is None


def test_an_organisation_sets_its_own_time(mailbox: Mailbox, alice: Person) -> None:
    message = deliver(mailbox)
    trash = folder(mailbox, FolderRole.TRASH)
    message_actions.move([message], trash)
    before = Message.objects.get().expires_at

    retention_periods.set_days(
        mailbox.organisation, deleted_days=7, junk_days=90, by=alice
    )

    assert retention_periods.days(trash) == 7
    assert retention_periods.days(folder(mailbox, FolderRole.JUNK)) == 90
    assert Message.objects.get().expires_at == calendar_days.later(before, days=-23)
    assert Entry.objects.get(event="retention.set").detail["junk_days"] == 90


def at(text: str) -> datetime:
    """The moment that the clocks of the reader show so."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/London"))


NEAR_THE_CHANGES = [
    "2026-03-15T23:30",
    "2026-03-15T00:30",
    "2026-03-29T00:00",
    "2026-03-29T23:59",
    "2026-10-11T00:30",
    "2026-10-11T23:30",
    "2026-10-25T00:00",
    "2026-10-25T23:59",
]


@pytest.mark.parametrize("deleted", NEAR_THE_CHANGES)
def test_the_date_of_erasure_is_as_many_dates_later(
    mailbox: Mailbox, deleted: str
) -> None:
    message = deliver(mailbox)
    with time_machine.travel(at(deleted), tick=False):
        message_actions.move([message], folder(mailbox, FolderRole.TRASH))

    message.refresh_from_db()
    assert message.expires_at == at(deleted) + timedelta(days=30)


@pytest.mark.parametrize("deleted", NEAR_THE_CHANGES)
@pytest.mark.parametrize("days", [7, 200, 365])
def test_a_new_time_moves_the_date_of_erasure_by_dates(
    mailbox: Mailbox, alice: Person, deleted: str, days: int
) -> None:
    message = deliver(mailbox)
    with time_machine.travel(at(deleted), tick=False):
        message_actions.move([message], folder(mailbox, FolderRole.TRASH))
        retention_periods.set_days(
            mailbox.organisation, deleted_days=days, junk_days=30, by=alice
        )

    message.refresh_from_db()
    # Python adds days to a moment of a zone by its calendar.
    assert message.expires_at == at(deleted) + timedelta(days=days)


@pytest.mark.parametrize("days", [0, 366])
def test_a_time_out_of_bounds_is_refused(
    mailbox: Mailbox, alice: Person, days: int
) -> None:
    with pytest.raises(ValidationError):
        retention_periods.set_days(
            mailbox.organisation, deleted_days=days, junk_days=30, by=alice
        )


def test_other_folders_keep_what_is_in_them(mailbox: Mailbox) -> None:
    assert retention_periods.days(folder(mailbox, FolderRole.ARCHIVE)) is None
