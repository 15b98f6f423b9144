"""Models of the registry: the tables of who exists, one noun a file."""

from __future__ import annotations

from engine.registry.models.allowance import Allowance, SenderKind
from engine.registry.models.api_key import Actor, ApiKey
from engine.registry.models.app_password import AppPassword
from engine.registry.models.change import Change, ChangeKind, ChangeLogEnd, Logged
from engine.registry.models.connection import (
    Connection,
    ConnectionCredential,
    Proof,
    Provider,
    ProviderNetworks,
    UnprovenMail,
)
from engine.registry.models.directory_entry import DirectoryEntry, EntryKind
from engine.registry.models.distribution_list import (
    DistributionList,
    ListMember,
    ListPoster,
    Posting,
)
from engine.registry.models.domain import Domain
from engine.registry.models.index_pass import IndexPass
from engine.registry.models.mailbox import Alias, Grant, Mailbox, MailboxKind
from engine.registry.models.organisation import (
    AccountType,
    Kind,
    Organisation,
    OrganisationStatus,
)
from engine.registry.models.person import OrganisationRole, Person, RoleName, StaffRole
from engine.registry.models.recovery import (
    Recovery,
    RecoveryAddressChange,
    RecoveryCause,
)
from engine.registry.models.sending_stop import SendingStop, StopKind
from engine.registry.models.transport_policy import TransportPolicy
from engine.registry.models.webhook_endpoint import WebhookEndpoint, WebhookEvent

__all__ = [
    "AccountType",
    "Actor",
    "Alias",
    "Allowance",
    "ApiKey",
    "AppPassword",
    "Change",
    "ChangeKind",
    "ChangeLogEnd",
    "Connection",
    "ConnectionCredential",
    "DirectoryEntry",
    "DistributionList",
    "Domain",
    "EntryKind",
    "Grant",
    "IndexPass",
    "Kind",
    "ListMember",
    "ListPoster",
    "Logged",
    "Mailbox",
    "MailboxKind",
    "Organisation",
    "OrganisationRole",
    "OrganisationStatus",
    "Person",
    "Posting",
    "Proof",
    "Provider",
    "ProviderNetworks",
    "Recovery",
    "RecoveryAddressChange",
    "RecoveryCause",
    "RoleName",
    "SenderKind",
    "SendingStop",
    "StaffRole",
    "StopKind",
    "TransportPolicy",
    "UnprovenMail",
    "WebhookEndpoint",
    "WebhookEvent",
]
