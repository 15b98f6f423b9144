from __future__ import annotations

import pytest
from django.db import transaction

from engine.registry import change_log
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
    before = change_log.current()
    everything[kind].save()

    assert change_log.current() != before


@pytest.mark.parametrize(
    "kind", [k for k in ROUTED if k not in ("organisation", "person")]
)
def test_stamp_moves_when_a_routed_row_is_deleted(everything, kind):
    before = change_log.current()
    everything[kind].delete()

    assert change_log.current() != before


def test_stamp_stays_when_somebody_signs_in(bob):
    before = change_log.current()
    bob.last_login = bob.created_at
    bob.save(update_fields=["last_login"])

    assert change_log.current() == before


def test_stamp_stays_for_what_no_route_needs(firm_connection):
    before = change_log.current()
    ConnectionCredential.objects.create(
        connection=firm_connection, username="x", digest="x"
    )

    assert change_log.current() == before


def test_stamp_of_an_undone_change_never_comes_again(northfield):
    with pytest.raises(RuntimeError), transaction.atomic():
        change_log.bump()
        undone = change_log.current()
        raise RuntimeError
    assert change_log.current() != undone

    change_log.bump()
    assert change_log.current() != undone


def test_stamp_is_one_row(northfield, alice):
    for _ in range(3):
        change_log.bump()

    assert Stamp.objects.count() == 1
