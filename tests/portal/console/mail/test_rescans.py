from __future__ import annotations

import pytest
from django.test import Client

from engine.antivirus.scanners import coverage_proof
from engine.incidents.models import Rescan, RescanState
from engine.registry.models import Person
from tests.portal.conftest import SignIn

PAGE = "/admin/rescans/"


@pytest.fixture
def staff_client(signed_in: SignIn, olive: Person) -> Client:
    return signed_in(olive, second_factor=True)


def test_a_rescan_is_started_followed_and_stopped(staff_client: Client) -> None:
    assert "Nothing has been scanned again" in staff_client.get(PAGE).content.decode()

    begun = staff_client.post(f"{PAGE}start/", {"days": 3}, follow=True)

    row = Rescan.objects.get()
    page = begun.content.decode()
    assert begun.redirect_chain[0][0] == f"{PAGE}{row.pk}/"
    assert "Messages scanned" in page
    assert "Running" in staff_client.get(PAGE).content.decode()
    again = staff_client.post(f"{PAGE}start/", {"days": 3}).content.decode()
    assert "A re-scan is running" in again
    staff_client.post(f"{PAGE}{row.pk}/stop/")
    row.refresh_from_db()
    assert row.state == RescanState.STOPPED
    assert "Stopped by an operator" in staff_client.get(PAGE).content.decode()


@pytest.mark.parametrize("days", ["", "0", "91", "many"])
def test_days_that_make_no_sense_are_said(staff_client: Client, days: str) -> None:
    page = staff_client.post(f"{PAGE}start/", {"days": days})

    assert page.status_code == 200
    assert not Rescan.objects.exists()


def test_newer_signatures_are_offered(
    staff_client: Client, recording_clamd: object
) -> None:
    said = "signatures that no re-scan has used: ClamAV 1.4.1/27400"
    assert "does not tell" in staff_client.get(PAGE).content.decode()
    coverage_proof.prove()

    assert said in staff_client.get(PAGE).content.decode()
    assert "Newer virus signatures" in staff_client.get("/admin/").content.decode()
    staff_client.post(f"{PAGE}start/", {"days": 3})
    assert said not in staff_client.get(PAGE).content.decode()


def test_a_fault_is_shown(staff_client: Client) -> None:
    row = Rescan.objects.create(
        since="2026-11-20T00:00Z",
        position=1,
        started_by_id=1,
        started_by="olive",
        fault="Cannot scan for viruses: the scanner cannot be reached",
    )

    page = staff_client.get(f"{PAGE}{row.pk}/").content.decode()

    assert "the scanner cannot be reached" in page
