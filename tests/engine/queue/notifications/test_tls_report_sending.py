"""Reports of TLS go to each domain that asks for them, once a day and once alone."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

import pytest

from engine.queue.models import QueuedMessage, Source
from engine.queue.notifications import tls_report_sending
from engine.storage import content
from engine.tls_reports import outgoing, report_format, tasks
from engine.tls_reports.models import SentReport, Session
from engine.tls_reports.outgoing import addresses
from engine.transport.tls_attempts import PolicyType, ResultType, TlsAttempt

pytestmark = pytest.mark.django_db

DOMAIN = "firm.example"
RECORD = "_smtp._tls.firm.example"
HOST = "mx.firm.example"
NOW = datetime.now(UTC).replace(hour=12)
YESTERDAY = (NOW - timedelta(hours=24)).date()
ATTEMPT = TlsAttempt(
    PolicyType.MTA_STS, DOMAIN, HOST, policy=("version: STSv1", "mode: enforce")
)


@pytest.fixture(autouse=True)
def at_noon(monkeypatch):
    monkeypatch.setattr("engine.database.clock.now", lambda: NOW)


@pytest.fixture
def counted(db):
    """Three sessions of yesterday, one of which failed, and one of today."""
    expired = ATTEMPT.failed(ResultType.EXPIRED)
    yesterday = NOW - timedelta(hours=24)
    tls_report_sending.count([ATTEMPT, ATTEMPT, expired], yesterday)
    tls_report_sending.count([expired], NOW)


def test_a_domain_that_asks_for_it_is_mailed_its_report_once(counted, name_server):
    name_server.add_text(RECORD, "v=TLSRPTv1; rua=mailto:tls@reports.example")

    assert tls_report_sending.send_due() == 1
    assert tls_report_sending.send_due() == 0
    # As after a kill between the mail and the note of it.
    SentReport.objects.all().delete()
    tls_report_sending.send_due()

    queued = QueuedMessage.objects.get()
    assert (queued.sender, queued.source) == ("", Source.SYSTEM)
    assert queued.recipients.get().address == "tls@reports.example"
    mail = message_from_bytes(content.read(queued))
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "tlsrpt"
    assert mail["TLS-Report-Domain"] == DOMAIN
    assert mail["TLS-Report-Submitter"] == "secure.example"
    subject = " ".join(mail["Subject"].split())
    assert f"Report-ID: <{YESTERDAY}.firm.example@secure.example>" in subject
    _, part = mail.get_payload()
    assert part.get_content_type() == "application/tlsrpt+gzip"
    assert part.get_filename().startswith("secure.example!firm.example!")
    packed = part.get_payload(decode=True)
    report = report_format.read(packed)
    [policy] = report.policies
    assert (policy.policy_type, policy.policy_domain) == ("sts", DOMAIN)
    assert (policy.successes, policy.failures) == (2, 1)
    [detail] = policy.details
    assert (detail.result_type, detail.sessions) == ("certificate-expired", 1)
    [written] = json.loads(gzip.decompress(packed))["policies"]
    assert written["policy"]["policy-string"] == [*ATTEMPT.policy]
    assert written["policy"]["mx-host"] == [HOST]


def test_a_report_is_posted_and_posted_again_after_a_fault(
    counted, name_server, monkeypatch
):
    heard = []

    class Answering:
        status = 500

        def __init__(self, parts, *, seconds):
            self.host = parts.hostname

        def request(self, method, at, body, headers):
            heard.append((method, self.host, at, headers["Content-Type"]))
            assert report_format.read(body).report_id.endswith("@secure.example")

        def getresponse(self):
            return self

        def close(self):
            pass

    monkeypatch.setattr(tls_report_sending, "PinnedConnection", Answering)
    name_server.add_text(
        RECORD,
        "v=TLSRPTv1; rua=https://reports.example/tls?x=1,mailto:tls@reports.example",
    )
    assert tls_report_sending.send_due() == 1
    Answering.status = 201
    assert tls_report_sending.send_due() == 1
    assert tls_report_sending.send_due() == 0

    post = ("POST", "reports.example", "/tls?x=1", "application/tlsrpt+gzip")
    assert heard == [post, post]
    assert QueuedMessage.objects.count() == 1


def test_no_address_of_ours_is_posted_to(counted, name_server):
    name_server.add_text(RECORD, "v=TLSRPTv1; rua=https://127.0.0.1/tls")

    assert tls_report_sending.send_due() == 0

    assert not SentReport.objects.exists()


def test_who_does_not_ask_gets_none_and_is_not_looked_up_again(counted, name_server):
    assert tls_report_sending.send_due() == 0
    name_server.add_text(RECORD, "v=TLSRPTv1; rua=mailto:tls@reports.example")
    assert tls_report_sending.send_due() == 0

    assert not QueuedMessage.objects.exists()


def test_sessions_are_purged_once_their_report_is_too_late(counted, monkeypatch):
    tasks.let_go()
    assert Session.objects.count() == 4
    later = NOW + timedelta(hours=60)
    monkeypatch.setattr("engine.database.clock.now", lambda: later)
    tasks.let_go()
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["v=TLSRPTv1;rua=mailto:a@b.example"], ["mailto:a@b.example"]),
        (["v=TLSRPTv1; rua = mailto:a@b.example ;x=1"], ["mailto:a@b.example"]),
        (["other", "v=TLSRPTv1; rua=https://b.example/x"], ["https://b.example/x"]),
        (["v=TLSRPTv1; rua=ftp://b.example,mailto:nobody,http://b.example"], []),
        (
            [
                "v=TLSRPTv1; rua=mailto:a@b.example",
                "v=TLSRPTv1; rua=mailto:c@d.example",
            ],
            [],
        ),
        (["v=TLSRPTv12; rua=mailto:a@b.example"], []),
        (["v=TLSRPTv1;"], []),
        ([f"v=TLSRPTv1; rua=https://b.example/{'x' * 500}"], []),
        ([], []),
    ],
)
def test_addresses_of_a_record(texts, found):
    assert addresses(texts) == found
    assert (
        len(addresses(["v=TLSRPTv1; rua=" + ",".join(["mailto:a@b.example"] * 9)])) == 5
    )
    assert outgoing.mail_address("mailto:a@b.example?subject=x").key == "a@b.example"
