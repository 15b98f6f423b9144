from __future__ import annotations

import hashlib
import io
import os
import stat
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.models import Schedule

from engine.antivirus import quarantine, tasks
from engine.antivirus.models import QuarantinedMessage
from engine.antivirus.verdict import Verdict, VerdictState
from engine.audit.models import Entry
from engine.blobs import local_store, orphan_sweep
from engine.blobs.interface import Kind
from engine.mail.address import Address
from engine.mail.envelope import Envelope, EnvelopeRecipient

VERDICT = Verdict(VerdictState.INFECTED, "Eicar", "clamd")
ENVELOPE = Envelope(
    Address.parse("jane@firm.example"),
    (EnvelopeRecipient(Address.parse("bob@northfield.secure.example")),),
)


def keep(data: bytes, *, reference: str = "R1") -> QuarantinedMessage:
    with quarantine.copied(io.BytesIO(data)) as copy:
        return quarantine.keep(
            copy,
            reference=reference,
            verdict=VERDICT,
            envelope=ENVELOPE,
            organisation_id=7,
        )


@pytest.mark.django_db
def test_copy_and_its_facts() -> None:
    data = b"Subject: x\r\n\r\n" + bytes(200_000)

    kept = keep(data)

    kept.refresh_from_db()
    with quarantine.open_copy(kept) as copy:
        assert copy.read() == data
    assert kept.signature == "Eicar"
    assert kept.scanner == "clamd"
    assert kept.sender == "jane@firm.example"
    assert kept.recipients == ["bob@northfield.secure.example"]
    assert kept.organisation_id == 7
    assert kept.size == len(data)
    assert kept.digest == hashlib.sha256(data).hexdigest()


@pytest.mark.django_db
def test_copy_of_message_without_sender() -> None:
    with quarantine.copied(io.BytesIO(b"x")) as copy:
        kept = quarantine.keep(
            copy,
            reference="R2",
            verdict=VERDICT,
            envelope=Envelope(None, ()),
            organisation_id=None,
        )

    assert kept.sender == ""


@pytest.mark.django_db
def test_copy_readable_by_nobody_else() -> None:
    kept = keep(b"x")

    path = local_store.folder(Kind.QUARANTINE) / kept.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(local_store.folder(Kind.QUARANTINE).stat().st_mode) == 0o700
    assert path.parent == local_store.folder(Kind.QUARANTINE)


@pytest.mark.django_db
def test_copy_that_cannot_be_recorded_leaves_no_file() -> None:
    keep(b"x")
    before = set(local_store.folder(Kind.QUARANTINE).iterdir())

    with pytest.raises(IntegrityError), transaction.atomic():
        keep(b"y")

    assert set(local_store.folder(Kind.QUARANTINE).iterdir()) == before


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "is_kept"), [(89, True), (91, False)])
def test_copy_goes_after_ninety_days(
    days: int, is_kept: bool, django_capture_on_commit_callbacks: Any
) -> None:
    kept = keep(b"x")
    path = local_store.folder(Kind.QUARANTINE) / kept.path

    later = timezone.now() + timedelta(days=days)
    with (
        time_machine.travel(later),
        django_capture_on_commit_callbacks(execute=True),
    ):
        tasks.let_go()

    assert QuarantinedMessage.objects.exists() is is_kept
    assert path.exists() is is_kept
    if not is_kept:
        entry = Entry.objects.get(event="quarantine.deleted")
        assert entry.detail["reason"] == "Kept for 90 days"
        assert entry.detail["digest"] == kept.digest


@pytest.mark.django_db
def test_a_copy_without_a_row_goes_after_a_day() -> None:
    kept = keep(b"x")
    folder = local_store.folder(Kind.QUARANTINE)
    for name in ("old", "new"):
        (folder / name).write_bytes(b"y")
    long_ago = time.time() - orphan_sweep.AGE_SECONDS - 60
    for name in ("old", kept.path):
        os.utime(folder / name, (long_ago, long_ago))

    tasks.let_go()

    assert {"old", "new", kept.path} & set(os.listdir(folder)) == {"new", kept.path}


@pytest.mark.django_db
def test_letting_go_runs_daily() -> None:
    tasks.schedule_jobs()
    tasks.schedule_jobs()

    [schedule] = Schedule.objects.filter(name="antivirus.let_go")
    assert schedule.schedule_type == Schedule.DAILY
