from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from engine.database import clock
from engine.encryption import key_checks, master_keys, organisation_keys
from engine.encryption.errors import (
    MasterKeyUnavailableError,
    NoKeyError,
    TamperedError,
)
from engine.encryption.models import COMMUNITY, OrganisationKey
from engine.health.checks.host_state import findings
from tests import encryption
from tests.encryption import MASTER_KEY, OTHER_KEY

pytestmark = pytest.mark.django_db


def configure(settings: Settings, **over: object) -> None:
    settings.POSTERN = settings.POSTERN.model_copy(update=over)
    organisation_keys.forget_all()


def test_an_organisation_gets_a_key_when_it_first_needs_one(encrypted: None) -> None:
    first = organisation_keys.current(7)
    organisation_keys.forget_all()

    assert organisation_keys.current(7) == first
    assert organisation_keys.current(8).secret != first.secret
    row = OrganisationKey.objects.get(organisation_id=7)
    assert (row.version, row.master) == (1, master_keys.current().id)
    assert first.secret not in bytes(row.wrapped)


def test_a_key_file_must_be_private_and_whole(
    tmp_path: Path, settings: Settings
) -> None:
    file = tmp_path / "master.key"
    file.write_text(MASTER_KEY + "\n")
    configure(settings, master_key_file=str(file))

    file.chmod(0o640)
    with pytest.raises(ImproperlyConfigured, match="chmod 600"):
        master_keys.current()
    file.chmod(0o600)
    assert master_keys.current().id == master_keys.LocalKey(bytes(range(32))).id
    file.write_text("too short")
    with pytest.raises(ImproperlyConfigured, match="openssl rand -base64 32"):
        master_keys.current()
    file.unlink()
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        master_keys.current()


def test_an_earlier_master_key_still_unwraps(
    encrypted: None, settings: Settings
) -> None:
    before = organisation_keys.current(7)
    configure(settings, master_key=OTHER_KEY, master_key_fallbacks=[MASTER_KEY])

    assert organisation_keys.current(7) == before


def test_a_lost_master_key_is_named_and_is_no_permanent_fault(
    encrypted: None, settings: Settings
) -> None:
    organisation_keys.current(7)
    lost = master_keys.current().id
    configure(settings, master_key=OTHER_KEY)

    with pytest.raises(MasterKeyUnavailableError):
        organisation_keys.current(7)
    [fault] = key_checks.faults()
    assert lost in fault and "POSTERN_MASTER_KEY_FALLBACK_FILES" in fault


def test_without_a_master_key_the_service_does_not_start(
    settings: Settings,
) -> None:
    configure(settings, encryption=True)

    assert "POSTERN_MASTER_KEY_FILE" in next(key_checks.faults())


def test_a_key_of_another_row_does_not_unwrap(encrypted: None) -> None:
    organisation_keys.current(7)
    mine = OrganisationKey.objects.get(organisation_id=7)
    organisation_keys.current(8)
    theirs = OrganisationKey.objects.filter(organisation_id=8)
    theirs.update(wrapped=mine.wrapped)
    organisation_keys.forget_all()

    with pytest.raises(TamperedError):
        organisation_keys.unwrap(theirs.get())


@pytest.fixture
def kms(tmp_path: Path, encrypted: None, settings: Settings) -> Path:
    configure(settings, master_key="", master_key_command=encryption.kms(tmp_path))
    return tmp_path


def calls(kms: Path) -> list[str]:
    file = kms / "calls"
    return file.read_text().split() if file.exists() else []


def test_a_kms_wraps_and_unwraps_once(kms: Path) -> None:
    first = organisation_keys.current(7)
    organisation_keys.forget_all()
    row = OrganisationKey.objects.get(organisation_id=7)

    assert organisation_keys.unwrap(row) == first.secret
    assert calls(kms) == ["wrap", "unwrap", "unwrap"]


def test_a_kms_key_of_another_row_is_detected(kms: Path) -> None:
    organisation_keys.current(7)
    mine = OrganisationKey.objects.get(organisation_id=7)
    mine.organisation_id, mine.version = 8, 2
    organisation_keys.forget_all()

    with pytest.raises(TamperedError):
        organisation_keys.unwrap(mine)


def test_a_kms_that_is_away_is_asked_once_and_an_alarm_names_it(kms: Path) -> None:
    organisation_keys.create(7, version=1)
    (kms / "away").touch()

    for _ in range(3):
        with pytest.raises(MasterKeyUnavailableError):
            organisation_keys.current(7)
    assert calls(kms) == ["wrap", "unwrap"]
    organisation_keys.OrganisationKey.objects.all().delete()
    fault = key_checks.trial()
    assert "failed" in fault
    [found] = findings("mx1", {"master_key_fault": fault}, clock.now())
    assert found.rule == "master_key"


def test_who_cannot_wait_gets_no_key_from_a_kms(kms: Path) -> None:
    organisation_keys.create(7, version=1)

    assert organisation_keys.currents([7, 8], waits=False) == {}
    assert calls(kms) == ["wrap"]
    assert organisation_keys.currents([7, 8]).keys() == {7, 8}


def test_a_destroyed_key_is_gone_whatever_is_in_memory(encrypted: None) -> None:
    held = organisation_keys.current(7)
    row = OrganisationKey.objects.get(pk=held.row_id)
    OrganisationKey.objects.update(wrapped=b"", destroyed_at=clock.now())
    row.refresh_from_db()

    with pytest.raises(NoKeyError):
        organisation_keys.unwrap(row)


def test_the_trial_makes_the_communitys_key_and_then_uses_it(encrypted: None) -> None:
    assert key_checks.trial() == ""
    assert OrganisationKey.objects.get().organisation_id == COMMUNITY
    assert key_checks.trial() == ""
