from __future__ import annotations

import pytest
from django.db import transaction

from engine.registry import stamp
from engine.registry.models import ConnectionCredential, Stamp
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def everything(northfield, firm_connection, alice, bob):
    """A row of each routed kind."""
    mailbox = factories.make_group_mailbox(
        "listing@northfield.secure.example", northfield
    )
    made = factories.make_list(
        "all@northfield.secure.example", northfield, alice.address
    )
    return {
        "organisation": northfield,
        "domain": northfield.domains.get(),
        "connection": firm_connection,
        "person": bob,
        "mailbox": mailbox,
        "grant": factories.make_grant(mailbox, bob),
        "alias": factories.make_alias(
            "desk@northfield.secure.example", alice.address, northfield
        ),
        "list": made,
        "member": made.members.get(),
        "poster": made.posters.create(address=alice.address),
    }


ROUTED = [
    "organisation",
    "domain",
    "connection",
    "person",
    "mailbox",
    "grant",
    "alias",
    "list",
    "member",
    "poster",
]


@pytest.mark.parametrize("kind", ROUTED)
def test_stamp_moves_when_a_routed_row_is_saved(everything, kind):
    before = stamp.current()
    everything[kind].save()

    assert stamp.current() != before


@pytest.mark.parametrize(
    "kind", [k for k in ROUTED if k not in ("organisation", "person")]
)
def test_stamp_moves_when_a_routed_row_is_deleted(everything, kind):
    before = stamp.current()
    everything[kind].delete()

    assert stamp.current() != before


def test_stamp_stays_when_somebody_signs_in(bob):
    before = stamp.current()
    bob.last_login = bob.created_at
    bob.save(update_fields=["last_login"])

    assert stamp.current() == before


def test_stamp_stays_for_what_no_route_needs(firm_connection):
    before = stamp.current()
    ConnectionCredential.objects.create(
        connection=firm_connection, username="x", digest="x"
    )

    assert stamp.current() == before


def test_stamp_of_an_undone_change_never_comes_again(northfield):
    with pytest.raises(RuntimeError), transaction.atomic():
        stamp.bump()
        undone = stamp.current()
        raise RuntimeError
    assert stamp.current() != undone

    stamp.bump()
    assert stamp.current() != undone


def test_stamp_is_one_row(northfield, alice):
    for _ in range(3):
        stamp.bump()

    assert Stamp.objects.count() == 1
