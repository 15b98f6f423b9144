from __future__ import annotations

import pytest

from engine.audit.models import Entry
from engine.mail.address import Address
from engine.registry.actions import domains, mailboxes, people
from engine.registry.addresses.allocation import to_community_address
from engine.registry.errors import PolicyError
from engine.registry.models import AccountType, Domain, Kind
from engine.routing import routes
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("account_type", "member", "community"),
    [
        (AccountType.SMTP, "firm.example", "firm.example.secure.example"),
        (AccountType.CLOUD_GATEWAY, "firm.example", "firm.example.secure.example"),
        (AccountType.WEBMAIL, "firm.secure.example", "firm.secure.example"),
        (AccountType.TRUSTED_DOMAIN, "police.example", "police.example"),
    ],
)
def test_add_a_domain_pairs_it_as_the_account_type_says(
    account_type, member, community
):
    organisation = factories.make_organisation(account_type=account_type)

    domain = domains.add(organisation, member_domain=member, by=None)

    assert (domain.member_domain, domain.community_domain) == (member, community)
    assert Entry.objects.get().detail["community_domain"] == community


def test_add_an_agreed_exception():
    organisation = factories.make_organisation(account_type=AccountType.SMTP)

    domain = domains.add(
        organisation,
        member_domain="Org.COM",
        community_domain="org.secure.example",
        by=None,
    )

    assert str(domain) == "org.secure.example"
    assert domain.member_domain == "org.com"


@pytest.mark.parametrize("who", ["olive", "vera"])
def test_staff_agree_to_an_exception(who, request):
    organisation = factories.make_organisation(account_type=AccountType.SMTP)

    domains.add(
        organisation,
        member_domain="org.com",
        community_domain="org.secure.example",
        by=request.getfixturevalue(who),
    )

    known = routes.current().domains
    jane = Address.parse("jane@org.com")
    assert str(known.to_community(jane)) == "jane@org.secure.example"
    assert known.to_member(known.to_community(jane)) == jane


def test_an_administrator_chooses_no_exception(alice, northfield):
    with pytest.raises(PolicyError, match="Ask the helpdesk"):
        domains.add(
            northfield,
            member_domain="north.secure.example",
            community_domain="court.secure.example",
            by=alice,
        )


@pytest.mark.parametrize(
    ("member", "community"),
    [
        ("other.example", "org.secure.example"),
        ("org.com", "other.secure.example"),
        ("org.secure.example", "org.secure.example"),
    ],
)
def test_an_exception_collides_with_nobody_elses(member, community):
    first = factories.make_organisation(account_type=AccountType.SMTP)
    domains.add(
        first, member_domain="org.com", community_domain="org.secure.example", by=None
    )
    second = factories.make_organisation(
        account_type=AccountType.WEBMAIL if member == community else AccountType.SMTP
    )

    with pytest.raises(PolicyError, match="already the domain of a member"):
        domains.add(second, member_domain=member, community_domain=community, by=None)


def test_add_an_international_domain_by_its_a_label():
    organisation = factories.make_organisation(account_type=AccountType.SMTP)

    domain = domains.add(organisation, member_domain="Bücher.example", by=None)

    assert domain.member_domain == "xn--bcher-kva.example"


def test_add_the_community_domain_itself_for_the_operator_only():
    operator = factories.make_organisation(kind=Kind.OPERATOR)
    domains.add(operator, member_domain="secure.example", by=None)

    other = factories.make_organisation()
    with pytest.raises(PolicyError):
        domains.add(other, member_domain="secure.example", by=None)


@pytest.mark.parametrize(
    ("account_type", "member", "community"),
    [
        (AccountType.SMTP, "no domain", ""),
        (AccountType.SMTP, "firm.example", "firm.example"),
        (AccountType.SMTP, "firm.example", "firm.elsewhere.example"),
        (AccountType.SMTP, "x.secure.example", "y.secure.example"),
        (AccountType.SMTP, "secure.example", ""),
        (AccountType.WEBMAIL, "firm.example", ""),
        (AccountType.TRUSTED_DOMAIN, "police.example", "police.secure.example"),
        (AccountType.TRUSTED_DOMAIN, "police.secure.example", ""),
    ],
)
def test_add_a_pair_that_makes_no_sense(account_type, member, community):
    organisation = factories.make_organisation(account_type=account_type)

    with pytest.raises(PolicyError):
        domains.add(
            organisation, member_domain=member, community_domain=community, by=None
        )
    assert not Domain.objects.exists()


@pytest.mark.parametrize(
    ("member", "community"),
    [
        ("firm.example", "other.secure.example"),
        ("other.example", "firm.example.secure.example"),
        ("northfield.secure.example", "northfield.secure.example"),
    ],
)
def test_add_a_domain_that_somebody_has(firm, northfield, member, community):
    organisation = factories.make_organisation(
        account_type=AccountType.WEBMAIL if member == community else AccountType.SMTP
    )

    with pytest.raises(PolicyError, match="already the domain of a member"):
        domains.add(
            organisation, member_domain=member, community_domain=community, by=None
        )


def test_verify_a_domain(firm, olive):
    domain = firm.domains.get()
    domains.verify(domain, by=olive)

    domain.refresh_from_db()
    assert domain.verified_at is not None


def test_remove_a_domain_that_nobody_uses(firm, olive):
    domains.remove(firm.domains.get(), by=olive)

    assert not firm.domains.exists()
    assert Entry.objects.get().event == "domain.removed"


def test_remove_a_domain_with_addresses_in_it(alice, northfield, olive):
    with pytest.raises(PolicyError, match="still has addresses"):
        domains.remove(northfield.domains.get(), by=olive)


@pytest.mark.parametrize("is_operators", [True, False])
def test_the_operators_key_vouches_for_a_domain(firm, is_operators):
    key = factories.make_api_key(None if is_operators else firm, "digest")

    made = domains.add(firm, member_domain="second.example", by=key)

    assert (made.verified_at is not None) == is_operators


def test_nobody_gets_an_address_in_a_domain_that_is_only_claimed(firm):
    manager = factories.make_person("it@firm.example.secure.example", firm)
    factories.make_administrator(manager)
    domains.add(firm, member_domain="victim.example", by=manager)

    for text in ("info@victim.example", "info@victim.example.secure.example"):
        with pytest.raises(PolicyError, match="not in a domain"):
            mailboxes.add_group(firm, address=text, by=manager)
        with pytest.raises(PolicyError, match="not in a domain"):
            people.add(firm, address=text, name="Somebody", by=manager)


def test_a_claimed_domain_stands_for_nobody_yet(firm):
    domains.add(firm, member_domain="victim.example", by=None)

    assert to_community_address("jane@victim.example").domain == "victim.example"
