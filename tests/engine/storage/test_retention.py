from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

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
    assert Message.objects.get().expires_at == before - timedelta(days=23)
    assert Entry.objects.get(event="retention.set").detail["junk_days"] == 90


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
