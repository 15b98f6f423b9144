from __future__ import annotations

import pytest

from engine.audit.models import Entry
from engine.mail.address import Address
from engine.mail.errors import PermanentFailure
from engine.registry.actions import aliases, lists
from engine.registry.errors import PolicyError
from engine.registry.models import Alias
from engine.routing import routes

pytestmark = pytest.mark.django_db

AT = "northfield.secure.example"


def test_add_an_alias_that_means_a_mailbox(northfield, alice):
    aliases.add(
        northfield, address=f"Desk@{AT}", target=alice.address.upper(), by=alice
    )

    route = routes.current().resolve(Address.parse(f"desk@{AT}"))
    assert route.mailbox_id == alice.mailbox.pk
    assert Entry.objects.get().detail == {
        "address": f"desk@{AT}",
        "target": alice.address,
    }


def test_add_an_alias_that_means_an_address_on_a_members_server(northfield, firm):
    alias = aliases.add(
        northfield, address=f"counsel@{AT}", target="jane@firm.example", by=None
    )

    assert alias.target == "jane@firm.example.secure.example"


@pytest.mark.parametrize(
    "target", [f"nobody@{AT}", "jane@elsewhere.example", "nonsense", ""]
)
def test_add_an_alias_that_means_nothing(northfield, target):
    with pytest.raises(PolicyError):
        aliases.add(northfield, address=f"desk@{AT}", target=target, by=None)
    assert not Alias.objects.exists()


def test_add_an_alias_next_door(northfield, charlie):
    with pytest.raises(PolicyError, match="not in a domain"):
        aliases.add(
            northfield,
            address="x@harbour.secure.example",
            target=charlie.address,
            by=None,
        )


def test_add_an_alias_at_an_address_that_is_taken(northfield, alice, bob):
    with pytest.raises(PolicyError, match="already in use"):
        aliases.add(northfield, address=bob.address, target=alice.address, by=alice)


def test_add_an_alias_that_means_itself(northfield):
    with pytest.raises(PolicyError, match="forward mail to itself"):
        aliases.add(northfield, address=f"a@{AT}", target=f"a@{AT}", by=None)


def test_add_an_alias_that_closes_a_circle(northfield, alice):
    """Removing an alias and adding it again could turn a chain into a circle."""
    first = aliases.add(northfield, address=f"a@{AT}", target=alice.address, by=None)
    aliases.add(northfield, address=f"b@{AT}", target=f"a@{AT}", by=None)
    aliases.add(northfield, address=f"c@{AT}", target=f"b@{AT}", by=None)
    aliases.remove(first, by=None)

    with pytest.raises(PolicyError, match="forward mail to itself"):
        aliases.add(northfield, address=f"a@{AT}", target=f"c@{AT}", by=None)


def test_add_an_alias_that_closes_a_circle_through_a_list(northfield, alice):
    first = aliases.add(northfield, address=f"a@{AT}", target=alice.address, by=None)
    everyone = lists.add(northfield, address=f"all@{AT}", name="All", by=None)
    lists.add_member(everyone, address=f"a@{AT}", by=None)
    aliases.remove(first, by=None)

    with pytest.raises(PolicyError, match="forward mail to itself"):
        aliases.add(northfield, address=f"a@{AT}", target=f"all@{AT}", by=None)


def test_remove_an_alias(northfield, alice):
    alias = aliases.add(northfield, address=f"a@{AT}", target=alice.address, by=None)
    aliases.remove(alias, by=alice)

    with pytest.raises(PermanentFailure):
        routes.current().resolve(Address.parse(f"a@{AT}"))
    assert Entry.objects.filter(event="alias.removed").exists()
