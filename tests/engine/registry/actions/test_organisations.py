from __future__ import annotations

import pytest

from engine.audit.checkpoints.verification import verify_chain
from engine.audit.models import Entry
from engine.registry import change_log
from engine.registry.actions import organisations
from engine.registry.errors import PolicyError
from engine.registry.models import AccountType, Kind, OrganisationStatus
from engine.registry.models.organisation import ORGANISATION_TRANSITIONS
from tests import factories

pytestmark = pytest.mark.django_db

VERBS = {
    "activate": (OrganisationStatus.PENDING, OrganisationStatus.ACTIVE),
    "suspend": (OrganisationStatus.ACTIVE, OrganisationStatus.SUSPENDED),
    "resume": (OrganisationStatus.SUSPENDED, OrganisationStatus.ACTIVE),
    "close": (OrganisationStatus.ACTIVE, OrganisationStatus.CLOSED),
}


def call(name, organisation, by):
    reason = {} if name == "activate" else {"reason": "because"}
    getattr(organisations, name)(organisation, **reason, by=by)


def test_add_an_organisation_that_is_still_being_set_up(olive):
    organisation = organisations.add(
        name="Northfield Court",
        kind=Kind.COURT,
        account_type=AccountType.WEBMAIL,
        town="Leeds",
        by=olive,
    )

    assert organisation.status == OrganisationStatus.PENDING
    entry = Entry.objects.get(event="organisation.added")
    assert (entry.subject_name, entry.by_name) == ("Northfield Court", olive.address)
    assert entry.organisation_key == str(organisation.pk)


@pytest.mark.parametrize("name", VERBS)
def test_verb_moves_the_status_and_tells_the_audit(olive, name):
    before, after = VERBS[name]
    organisation = factories.make_organisation(status=before)

    call(name, organisation, olive)

    organisation.refresh_from_db()
    assert organisation.status == after
    entry = Entry.objects.latest("id")
    assert entry.subject_key == str(organisation.pk)
    assert entry.by_name == olive.address
    assert verify_chain() == 1


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("status", OrganisationStatus)
def test_verb_follows_the_table(olive, name, status):
    _, after = VERBS[name]
    organisation = factories.make_organisation(status=status)
    if after in ORGANISATION_TRANSITIONS[status]:
        call(name, organisation, olive)
        return

    with pytest.raises(PolicyError, match="cannot become"):
        call(name, organisation, olive)
    organisation.refresh_from_db()
    assert organisation.status == status
    assert not Entry.objects.exists()


def test_table_knows_every_status():
    assert set(ORGANISATION_TRANSITIONS) == set(OrganisationStatus)


def test_verb_goes_by_the_status_in_the_database(olive):
    organisation = factories.make_organisation()
    stale = type(organisation).objects.get(pk=organisation.pk)
    organisations.close(organisation, reason="left", by=olive)

    with pytest.raises(PolicyError):
        organisations.suspend(stale, reason="late", by=olive)


def test_verb_moves_the_stamp(olive, northfield):
    before = change_log.end()
    organisations.suspend(northfield, reason="unpaid", by=olive)

    assert change_log.end() != before


def test_refused_verb_leaves_nothing_behind(olive, northfield):
    before = change_log.end()
    with pytest.raises(PolicyError):
        organisations.activate(northfield, by=olive)

    assert change_log.end() == before


def test_edit_records_what_differs_only(olive, northfield, harbour):
    organisations.edit(
        northfield, name="Northfield Court", town="York", parent=harbour, by=olive
    )

    northfield.refresh_from_db()
    assert (northfield.town, northfield.parent) == ("York", harbour)
    entry = Entry.objects.get(event="organisation.edited")
    assert entry.detail == {
        "town": ["Leeds", "York"],
        "parent": [None, "Harbour Chambers"],
    }


def test_edit_of_nothing_leaves_no_entry(olive, northfield):
    organisations.edit(northfield, town=northfield.town, by=olive)

    assert not Entry.objects.exists()


def test_edit_never_puts_an_organisation_above_itself(olive, northfield, harbour):
    organisations.edit(northfield, parent=harbour, by=olive)

    for below in (northfield, harbour):
        with pytest.raises(PolicyError, match="belong to itself"):
            organisations.edit(below, parent=northfield, by=olive)
