from __future__ import annotations

import pytest

from engine.audit.models import Entry
from engine.mail.address import Address
from engine.registry.actions import people
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, MailboxKind, Person
from engine.routing import routes
from tests import factories

pytestmark = pytest.mark.django_db


def test_add_a_person_to_a_hosted_organisation_gives_a_mailbox(northfield, alice):
    person = people.add(
        northfield,
        address="Dana@Northfield.secure.example",
        name="Dana Webb",
        job_title="Clerk",
        is_ex_directory=True,
        by=alice,
    )

    assert person.address == "dana@northfield.secure.example"
    assert person.job_title == "Clerk"
    assert not person.has_usable_password()
    mailbox = person.mailbox
    assert (mailbox.address, mailbox.kind) == (person.address, MailboxKind.PERSONAL)
    assert not mailbox.is_published
    resolved = routes.current().resolve(Address.parse(person.address))
    assert resolved.mailbox_id == mailbox.pk
    entry = Entry.objects.get(event="person.added")
    assert entry.organisation_key == str(northfield.pk)


def test_add_a_person_whose_mailbox_is_elsewhere(firm):
    person = people.add(
        firm, address="jane@firm.example", name="Jane", password="a b c d e f", by=None
    )

    assert person.address == "jane@firm.example.secure.example"
    assert person.check_password("a b c d e f")
    assert not Mailbox.objects.exists()


def test_add_staff(db):
    person = people.add(None, address="sam@secure.example", name="Sam", by=None)

    assert person.organisation is None


@pytest.mark.parametrize(
    "address",
    [
        "charlie@harbour.secure.example",
        "dana@secure.example",
        "dana@northfield.example",
        "not an address",
        "",
    ],
)
def test_add_a_person_outside_the_organisations_domains(northfield, harbour, address):
    with pytest.raises(PolicyError):
        people.add(northfield, address=address, name="Dana", by=None)
    assert not Person.objects.exists()


def test_add_a_person_at_an_address_that_is_taken(northfield, alice):
    factories.make_group_mailbox("listing@northfield.secure.example", northfield)
    factories.make_alias("desk@northfield.secure.example", alice.address, northfield)
    factories.make_list("all@northfield.secure.example", northfield)

    for local in ("alice", "ALICE", "listing", "desk", "all"):
        with pytest.raises(PolicyError, match="already in use"):
            people.add(
                northfield,
                address=f"{local}@northfield.secure.example",
                name="Dana",
                by=alice,
            )


@pytest.mark.parametrize(
    "fields", [{"name": "  "}, {"name": "Dana", "everyday_address": "nonsense"}]
)
def test_add_a_person_with_fields_that_make_no_sense(northfield, fields):
    with pytest.raises(PolicyError):
        people.add(
            northfield, address="dana@northfield.secure.example", by=None, **fields
        )


def test_edit_a_person_keeps_their_mailbox_in_step(alice, bob):
    people.edit(bob, name="Robert", is_ex_directory=True, by=alice)

    bob.mailbox.refresh_from_db()
    assert (bob.mailbox.name, bob.mailbox.is_published) == ("Robert", False)
    entry = Entry.objects.get(event="person.edited")
    assert entry.detail == {"name": ["Bob", "Robert"], "is_ex_directory": [False, True]}


def test_suspend_and_resume_a_person(alice, bob):
    people.suspend(bob, reason="left", by=alice)
    bob.refresh_from_db()
    assert not bob.is_active

    people.resume(bob, by=alice)
    bob.refresh_from_db()
    assert bob.is_active
    assert list(Entry.objects.order_by("id").values_list("event", flat=True)) == [
        "person.suspended",
        "person.resumed",
    ]


def test_suspend_oneself(alice, bob):
    factories.make_administrator(bob)

    with pytest.raises(PolicyError, match="your own account"):
        people.suspend(alice, reason="left", by=alice)


def test_suspend_the_only_administrator(alice, olive):
    with pytest.raises(PolicyError, match="only administrator of Northfield Court"):
        people.suspend(alice, reason="left", by=olive)


def test_set_password(alice, bob):
    people.set_password(bob, password="another one entirely", by=alice)

    bob.refresh_from_db()
    assert bob.check_password("another one entirely")
    entry = Entry.objects.get(event="person.password_set")
    assert "another" not in str(entry.detail)


def test_add_app_password_keeps_the_secret_from_the_audit(alice):
    _, secret = people.add_app_password(alice, name="Phone", by=alice)

    entry = Entry.objects.get(event="person.app_password_added")
    assert entry.detail == {"name": "Phone"}
    assert secret not in str(entry.detail)


def test_revoke_app_password_twice_is_recorded_once(alice):
    row, _ = people.add_app_password(alice, name="Phone", by=alice)
    people.revoke_app_password(row, by=alice)
    first = row.revoked_at
    people.revoke_app_password(row, by=alice)

    assert row.revoked_at == first
    assert Entry.objects.filter(event="person.app_password_revoked").count() == 1
