"""Scanning again what arrived lately, with newer signatures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django_q.models import OrmQ
from pytest_django.fixtures import Settings

from engine.antivirus.scanners import coverage_proof, message_scan
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.antivirus.verdict import Verdict, VerdictState
from engine.database import clock
from engine.incidents import rescan_job, rescans, withdrawals
from engine.incidents.models import Rescan, RescanState
from engine.queue.delivery import claim
from engine.queue.models import Hold, Recipient, RecipientStatus
from engine.registry.errors import PolicyError
from engine.registry.models import Posting
from engine.storage import content, message_actions
from engine.storage.models import (
    Content,
    FolderRole,
    Message,
    WithdrawalKind,
    WithdrawnCopy,
)
from engine.storage.standard_folders import folder
from tests import encryption, factories
from tests.engine.queue.conftest import JANE, RAW
from tests.jobs import run_queued

pytestmark = pytest.mark.django_db
BAD = RAW.replace(b"Hello", b"Harmful words")


@pytest.fixture(autouse=True)
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was scanned; a scanner stands in that finds BAD since today's update."""
    seen: list[bytes] = []

    def scan(pieces: Iterator[bytes]) -> Verdict:
        data = b"".join(pieces)
        seen.append(data)
        if b"Harmful" in data:
            return Verdict.of("Worm.Test", scanner="clamd")
        return Verdict(VerdictState.CLEAN, scanner="clamd")

    monkeypatch.setattr(message_scan, "scan_pieces", scan)
    monkeypatch.setattr(rescan_job, "LONGEST_PAUSE", 0.0)
    return seen


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
def stored(request: pytest.FixtureRequest, settings: Settings) -> Iterator[bool]:
    """Whether what is stored is encrypted."""
    on = encryption.switched_on(settings) if request.param else iter([None])
    next(on)
    yield request.param
    next(on, None)


def inbox(queue, person):
    return [one.subject for one in queue.inbox(person)]


def test_what_is_infected_is_withdrawn_and_its_holders_told(
    queue, stored, alice, bob, charlie, olive
):
    queue.send(charlie.address, alice.address, bob.address, raw=BAD)
    queue.send(charlie.address, alice.address)

    rescan = rescans.start(days=3, by=olive)
    run_queued()

    rescan.refresh_from_db()
    assert rescan.state == RescanState.DONE
    assert (rescan.infected, rescan.copies) == (1, 2)
    notice = "An infected message was withdrawn from your mailbox"
    assert inbox(queue, alice) == [notice, "Bundle"]
    assert inbox(queue, bob) == [notice]
    copies = WithdrawnCopy.objects.all()
    assert {one.kind for one in copies} == {WithdrawalKind.INFECTED}
    text = content.read(queue.inbox(bob)[0]).decode()
    assert "Worm.Test" in text
    assert "Harmful" not in text


def test_what_was_found_by_mistake_is_put_back_by_three(
    queue, hop, firm_connection, alice, bob, operators
):
    queue.send(bob.address, alice.address, JANE, raw=BAD)
    rescan = rescans.start(days=3, by=operators[0])
    with pytest.raises(PolicyError, match="is running"):
        withdrawals.ask_to_put_back_rescan(rescan, reason="x", by=operators[0])
    run_queued()

    back = withdrawals.ask_to_put_back_rescan(
        rescan, reason="The signature is wrong", by=operators[0]
    )
    for one in operators[1:]:
        withdrawals.agree(back, by=one)
    run_queued()
    queue.run()

    assert "Bundle" in inbox(queue, alice)
    assert len(hop.received) == 1
    assert not WithdrawnCopy.objects.exists()


def test_the_operators_are_told_of_the_first_and_of_the_end(
    queue, alice, charlie, olive
):
    service = factories.make_organisation(name="Service")
    factories.make_domain(service, "secure.example")
    factories.make_mailbox(olive, organisation=service)
    for number in range(3):
        raw = BAD.replace(b"words", b"words %d" % number)
        queue.send(charlie.address, alice.address, raw=raw)

    rescans.start(days=3, by=olive)
    run_queued()

    assert sorted(inbox(queue, olive)) == [
        "Delivered mail has been scanned again",
        "Found in delivered mail: Worm.Test",
    ]


@pytest.mark.parametrize("held", ["", Hold.SUSPENSION, Hold.OPERATOR, Hold.RESTORE])
def test_what_waits_is_held(queue, hop, firm_connection, bob, olive, held):
    reference = queue.send(bob.address, JANE, raw=BAD)
    if held:
        Recipient.objects.update(status=RecipientStatus.HELD, hold=held)

    rescan = rescans.start(days=1, by=olive)
    run_queued()

    row = Recipient.objects.get(message__reference=reference)
    assert (row.status, row.hold) == (RecipientStatus.HELD, Hold.WITHDRAWN)
    rescan.refresh_from_db()
    assert rescan.stopped == 1


def test_what_arrived_before_is_not_scanned(queue, alice, charlie, olive, scanned):
    queue.send(charlie.address, alice.address, raw=BAD)
    Content.objects.update(created_at=clock.now() - timedelta(days=5))

    rescans.start(days=3, by=olive)
    run_queued()

    assert scanned == []
    assert Message.objects.filter(subject="Bundle").exists()


def test_each_content_is_scanned_once_however_often_the_job_dies(
    queue, alice, charlie, olive, scanned, monkeypatch
):
    for number in range(4):
        raw = RAW.replace(b"Hello", b"Hello %d" % number)
        queue.send(charlie.address, alice.address, raw=raw)
    monkeypatch.setattr(rescan_job, "SECONDS", -1.0)
    rescan = rescans.start(days=3, by=olive)

    rescan_job.run(rescan.pk)
    rescan.refresh_from_db()
    assert (rescan.scanned, rescan.state) == (1, RescanState.RUNNING)
    run_queued()

    rescan.refresh_from_db()
    assert rescan.state == RescanState.DONE
    assert rescan.scanned == len(scanned) == 4


def test_it_waits_for_a_scanner_that_is_away(queue, alice, charlie, olive, monkeypatch):
    queue.send(charlie.address, alice.address, raw=BAD)
    working = message_scan.scan_pieces

    def away(pieces: Iterator[bytes]) -> Verdict:
        raise ScannerUnavailable("the scanner cannot be reached")

    monkeypatch.setattr(message_scan, "scan_pieces", away)
    rescan = rescans.start(days=3, by=olive)
    with pytest.raises(ScannerUnavailable):
        rescan_job.run(rescan.pk)
    rescan.refresh_from_db()
    assert "cannot be reached" in rescan.fault
    monkeypatch.setattr(message_scan, "scan_pieces", working)
    run_queued()

    rescan.refresh_from_db()
    assert (rescan.state, rescan.infected, rescan.fault) == (RescanState.DONE, 1, "")


def test_one_runs_at_a_time_and_can_be_stopped(queue, alice, charlie, olive, scanned):
    queue.send(charlie.address, alice.address, raw=BAD)
    rescan = rescans.start(days=3, by=olive)
    with pytest.raises(PolicyError, match="A re-scan is running"):
        rescans.start(days=3, by=olive)

    rescans.stop(rescan, by=olive)
    run_queued()

    assert scanned == []
    with pytest.raises(PolicyError, match="not running"):
        rescans.stop(rescan, by=olive)
    assert rescans.start(days=3, by=olive).pk != rescan.pk


@pytest.mark.parametrize("days", [0, 91])
def test_days_are_bounded(olive, days):
    with pytest.raises(PolicyError, match="between 1 and 90"):
        rescans.start(days=days, by=olive)


def test_it_is_offered_when_the_signatures_changed(olive, recording_clamd):
    coverage_proof.prove()
    version = "ClamAV 1.4.1/27400/Mon Nov 30 2026"
    assert rescans.newer_signatures() == version

    rescans.start(days=1, by=olive)
    assert rescans.newer_signatures() == ""

    Rescan.objects.update(signatures="ClamAV 1.4.1/27399/Sun Nov 29 2026")
    assert rescans.newer_signatures() == version


@pytest.mark.parametrize("is_relayed", [False, True])
def test_it_waits_for_what_is_being_delivered(
    queue, hop, firm_connection, alice, bob, olive, is_relayed
):
    reference = queue.send(bob.address, JANE, alice.address, raw=BAD)
    claim.claim("runner")
    rescan = rescans.start(days=1, by=olive)
    OrmQ.objects.all().delete()

    rescan_job.run(rescan.pk)

    rescan.refresh_from_db()
    assert (rescan.state, rescan.copies) == (RescanState.RUNNING, 1)
    [again] = OrmQ.objects.all()
    assert timedelta(0) < again.lock - clock.now() <= rescan_job.PAUSE

    waiting = Recipient.objects.filter(message__reference=reference, address=JANE)
    if is_relayed:
        waiting.update(status=RecipientStatus.RELAYED)
    queue.make_all_due()
    run_queued()

    rescan.refresh_from_db()
    assert (rescan.state, rescan.infected) == (RescanState.DONE, 1)
    assert (rescan.copies, rescan.stopped) == (1, int(not is_relayed))
    assert waiting.get().hold == ("" if is_relayed else Hold.WITHDRAWN)


def test_what_a_list_makes_of_it_meanwhile_is_withdrawn_too(
    queue, northfield, alice, bob, olive
):
    everyone = "all@northfield.secure.example"
    factories.make_list(everyone, northfield, alice.address, posting=Posting.COMMUNITY)
    queue.send(bob.address, everyone, raw=BAD)
    claim.claim("runner")
    rescan = rescans.start(days=1, by=olive)
    rescan_job.run(rescan.pk)
    queue.make_all_due()
    queue.run(until_nothing_is_due=True)
    assert "Bundle" in inbox(queue, alice)

    run_queued()

    rescan.refresh_from_db()
    assert (rescan.state, rescan.infected) == (RescanState.DONE, 1)
    assert "Bundle" not in inbox(queue, alice)


def test_the_sender_is_told_of_their_own_copy(queue, alice, bob, olive):
    reference = queue.send(bob.address, alice.address, raw=BAD)
    sent = folder(bob.mailbox, FolderRole.SENT)
    message_actions.append(sent, BAD, reference=reference)

    rescans.start(days=1, by=olive)
    run_queued()

    assert not Message.objects.filter(folder=sent).exists()
    [notice] = queue.inbox(bob)
    assert notice.subject == "A message that you sent is infected, and was withdrawn"
    text = content.read(notice).decode()
    assert "Worm.Test" in text
    assert "had received" not in text
    assert inbox(queue, alice) == [
        "An infected message was withdrawn from your mailbox"
    ]


def test_what_the_scanner_cannot_finish_is_passed_over(
    queue, alice, charlie, olive, monkeypatch
):
    queue.send(charlie.address, alice.address, raw=BAD)
    queue.send(charlie.address, alice.address, raw=RAW.replace(b"Hello", b"Endless"))
    working = message_scan.scan_pieces

    def gives_up(pieces: Iterator[bytes]) -> Verdict:
        data = b"".join(pieces)
        if b"Endless" in data:
            raise ScannerUnavailable("the scanner reported an error")
        return working(iter([data]))

    monkeypatch.setattr(message_scan, "scan_pieces", gives_up)
    rescan = rescans.start(days=3, by=olive)
    with pytest.raises(ScannerUnavailable):
        rescan_job.run(rescan.pk)

    run_queued()

    rescan.refresh_from_db()
    assert rescan.state == RescanState.DONE
    assert (rescan.unreadable, rescan.infected, rescan.fault) == (1, 1, "")
