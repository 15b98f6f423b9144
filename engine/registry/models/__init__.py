"""Who exists, one noun a file."""

from __future__ import annotations

from engine.registry.models.alias import Alias
from engine.registry.models.app_password import AppPassword
from engine.registry.models.connection import Connection, ConnectionCredential, Proof
from engine.registry.models.distribution_list import (
    DistributionList,
    ListMember,
    ListPoster,
    Posting,
)
from engine.registry.models.domain import Domain
from engine.registry.models.mailbox import Grant, Mailbox, MailboxKind
from engine.registry.models.organisation import (
    AccountType,
    Kind,
    Organisation,
    OrganisationStatus,
)
from engine.registry.models.person import OrganisationRole, Person, RoleName, StaffRole
from engine.registry.models.stamp import Stamp

__all__ = [
    "AccountType",
    "Alias",
    "AppPassword",
    "Connection",
    "ConnectionCredential",
    "DistributionList",
    "Domain",
    "Grant",
    "Kind",
    "ListMember",
    "ListPoster",
    "Mailbox",
    "MailboxKind",
    "Organisation",
    "OrganisationRole",
    "OrganisationStatus",
    "Person",
    "Posting",
    "Proof",
    "RoleName",
    "StaffRole",
    "Stamp",
]
