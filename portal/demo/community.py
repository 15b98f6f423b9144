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
        name__in=[demo.name for demo in ORGANISATIONS]
    ).exists()


@transaction.atomic
def build() -> None:
    """Creates all organisations and people, then their mail and helpdesk tickets."""
    made = [(demo, _organisation(demo)) for demo in ORGANISATIONS]
    # A list can have members in any organisation, so all of those come first.
    for demo, organisation in made:
        for demo_list in demo.lists:
            _list(organisation, demo, demo_list)
    sample_mail.write()
    sample_tickets.write(sample_tickets.people())


def keep_next_hops() -> None:
    """Updates the next hops' ports, which the environment may have changed."""
    for demo in ORGANISATIONS:
        if demo.connection is None:
            continue
        for connection in Connection.objects.filter(organisation__name=demo.name):
            connections.edit(connection, next_hop_port=_port(demo.connection), by=None)


def demo_addresses() -> list[str]:
    """Returns the community addresses of all demo people."""
    return [
        address(demo_person.local, demo)
        for demo in ORGANISATIONS
        for demo_person in demo.people
    ]


def address(local: str, demo: DemoOrganisation) -> str:
    """Returns the community address for a local part in a demo organisation."""
    domain = filled(demo.domain)
    if demo.account_type in (AccountType.SMTP, AccountType.CLOUD_GATEWAY):
        domain = f"{domain}.{settings.POSTERN.community_domain}"
    return f"{local}@{domain}"


def filled(text: str) -> str:
    """Replaces `{suffix}` by the community's domain."""
    return text.format(suffix=settings.POSTERN.community_domain)


def _organisation(demo: DemoOrganisation) -> Organisation:
    organisation = organisations.add(
        name=demo.name,
        kind=demo.kind,
        account_type=demo.account_type,
        town=demo.town,
        by=None,
    )
    domain = domains.add(organisation, member_domain=filled(demo.domain), by=None)
    domains.verify(domain, by=None)
    organisations.activate(organisation, by=None)
    if demo.connection is not None:
        _connection(organisation, demo.connection)
    for demo_person in demo.people:
        _person(organisation, demo, demo_person)
    for demo_mailbox in demo.group_mailboxes:
        _group_mailbox(organisation, demo, demo_mailbox)
    for alias, target in demo.aliases.items():
        aliases.add(
            organisation,
            address=address(alias, demo),
            target=address(target, demo),
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
    organisation: Organisation, demo: DemoOrganisation, demo_person: DemoPerson
) -> None:
    person = people.add(
        organisation,
        address=address(demo_person.local, demo),
        name=demo_person.name,
        job_title=demo_person.job_title,
        town=demo.town,
        is_ex_directory=demo_person.is_ex_directory,
        by=None,
    )
    if demo_person.role == RoleName.ADMINISTRATOR:
        roles.give(person, demo_person.role, organisation=organisation, by=None)
    elif demo_person.role != RoleName.MEMBER:
        roles.give_staff(person, demo_person.role, by=None)


def _group_mailbox(
    organisation: Organisation, demo: DemoOrganisation, demo_mailbox: DemoGroupMailbox
) -> None:
    mailbox = mailboxes.add_group(
        organisation,
        address=address(demo_mailbox.local, demo),
        name=demo_mailbox.name,
        by=None,
    )
    for local, rights in demo_mailbox.rights.items():
        mailboxes.grant(
            mailbox,
            organisation.people.get(address=address(local, demo)),
            can_read="r" in rights,
            can_write="w" in rights,
            can_send="s" in rights,
            by=None,
        )


def _list(
    organisation: Organisation, demo: DemoOrganisation, demo_list: DemoList
) -> None:
    made = lists.add(
        organisation,
        address=address(demo_list.local, demo),
        name=demo_list.name,
        posting=demo_list.posting,
        by=None,
    )
    for member in demo_list.members:
        lists.add_member(made, address=filled(member), by=None)
