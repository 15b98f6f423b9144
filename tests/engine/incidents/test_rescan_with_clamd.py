"""A re-scan by a real clamd, whose signatures know what arrived before them."""

from __future__ import annotations

import base64

import pytest
from pytest_django.fixtures import Settings

from engine.antivirus.scanners import coverage_proof
from engine.incidents import rescan_job, rescans
from engine.registry.models import Person
from engine.storage.models import WithdrawnCopy
from tests.engine.antivirus.conftest import clamd
from tests.engine.queue.conftest import Queue
from tests.jobs import run_queued
from tests.peers.clamd import EICAR, SIGNATURE, Clamd

__all__ = ["clamd"]
pytestmark = pytest.mark.django_db
WITH_FILE = (
    b"From: jane@firm.example\r\nSubject: Bundle\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: application/octet-stream; name=bundle.bin\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n%s\r\n"
)


def test_a_real_scanner_finds_it_and_tells_its_version(
    clamd: Clamd,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    queue: Queue,
    alice: Person,
    charlie: Person,
    olive: Person,
) -> None:
    settings.POSTERN = settings.POSTERN.model_copy(update={"clamd": clamd.socket})
    monkeypatch.setattr(rescan_job, "LONGEST_PAUSE", 0.0)
    for data in (EICAR, b"harmless"):
        raw = WITH_FILE % base64.b64encode(data)
        # The queue does not scan, as the scanner of that day found nothing.
        queue.send(charlie.address, alice.address, raw=raw)
    coverage_proof.prove()

    rescan = rescans.start(days=1, by=olive)
    run_queued()

    rescan.refresh_from_db()
    assert rescan.signatures.startswith("ClamAV ")
    assert rescan.infected == 1
    assert SIGNATURE in WithdrawnCopy.objects.get().reason
    assert [one.subject for one in queue.inbox(alice)].count("Bundle") == 1
