"""Connections and their credentials, and cloud providers."""

from __future__ import annotations

from django.db import models

from engine.registry.models.change import ChangeKind, Logged, LoggedQuerySet
from engine.registry.models.organisation import Organisation
from engine.secrets import secret_keys


class Provider(models.TextChoices):
    """Cloud providers, whose servers send the mail of many tenants."""

    MICROSOFT_365 = "microsoft_365", "Microsoft 365"
    GOOGLE_WORKSPACE = "google_workspace", "Google Workspace"


class Proof(models.TextChoices):
    """How an inbound session proves that it comes from the organisation's servers."""

    CREDENTIAL = "credential", "User name and password"
    SOURCE = "source", "Source address"
    CERTIFICATE = "certificate", "Client certificate"
    CLOUD = "cloud", "Provider, tenant and DKIM together"


class UnprovenMail(models.TextChoices):
    """What is done with mail from a member's server that fails DMARC or DKIM."""

    ACCEPT = "accept", "Accept it, with the results in its header"
    HOLD = "hold", "Hold it until an operator decides"
    REFUSE = "refuse", "Refuse it"


class Connection(models.Model):
    """Carries mail between an organisation's own servers and the gate, in both directions."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="connections"
    )
    name = models.CharField(max_length=100, default="Main connection")
    is_active = models.BooleanField(default=True)

    proof = models.CharField(max_length=20, choices=Proof.choices)
    source_networks = models.JSONField(
        default=list, blank=True, help_text="CIDR networks, for proof by source address"
    )
    certificate_name = models.CharField(
        max_length=253,
        blank=True,
        help_text="DNS name that the client certificate must carry",
    )
    provider = models.CharField(max_length=20, choices=Provider.choices, blank=True)
    tenant_id = models.CharField(max_length=100, blank=True)

    next_hop_host = models.CharField(max_length=253, blank=True)
    next_hop_port = models.PositiveIntegerField(default=25)
    next_hop_tls_name = models.CharField(
        max_length=253,
        blank=True,
        help_text="name its certificate must carry, where it is not the host's",
    )
    strips_suffix = models.BooleanField(
        default=True, help_text="recipients lose the suffix on the way out"
    )
    subject_tag = models.CharField(max_length=40, blank=True)
    unproven_mail = models.CharField(
        max_length=10,
        choices=UnprovenMail.choices,
        default=UnprovenMail.ACCEPT,
        db_default=UnprovenMail.ACCEPT.value,
        help_text="what is done with its mail that fails DMARC or DKIM",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LoggedQuerySet["Connection"].as_manager()
    logged = Logged.of(
        ChangeKind.CONNECTION,
        "organisation",
        "is_active",
        "proof",
        "source_networks",
        "certificate_name",
        "provider",
        "tenant_id",
        "next_hop_host",
        "next_hop_port",
        "next_hop_tls_name",
        "strips_suffix",
        "subject_tag",
        "unproven_mail",
    )

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.organisation}: {self.name}"

    @property
    def tls_name(self) -> str:
        """The name that the next hop's certificate must carry."""
        return self.next_hop_tls_name or self.next_hop_host


class ConnectionCredential(models.Model):
    """A user name and a generated secret of a connection.

    Several are valid at a time, so that a server can be switched over without a gap.
    """

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="credentials"
    )
    username = models.CharField(max_length=100, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    keyed_by = models.CharField(
        max_length=secret_keys.KEY_ID_LENGTH,
        default=secret_keys.key_id,
        help_text="which secret key the digest was made with",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    known_networks = models.JSONField(
        default=list, help_text="from which it signed in, the latest last"
    )

    def __str__(self) -> str:
        return self.username


class ProviderNetworks(models.Model):
    """The networks from which a provider sends, as last read from its SPF record."""

    provider = models.CharField(max_length=20, choices=Provider.choices, unique=True)
    networks = models.JSONField(default=list)
    changed_at = models.DateTimeField(auto_now=True)

    objects = LoggedQuerySet["ProviderNetworks"].as_manager()
    logged = Logged.of(ChangeKind.PROVIDER, "provider", "networks")

    class Meta:
        ordering = ["provider"]
        verbose_name_plural = "provider networks"

    def __str__(self) -> str:
        return f"Networks of {self.get_provider_display()}"
