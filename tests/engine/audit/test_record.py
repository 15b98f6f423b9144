from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from engine.audit.checkpoints.verification import verify_chain
from engine.audit.models import ChainEnd, Entry
from engine.audit.record import GENESIS, BrokenChainError, record
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain():
    """Three entries about one organisation."""
    organisation = factories.make_organisation(name="Northfield Court")
    return [
        record(
            f"organisation.{word}",
            organisation,
            organisation_key=organisation.pk,
            by=None,
        )
        for word in ("added", "activated", "suspended")
    ]


def test_record_by_a_person_says_who_did_what_to_whom(alice, bob):
    entry = record(
        "person.suspended",
        bob,
        organisation_key=bob.organisation_id,
        detail={"reason": "left"},
        by=alice,
    )

    entry.refresh_from_db()
    assert (entry.event, entry.subject_kind) == ("person.suspended", "registry.person")
    assert (entry.subject_key, entry.subject_name) == (str(bob.pk), bob.address)
    assert (entry.by_key, entry.by_name) == (str(alice.pk), alice.address)
    assert entry.organisation_key == str(bob.organisation_id)
    assert entry.detail == {"reason": "left"}


def test_record_by_the_system_names_the_system(alice):
    entry = record("person.added", alice, by=None)

    assert (entry.by_key, entry.by_name) == ("", "Postern")


def test_record_outlives_its_subject(alice):
    entry = record("person.removed", alice, by=None)
    alice.organisation_roles.all().delete()
    alice.mailbox.delete()
    alice.delete()

    entry.refresh_from_db()
    assert entry.subject_name == "alice@northfield.secure.example"


def test_record_links_each_entry_to_the_one_before(chain):
    first, second, third = chain

    assert first.previous_digest == GENESIS
    assert second.previous_digest == first.digest
    assert third.previous_digest == second.digest


def test_record_in_an_undone_transaction_leaves_no_gap(chain, alice):
    with pytest.raises(RuntimeError), transaction.atomic():
        record("person.added", alice, by=None)
        raise RuntimeError

    record("person.added", alice, by=None)
    assert verify_chain() == 4


def test_record_twice_after_the_same_entry_is_refused_by_the_database(chain):
    twin = Entry.objects.get(pk=chain[1].pk)
    twin.pk, twin.digest = None, "f" * 64

    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)


def test_verify_chain_of_no_entries():
    assert verify_chain() == 0


def test_verify_chain_unbroken(chain):
    assert verify_chain() == 3


def test_verify_chain_with_every_kind_of_detail(alice):
    detail = {
        "text": "Żółć “x”",
        "count": 3,
        "flag": True,
        "none": None,
        "list": (1, 2),
    }
    record("person.edited", alice, detail=detail, by=None)

    assert verify_chain() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event", "organisation.closed"),
        ("subject_kind", "registry.person"),
        ("subject_key", "0"),
        ("subject_name", "Somebody else"),
        ("organisation_key", "0"),
        ("by_key", "7"),
        ("by_name", "Somebody else"),
        ("detail", {"reason": "invented"}),
        ("at", "2020-01-01T00:00:00Z"),
        ("digest", "f" * 64),
        ("previous_digest", "f" * 64),
    ],
)
def test_verify_chain_after_one_field_was_changed(chain, field, value):
    Entry.objects.filter(pk=chain[1].pk).update(**{field: value})

    with pytest.raises(BrokenChainError) as broken:
        verify_chain()
    assert broken.value.entry_id == chain[1].pk


def test_verify_chain_after_an_entry_in_the_middle_was_taken(chain):
    Entry.objects.filter(pk=chain[1].pk).delete()

    with pytest.raises(BrokenChainError) as broken:
        verify_chain()
    assert broken.value.entry_id == chain[2].pk


def test_verify_chain_after_the_last_entry_was_taken(chain):
    Entry.objects.filter(pk=chain[2].pk).delete()

    with pytest.raises(BrokenChainError) as broken:
        verify_chain()
    assert broken.value.entry_id == chain[1].pk


def test_verify_chain_after_every_entry_was_taken(chain):
    Entry.objects.all().delete()

    with pytest.raises(BrokenChainError) as broken:
        verify_chain()
    assert broken.value.entry_id == 0


def test_verify_chain_after_its_end_was_taken_too(chain):
    ChainEnd.objects.all().delete()

    with pytest.raises(BrokenChainError):
        verify_chain()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_record_by_many_at_once_is_still_one_chain():
    organisation = factories.make_organisation()

    def write_five(_: int) -> None:
        try:
            for _ in range(5):
                record("organisation.edited", organisation, by=None)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write_five, range(4)))

    assert verify_chain() == 20
