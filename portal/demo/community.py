"""Builds the demo community, by the same verbs as every screen."""

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
from portal.demo import correspondence, questions
from portal.demo.cast import PLACES, Circle, Gate, Place, Team, Who


def is_there() -> bool:
    return Organisation.objects.filter(name__in=[p.name for p in PLACES]).exists()


@transaction.atomic
def build() -> None:
    """Make every organisation and who is in it, then the mail between them."""
    made = [(place, _organisation(place)) for place in PLACES]
    # Lists reach across organisations, so all of those come first.
    for place, organisation in made:
        for circle in place.circles:
            _circle(organisation, place, circle)
    correspondence.write()
    questions.write(questions.people())


def keep_next_hops() -> None:
    """Follow the ports when the environment names others than at the first start."""
    for place in PLACES:
        if place.gate is None:
            continue
        for connection in Connection.objects.filter(organisation__name=place.name):
            connections.edit(connection, next_hop_port=_port(place.gate), by=None)


def cast_addresses() -> list[str]:
    return [address(who.local, place) for place in PLACES for who in place.people]


def address(local: str, place: Place) -> str:
    """The address in the community."""
    domain = filled(place.domain)
    if place.account_type in (AccountType.SMTP, AccountType.CLOUD_GATEWAY):
        domain = f"{domain}.{settings.POSTERN.community_domain}"
    return f"{local}@{domain}"


def filled(text: str) -> str:
    return text.format(suffix=settings.POSTERN.community_domain)


def _organisation(place: Place) -> Organisation:
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
    if place.gate is not None:
        _gate(organisation, place.gate)
    for who in place.people:
        _person(organisation, place, who)
    for team in place.teams:
        _team(organisation, place, team)
    for alias, target in place.aliases.items():
        aliases.add(
            organisation,
            address=address(alias, place),
            target=address(target, place),
            by=None,
        )
    return organisation


def _gate(organisation: Organisation, gate: Gate) -> None:
    connections.add(
        organisation,
        proof=gate.proof,
        certificate_name=gate.tls_name if gate.proof == Proof.CERTIFICATE else "",
        provider=gate.provider or "",
        tenant_id=gate.tenant_id,
        next_hop_host="127.0.0.1",
        next_hop_port=_port(gate),
        next_hop_tls_name=gate.tls_name,
        by=None,
    )


def _port(gate: Gate) -> int:
    return settings.POSTERN.demo_next_hop_port + gate.hop


def _person(organisation: Organisation, place: Place, who: Who) -> None:
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


def _team(organisation: Organisation, place: Place, team: Team) -> None:
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


def _circle(organisation: Organisation, place: Place, circle: Circle) -> None:
    made = lists.add(
        organisation,
        address=address(circle.local, place),
        name=circle.name,
        posting=circle.posting,
        by=None,
    )
    for member in circle.members:
        lists.add_member(made, address=filled(member), by=None)
