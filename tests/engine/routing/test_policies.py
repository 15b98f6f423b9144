from __future__ import annotations

import pytest

from engine.mail.address import Address
from engine.mail.errors import PermanentFailure
from engine.registry.models import ListPoster, Posting
from engine.routing import policies, routes
from tests import factories

pytestmark = pytest.mark.django_db


def address(text):
    return Address.parse(text)


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("alice@northfield.secure.example", True),
        ("ALICE@northfield.secure.example", True),
        ("listing@northfield.secure.example", True),
        ("bob@northfield.secure.example", False),
        ("closed@northfield.secure.example", False),
        ("charlie@harbour.secure.example", False),
        ("alice@gmail.example", False),
    ],
)
def test_can_send_as(northfield, alice, bob, charlie, text, may):
    listing = factories.make_group_mailbox(
        "listing@northfield.secure.example", northfield
    )
    closed = factories.make_group_mailbox(
        "closed@northfield.secure.example", northfield
    )
    factories.make_grant(listing, alice, can_send=True)
    factories.make_grant(closed, alice, can_read=True, can_write=True)
    known = routes.current()

    assert policies.can_send_as(known, person_id=alice.pk, address=address(text)) is may


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("alice+court@northfield.secure.example", True),
        ("ALICE+Court+7@northfield.secure.example", True),
        ("alice+@northfield.secure.example", True),
        ("listing+flat@northfield.secure.example", True),
        # What follows the plus is no detail: the address is another's own.
        ("alice+team@northfield.secure.example", False),
        ("alice+all@northfield.secure.example", False),
        ("alice+all-bounces@northfield.secure.example", False),
        ("alice+alias@northfield.secure.example", False),
        ("alice+smith@northfield.secure.example", False),
        # The mailbox is another's, closed, not granted, or none at all.
        ("bob+court@northfield.secure.example", False),
        ("gone+court@northfield.secure.example", False),
        ("read+court@northfield.secure.example", False),
        ("nobody+alice@northfield.secure.example", False),
        ("+alice@northfield.secure.example", False),
        ("alice+court@harbour.secure.example", False),
        ("alice+court@gmail.example", False),
    ],
)
def test_who_receives_at_a_detail_may_send_from_it(
    northfield, alice, bob, charlie, text, may
):
    for name, over in [
        ("listing", {}),
        ("gone", {"is_active": False}),
        ("read", {}),
        ("alice+team", {}),
    ]:
        mailbox = factories.make_group_mailbox(
            f"{name}@northfield.secure.example", northfield, **over
        )
        if name != "alice+team":
            factories.make_grant(mailbox, alice, can_read=True, can_send=name != "read")
    factories.make_list("alice+all@northfield.secure.example", northfield)
    factories.make_alias(
        "alice+alias@northfield.secure.example", bob.address, northfield
    )
    factories.make_person("alice+smith@northfield.secure.example", northfield)
    known = routes.current()

    assert policies.can_send_as(known, person_id=alice.pk, address=address(text)) is may
    may_key = may and policies.can_key_send_as(
        known, northfield.pk, address=address(text)
    )
    assert may_key is may


def test_a_person_on_their_own_server_sends_from_no_detail(firm, firm_connection):
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    known = routes.current()

    # Only their own server knows whose address that is.
    for text in ("jane+court@firm.example.secure.example", "jane+court@firm.example"):
        assert not policies.can_send_as(known, person_id=jane.pk, address=address(text))


def test_a_suspended_person_sends_from_no_detail(northfield, bob):
    bob.is_active = False
    bob.save()

    assert not policies.can_send_as(
        routes.current(),
        person_id=bob.pk,
        address=address("bob+court@northfield.secure.example"),
    )


def test_check_can_send_as_says_what_to_do(alice, bob):
    with pytest.raises(PermanentFailure) as refused:
        policies.check_can_send_as(
            routes.current(), person_id=alice.pk, address=address(bob.address)
        )
    assert (refused.value.reply.code, refused.value.reply.enhanced) == (550, "5.7.1")
    assert "use your own address" in refused.value.reply.text


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("jane@firm.example", True),
        ("anybody@FIRM.example", True),
        ("jane@firm.example.secure.example", True),
        ("gone@firm.example", False),
        ("jane@mail.firm.example", False),
        ("alice@northfield.secure.example", False),
        ("jane@other.example", False),
    ],
)
def test_can_connection_send_as(firm, firm_connection, alice, text, may):
    factories.make_person("gone@firm.example.secure.example", firm, is_active=False)
    known = routes.current()
    connection = known.connection(firm_connection.pk)

    answer = policies.can_connection_send_as(
        known, connection=connection, address=address(text)
    )

    assert answer is may


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("alice@northfield.secure.example", True),
        ("ALICE@northfield.secure.example", True),
        ("duty@northfield.secure.example", True),
        ("charlie@harbour.secure.example", False),
        ("jury@harbour.secure.example", False),
        ("closed@northfield.secure.example", False),
        ("eve@northfield.secure.example", False),
        # Their own, but hosted elsewhere, or no one's
        ("jane@firm.example", False),
        ("nobody@northfield.secure.example", False),
        ("alice@gmail.example", False),
    ],
)
def test_a_key_sends_only_as_mailboxes_of_its_own_organisation(
    northfield, harbour, firm, alice, charlie, text, may
):
    factories.make_group_mailbox("duty@northfield.secure.example", northfield)
    factories.make_group_mailbox("jury@harbour.secure.example", harbour)
    factories.make_group_mailbox(
        "closed@northfield.secure.example", northfield, is_active=False
    )
    eve = factories.make_person(
        "eve@northfield.secure.example", northfield, is_active=False
    )
    factories.make_mailbox(eve)
    known = routes.current()

    assert policies.can_key_send_as(known, northfield.pk, address=address(text)) is may
    # The community's key belongs to no organisation, and can send for no one.
    assert not policies.can_key_send_as(known, None, address=address(text))


# The senders: alice owns the list, bob is a colleague, charlie is from another
# organisation.
@pytest.mark.parametrize(
    ("posting", "alice_may", "bob_may", "charlie_may", "jane_may"),
    [
        (Posting.MEMBERS, True, False, True, True),
        (Posting.ORGANISATION, True, True, False, False),
        (Posting.COMMUNITY, True, True, True, True),
        (Posting.NAMED, False, True, False, False),
    ],
)
def test_can_post(
    northfield,
    firm,
    alice,
    bob,
    charlie,
    posting,
    alice_may,
    bob_may,
    charlie_may,
    jane_may,
):
    jane = "jane@firm.example.secure.example"
    made = factories.make_list(
        "all@northfield.secure.example",
        northfield,
        alice.address,
        charlie.address,
        jane,
        posting=posting,
    )
    ListPoster.objects.create(distribution_list=made, address=bob.address)
    known = routes.current()
    route = known.resolve(address(made.address))

    def may(sender):
        return policies.can_reach(known, route, sender=address(sender))

    assert may(alice.address) is alice_may
    assert may(bob.address) is bob_may
    assert may(charlie.address) is charlie_may
    assert may(jane) is jane_may
    assert may("jane@firm.example") is jane_may
    assert not may("stranger@elsewhere.example")
    assert not policies.can_reach(known, route, sender=None)


def test_check_can_post_says_what_to_do(northfield, charlie):
    made = factories.make_list("all@northfield.secure.example", northfield)
    known = routes.current()

    with pytest.raises(PermanentFailure) as refused:
        policies.check_can_post(
            known, known.list(made.pk), sender=address(charlie.address)
        )
    assert (refused.value.reply.code, refused.value.reply.enhanced) == (550, "5.7.2")
    assert "people of its organisation only" in refused.value.reply.text


def test_can_reach_a_mailbox_from_anywhere(alice):
    known = routes.current()
    route = known.resolve(address(alice.address))

    assert policies.can_reach(known, route, sender=None)


@pytest.mark.parametrize(
    ("posting", "may"),
    [
        (Posting.COMMUNITY, True),
        (Posting.ORGANISATION, False),
        (Posting.MEMBERS, False),
        (Posting.NAMED, True),
    ],
)
def test_can_pass_on_to_the_neighbours_list(northfield, harbour, posting, may):
    outer = factories.make_list("all@northfield.secure.example", northfield)
    inner = factories.make_list("all@harbour.secure.example", harbour, posting=posting)
    ListPoster.objects.create(distribution_list=inner, address=outer.address)
    known = routes.current()
    route = known.resolve(address(inner.address))

    assert policies.can_pass_on(known, known.list(outer.pk), route) is may


def test_can_pass_on_within_the_organisation_and_to_mailboxes(northfield, charlie):
    outer = factories.make_list("all@northfield.secure.example", northfield)
    inner = factories.make_list(
        "few@northfield.secure.example", northfield, posting=Posting.MEMBERS
    )
    known = routes.current()

    for reached in (inner.address, charlie.address):
        route = known.resolve(address(reached))
        assert policies.can_pass_on(known, known.list(outer.pk), route)


def test_bounce_address_of_a_list_takes_notices_only(northfield, alice):
    factories.make_list("all@northfield.secure.example", northfield)
    known = routes.current()
    route = known.resolve(address("ALL-bounces@northfield.secure.example"))

    assert policies.can_reach(known, route, sender=None)
    assert not policies.can_reach(known, route, sender=address(alice.address))


def test_bounce_address_is_no_member_of_another_list(northfield):
    factories.make_list("all@northfield.secure.example", northfield)
    other = factories.make_list("other@northfield.secure.example", northfield)
    known = routes.current()
    route = known.resolve(address("all-bounces@northfield.secure.example"))

    assert not policies.can_pass_on(known, known.list(other.pk), route)
