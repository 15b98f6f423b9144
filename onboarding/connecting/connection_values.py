"""The values that an organisation enters on its mail server, for pages, files and scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from engine.registry.models import (
    Connection,
    Proof,
    Provider,
    UnprovenMail,
)
from onboarding import certificate_authority

# Stands in for a password that is not known: only its digest is stored.
PLACEHOLDER = "PASSWORD"


@dataclass(frozen=True, slots=True)
class ConnectionValues:
    """The values of a connection. `password` is PLACEHOLDER unless it was just generated."""

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
        """The newest user name: a new password is made in order to change over to it."""
        return self.usernames[-1] if self.usernames else "USERNAME"

    @property
    def has_password(self) -> bool:
        """True if the connection is proved by user name and password."""
        return self.connection.proof == Proof.CREDENTIAL

    @property
    def is_cloud(self) -> bool:
        """True if the connection is a cloud gateway."""
        return self.connection.proof == Proof.CLOUD

    @property
    def has_secret_tenant(self) -> bool:
        """True if the tenant id is a secret that must not be shown."""
        return self.connection.provider == Provider.GOOGLE_WORKSPACE

    @property
    def recipient_pattern(self) -> str:
        """A regular expression for Google's routing that matches community addresses only."""
        return rf".*@(.*\.)?{re.escape(self.suffix)}$"

    @property
    def inbound(self) -> list[tuple[str, str]]:
        """Label and value of what the organisation's server needs to send to us."""
        return [
            ("Send us mail for", f"{self.suffix} and every domain that ends in it"),
            ("Server", self.host),
            ("Port", str(self.port)),
            ("Encryption", "STARTTLS, required; TLS 1.2 or later"),
            ("Name in our certificate", self.host),
            ("How we identify you", Proof(self.connection.proof).label),
            *self._proof(),
            (
                "If it fails DMARC or DKIM",
                UnprovenMail(self.connection.unproven_mail).label,
            ),
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
        """Label and value of how we deliver to the organisation's server."""
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


def build(connection: Connection, *, password: str = "") -> ConnectionValues:
    """Collects a connection's values. Pass `password` only right after generating it."""
    posting = settings.POSTERN
    certificate = certificate_authority.find()
    organisation = connection.organisation
    live = connection.credentials.filter(revoked_at=None).order_by("pk")
    url = posting.site_url + reverse("onboarding:authority") if certificate else ""
    return ConnectionValues(
        connection=connection,
        organisation_name=organisation.name,
        community_name=posting.community_name,
        suffix=posting.community_domain,
        host=posting.smtp_name,
        port=posting.smtp_port,
        authority_url=url,
        authority_fingerprint=certificate_authority.fingerprint(certificate)
        if certificate
        else "",
        member_domains=tuple(
            organisation.domains.verified().values_list("member_domain", flat=True)
        ),
        usernames=tuple(live.values_list("username", flat=True)),
        password=password or PLACEHOLDER,
    )
