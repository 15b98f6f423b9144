"""What the environment may set: every POSTERN_* variable, typed, in one place."""

from __future__ import annotations

import re
from datetime import time
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from portal.configuration import database_url
from portal.configuration.sending_rates import Rates

# So many times the usual rates may be sent in development and in tests.
REHEARSAL = 100
DEVELOPMENT_SIGNING_KEY = "development-only-secret-key-never-used-in-production"


class Environment(BaseSettings):
    """Postern's configuration. Each field is the variable POSTERN_<NAME>."""

    model_config = SettingsConfigDict(
        env_prefix="POSTERN_",
        extra="ignore",
        # An error must not carry a URL, with its password, into a log.
        hide_input_in_errors=True,
    )

    env: Literal["development", "test", "production"] = "development"
    var: Path = Path("var")
    secret_key: str = DEVELOPMENT_SIGNING_KEY
    # The secret keys before it. To change the key without a gap: put the new one here on
    # all hosts, then exchange the two, run `manage.py rekey`, and take the old one out
    # when that says that nothing hangs on it any more
    secret_key_fallbacks: list[str] = Field(default=[])
    debug: bool = False

    # The community
    community_domain: str = "secure.example"
    community_name: str = "Postern"

    # The helpdesk: its hours on weekdays, and the part of the United Kingdom whose
    # bank holidays it keeps (ENG is England and Wales)
    helpdesk_phone: str = "020 7946 0000"
    helpdesk_address: str = ""
    helpdesk_opens: time = time(8)
    helpdesk_closes: time = time(19)
    helpdesk_bank_holidays: Literal["ENG", "NIR", "SCT", "WLS"] = "ENG"
    # How long a link opens a question of somebody who cannot sign in, in days
    ticket_link_days: int = Field(default=30, ge=1)

    # The web
    host: str = "127.0.0.1"
    web_port: int = 8000
    web_url: str = ""
    allowed_hosts: list[str] = Field(default=["127.0.0.1", "localhost"])
    # Processes of the site, and in each so many threads in which pages are made, and
    # connections at once
    web_workers: int = Field(default=1, ge=1)
    web_threads: int = Field(default=8, ge=1)
    web_connections: int = Field(default=4_000, ge=20)
    # Seconds for which a process that is asked to stop goes on serving and says at
    # /health/ready that it is not ready: as long as load balancers take to notice
    web_drain_seconds: int = Field(default=0, ge=0, le=300)
    # Seconds that one statement of a page, or of a call of the API, may take on
    # PostgreSQL before it is ended; jobs, mail and migrations have no such limit
    web_statement_seconds: int = Field(default=30, ge=1)
    # Networks of the proxies that end TLS before us, such as ["10.0.0.0/28"]
    trusted_proxies: list[IPv4Network | IPv6Network] = Field(default=[])

    # How much one sender may send; a normal day comes nowhere near. A sender of more is
    # asked to wait, and an operator can give it an allowance. A list counts as one
    # recipient for its author, and with all its members for itself.
    person_messages: Rates = Rates(minute=60, hour=500, day=2_000)
    person_recipients: Rates = Rates(minute=2_000, hour=5_000, day=20_000)
    connection_messages: Rates = Rates(minute=1_000, hour=20_000, day=100_000)
    connection_recipients: Rates = Rates(minute=10_000, hour=100_000, day=500_000)
    key_messages: Rates = Rates(minute=600, hour=20_000, day=100_000)
    key_recipients: Rates = Rates(minute=5_000, hour=50_000, day=200_000)
    list_messages: Rates = Rates(minute=30, hour=200, day=1_000)
    list_recipients: Rates = Rates(minute=50_000, hour=200_000, day=1_000_000)

    # Who watches the service: networks from which /metrics may be read, or the token that
    # such a request carries as "Authorization: Bearer TOKEN"
    metrics_networks: list[IPv4Network | IPv6Network] = Field(
        default=[IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")]
    )
    metrics_token: str = ""

    # Where alarms go by mail, straight to the smart host; empty means the everyday
    # addresses of the operators
    alarm_addresses: list[str] = Field(default=[])
    # The alarm of a backup that is late, in hours since the last `manage.py note_backup`
    backup_hours: int = Field(default=26, ge=1)

    # Where a vulnerability is reported, the preferred first, as URIs: mailto:, https:
    # or tel:. Empty is the form by which strangers ask the helpdesk.
    security_contacts: list[str] = Field(default=[])

    # Signing in: minutes without use after which a session ends, of members and of
    # staff; hours after which it ends however much it is used
    session_idle_minutes: int = Field(default=120, ge=5)
    staff_session_idle_minutes: int = Field(default=30, ge=5)
    session_hours: int = Field(default=12, ge=1, le=24 * 14)

    # Who must have a second factor besides staff and administrators, and how many days
    # after their first sign-in. Organisations may require more, immediately.
    second_factor: Literal["everybody", "administrators"] = "everybody"
    second_factor_grace_days: int = Field(default=14, ge=0)

    # Where state is kept
    # postgresql://user:password@host/name, or sqlite:///path; empty is SQLite under var.
    # As libpq reads it: several hosts (host1:5432,host2:5432), and every option, such as
    # ?sslmode=verify-full&sslrootcert=/etc/ssl/db.pem&target_session_attrs=read-write
    database_url: str = ""
    sqlite_in_production: bool = False
    # redis://host:6379/0, the cache that several hosts share: the limits of how often
    # something may be asked. While it is away, each process keeps limits of its own
    redis_url: str = ""

    # Recovery of an account, in hours: how long a change of somebody's everyday address
    # waits for the owner's refusal, where another asked for it; and how long, after the
    # first sign-in, the mailbox stays shut that one person alone could have reached
    recovery_delay_hours: int = Field(default=24, ge=1)
    recovery_shut_hours: int = Field(default=24, ge=1)

    # The API, for each key
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
    # Connections at once, in each process: to each of the two kinds of SMTP, to POP3
    smtp_sessions: int = Field(default=3_000, ge=20)
    pop3_sessions: int = Field(default=500, ge=20)
    message_size_limit: int = 50 * 1024 * 1024

    # TLS: our certificate, and whose we believe. In development `manage.py up` makes
    # a private authority, and these are its files where they are not set.
    tls_cert_file: str = ""
    tls_key_file: str = ""
    tls_ca_file: str = ""

    # Name servers to ask, as host:port; none means the system's own
    dns_servers: list[str] = Field(default=[])
    # Whether checks of applicants' servers may dial addresses of our own network.
    # On for the demo, whose servers are on this machine; refused in production.
    probe_private_addresses: bool = False

    # Networks that are not public in which members' mail servers may stand, such as
    # ["10.0.0.0/8"]; tests and the demo have theirs on loopback
    next_hop_networks: list[IPv4Network | IPv6Network] = Field(default=[])

    # More networks of cloud providers, so that tests and the demo can play one, such as
    # {"microsoft_365": ["127.0.0.0/8"]}; refused in production
    provider_networks: dict[str, list[IPv4Network | IPv6Network]] = Field(default={})

    # Antivirus: a socket path or host:port, or several with commas between them, of which
    # one that fails is left out for a while; empty means the embedded fallback.
    # `off` exists for measuring only and is refused in production.
    clamd: str = ""

    # Kinds of attachments that this community refuses besides programs, and those
    # programs that it lets travel: ["docm", "video/*"], by extension or content type
    attachments_refused: frozenset[str] = frozenset()
    attachments_allowed: frozenset[str] = frozenset()
    # Web pages and drawings that can hold scripts (HTML, SVG), as attachments: carried
    # with a warning beside them, or refused
    attachments_active: Literal["warn", "refuse"] = "warn"

    # What nobody can look into without a key: encrypted archives, office documents, PDFs
    # and mail. Refused, or carried with a mark that it could not be scanned.
    encrypted_content: Literal["refuse", "mark"] = "refuse"
    # Kinds of archive that the scanner does not open and this community carries all the
    # same, with that mark, such as ["rar"]. What it opens is seen by trying.
    archives_unscanned: frozenset[
        Literal["zip", "7z", "rar", "tar.gz", "tar.xz", "docm"]
    ] = frozenset()

    # In days: how long finished messages stay in the queue's tables; each step in the
    # trace; and what was accepted and how it ended for each recipient, on which delivery
    # certificates rest: seven years
    queue_days: int = Field(default=7, ge=2)
    trace_days: int = Field(default=365, ge=30)
    proof_days: int = Field(default=2_557, ge=30)

    # How long infected messages stay in quarantine, in days
    quarantine_days: int = Field(default=90, ge=1)

    # Notices to addresses outside the community: user:password@host:port
    smarthost: str = ""

    # The demo community's own servers are on this port of loopback and the two after it
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
            # RFC 9116 §2.5.3; one line each, so that nobody adds a field.
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
        """Benchmarks and tests fill mailboxes: outside production, what is not set."""
        if self.env != "production":
            for name in Environment.model_fields:
                rates = getattr(self, name)
                if isinstance(rates, Rates) and name not in self.model_fields_set:
                    setattr(self, name, rates.times(REHEARSAL))
        return self

    @model_validator(mode="after")
    def _retention(self) -> Self:
        if self.proof_days < self.trace_days:
            raise ValueError(
                "POSTERN_PROOF_DAYS must be at least POSTERN_TRACE_DAYS: what became of a "
                "message is kept as long as the steps on its way."
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
        """A path under the folder of all state."""
        return self.var.resolve().joinpath(*parts)

    @property
    def clamd_targets(self) -> tuple[str, ...]:
        """The socket path or host:port of each clamd."""
        return tuple(filter(None, map(str.strip, self.clamd.split(","))))

    @property
    def site_url(self) -> str:
        """Where people reach the site, without a closing slash."""
        return self.web_url.rstrip("/") or f"http://127.0.0.1:{self.web_port}"
