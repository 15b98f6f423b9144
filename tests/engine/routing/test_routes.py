from __future__ import annotations

from ipaddress import ip_address

import pytest
from asgiref.sync import sync_to_async
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from engine.mail.address import Address
from engine.mail.errors import PermanentFailure
from engine.registry.models import (
    AccountType,
    Connection,
    Organisation,
    OrganisationStatus,
    Person,
    Posting,
    Proof,
    ProviderNetworks,
)
from engine.routing import routes
from engine.routing.refusals import (
    ClosedRecipientError,
    LoopError,
    SuspendedRecipientError,
    UnknownRecipientError,
)
from engine.routing.routes import RouteKind
from tests import factories

pytestmark = pytest.mark.django_db


def resolve(text):
    return routes.current().resolve(Address.parse(text))


def refusal(text):
    with pytest.raises(PermanentFailure) as refused:
        resolve(text)
    return refused.value


def test_resolve_a_personal_mailbox(alice):
    route = resolve("alice@northfield.secure.example")

    assert route.kind == RouteKind.MAILBOX
    assert route.mailbox_id == alice.mailbox.pk
    assert route.organisation_id == alice.organisation_id
    assert route.destination == "mailbox"


def test_resolve_compares_without_case_and_keeps_what_was_written(alice):
    route = resolve("ALICE@Northfield.SECURE.example")

    assert route.mailbox_id == alice.mailbox.pk
    assert route.address.local == "ALICE"


def test_resolve_a_group_mailbox(northfield):
    mailbox = factories.make_group_mailbox("list@northfield.secure.example", northfield)

    assert resolve("list@northfield.secure.example").mailbox_id == mailbox.pk


def test_resolve_in_both_forms_to_the_connection(firm_connection):
    inside = resolve("jane@firm.example.secure.example")
    outside = resolve("jane@firm.example")

    assert inside == outside
    assert inside.kind == RouteKind.CONNECTION
    assert inside.connection_id == firm_connection.pk
    assert inside.destination == f"connection:{firm_connection.pk}"
    assert str(inside.address) == "jane@firm.example.secure.example"


@pytest.mark.parametrize(
    "account_type", [AccountType.CLOUD_GATEWAY, AccountType.TRUSTED_DOMAIN]
)
def test_resolve_relays_for_every_organisation_with_its_own_mailboxes(account_type):
    organisation = factories.make_organisation(account_type=account_type)
    domain = factories.make_domain(organisation, "police.example")
    connection = factories.make_connection(organisation)

    route = resolve(f"desk@{domain.community_domain}")

    assert route.connection_id == connection.pk


def test_resolve_relays_by_the_first_connection_that_works(firm):
    factories.make_connection(firm, is_active=False)
    factories.make_connection(firm, next_hop_host="")
    working = factories.make_connection(firm)
    factories.make_connection(firm)

    assert resolve("jane@firm.example").connection_id == working.pk


def test_resolve_an_exact_row_before_the_domain(firm, firm_connection, alice):
    factories.make_alias("desk@firm.example.secure.example", alice.address, firm)

    assert resolve("desk@firm.example").mailbox_id == alice.mailbox.pk


def test_resolve_a_list(northfield):
    made = factories.make_list("all@northfield.secure.example", northfield)

    route = resolve("all@northfield.secure.example")

    assert (route.kind, route.list_id) == (RouteKind.LIST, made.pk)
    assert route.destination == f"list:{made.pk}"


def test_resolve_a_chain_of_aliases(northfield, alice):
    factories.make_alias(
        "one@northfield.secure.example", "two@northfield.secure.example", northfield
    )
    factories.make_alias("two@northfield.secure.example", alice.address, northfield)

    route = resolve("one@northfield.secure.example")

    assert route.mailbox_id == alice.mailbox.pk
    assert str(route.address) == alice.address


def test_resolve_aliases_in_a_circle(northfield):
    factories.make_alias(
        "one@northfield.secure.example", "two@northfield.secure.example", northfield
    )
    factories.make_alias(
        "two@northfield.secure.example", "one@northfield.secure.example", northfield
    )

    refused = refusal("one@northfield.secure.example")

    assert isinstance(refused, LoopError)
    assert (refused.reply.code, refused.reply.enhanced) == (554, "5.4.6")
    assert "ask the helpdesk" in refused.reply.text


@pytest.mark.parametrize(
    "address",
    [
        "nobody@northfield.secure.example",
        "alice@elsewhere.example",
        "alice@secure.example",
        "alice@mail.northfield.secure.example",
    ],
)
def test_resolve_an_unknown_address_says_what_to_do(alice, address):
    refused = refusal(address)

    assert isinstance(refused, UnknownRecipientError)
    assert (refused.reply.code, refused.reply.enhanced) == (550, "5.1.1")
    assert f"<{address}>" in refused.reply.text
    assert "directory" in refused.reply.text


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (OrganisationStatus.PENDING, SuspendedRecipientError),
        (OrganisationStatus.SUSPENDED, SuspendedRecipientError),
        (OrganisationStatus.CLOSED, ClosedRecipientError),
    ],
)
@pytest.mark.parametrize(
    "address", ["alice@northfield.secure.example", "jane@firm.example"]
)
def test_resolve_in_an_organisation_that_is_not_active(
    northfield, firm, firm_connection, alice, status, error, address
):
    for organisation in (northfield, firm):
        organisation.status = status
        organisation.save()

    refused = refusal(address)

    assert isinstance(refused, error)
    assert (refused.reply.code, refused.reply.enhanced) == (550, "5.2.1")
    assert "another way" in refused.reply.text


def test_resolve_a_suspended_person_with_a_mailbox(alice):
    alice.is_active = False
    alice.save()

    assert isinstance(refusal(alice.address), SuspendedRecipientError)


def test_resolve_a_suspended_person_whose_mailbox_is_elsewhere(firm, firm_connection):
    factories.make_person("jane@firm.example.secure.example", firm, is_active=False)

    assert isinstance(refusal("jane@firm.example"), SuspendedRecipientError)
    assert resolve("john@firm.example").kind == RouteKind.CONNECTION


def test_resolve_a_suspended_mailbox(alice):
    alice.mailbox.is_active = False
    alice.mailbox.save()

    assert isinstance(refusal(alice.address), SuspendedRecipientError)


def test_resolve_a_suspended_list(northfield):
    factories.make_list("all@northfield.secure.example", northfield, is_active=False)

    assert isinstance(refusal("all@northfield.secure.example"), SuspendedRecipientError)


def test_resolve_an_alias_of_a_suspended_organisation(northfield, charlie):
    factories.make_alias("desk@northfield.secure.example", charlie.address, northfield)
    northfield.status = OrganisationStatus.SUSPENDED
    northfield.save()

    assert isinstance(
        refusal("desk@northfield.secure.example"), SuspendedRecipientError
    )


def test_resolve_without_a_working_connection(firm):
    factories.make_connection(firm, is_active=False)

    refused = refusal("jane@firm.example")

    assert isinstance(refused, SuspendedRecipientError)
    assert "no working connection" in refused.reply.text


def test_resolve_past_254_octets_with_the_suffix(firm_connection):
    firm = firm_connection.organisation
    domain = ".".join(["d" * 60] * 3)
    factories.make_domain(firm, domain)

    refused = refusal(f"{'j' * 60}@{domain}")

    assert (refused.reply.code, refused.reply.enhanced) == (553, "5.1.3")


def test_resolve_asks_the_database_for_nothing(alice, firm_connection):
    known = routes.current()

    with CaptureQueriesContext(database) as queries:
        known.resolve(Address.parse(alice.address))
        known.resolve(Address.parse("jane@firm.example"))
        known.person_senders(alice.pk)

    assert len(queries) == 0


def test_current_is_the_same_while_nothing_changes(alice):
    before = routes.current()
    alice.last_login = alice.created_at
    alice.save(update_fields=["last_login"])

    assert routes.current() is before


def test_current_sees_a_change_by_any_path(alice):
    before = routes.current()
    alice.mailbox.delete()

    assert routes.current() is not before
    assert isinstance(refusal(alice.address), UnknownRecipientError)


@pytest.mark.django_db(transaction=True)
async def test_refresh_sees_a_committed_change():
    before = await routes.refresh()
    organisation = await sync_to_async(factories.make_organisation)()

    after = await routes.refresh()

    assert organisation.pk not in before.organisations
    assert organisation.pk in after.organisations
    assert routes.held() is after
    assert routes.last_loaded() is after


def test_connection_facts(firm):
    connection = factories.make_connection(
        firm,
        proof=Proof.SOURCE,
        source_networks=["192.0.2.0/24"],
        next_hop_host="mx.firm.example",
        next_hop_port=26,
        subject_tag="[secure]",
    )

    facts = routes.current().connection(connection.pk)

    assert facts.organisation_name == "Firm Solicitors"
    assert (facts.next_hop_host, facts.next_hop_port) == ("mx.firm.example", 26)
    assert facts.tls_name == "mx.firm.example"
    assert (facts.strips_suffix, facts.subject_tag) == (True, "[secure]")
    assert facts.is_active


def test_connection_facts_know_only_their_own_domains(northfield, firm_connection):
    domains = routes.current().connection(firm_connection.pk).domains

    assert domains.covers(Address.parse("jane@firm.example"))
    assert not domains.covers(Address.parse("alice@northfield.secure.example"))


def test_connection_of_a_suspended_organisation_is_not_active(firm_connection):
    firm = firm_connection.organisation
    firm.status = OrganisationStatus.SUSPENDED
    firm.save()

    assert not routes.current().connection(firm_connection.pk).is_active


def test_connection_for_source_takes_the_most_exact_network(firm, northfield):
    wide = factories.make_connection(
        firm, proof=Proof.SOURCE, source_networks=["192.0.2.0/24", "2001:db8::/48"]
    )
    exact = factories.make_connection(
        northfield, proof=Proof.SOURCE, source_networks=["192.0.2.7/32"]
    )
    known = routes.current()

    assert known.connection_for_source(ip_address("192.0.2.8")).id == wide.pk
    assert known.connection_for_source(ip_address("192.0.2.7")).id == exact.pk
    assert known.connection_for_source(ip_address("::ffff:192.0.2.7")).id == exact.pk
    assert known.connection_for_source(ip_address("2001:db8::1")).id == wide.pk
    assert known.connection_for_source(ip_address("198.51.100.1")) is None


def test_connection_for_source_that_two_claim_is_nobody(firm, northfield):
    for organisation in (firm, northfield):
        factories.make_connection(
            organisation, proof=Proof.SOURCE, source_networks=["192.0.2.0/24"]
        )

    assert routes.current().connection_for_source(ip_address("192.0.2.1")) is None


def test_connection_for_source_needs_proof_by_source(firm):
    factories.make_connection(firm, source_networks=["192.0.2.0/24"])

    assert routes.current().connection_for_source(ip_address("192.0.2.1")) is None


def test_a_source_is_known_where_a_member_or_a_provider_sends_from(firm):
    factories.make_connection(
        firm, proof=Proof.SOURCE, source_networks=["192.0.2.0/24"]
    )
    known = routes.current()

    assert known.is_known_source(ip_address("192.0.2.1"))
    assert known.is_known_source(ip_address("40.92.0.1"))  # Microsoft's
    assert not known.is_known_source(ip_address("198.51.100.1"))


def test_a_source_is_known_by_the_networks_that_were_looked_up(db):
    ProviderNetworks.objects.create(
        provider="google_workspace", networks=["198.51.100.0/24"]
    )

    assert routes.current().is_known_source(ip_address("198.51.100.1"))
    assert not routes.current().is_known_source(ip_address("203.0.113.1"))


def test_connection_for_certificate(firm, northfield):
    ours = factories.make_connection(
        firm, proof=Proof.CERTIFICATE, certificate_name="mx.firm.example"
    )
    factories.make_connection(
        northfield, proof=Proof.CERTIFICATE, certificate_name="mx.north.example"
    )
    known = routes.current()

    assert known.connection_for_certificate(["MX.firm.example", "x"]).id == ours.pk
    assert known.connection_for_certificate(["mail.firm.example"]) is None
    assert known.connection_for_certificate([]) is None
    both = ["mx.firm.example", "mx.north.example"]
    assert known.connection_for_certificate(both) is None


def test_list_facts(northfield, alice):
    made = factories.make_list(
        "all@northfield.secure.example",
        northfield,
        alice.address,
        posting=Posting.MEMBERS,
    )

    facts = routes.current().list(made.pk)

    assert str(facts.address) == "all@northfield.secure.example"
    assert (facts.posting, facts.members) == (Posting.MEMBERS, (alice.address,))


def test_person_senders_are_own_and_granted_addresses(northfield, alice, bob):
    mailbox = factories.make_group_mailbox("list@northfield.secure.example", northfield)
    factories.make_grant(mailbox, alice, can_send=True)
    factories.make_grant(mailbox, bob, can_read=True, can_write=True)
    known = routes.current()

    assert known.person_senders(alice.pk) == {alice.address, mailbox.address}
    assert known.person_senders(bob.pk) == {bob.address}


def test_person_senders_of_a_suspended_group_mailbox(northfield, alice):
    mailbox = factories.make_group_mailbox(
        "list@northfield.secure.example", northfield, is_active=False
    )
    factories.make_grant(mailbox, alice, can_send=True)

    assert routes.current().person_senders(alice.pk) == {alice.address}


def test_person_senders_of_whoever_is_suspended(northfield, alice, bob):
    alice.is_active = False
    alice.save()
    assert routes.current().person_senders(alice.pk) == frozenset()

    northfield.status = OrganisationStatus.SUSPENDED
    northfield.save()
    assert routes.current().person_senders(bob.pk) == frozenset()


def test_is_inside_in_either_form(firm):
    known = routes.current()

    assert known.is_inside(Address.parse("jane@firm.example"))
    assert known.is_inside(Address.parse("jane@firm.example.secure.example"))
    assert not known.is_inside(Address.parse("jane@elsewhere.example"))


def test_organisation_of_in_either_form(firm):
    known = routes.current()

    assert known.organisation_of(Address.parse("jane@firm.example")) == firm.pk
    inside = Address.parse("jane@firm.example.secure.example")
    assert known.organisation_of(inside) == firm.pk
    assert known.organisation_of(Address.parse("jane@elsewhere.example")) is None


def test_owner_of_host_is_that_of_the_nearest_domain(firm, harbour):
    factories.make_domain(harbour, "branch.firm.example")
    known = routes.current()

    def owner(domain):
        return known.owner_of_host(Address("mailer-daemon", domain))

    assert owner("mail.firm.example") == firm.pk
    assert owner("mx1.mail.firm.example.secure.example") == firm.pk
    assert owner("mail.branch.firm.example") == harbour.pk
    assert owner("firm.example") is None
    assert owner("branch.firm.example") is None
    assert owner("mail.elsewhere.example") is None


@pytest.mark.parametrize("written", ["bob+7-ab12", "BOB+Detail", "bob+"])
def test_what_follows_a_plus_leads_to_the_mailbox(bob: Person, written: str) -> None:
    address = Address.parse(f"{written}@northfield.secure.example")

    route = routes.current().resolve(address)

    assert route.mailbox_id == bob.mailbox.pk
    assert str(route.address).casefold() == bob.address


def test_a_mailbox_of_its_own_comes_before_a_detail(bob: Person) -> None:
    own = factories.make_group_mailbox(
        "bob+team@northfield.secure.example", bob.organisation
    )

    route = routes.current().resolve(Address.parse(own.address))

    assert route.mailbox_id == own.pk


def test_a_person_with_a_plus_on_another_server_comes_before_a_detail(
    firm: Organisation, firm_connection: Connection
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_mailbox(jane)
    smith = factories.make_person("jane+smith@firm.example.secure.example", firm)

    def kind() -> RouteKind:
        return routes.current().resolve(Address.parse(smith.address)).kind

    assert kind() is RouteKind.CONNECTION
    smith.delete()
    assert kind() is RouteKind.MAILBOX


@pytest.mark.parametrize("written", ["+bob", "nobody+bob"])
def test_a_detail_of_nobody_leads_nowhere(bob: Person, written: str) -> None:
    with pytest.raises(UnknownRecipientError):
        routes.current().resolve(Address.parse(f"{written}@northfield.secure.example"))
