from __future__ import annotations

import pytest

from engine.audit.models import Entry
from engine.mail.address import Address
from engine.registry.actions import mailboxes
from engine.registry.errors import PolicyError
from engine.registry.models import AccountType, MailboxKind, RoleName
from engine.routing import routes
from tests import factories

pytestmark = pytest.mark.django_db

LISTING = "listing@northfield.secure.example"


@pytest.fixture
def listing(northfield, alice):
    return mailboxes.add_group(northfield, address=LISTING, name="Listing", by=alice)


def test_add_a_group_mailbox(listing, northfield):
    assert (listing.address, listing.kind) == (LISTING, MailboxKind.GROUP)
    assert listing.owner is None
    assert Entry.objects.get().event == "mailbox.added"


def test_add_a_group_mailbox_to_an_organisation_with_its_own_server(
    firm, firm_connection
):
    team = mailboxes.add_group(firm, address="desk@firm.example", name="Desk", by=None)

    for written in ("desk@firm.example", "Desk@firm.example.secure.example"):
        route = routes.current().resolve(Address.parse(written))
        assert route.mailbox_id == team.pk


def test_add_a_group_mailbox_where_nobody_signs_in():
    police = factories.make_organisation(account_type=AccountType.TRUSTED_DOMAIN)
    factories.make_domain(police, "police.example")

    with pytest.raises(PolicyError, match="none of them could read"):
        mailboxes.add_group(police, address="x@police.example", name="X", by=None)


@pytest.mark.parametrize("address", [LISTING, "alice@northfield.secure.example", "x@y"])
def test_add_a_group_mailbox_at_an_address_not_to_be_had(listing, northfield, address):
    with pytest.raises(PolicyError):
        mailboxes.add_group(northfield, address=address, name="Again", by=None)


def test_grant_rights_that_stand_alone(listing, alice, bob):
    mailboxes.grant(listing, bob, can_read=True, by=alice)
    assert routes.current().person_senders(bob.pk) == {bob.address}

    grant = mailboxes.grant(listing, bob, can_send=True, by=alice)
    assert (grant.can_read, grant.can_write, grant.can_send) == (False, False, True)
    assert routes.current().person_senders(bob.pk) == {bob.address, LISTING}


def test_grant_to_the_neighbour(listing, alice, charlie):
    with pytest.raises(PolicyError, match="not in Northfield Court"):
        mailboxes.grant(listing, charlie, can_read=True, by=alice)


def test_grant_on_a_personal_mailbox(alice, bob):
    with pytest.raises(PolicyError, match="Only a group mailbox"):
        mailboxes.grant(alice.mailbox, bob, can_read=True, by=alice)


def test_revoke_every_right(listing, alice, bob):
    mailboxes.grant(listing, bob, can_read=True, can_send=True, by=alice)
    mailboxes.revoke(listing, bob, by=alice)
    mailboxes.revoke(listing, bob, by=alice)

    assert not listing.grants.exists()
    assert Entry.objects.filter(event="mailbox.revoked").count() == 1


def test_suspend_and_resume_a_mailbox(listing, alice):
    mailboxes.suspend(listing, reason="closed for review", by=alice)
    listing.refresh_from_db()
    assert not listing.is_active

    mailboxes.resume(listing, by=alice)
    listing.refresh_from_db()
    assert listing.is_active


def test_edit_a_mailbox(listing, alice):
    mailboxes.edit(listing, name="Listing office", is_published=False, by=alice)

    entry = Entry.objects.get(event="mailbox.edited")
    assert entry.detail["name"] == ["Listing", "Listing office"]


def test_an_operator_gives_themselves_no_rights(listing, northfield):
    insider = factories.make_person("ida@northfield.secure.example", northfield)
    factories.make_staff(insider, RoleName.OPERATOR)

    with pytest.raises(PolicyError, match="Ask an administrator of Northfield"):
        mailboxes.grant(listing, insider, can_read=True, by=insider)


def test_an_administrator_gives_themselves_rights(listing, alice):
    assert mailboxes.grant(listing, alice, can_read=True, by=alice).can_read
