from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from engine.antivirus.scanners import message_scan
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.queue.models import QueuedMessage, Recipient
from engine.registry.models import Organisation
from onboarding.forms.fields import EverydayAddressField
from onboarding.models import Notice, NoticeKind
from onboarding.notices import delivery, emails, outbox
from onboarding.provisioning import runner
from tests import factories


@pytest.fixture
def queue(settings: Any, db: None) -> None:
    settings.EMAIL_BACKEND = "engine.email_backend.QueueEmailBackend"


def test_a_promise_falls_with_its_transaction(db: None) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        outbox.add(NoticeKind.APPLY, to="jane@firm.example")
        raise RuntimeError

    assert not Notice.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_notice_is_queued_once_however_often_the_job_runs(queue: None) -> None:
    outbox.add(NoticeKind.APPLY, to="jane@firm.example")

    assert delivery.send_due() == 1
    assert delivery.send_due() == 0

    assert QueuedMessage.objects.count() == 1


def test_a_welcome_does_not_take_the_way_that_it_explains(
    queue: None, apply: Any, approve: Any
) -> None:
    runner.run(approve(apply()).pk)
    delivery.send_due()

    going = dict(Recipient.objects.values_list("address", "destination"))
    assert going["jane@firm.example"] == going["ravi@firm.example"] == "outside"


def test_a_sponsor_is_asked_by_the_mail_of_the_community(
    queue: None, submit_application: Any, fenland: Organisation
) -> None:
    factories.make_connection(fenland)
    submit_application()
    delivery.send_due()

    asked = Recipient.objects.get(address="ruth@fenland.police.example")
    assert asked.destination.startswith("connection:")


def test_a_notice_waits_while_the_scanner_is_away(
    queue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(raw: bytes) -> None:
        raise ScannerUnavailable("nobody answers")

    outbox.add(NoticeKind.APPLY, to="jane@firm.example")
    with monkeypatch.context() as patched:
        patched.setattr(message_scan, "scan_bytes", away)
        assert delivery.send_due() == 0
    notice = Notice.objects.get()
    assert (notice.attempts, notice.sent_at, notice.failed_at) == (1, None, None)
    Notice.objects.update(next_attempt_at=timezone.now())

    assert delivery.send_due() == 1


def test_one_that_cannot_be_sent_stops_no_other(queue: None) -> None:
    outbox.add(NoticeKind.APPLY, to="nobody@unknown.secure.example")
    outbox.add(NoticeKind.RECEIVED, to="jane@firm.example", about=404)
    outbox.add(NoticeKind.APPLY, to="jane@firm.example")

    assert delivery.send_due() == 1

    assert Notice.objects.exclude(failed_at=None).count() == 2


def test_one_that_fails_by_our_own_fault_stops_no_other(
    queue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.add(NoticeKind.APPLY, to="ada@firm.example")
    outbox.add(NoticeKind.APPLY, to="jane@firm.example")
    written = emails.send

    def write(notice: Notice) -> None:
        if notice.address.startswith("ada"):
            raise KeyError("a field of the template")
        written(notice)

    monkeypatch.setattr(emails, "send", write)

    assert delivery.send_due() == 1

    left = Notice.objects.waiting().get()
    assert (left.attempts, left.problem) == (1, "KeyError: 'a field of the template'")
    Notice.objects.update(
        attempts=delivery.MOST_FAULTS - 1, next_attempt_at=timezone.now()
    )
    delivery.send_due()
    assert not Notice.objects.waiting().exists()


def test_an_address_with_letters_of_any_script_is_written_to(queue: None) -> None:
    address = EverydayAddressField().clean(f"{'é' * 32}@firm.example")
    outbox.add(NoticeKind.APPLY, to=address)
    outbox.add(NoticeKind.APPLY, to="jane@firm.example")

    assert delivery.send_due() == 2

    queued = QueuedMessage.objects.get(recipients__address=address)
    header = bytes(queued.content.header)
    assert f"To: {address}\r\n".encode() in header


def test_a_notice_that_was_queued_before_a_crash_is_not_queued_again(
    queue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.add(NoticeKind.APPLY, to="jane@firm.example")
    written = emails.send

    def die(notice: Notice) -> None:
        written(notice)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(emails, "send", die)
        delivery.send_due()
    Notice.objects.update(next_attempt_at=timezone.now())

    assert delivery.send_due() == 1
    assert QueuedMessage.objects.count() == 1


def test_no_transaction_is_open_while_a_notice_is_scanned(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_BACKEND = "engine.email_backend.QueueEmailBackend"
    outbox.add(NoticeKind.APPLY, to="jane@firm.example")
    scan = message_scan.scan_bytes
    inside = []

    def note(raw: bytes) -> Any:
        inside.append(connection.in_atomic_block)
        return scan(raw)

    monkeypatch.setattr(message_scan, "scan_bytes", note)

    assert delivery.send_due() == 1
    assert inside == [False]


def test_a_scanner_that_hangs_ends_the_run(
    queue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "bea", "cleo"):
        outbox.add(NoticeKind.APPLY, to=f"{name}@firm.example")
    passed = 0.0

    def hang(notice: Notice) -> None:
        nonlocal passed
        passed += 60.0
        raise ScannerUnavailable("nobody answers")

    monkeypatch.setattr(delivery.time, "monotonic", lambda: passed)
    monkeypatch.setattr(emails, "send", hang)
    delivery.send_due()

    assert passed == 60.0
    assert Notice.objects.waiting().filter(attempts=0).count() == 2


def test_what_was_sent_is_forgotten_after_a_month(db: None) -> None:
    outbox.add(NoticeKind.APPLY, to="jane@firm.example")
    Notice.objects.update(sent_at=timezone.now() - delivery.KEPT - timedelta(days=1))

    delivery.purge_old()

    assert not Notice.objects.exists()
