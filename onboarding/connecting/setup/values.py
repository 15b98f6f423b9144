"""A connection's own values, as every page, file and script says them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from engine.registry.models import Connection, Proof, Provider
from onboarding import authority

# What stands where a password belongs, when there is none to show.
PLACEHOLDER = "PASSWORD"


@dataclass(frozen=True, slots=True)
class Values:
    """Everything that the other side enters. The password only while it is new."""

    connection: Connection
    organisation_name: str
    community_name: str
    suffix: str
    host: str
    port: int
    authority_url: str
    authority_fingerprint: str
    member_domains: tuple[str, ...]
    usernames: tuple[str, ...]
    password: str = PLACEHOLDER

    @property
    def username(self) -> str:
        """The newest one: whoever makes a new password means to change over."""
        return self.usernames[-1] if self.usernames else "USERNAME"

    @property
    def has_password(self) -> bool:
        return self.connection.proof == Proof.CREDENTIAL

    @property
    def is_cloud(self) -> bool:
        return self.connection.proof == Proof.CLOUD

    @property
    def has_secret_tenant(self) -> bool:
        return self.connection.provider == Provider.GOOGLE_WORKSPACE

    @property
    def recipient_pattern(self) -> str:
        """For Google's routing: addresses in the community, and nothing that looks so."""
        return rf".*@(.*\.)?{re.escape(self.suffix)}$"

    @property
    def inbound(self) -> list[tuple[str, str]]:
        """What the organisation's server needs to hand mail to the gate."""
        return [
            ("Send us mail for", f"{self.suffix} and every domain that ends in it"),
            ("Server", self.host),
            ("Port", str(self.port)),
            ("Encryption", "STARTTLS, required; TLS 1.2 or later"),
            ("Name in our certificate", self.host),
            ("How we know you", Proof(self.connection.proof).label),
            *self._proof(),
        ]

    def _proof(self) -> list[tuple[str, str]]:
        connection = self.connection
        match Proof(connection.proof):
            case Proof.CREDENTIAL:
                return [("User name", name) for name in self.usernames]
            case Proof.SOURCE:
                return [("You send from", ", ".join(connection.source_networks))]
            case Proof.CERTIFICATE:
                return [("Name in your certificate", connection.certificate_name)]
            case Proof.CLOUD:
                return self._cloud()

    def _cloud(self) -> list[tuple[str, str]]:
        connection = self.connection
        signed = ", ".join(self.member_domains)
        rows = [("Signed by DKIM for", signed)]
        if connection.provider:
            rows.insert(0, ("Provider", Provider(connection.provider).label))
        if connection.tenant_id and not self.has_secret_tenant:
            rows.insert(1, ("Tenant", connection.tenant_id))
        return rows

    @property
    def outbound(self) -> list[tuple[str, str]]:
        """How the gate hands mail to the organisation's server, and what that sees."""
        connection = self.connection
        stripped = (
            "your own addresses" if connection.strips_suffix else "secure addresses"
        )
        rows = [
            ("Your server", connection.next_hop_host or "Not set yet"),
            ("Port", str(connection.next_hop_port)),
            ("Name in your certificate", connection.tls_name),
            ("Name in our certificate", self.host),
            ("Encryption", "STARTTLS; we deliver nothing without it"),
            ("Recipients are", stripped),
            ("Senders are", f"secure addresses, which end in {self.suffix}"),
            ("Tag in the subject", connection.subject_tag),
        ]
        return [(label, value) for label, value in rows if value]


def of(connection: Connection, *, password: str = "") -> Values:
    posting = settings.POSTERN
    certificate = authority.find()
    organisation = connection.organisation
    live = connection.credentials.filter(revoked_at=None).order_by("pk")
    url = posting.site_url + reverse("onboarding:authority") if certificate else ""
    return Values(
        connection=connection,
        organisation_name=organisation.name,
        community_name=posting.community_name,
        suffix=posting.community_domain,
        host=posting.smtp_name,
        port=posting.smtp_port,
        authority_url=url,
        authority_fingerprint=authority.fingerprint(certificate) if certificate else "",
        member_domains=tuple(
            organisation.domains.verified().values_list("member_domain", flat=True)
        ),
        usernames=tuple(live.values_list("username", flat=True)),
        password=password or PLACEHOLDER,
    )
