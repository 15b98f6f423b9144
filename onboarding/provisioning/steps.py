"""The provisioning steps: organisation, domain, connection, people, letter, activation.

Each step is idempotent: it first looks whether its work is done already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.mail.address import Address
from engine.registry.actions import connections, domains, organisations, people, roles
from engine.registry.models import (
    Domain,
    Organisation,
    OrganisationStatus,
    Person,
    RoleName,
)
from onboarding.letters import letter_writer
from onboarding.models import Application, Letter, NoticeKind
from onboarding.notices import outbox
from onboarding.vetting.claim_policies import tenant_id_of


@dataclass(frozen=True, slots=True)
class Step:
    """A provisioning step. Applicants and staff see `title` next to its state."""

    key: str
    title: str
    run: Callable[[Application], None]
    applies: Callable[[Application], bool] = lambda application: True
    # False for a slow step: on SQLite its open transaction would block the mail engine.
    is_atomic: bool = True


def add_organisation(application: Application) -> None:
    """Registers the organisation."""
    if application.organisation is None:
        application.organisation = organisations.add(
            name=application.organisation_name,
            kind=application.kind,
            account_type=application.account_type,
            town=application.town,
            by=None,
        )
        application.save(update_fields=["organisation"])


def add_domain(application: Application) -> None:
    """Registers and verifies the pair of own and community domain.

    For a hosted organisation both are the same.
    """
    organisation = _organisation(application)
    community = application.community_domain
    if not Domain.objects.filter(
        organisation=organisation, community_domain=community
    ).exists():
        member = community if application.is_hosted else application.member_domain
        domain = domains.add(
            organisation, member_domain=member, community_domain=community, by=None
        )
        # The officer who approved has checked its ownership. Domains added later are
        # verified by a TXT record.
        domains.verify(domain, by=None)


def add_connection(application: Application) -> None:
    """Adds the connection of the organisation's own mail server."""
    organisation = _organisation(application)
    if not organisation.connections.exists():
        connections.add(
            organisation,
            proof=application.proof,
            source_networks=application.source_networks,
            certificate_name=application.certificate_name,
            provider=application.provider,
            tenant_id=tenant_id_of(application),
            next_hop_host=application.next_hop_host,
            next_hop_port=application.next_hop_port,
            by=None,
        )


def add_administrators(application: Application) -> None:
    """Creates the applicant's and second administrator's accounts, with hosted mailboxes."""
    if application.administrator is None:
        application.administrator = _administrator(
            application,
            address=application.administrator_address,
            name=application.applicant_name,
            job_title=application.applicant_job_title,
            everyday_address=application.everyday_address,
            phone=application.applicant_phone,
        )
        application.save(update_fields=["administrator"])
    if application.second_administrator is None and application.second_address:
        application.second_administrator = _administrator(
            application,
            address=application.second_administrator_address,
            name=application.second_name,
            job_title=application.second_job_title,
            everyday_address=application.second_address,
        )
        application.save(update_fields=["second_administrator"])


def _administrator(
    application: Application,
    *,
    address: Address,
    name: str,
    job_title: str,
    everyday_address: str,
    phone: str = "",
) -> Person:
    organisation = _organisation(application)
    person = people.add(
        organisation,
        address=address.key,
        name=name,
        job_title=job_title,
        phone=phone,
        town=application.town,
        everyday_address=everyday_address,
        by=None,
    )
    roles.give(person, RoleName.ADMINISTRATOR, organisation=organisation, by=None)
    return person


def write_first_letter(application: Application) -> None:
    """Writes the welcome letter, which issues the connection's credential."""
    organisation = _organisation(application)
    letter, _ = Letter.objects.get_or_create(
        application=application, organisation=organisation
    )
    letter_writer.write(letter)


def activate(application: Application) -> None:
    """Activates the organisation: mail flows from here on."""
    organisation = _organisation(application)
    if organisation.status == OrganisationStatus.PENDING:
        organisations.activate(organisation, by=None)


def send_notices(application: Application) -> None:
    """Puts the welcome notices into the outbox, with the step's state in one transaction.

    So each is sent exactly once, however often the step runs.
    """
    for person in (application.administrator, application.second_administrator):
        if person is not None:
            outbox.add(NoticeKind.WELCOME, to=person.everyday_address, about=person.pk)


def _organisation(application: Application) -> Organisation:
    if application.organisation is None:
        raise LookupError("The organisation has not been registered yet.")
    return application.organisation


STEPS: tuple[Step, ...] = (
    Step("organisation", "Organisation registered", add_organisation),
    Step("domain", "Domain in the community", add_domain),
    Step(
        "connection",
        "Connection for the mail server",
        add_connection,
        applies=lambda application: not application.is_hosted,
    ),
    Step("administrator", "Administrators' accounts", add_administrators),
    Step("letter", "Welcome letter", write_first_letter, is_atomic=False),
    Step("activation", "Mail switched on", activate),
    Step("notice", "Welcome notice sent", send_notices),
)
TITLES = {step.key: step.title for step in STEPS}
