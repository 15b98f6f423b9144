"""An organisation hears within minutes that mail waits because its server's TLS fails."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from engine.jobs.models import JobRun
from engine.queue.models import Recipient, RecipientStatus
from engine.registry.models import Connection
from onboarding.connecting import next_hop_monitor, tasks, waiting_for_tls
from onboarding.connecting.models import Watch
from tests import factories, jobs
from tests.portal.console.test_screens import make_recipient

pytestmark = pytest.mark.django_db


EXPIRED = "Your server's certificate has expired. Renew it."


class Finding:
    """What the look at the server says."""

    certificate = None
    fault = EXPIRED


@pytest.fixture
def waiting(firm_connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Recipient:
    """A message that has waited for the firm's server, whose TLS fails."""
    monkeypatch.setattr(Finding, "fault", EXPIRED)
    monkeypatch.setattr(next_hop_monitor, "diagnose", lambda hop: [Finding()])
    jane = factories.make_person(
        "jane@firm.example.secure.example",
        firm_connection.organisation,
        everyday_address="jane@home.example",
    )
    factories.make_administrator(jane)
    return make_recipient(
        destination=f"connection:{firm_connection.pk}",
        tls_failures=2,
        tls_failing_since=timezone.now() - waiting_for_tls.PATIENCE,
    )


def look() -> None:
    tasks.watch_waiting_mail()
    jobs.run_queued()
    # As the worker does with jobs that ended well.
    JobRun.objects.all().delete()


def test_administrators_are_told_once_what_is_wrong(waiting: Recipient) -> None:
    look()
    look()

    (notice,) = mail.outbox
    assert notice.to == ["jane@home.example"]
    assert notice.subject == "Mail to you is waiting for your mail server"
    assert "certificate has expired. Renew it." in notice.body
    assert "/connection/" in notice.body
    assert Watch.objects.get().fault == Finding.fault


def test_the_next_time_is_told_again(waiting: Recipient) -> None:
    look()
    Finding.fault = ""
    Recipient.objects.update(status=RecipientStatus.RELAYED, tls_failing_since=None)
    look()
    assert Watch.objects.get().fault == ""
    assert Watch.objects.get().warned_of_waiting_at is None

    Finding.fault = "Your server does not offer STARTTLS."
    failing = timezone.now() - waiting_for_tls.PATIENCE
    Recipient.objects.update(status=RecipientStatus.QUEUED, tls_failing_since=failing)
    look()

    assert len(mail.outbox) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"tls_failures": 1},
        {"tls_failing_since": None},
        {"status": RecipientStatus.FAILED},
        {"destination": "smart host"},
    ],
)
def test_nobody_is_told_of_anything_else(
    waiting: Recipient, change: dict[str, object]
) -> None:
    Recipient.objects.filter(pk=waiting.pk).update(**change)

    look()

    assert mail.outbox == []


def test_nobody_is_told_where_another_engine_reaches_the_server(
    waiting: Recipient,
) -> None:
    taken = timezone.now() - timedelta(seconds=10)
    make_recipient(
        "joe@firm.example.secure.example",
        destination=waiting.destination,
        status=RecipientStatus.RELAYED,
        finished_at=taken,
    )

    look()

    assert mail.outbox == []


def test_a_server_that_is_well_by_now_worries_nobody(waiting: Recipient) -> None:
    Finding.fault = ""

    look()

    assert mail.outbox == []
