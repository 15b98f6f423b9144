"""Creates rows for tests, with defaults for every field that can be overridden."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.utils import timezone

from engine.registry.models import (
    AccountType,
    Alias,
    ApiKey,
    AppPassword,
    Connection,
    ConnectionCredential,
    DistributionList,
    Domain,
    Grant,
    Kind,
    ListMember,
    Mailbox,
    MailboxKind,
    Organisation,
    OrganisationRole,
    OrganisationStatus,
    Person,
    Proof,
    RoleName,
    StaffRole,
)

COMMUNITY = "secure.example"
PASSWORD = "correct horse battery staple"
_serial = count(1)


def make_organisation(**over: Any) -> Organisation:
    fields = {
        "name": f"Organisation {next(_serial)}",
        "kind": Kind.LAW_FIRM,
        "account_type": AccountType.WEBMAIL,
        "status": OrganisationStatus.ACTIVE,
        "town": "Leeds",
    }
    return Organisation.objects.create(**(fields | over))


def make_domain(organisation: Organisation, member_domain: str, **over: Any) -> Domain:
    """Creates a verified domain.

    The community domain of hosted and trusted organisations is their own; other
    organisations' domains get the community's suffix.
    """
    same = organisation.account_type in (
        AccountType.WEBMAIL,
        AccountType.TRUSTED_DOMAIN,
    )
    community = member_domain if same else f"{member_domain}.{COMMUNITY}"
    fields = {
        "member_domain": member_domain,
        "community_domain": community,
        "verified_at": timezone.now(),
    }
    return Domain.objects.create(organisation=organisation, **(fields | over))


def make_person(
    address: str, organisation: Organisation | None = None, **over: Any
) -> Person:
    fields = {"name": address.partition("@")[0].title(), "organisation": organisation}
    return Person.objects.create_user(
        address, over.pop("password", PASSWORD), **(fields | over)
    )


def make_mailbox(owner: Person, **over: Any) -> Mailbox:
    fields = {
        "address": owner.address,
        "name": owner.name,
        "kind": MailboxKind.PERSONAL,
        "organisation": owner.organisation,
        "owner": owner,
    }
    return Mailbox.objects.create(**(fields | over))


def make_group_mailbox(
    address: str, organisation: Organisation, **over: Any
) -> Mailbox:
    fields = {"name": address.partition("@")[0].title(), "kind": MailboxKind.GROUP}
    return Mailbox.objects.create(
        address=address, organisation=organisation, **(fields | over)
    )


def make_grant(mailbox: Mailbox, person: Person, **over: Any) -> Grant:
    return Grant.objects.create(mailbox=mailbox, person=person, **over)


def make_connection(organisation: Organisation, **over: Any) -> Connection:
    fields = {"proof": Proof.CREDENTIAL, "next_hop_host": "127.0.0.1"}
    return Connection.objects.create(organisation=organisation, **(fields | over))


def make_connection_credential(
    connection: Connection, username: str, digest: str
) -> ConnectionCredential:
    return ConnectionCredential.objects.create(
        connection=connection, username=username, digest=digest
    )


def make_alias(address: str, target: str, organisation: Organisation) -> Alias:
    return Alias.objects.create(
        address=address, target=target, organisation=organisation
    )


def make_list(
    address: str, organisation: Organisation, *members: str, **over: Any
) -> DistributionList:
    """Creates a distribution list with these addresses as its members."""
    fields = {"name": address.partition("@")[0].title()}
    made = DistributionList.objects.create(
        address=address, organisation=organisation, **(fields | over)
    )
    for member in members:
        ListMember.objects.create(distribution_list=made, address=member)
    return made


def make_administrator(person: Person) -> OrganisationRole:
    return OrganisationRole.objects.create(
        person=person, organisation=person.organisation, role=RoleName.ADMINISTRATOR
    )


def make_staff(person: Person, role: RoleName) -> StaffRole:
    return StaffRole.objects.create(person=person, role=role)


def make_app_password(person: Person, digest: str, **over: Any) -> AppPassword:
    return AppPassword.objects.create(
        person=person, digest=digest, **({"name": "Phone"} | over)
    )


def make_api_key(
    organisation: Organisation | None, digest: str, *scopes: str, **over: Any
) -> ApiKey:
    """Creates an API key; without an organisation it is the community's."""
    number = next(_serial)
    fields = {
        "name": f"Key {number}",
        "client_id": f"key{number}",
        "agreed_at": timezone.now(),
    }
    return ApiKey.objects.create(
        organisation=organisation,
        digest=digest,
        scopes=list(scopes),
        **(fields | over),
    )
