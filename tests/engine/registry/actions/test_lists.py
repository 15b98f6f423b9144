from __future__ import annotations

import pytest

from engine.audit.models import Entry
from engine.registry.actions import aliases, lists, mailboxes
from engine.registry.addresses import list_limits
from engine.registry.errors import PolicyError
from engine.registry.models import Posting
from engine.routing import routes
from tests import factories

pytestmark = pytest.mark.django_db

AT = "northfield.secure.example"


@pytest.fixture
def everyone(northfield, alice):
    return lists.add(
        northfield, address=f"all@{AT}", name="All", posting=Posting.MEMBERS, by=alice
    )


def test_add_members_across_organisations(everyone, alice, charlie, firm):
    for address in (alice.address, charlie.address, "jane@firm.example"):
        lists.add_member(everyone, address=address, by=alice)

    assert set(routes.current().list(everyone.pk).members) == {
        alice.address,
        charlie.address,
        "jane@firm.example.secure.example",
    }


def test_add_a_member_twice_is_recorded_once(everyone, alice):
    for address in (alice.address, alice.address.upper()):
        lists.add_member(everyone, address=address, by=alice)

    assert everyone.members.count() == 1
    assert Entry.objects.filter(event="list.member_added").count() == 1


@pytest.mark.parametrize("address", ["x@elsewhere.example", f"nobody@{AT}", "nonsense"])
def test_add_a_member_that_means_nothing(everyone, address):
    with pytest.raises(PolicyError):
        lists.add_member(everyone, address=address, by=None)


def test_remove_a_member(everyone, alice):
    lists.add_member(everyone, address=alice.address, by=alice)
    lists.remove_member(everyone, address=alice.address, by=alice)

    assert not everyone.members.exists()
    assert Entry.objects.filter(event="list.member_removed").exists()


def test_add_a_list_to_itself(everyone):
    with pytest.raises(PolicyError, match="forward mail to itself"):
        lists.add_member(everyone, address=everyone.address, by=None)


def test_add_a_list_that_closes_a_circle(everyone, northfield):
    inner = lists.add(northfield, address=f"inner@{AT}", name="Inner", by=None)
    lists.add_member(everyone, address=inner.address, by=None)
    aliases.add(northfield, address=f"alias@{AT}", target=everyone.address, by=None)

    for address in (everyone.address, f"alias@{AT}"):
        with pytest.raises(PolicyError, match="forward mail to itself"):
            lists.add_member(inner, address=address, by=None)


def test_add_a_neighbours_list_that_admits_few(everyone, harbour):
    theirs = lists.add(
        harbour, address="all@harbour.secure.example", name="All", by=None
    )
    with pytest.raises(PolicyError, match="does not accept mail"):
        lists.add_member(everyone, address=theirs.address, by=None)

    lists.edit(theirs, posting=Posting.NAMED, by=None)
    lists.add_poster(theirs, address=everyone.address, by=None)
    lists.add_member(everyone, address=theirs.address, by=None)


def test_add_and_remove_a_poster(everyone, charlie):
    lists.edit(everyone, posting=Posting.NAMED, by=None)
    lists.add_poster(everyone, address=charlie.address, by=None)
    assert routes.current().list(everyone.pk).posters == {charlie.address}

    lists.remove_poster(everyone, address=charlie.address, by=None)
    assert routes.current().list(everyone.pk).posters == frozenset()


def test_suspend_and_resume_a_list(everyone, alice):
    lists.suspend(everyone, reason="noise", by=alice)
    everyone.refresh_from_db()
    assert not everyone.is_active

    lists.resume(everyone, by=alice)
    everyone.refresh_from_db()
    assert everyone.is_active


def test_add_several_members_and_hear_of_the_others(everyone, alice, bob):
    refusals = lists.add_members(
        everyone, addresses=[alice.address, "x@elsewhere.example", bob.address], by=None
    )

    assert everyone.members.count() == 2
    assert refusals == ["x@elsewhere.example is not an address in this community."]


def test_add_a_list_whose_name_leaves_no_room_for_its_bounces(northfield):
    with pytest.raises(PolicyError, match="up to 50"):
        lists.add(northfield, address=f"{'x' * 51}@{AT}", name="X", by=None)


def test_add_a_list_whose_bounce_address_is_taken(northfield):
    factories.make_person(f"duty-bounces@{AT}", northfield)

    with pytest.raises(PolicyError, match="already in use"):
        lists.add(northfield, address=f"duty@{AT}", name="Duty", by=None)


def test_bounce_address_of_a_list_is_nobody_elses(everyone, northfield):
    with pytest.raises(PolicyError, match="already in use"):
        mailboxes.add_group(northfield, address=f"all-bounces@{AT}", name="X", by=None)


def test_add_more_members_than_a_list_may_have(everyone, alice, bob, monkeypatch):
    monkeypatch.setattr(list_limits, "MEMBER_LIMIT", 1)
    lists.add_member(everyone, address=alice.address, by=None)

    with pytest.raises(PolicyError, match="up to 1 members"):
        lists.add_member(everyone, address=bob.address, by=None)
