"""postmaster@ and abuse@ lead to a person in every domain (RFC 5321 §4.5.1, RFC 2142)."""

from __future__ import annotations

import pytest
from django.conf import settings

from engine.mail.address import Address
from engine.mail.errors import PermanentFailure
from engine.registry.actions import aliases, lists, people, roles
from engine.registry.models import OrganisationStatus, Posting, RoleName
from engine.routing import policies, recipients, routes
from engine.routing.recipients import RecipientKind
from engine.routing.refusals import SuspendedRecipientError, UnknownRecipientError
from engine.routing.routes import RouteKind
from tests import factories

pytestmark = pytest.mark.django_db

POSTMASTER = "postmaster@northfield.secure.example"


def resolve(text):
    return routes.current().resolve(Address.parse(text))


def readers(organisation):
    known = routes.current().administrators(organisation.pk)
    return [str(route.address) for route in known]


@pytest.fixture
def helpdesk():
    operator = factories.make_organisation(name="Service desk")
    factories.make_domain(operator, settings.POSTERN.community_domain)
    return factories.make_group_mailbox(settings.POSTERN.helpdesk_address, operator)


@pytest.mark.parametrize(
    "written",
    [
        POSTMASTER,
        "abuse@northfield.secure.example",
        "PostMaster@Northfield.Secure.Example",
        "abuse+case7@northfield.secure.example",
    ],
)
def test_an_organisations_leads_to_its_administrators(alice, bob, charlie, written):
    route = resolve(written)

    assert route.kind is RouteKind.ADMINISTRATORS
    assert route.destination == f"administrators:{alice.organisation_id}"
    assert readers(alice.organisation) == [alice.address]


def test_each_form_of_a_domain_has_one(northfield, alice):
    factories.make_domain(northfield, "northfield.example")

    assert resolve("postmaster@northfield.example").kind is RouteKind.ADMINISTRATORS


@pytest.mark.parametrize("name", ["postmaster", "abuse", "ABUSE"])
def test_the_communitys_own_leads_to_the_helpdesk(helpdesk, name):
    route = resolve(f"{name}@{settings.POSTERN.community_domain}")

    assert route.mailbox_id == helpdesk.pk


def test_other_names_lead_nowhere(alice, helpdesk):
    for name in ("hostmaster", "postmasters", "no-abuse"):
        with pytest.raises(UnknownRecipientError):
            resolve(f"{name}@northfield.secure.example")


def test_a_domain_that_is_nobodys_has_none(alice, helpdesk):
    with pytest.raises(UnknownRecipientError):
        resolve("postmaster@elsewhere.example")


def test_what_the_organisation_made_itself_wins(northfield, alice, bob):
    factories.make_alias("abuse@northfield.secure.example", bob.address, northfield)
    team = factories.make_group_mailbox(POSTMASTER, northfield)

    assert resolve("abuse@northfield.secure.example").mailbox_id == bob.mailbox.pk
    assert resolve(POSTMASTER).mailbox_id == team.pk


def test_what_it_made_and_closed_does_not(northfield, alice):
    team = factories.make_group_mailbox(POSTMASTER, northfield, is_active=False)

    assert resolve(POSTMASTER).kind is RouteKind.ADMINISTRATORS
    team.is_active = True
    team.save()
    assert resolve(POSTMASTER).mailbox_id == team.pk


def test_an_organisations_own_server_is_asked_first(firm_connection):
    jane = factories.make_person(
        "jane@firm.example.secure.example", firm_connection.organisation
    )
    factories.make_administrator(jane)

    route = resolve("postmaster@firm.example")

    assert route.kind is RouteKind.CONNECTION
    assert readers(firm_connection.organisation) == [jane.address]


def test_administrators_whom_no_mail_reaches_are_passed_over(northfield, alice, bob):
    factories.make_administrator(bob)
    stranger = factories.make_person("x@northfield.secure.example", northfield)
    factories.make_administrator(stranger)  # who has no mailbox
    people.suspend(alice, reason="left", by=None)

    assert readers(northfield) == [bob.address]


def test_the_helpdesk_reads_for_an_organisation_without_administrators(
    northfield, bob, helpdesk
):
    assert resolve(POSTMASTER).mailbox_id == helpdesk.pk


def test_without_anybody_it_leads_nowhere(northfield, bob):
    with pytest.raises(UnknownRecipientError):
        resolve(POSTMASTER)


@pytest.mark.parametrize(
    "status",
    [
        OrganisationStatus.SUSPENDED,
        OrganisationStatus.PENDING,
    ],
)
def test_of_an_organisation_that_is_not_active_it_is_closed(northfield, alice, status):
    team = factories.make_group_mailbox(POSTMASTER, northfield)
    northfield.status = status
    northfield.save()

    with pytest.raises(SuspendedRecipientError):
        resolve(POSTMASTER)
    team.delete()
    with pytest.raises(SuspendedRecipientError):
        resolve(POSTMASTER)


def test_an_alias_opens_no_list_of_another_organisation(northfield, alice, charlie):
    theirs = charlie.organisation
    closed = factories.make_list(
        "staff@harbour.secure.example", theirs, posting=Posting.ORGANISATION
    )
    factories.make_alias(POSTMASTER, closed.address, northfield)
    known = routes.current()

    route = known.resolve(Address.parse(POSTMASTER))

    assert route.list_id == closed.pk
    with pytest.raises(PermanentFailure):
        policies.check_can_reach(known, route, sender=Address.parse(alice.address))


def test_an_address_that_only_looks_like_a_bounce_address_is_relayed(firm_connection):
    route = resolve("x.-bounces@firm.example")

    assert route.kind is RouteKind.CONNECTION


def test_a_role_counts_from_the_moment_it_is_given(northfield, alice, bob):
    roles.give(bob, RoleName.ADMINISTRATOR, organisation=northfield, by=None)
    assert readers(northfield) == [alice.address, bob.address]

    roles.take(alice, RoleName.ADMINISTRATOR, organisation=northfield, by=None)
    assert readers(northfield) == [bob.address]


def test_a_supplier_reads_for_each_organisation_that_it_administers(
    northfield, alice, charlie
):
    roles.give(charlie, RoleName.ADMINISTRATOR, organisation=northfield, by=None)

    assert readers(northfield) == [alice.address, charlie.address]


def test_a_list_of_that_name_admits_the_whole_community(northfield, alice, charlie):
    made = factories.make_list(
        POSTMASTER, northfield, alice.address, posting=Posting.MEMBERS
    )
    factories.make_alias("abuse@northfield.secure.example", POSTMASTER, northfield)
    known = routes.current()
    sender = Address.parse(charlie.address)

    for name in (POSTMASTER, "abuse@northfield.secure.example"):
        route = resolve(name)
        assert route.list_id == made.pk
        policies.check_can_reach(known, route, sender=sender)
        for other in (None, Address.parse("x@elsewhere.example")):
            assert not policies.can_reach(known, route, sender=other)


def test_the_sender_is_shown_nothing_of_the_readers(alice, charlie):
    [facts] = recipients.about_all(
        [Address.parse(POSTMASTER)],
        viewer=charlie,
        sender=Address.parse(charlie.address),
    )

    assert facts.kind is RecipientKind.GROUP
    assert (facts.name, facts.job_title, facts.members) == ("", "", None)
    assert facts.refusal == ""


def test_a_list_may_have_a_neighbours_postmaster_as_a_member(
    northfield, alice, charlie
):
    made = lists.add(
        northfield, address="all@northfield.secure.example", name="All", by=None
    )

    lists.add_members(made, addresses=["postmaster@harbour.secure.example"], by=None)

    assert routes.current().list(made.pk).members == (
        "postmaster@harbour.secure.example",
    )


def test_an_alias_may_lead_there(northfield, alice):
    aliases.add(
        northfield, address="it@northfield.secure.example", target=POSTMASTER, by=None
    )

    assert resolve("it@northfield.secure.example") == resolve(POSTMASTER)


def test_bounces_of_what_was_sent_on_are_taken_and_end_there(alice):
    route = resolve("postmaster-bounces@northfield.secure.example")

    assert route.kind is RouteKind.BOUNCES
    assert not policies.can_reach(
        routes.current(), route, sender=Address.parse(alice.address)
    )
