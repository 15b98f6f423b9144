"""Creates the demo community with the same actions as the screens."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from engine.registry.actions import (
    aliases,
    connections,
    domains,
    lists,
    mailboxes,
    organisations,
    people,
    roles,
)
from engine.registry.models import (
    AccountType,
    Connection,
    Organisation,
    Proof,
    RoleName,
)
from portal.demo import sample_mail, sample_tickets
from portal.demo.members import (
    ORGANISATIONS,
    DemoConnection,
    DemoGroupMailbox,
    DemoList,
    DemoOrganisation,
    DemoPerson,
)


def exists() -> bool:
    """True if any demo organisation exists."""
    return Organisation.objects.filter(
        name__in=[p.name for p in ORGANISATIONS]
    ).exists()


@transaction.atomic
def build() -> None:
    """Creates all organisations and people, then their mail and helpdesk tickets."""
    made = [(place, _organisation(place)) for place in ORGANISATIONS]
    # Lists reach across organisations, so all of those come first.
    for place, organisation in made:
        for demo_list in place.lists:
            _list(organisation, place, demo_list)
    sample_mail.write()
    sample_tickets.write(sample_tickets.people())


def keep_next_hops() -> None:
    """Updates the next hops' ports, which the environment may have changed."""
    for place in ORGANISATIONS:
        if place.connection is None:
            continue
        for connection in Connection.objects.filter(organisation__name=place.name):
            connections.edit(connection, next_hop_port=_port(place.connection), by=None)


def demo_addresses() -> list[str]:
    """Returns the community addresses of all demo people."""
    return [
        address(who.local, place) for place in ORGANISATIONS for who in place.people
    ]


def address(local: str, place: DemoOrganisation) -> str:
    """Returns the community address for a local part in a demo organisation."""
    domain = filled(place.domain)
    if place.account_type in (AccountType.SMTP, AccountType.CLOUD_GATEWAY):
        domain = f"{domain}.{settings.POSTERN.community_domain}"
    return f"{local}@{domain}"


def filled(text: str) -> str:
    """Replaces `{suffix}` by the community's domain."""
    return text.format(suffix=settings.POSTERN.community_domain)


def _organisation(place: DemoOrganisation) -> Organisation:
    organisation = organisations.add(
        name=place.name,
        kind=place.kind,
        account_type=place.account_type,
        town=place.town,
        by=None,
    )
    domain = domains.add(organisation, member_domain=filled(place.domain), by=None)
    domains.verify(domain, by=None)
    organisations.activate(organisation, by=None)
    if place.connection is not None:
        _connection(organisation, place.connection)
    for who in place.people:
        _person(organisation, place, who)
    for team in place.group_mailboxes:
        _group_mailbox(organisation, place, team)
    for alias, target in place.aliases.items():
        aliases.add(
            organisation,
            address=address(alias, place),
            target=address(target, place),
            by=None,
        )
    return organisation


def _connection(organisation: Organisation, connection: DemoConnection) -> None:
    connections.add(
        organisation,
        proof=connection.proof,
        certificate_name=connection.tls_name
        if connection.proof == Proof.CERTIFICATE
        else "",
        provider=connection.provider or "",
        tenant_id=connection.tenant_id,
        next_hop_host="127.0.0.1",
        next_hop_port=_port(connection),
        next_hop_tls_name=connection.tls_name,
        by=None,
    )


def _port(connection: DemoConnection) -> int:
    return settings.POSTERN.demo_next_hop_port + connection.hop


def _person(
    organisation: Organisation, place: DemoOrganisation, who: DemoPerson
) -> None:
    person = people.add(
        organisation,
        address=address(who.local, place),
        name=who.name,
        job_title=who.job_title,
        town=place.town,
        is_ex_directory=who.is_ex_directory,
        by=None,
    )
    if who.role == RoleName.ADMINISTRATOR:
        roles.give(person, who.role, organisation=organisation, by=None)
    elif who.role != RoleName.MEMBER:
        roles.give_staff(person, who.role, by=None)


def _group_mailbox(
    organisation: Organisation, place: DemoOrganisation, team: DemoGroupMailbox
) -> None:
    mailbox = mailboxes.add_group(
        organisation, address=address(team.local, place), name=team.name, by=None
    )
    for local, rights in team.rights.items():
        mailboxes.grant(
            mailbox,
            organisation.people.get(address=address(local, place)),
            can_read="r" in rights,
            can_write="w" in rights,
            can_send="s" in rights,
            by=None,
        )


def _list(
    organisation: Organisation, place: DemoOrganisation, demo_list: DemoList
) -> None:
    made = lists.add(
        organisation,
        address=address(demo_list.local, place),
        name=demo_list.name,
        posting=demo_list.posting,
        by=None,
    )
    for member in demo_list.members:
        lists.add_member(made, address=filled(member), by=None)
