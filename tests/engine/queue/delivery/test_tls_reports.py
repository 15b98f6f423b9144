"""TLS reports that arrive by mail are kept once, or returned with what is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engine.mail import dsn
from engine.queue.models import RecipientStatus
from engine.tls_reports import incoming, tasks
from engine.tls_reports.models import Failure, Report, Session
from tests.engine.queue.conftest import JANE
from tests.engine.queue.delivery.test_relay import untrusted_context
from tests.tls_reports import message, packed, report

pytestmark = pytest.mark.django_db

TO = "tls-reports@secure.example"


def test_a_report_is_kept_once(queue, firm_connection):
    raw = message(packed(report()))
    sent = [queue.send(JANE, TO, raw=raw) for _ in range(2)]

    queue.run(until_nothing_is_due=True)

    kept = Report.objects.get()
    assert (kept.reporter, kept.sender) == ("Firm", JANE)
    assert (kept.successes, kept.failures) == (5326, 303)
    assert kept.organisation_id == firm_connection.organisation_id
    found = Failure.objects.order_by("pk").values_list("result_type", "sessions")
    assert list(found) == [
        ("certificate-expired", 100),
        ("starttls-not-supported", 203),
    ]
    assert {queue.status(one) for one in sent} == {RecipientStatus.DELIVERED}


@pytest.mark.parametrize(
    ("over", "why"),
    [
        ({"policies": []}, "policies must have"),
        (
            {"date-range": {"start-datetime": "2020-01-01T00:00:00Z",
                            "end-datetime": "2020-01-01T23:59:59Z"}},
            "too long ago",
        ),
        (
            {"policies": [report()["policies"][0]
                          | {"policy": {"policy-domain": "elsewhere.example"}}]},
            "it says nothing of secure.example",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_used_comes_back(queue, bob, read, over, why):
    queue.send(bob.address, TO, raw=message(packed(report(**over))))

    queue.run(until_nothing_is_due=True)

    assert not Report.objects.exists()
    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert about.status == "5.6.0"
    assert why in about.diagnostic


def test_a_message_without_a_report_comes_back(queue, bob, read):
    queue.send(bob.address, TO)

    queue.run(until_nothing_is_due=True)

    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert "application/tlsrpt+gzip" in about.diagnostic


def test_each_session_with_a_next_hop_is_counted_once(
    queue, hop, make_hop, firm, firm_connection, bob, tmp_path
):
    queue.send(bob.address, JANE, "john@firm.example.secure.example")
    queue.run(until_nothing_is_due=True)
    assert len(hop.received) == 1
    [encrypted] = Session.objects.all()
    assert encrypted.result == ""

    untrusted = make_hop("mail.firm.example", context=untrusted_context(tmp_path))
    firm_connection.next_hop_port = untrusted.port
    firm_connection.save()
    queue.send(bob.address, JANE)
    queue.run()

    failed = Session.objects.exclude(pk=encrypted.pk).get()
    assert failed.result == "certificate-not-trusted"
    assert failed.policy_type == "no-policy-found"


def test_a_large_message_is_not_even_read(queue, bob, read, monkeypatch):
    monkeypatch.setattr(incoming, "MOST_OCTETS", 500)
    queue.send(bob.address, TO, raw=message(packed(report())))

    queue.run(until_nothing_is_due=True)

    [about] = dsn.read(read(queue.inbox(bob)[0]))
    assert "too large" in about.diagnostic


def test_one_organisation_fills_no_table(queue, bob, monkeypatch):
    monkeypatch.setattr(incoming, "MOST_A_DAY", 2)
    for number in range(3):
        content = report(**{"report-id": f"r{number}"})
        queue.send(bob.address, TO, raw=message(packed(content)))

    queue.run(until_nothing_is_due=True)

    assert Report.objects.count() == 2
    assert len(queue.inbox(bob)) == 1


def test_old_reports_are_deleted(queue, bob, settings):
    queue.send(bob.address, TO, raw=message(packed(report())))
    queue.run(until_nothing_is_due=True)

    assert tasks.let_go() == 0
    old = timezone.now() - timedelta(days=settings.POSTERN.trace_days + 1)
    Report.objects.update(received_at=old)

    assert tasks.let_go() == 1
    assert not Failure.objects.exists()
