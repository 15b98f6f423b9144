from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from engine.antivirus.models import ScannerProof
from engine.antivirus.scanners import coverage_proof
from engine.registry.models import Person
from portal.console.operations import health_checks
from portal.console.page import Cell
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db
TARGET = "scanner.example:3310"
LABEL = f"What {TARGET} opens"


@pytest.fixture(autouse=True)
def one_clamd(settings) -> None:
    settings.POSTERN = settings.POSTERN.model_copy(update={"clamd": TARGET})


def add_proof(opens: tuple[str, ...], **over: object) -> Cell:
    now = timezone.now()
    facts = {"opens": list(opens), "proved_at": now, "asked_at": now} | over
    ScannerProof.objects.create(scanner=TARGET, **facts)
    return proof_cell()


def proof_cell() -> Cell:
    return dict(health_checks._proofs())[LABEL]


def test_what_is_not_opened_is_named_with_what_becomes_of_it() -> None:
    cell = add_proof(coverage_proof.BASIC)

    opens = "attachment, zip, 7z, tar.gz, tar.xz, docm, message, file beside an encrypted one"
    assert cell.text.startswith(f"{opens}.")
    assert "Refused: rar." in cell.note
    assert not cell.is_alarming


def test_what_the_community_carries_knowingly_is_named_too(settings) -> None:
    settings.POSTERN = settings.POSTERN.model_copy(
        update={"archives_unscanned": frozenset({"rar"})}
    )

    assert "Delivered with a mark: rar." in add_proof(coverage_proof.BASIC).note


def test_all_is_well_where_everything_is_opened() -> None:
    cell = add_proof(coverage_proof.KINDS)

    assert (cell.note, cell.is_alarming) == ("", False)


def test_a_failure_of_the_basic_set_alarms() -> None:
    assert add_proof(("attachment", "message")).is_alarming


def test_a_proof_that_is_old_alarms_and_says_why() -> None:
    cell = add_proof(
        coverage_proof.KINDS,
        proved_at=timezone.now() - timedelta(hours=3),
        problem="The scanner cannot be reached",
    )

    assert cell.is_alarming
    assert cell.note == "The scanner cannot be reached"


def test_one_that_was_never_proved_alarms(signed_in: SignIn, olive: Person) -> None:
    assert proof_cell().is_alarming
    client: Client = signed_in(olive, second_factor=True)

    assert "Not tested yet" in client.get("/admin/health/").content.decode()
