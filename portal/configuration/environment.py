"""The configuration: every POSTERN_* environment variable, with its type and default."""

from __future__ import annotations

import re
from datetime import time
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from portal.configuration import database_url
from portal.configuration.audit_variables import AuditVariables
from portal.configuration.blob_variables import BlobVariables
from portal.configuration.dns_variables import DnsVariables
from portal.configuration.encryption_variables import EncryptionVariables
from portal.configuration.sending_rates import Rates, SendingRateVariables
from portal.configuration.web_push_variables import WebPushVariables
from portal.configuration.writing_variables import WritingVariables

# The factor by which sending rates are raised in development and in tests.
NON_PRODUCTION_FACTOR = 100
DEVELOPMENT_SIGNING_KEY = "development-only-secret-key-never-used-in-production"


class Environment(
    AuditVariables,
    BlobVariables,
    DnsVariables,
    EncryptionVariables,
    SendingRateVariables,
    WebPushVariables,
    WritingVariables,
):
    """Postern's configuration. Each field is the variable POSTERN_<NAME>."""

    model_config = SettingsConfigDict(
        env_prefix="POSTERN_",
        extra="ignore",
        # Otherwise an error would log a URL with its password.
        hide_input_in_errors=True,
    )

    # Django 5.2 looks for this at every access to a setting. Where it is missing, pydantic
    # takes longer to say so than all the rest of the access.
    _mask_wrapped: ClassVar[bool] = True

    env: Literal["development", "test", "production"] = "development"
    var: Path = Path("var")
    secret_key: str = DEVELOPMENT_SIGNING_KEY
    # Earlier secret keys. To change the key without interruption: add the new one here on
    # all hosts, then exchange the two, run `manage.py rekey`, and remove the old one when
    # the command reports that nothing depends on it any more
    secret_key_fallbacks: list[str] = Field(default=[])
    debug: bool = False

    # The community
    community_domain: str = "secure.example"
    community_name: str = "Postern"
    # Whether mail that is handed on is signed (DKIM) and sealed (ARC) once the community's
    # keys are in its DNS. Off where a smart host or another gateway does so for all mail
    sign_mail: bool = True

    # The helpdesk: opening hours on weekdays, and the part of the United Kingdom whose
    # bank holidays apply (ENG is England and Wales)
    helpdesk_phone: str = "020 7946 0000"
    helpdesk_address: str = ""
    helpdesk_opens: time = time(8)
    helpdesk_closes: time = time(19)
    helpdesk_bank_holidays: Literal["ENG", "NIR", "SCT", "WLS"] = "ENG"
    # Days for which a link opens the question of a visitor without an account
    ticket_link_days: int = Field(default=30, ge=1)

    # The web
    host: str = "127.0.0.1"
    web_port: int = 8000
    web_url: str = ""
    allowed_hosts: list[str] = Field(default=["127.0.0.1", "localhost"])
    # Processes of the site; threads for pages in each, and connections to each
    web_workers: int = Field(default=1, ge=1)
    web_threads: int = Field(default=8, ge=1)
    web_connections: int = Field(default=4_000, ge=20)
    # Seconds for which a stopping process keeps serving while /health/ready reports 503:
    # the time that load balancers need to notice
    web_drain_seconds: int = Field(default=0, ge=0, le=300)
    # Statement timeout on PostgreSQL, in seconds, for pages and API calls; jobs, mail and
    # migrations have none
    web_statement_seconds: int = Field(default=30, ge=1)
    # Networks of the proxies that terminate TLS in front of us, such as ["10.0.0.0/28"]
    trusted_proxies: list[IPv4Network | IPv6Network] = Field(default=[])

    # Monitoring: networks that may read /metrics, or the token that a request for it must
    # carry as "Authorization: Bearer TOKEN"
    metrics_networks: list[IPv4Network | IPv6Network] = Field(
        default=[IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")]
    )
    metrics_token: str = ""

    # Recipients of alarm mail, which goes straight to the smart host; empty means the
    # everyday addresses of the operators
    alarm_addresses: list[str] = Field(default=[])
    # Hours since the last `manage.py note_backup` after which a late backup is an alarm
    backup_hours: int = Field(default=26, ge=1)

    # Contacts for vulnerability reports, the preferred first, as URIs: mailto:, https: or
    # tel:. Empty means the helpdesk's public form.
    security_contacts: list[str] = Field(default=[])

    # Sessions: idle minutes after which a member's or a staff session ends, and its
    # maximum length in hours
    session_idle_minutes: int = Field(default=120, ge=5)
    staff_session_idle_minutes: int = Field(default=30, ge=5)
    session_hours: int = Field(default=12, ge=1, le=24 * 14)

    # Who needs a second factor besides staff and administrators, and days after the first
    # sign-in until it is required. Organisations may require it immediately.
    second_factor: Literal["everybody", "administrators"] = "everybody"
    second_factor_grace_days: int = Field(default=14, ge=0)

    # State
    # postgresql://user:password@host/name, or sqlite:///path; empty is SQLite under var.
    # In libpq's format: several hosts (host1:5432,host2:5432), and every option, such as
    # ?sslmode=verify-full&sslrootcert=/etc/ssl/db.pem&target_session_attrs=read-write
    database_url: str = ""
    sqlite_in_production: bool = False
    # redis://host:6379/0, the cache that several hosts share, for rate limits. While it is
    # unavailable, each process counts by itself
    redis_url: str = ""

    # Account recovery, in hours: how long a change of the everyday address that another
    # person requested waits for the owner's refusal; and how long the mailbox stays locked
    # after the first sign-in where one other person could have recovered the account alone
    recovery_delay_hours: int = Field(default=24, ge=1)
    recovery_shut_hours: int = Field(default=24, ge=1)

    # API calls for each key
    api_calls_a_minute: int = 600

    # The mail engine
    smtp_host: str = "127.0.0.1"
    smtp_name: str = "localhost"
    smtp_port: int = 2525
    submission_port: int = 2587
    submissions_port: int = 2465
    pop3_port: int = 2110
    pop3s_port: int = 2995
    engine_processes: int = 1
    # Concurrent connections in each process: to each of the two kinds of SMTP, and to POP3
    smtp_sessions: int = Field(default=3_000, ge=20)
    pop3_sessions: int = Field(default=500, ge=20)
    message_size_limit: int = 50 * 1024 * 1024
    # Networks of the load balancers in front of SMTP and POP3, such as ["10.0.0.0/28"].
    # Each of their connections must begin with a PROXY header, version 1 or 2; anyone
    # else's header is refused as a protocol error. TLS is passed through
    mail_balancers: list[IPv4Network | IPv6Network] = Field(default=[])

    # TLS: our certificate and key, and the authorities that we trust. In development
    # `manage.py up` creates a private authority, whose files are the defaults.
    tls_cert_file: str = ""
    tls_key_file: str = ""
    tls_ca_file: str = ""

    # Whether checks of applicants' servers may connect to private addresses. On in
    # development, where the demo's servers are on this machine; refused in production.
    probe_private_addresses: bool = False

    # Private networks in which members' mail servers may be, such as ["10.0.0.0/8"]; tests
    # and the demo use loopback
    next_hop_networks: list[IPv4Network | IPv6Network] = Field(default=[])

    # Additional networks of cloud providers, so that tests and the demo can act as one:
    # {"microsoft_365": ["127.0.0.0/8"]}; refused in production
    provider_networks: dict[str, list[IPv4Network | IPv6Network]] = Field(default={})

    # Antivirus: the socket path or host:port of clamd, or several separated by commas, of
    # which one that fails is skipped for a while; empty means the embedded scanner.
    # `off` is for benchmarks and refused in production.
    clamd: str = ""

    # Attachments that this community refuses besides programs, and programs that it
    # allows, by extension or content type: ["docm", "video/*"]
    attachments_refused: frozenset[str] = frozenset()
    attachments_allowed: frozenset[str] = frozenset()
    # Attachments that can contain scripts (HTML, SVG): delivered with a warning, or refused
    attachments_active: Literal["warn", "refuse"] = "warn"

    # Content encrypted with a key that the scanner does not have (archives, office documents,
    # PDFs, mail): refused, or delivered with a mark that it was not scanned.
    encrypted_content: Literal["refuse", "mark"] = "refuse"
    # Kinds of archive that the scanner cannot open and this community still delivers, with
    # that mark, such as ["rar"]. Whether the scanner opens one is tested at runtime.
    archives_unscanned: frozenset[
        Literal["zip", "7z", "rar", "tar.gz", "tar.xz", "docm"]
    ] = frozenset()

    # Retention in days: of finished messages in the queue; of each step in the trace; and of
    # acceptance and final outcome for each recipient, on which delivery certificates are
    # based: seven years
    queue_days: int = Field(default=7, ge=2)
    trace_days: int = Field(default=365, ge=30)
    proof_days: int = Field(default=2_557, ge=30)

    # Days for which infected messages stay in quarantine
    quarantine_days: int = Field(default=90, ge=1)

    # The smart host for notices to addresses outside the community:
    # user:password@host:port
    smarthost: str = ""

    # The demo community's own servers listen on this loopback port and the two after it
    demo_next_hop_port: int = 2626

    @field_validator("attachments_refused", "attachments_allowed")
    @classmethod
    def _kinds(cls, kinds: frozenset[str]) -> frozenset[str]:
        return frozenset(kind.strip().casefold().lstrip(".") for kind in kinds)

    @field_validator("database_url")
    @classmethod
    def _database(cls, url: str) -> str:
        database_url.check(url)
        return url

    @field_validator("security_contacts")
    @classmethod
    def _contacts(cls, contacts: list[str]) -> list[str]:
        for contact in contacts:
            # RFC 9116 §2.5.3. No line breaks, which would inject another field.
            if not re.fullmatch(r"(mailto:|https://|tel:)[!-~]+", contact):
                raise ValueError(
                    "POSTERN_SECURITY_CONTACTS holds URIs, such as "
                    '["mailto:security@justice.example", "tel:+44-20-7946-0000"].'
                )
        return contacts

    @model_validator(mode="after")
    def _own_machine(self) -> Self:
        if self.env == "development":
            self.tls_cert_file = self.tls_cert_file or str(
                self.path("tls", "server.pem")
            )
            self.tls_key_file = self.tls_key_file or str(self.path("tls", "server.key"))
            self.tls_ca_file = self.tls_ca_file or str(self.path("tls", "ca.pem"))
            self.provider_networks = self.provider_networks or {
                "microsoft_365": [IPv4Network("127.0.0.0/8")]
            }
            self.probe_private_addresses = True
        return self

    @model_validator(mode="after")
    def _rates(self) -> Self:
        """Raises unset rates outside production, where benchmarks and tests send much."""
        if self.env != "production":
            for name in Environment.model_fields:
                rates = getattr(self, name)
                if isinstance(rates, Rates) and name not in self.model_fields_set:
                    setattr(self, name, rates.times(NON_PRODUCTION_FACTOR))
        return self

    @model_validator(mode="after")
    def _retention(self) -> Self:
        if self.proof_days < self.trace_days:
            raise ValueError(
                "POSTERN_PROOF_DAYS must be at least POSTERN_TRACE_DAYS: the outcome of a "
                "message is kept at least as long as its steps."
            )
        return self

    @model_validator(mode="after")
    def _own_next_hops(self) -> Self:
        if self.env != "production" and not self.next_hop_networks:
            self.next_hop_networks = [IPv4Network("127.0.0.0/8")]
        return self

    @model_validator(mode="after")
    def _helpdesk(self) -> Self:
        if self.helpdesk_opens >= self.helpdesk_closes:
            raise ValueError(
                "POSTERN_HELPDESK_OPENS must be before POSTERN_HELPDESK_CLOSES, "
                "such as 08:00 and 19:00."
            )
        address = self.helpdesk_address or f"helpdesk@{self.community_domain}"
        self.helpdesk_address = address.casefold()
        return self

    def path(self, *parts: str) -> Path:
        """Returns a path below the folder of all state."""
        return self.var.resolve().joinpath(*parts)

    @property
    def clamd_targets(self) -> tuple[str, ...]:
        """The socket path or host:port of each clamd."""
        return tuple(filter(None, map(str.strip, self.clamd.split(","))))

    @property
    def site_url(self) -> str:
        """The public URL of the site, without a trailing slash."""
        return self.web_url.rstrip("/") or f"http://127.0.0.1:{self.web_port}"
