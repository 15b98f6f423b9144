"""What setting an organisation up consists of, as data.

Each step first looks whether its work is there already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from engine.registry.actions import connections, domains, organisations, people, roles
from engine.registry.models import (
    Connection,
    Domain,
    Organisation,
    OrganisationStatus,
    Person,
    Proof,
    RoleName,
)
from onboarding import emails, letters
from onboarding.models import Application, Letter


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `title` is what applicants and staff read beside its state."""

    key: str
    title: str
    run: Callable[[Application], None]
    applies: Callable[[Application], bool] = lambda application: True
    # False where a step takes long: a transaction held open would stop the mail engine.
    is_atomic: bool = True


def add_organisation(application: Application) -> None:
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
    """The pair. A hosted organisation's addresses are the same outside and inside."""
    organisation = _organisation(application)
    community = application.community_domain
    if not Domain.objects.filter(
        organisation=organisation, community_domain=community
    ).exists():
        domains.add(
            organisation,
            member_domain=community
            if application.is_hosted
            else application.member_domain,
            community_domain=community,
            by=None,
        )


def add_connection(application: Application) -> None:
    organisation = _organisation(application)
    if not organisation.connections.exists():
        connections.add(
            organisation,
            proof=application.proof,
            source_networks=application.source_networks,
            certificate_name=application.certificate_name,
            tenant_id=application.tenant_id,
            next_hop_host=application.next_hop_host,
            next_hop_port=application.next_hop_port,
            by=None,
        )


def add_administrator(application: Application) -> None:
    """The applicant as a person, with a mailbox where those are kept here."""
    if application.administrator is None:
        organisation = _organisation(application)
        person = people.add(
            organisation,
            address=application.administrator_address.key,
            name=application.applicant_name,
            job_title=application.applicant_job_title,
            phone=application.applicant_phone,
            town=application.town,
            everyday_address=application.everyday_address,
            by=None,
        )
        roles.give(person, RoleName.ADMINISTRATOR, organisation=organisation, by=None)
        application.administrator = person
        application.save(update_fields=["administrator"])


def write_letter(application: Application) -> None:
    """Issue the connection's credential and render the letter that holds its secret.

    The registry keeps a digest only. So where an attempt ended before its letter was
    kept, the credential that it issued is worth nothing: it is revoked, and another
    issued.
    """
    organisation = _organisation(application)
    if Letter.objects.filter(application=application).exists():
        return
    connection = organisation.connections.first()
    username = secret = ""
    if connection and connection.proof == Proof.CREDENTIAL:
        username, secret = _issue_credential(connection)
    pdf = letters.render(
        application, connection=connection, username=username, secret=secret
    )
    Letter.objects.create(
        application=application, organisation=organisation, file_name=letters.keep(pdf)
    )


@transaction.atomic
def _issue_credential(connection: Connection) -> tuple[str, str]:
    for left_over in connection.credentials.filter(revoked_at=None):
        connections.revoke_credential(left_over, by=None)
    credential, secret = connections.add_credential(connection, by=None)
    return credential.username, secret


def activate(application: Application) -> None:
    organisation = _organisation(application)
    if organisation.status == OrganisationStatus.PENDING:
        organisations.activate(organisation, by=None)


def send_notice(application: Application) -> None:
    """Queued in the same transaction as the step's state: sent once, not twice."""
    emails.send_welcome(application, application.letter, _administrator(application))


def _organisation(application: Application) -> Organisation:
    if application.organisation is None:
        raise LookupError("The organisation is not registered yet.")
    return application.organisation


def _administrator(application: Application) -> Person:
    if application.administrator is None:
        raise LookupError("The administrator has no account yet.")
    return application.administrator


STEPS: tuple[Step, ...] = (
    Step("organisation", "Organisation registered", add_organisation),
    Step("domain", "Domain in the community", add_domain),
    Step(
        "connection",
        "Connection for the mail server",
        add_connection,
        applies=lambda application: not application.is_hosted,
    ),
    Step("administrator", "Administrator's account", add_administrator),
    Step("letter", "Welcome letter", write_letter, is_atomic=False),
    Step("activation", "Mail switched on", activate),
    Step("notice", "Welcome notice sent", send_notice),
)
TITLES = {step.key: step.title for step in STEPS}
