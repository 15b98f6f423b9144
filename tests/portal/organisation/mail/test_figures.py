"""An organisation's mail by day, and its slowest servers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from engine import calendar_days
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus, Source
from engine.registry.models import Organisation, Person
from engine.storage.models import Content
from engine.trace import event_log
from portal.organisation.mail import mail_days, slow_hops
from portal.organisation.models import MailDay
from portal.organisation.tasks import count_mail
from tests.portal.organisation.conftest import Path
from tests.portal.organisation.mail.test_trace import send

pytestmark = pytest.mark.django_db


def queued(
    by: Organisation,
    address: str,
    *,
    days: int = 0,
    seconds: int | None = 5,
    received_by: Organisation | None = None,
    source: Source = Source.RECEIVE,
    sender: str = "a@northfield.secure.example",
) -> None:
    """Queues a message for another server; it waits where `seconds` is None."""
    noon = calendar_days.start_of(timezone.localdate()) + timedelta(minutes=1)
    at = noon - timedelta(days=days)
    message = QueuedMessage.objects.create(
        reference=f"R{QueuedMessage.objects.count():05}",
        content=Content.objects.create(size=1, body_digest="", header=b"", body=b""),
        sender=sender,
        source=source,
        organisation_id=by.pk,
        accepted_at=at,
        expires_at=at + timedelta(days=2),
    )
    Recipient.objects.create(
        message=message,
        address=address,
        destination="connection:1",
        status=RecipientStatus.QUEUED if seconds is None else RecipientStatus.RELAYED,
        finished_at=None if seconds is None else at + timedelta(seconds=seconds),
        received_by_id=received_by.pk if received_by else None,
    )


def figures(organisation: Organisation, days_ago: int = 0) -> tuple[int, ...]:
    day = timezone.localdate() - timedelta(days=days_ago)
    row = MailDay.objects.get(organisation=organisation, day=day)
    return row.sent, row.received, row.refused, row.waiting


def test_each_day_is_counted_for_each_organisation(
    northfield: Organisation, harbour: Organisation
) -> None:
    kim = "kim@harbour.secure.example"
    for days in (0, 0, 1):
        queued(northfield, kim, days=days, received_by=harbour)
    queued(northfield, kim, seconds=None, received_by=harbour)
    queued(northfield, kim, source=Source.LIST, received_by=harbour)
    refusal = ("REF", "x@y.example", {"reply": "550 5.1.1 No"}, northfield.pk)
    event_log.insert_refusals([refusal, refusal], at=timezone.now())

    count_mail()
    count_mail()

    assert figures(northfield) == (3, 0, 1, 1)
    assert figures(northfield, 1) == (1, 0, 0, 0)
    assert figures(harbour) == (0, 4, 0, 0)


def test_what_waits_no_longer_is_no_longer_counted(northfield: Organisation) -> None:
    queued(northfield, "kim@harbour.secure.example", seconds=None)
    count_mail()
    assert figures(northfield)[3] == 1

    Recipient.objects.update(status=RecipientStatus.RELAYED)
    count_mail()

    assert figures(northfield)[3] == 0


def test_a_day_of_which_some_is_deleted_keeps_its_figures(
    northfield: Organisation,
) -> None:
    old = timezone.localdate() - timedelta(days=settings.POSTERN.queue_days)
    MailDay.objects.create(organisation=northfield, day=old, sent=9)
    MailDay.objects.create(
        organisation=northfield, day=timezone.localdate() - mail_days.KEPT * 2
    )

    count_mail()

    assert [(row.day, row.sent) for row in MailDay.objects.filter(sent__gt=0)] == [
        (old, 9)
    ]


def test_the_page_has_plots_and_the_same_as_a_table(
    admin_client: Client, path_to: Path, northfield: Organisation, alice: Person
) -> None:
    send(alice, alice)
    queued(northfield, "kim@harbour.secure.example", seconds=600)
    count_mail()

    page = admin_client.get(path_to("trace/figures/"))

    text = page.content.decode()
    assert "2 in all, at most 2 on one day" in text
    assert "The same figures as a table" in text
    assert [(hop.domain, hop.typical) for hop in page.context["hops"]] == [
        ("harbour.secure.example", "10 minutes")
    ]
    assert text.count("<svg") >= 4


def test_the_page_of_an_organisation_without_mail_says_so(
    admin_client: Client, path_to: Path
) -> None:
    text = admin_client.get(path_to("trace/figures/")).content.decode()

    assert "No message was sent, received or refused" in text
    assert "None of your latest messages went to another server" in text


def test_the_slowest_server_comes_first_and_neighbours_are_not_shown(
    northfield: Organisation, harbour: Organisation
) -> None:
    for seconds in (1, 2, 3):
        queued(northfield, "kim@harbour.secure.example", seconds=seconds)
    queued(northfield, "jo@slow.example", seconds=7200)
    # Of mail received, the other recipients' servers are their own affair.
    queued(harbour, "ed@elsewhere.example", seconds=9000, received_by=northfield)
    queued(harbour, "bob@northfield.secure.example", seconds=60, received_by=northfield)
    # And so are the members of another's list that mail of one's own was sent on to.
    queued(
        northfield,
        "ann@member.example",
        seconds=8000,
        sender="list@harbour.secure.example",
        source=Source.LIST,
        received_by=northfield,
    )

    found = slow_hops.slowest(northfield)

    assert [(hop.domain, hop.typical, hop.is_own) for hop in found] == [
        ("slow.example", "2 hours", False),
        ("northfield.secure.example", "1 minute", True),
        ("harbour.secure.example", "2 seconds", False),
    ]
