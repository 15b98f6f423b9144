"""What the environment may set: every POSTERN_* variable, typed, in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEVELOPMENT_SIGNING_KEY = "development-only-secret-key-never-used-in-production"


class Environment(BaseSettings):
    """Postern's configuration. Each field is the variable POSTERN_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="POSTERN_", extra="ignore")

    env: Literal["development", "test", "production"] = "development"
    var: Path = Path("var")
    secret_key: str = DEVELOPMENT_SIGNING_KEY
    debug: bool = False

    # The community
    community_domain: str = "secure.example"
    community_name: str = "Postern"
    helpdesk_phone: str = "020 7946 0000"

    # The web
    host: str = "127.0.0.1"
    web_port: int = 8000
    web_url: str = ""
    allowed_hosts: list[str] = Field(default=["127.0.0.1", "localhost"])

    # Where state is kept
    # postgresql://user:password@host/name, or sqlite:///path; empty is SQLite under var
    database_url: str = ""
    sqlite_in_production: bool = False
    redis_url: str = ""

    # The mail engine
    smtp_host: str = "127.0.0.1"
    smtp_name: str = "localhost"
    smtp_port: int = 2525
    submission_port: int = 2587
    submissions_port: int = 2465
    pop3_port: int = 2110
    pop3s_port: int = 2995
    engine_processes: int = 1
    message_size_limit: int = 50 * 1024 * 1024

    # TLS: our certificate, and whose we believe. In development `manage.py up` makes
    # a private authority, and these are its files where they are not set.
    tls_cert_file: str = ""
    tls_key_file: str = ""
    tls_ca_file: str = ""

    # Antivirus: a socket path or host:port; empty means the embedded fallback.
    # `off` exists for measuring only and is refused in production.
    clamd: str = ""

    # Notices to addresses outside the community: user:password@host:port
    smarthost: str = ""

    # The demo community's own servers are on this port of loopback and the two after it
    demo_next_hop_port: int = 2626

    @model_validator(mode="after")
    def _own_authority(self) -> Self:
        if self.env == "development":
            self.tls_cert_file = self.tls_cert_file or str(
                self.path("tls", "server.pem")
            )
            self.tls_key_file = self.tls_key_file or str(self.path("tls", "server.key"))
            self.tls_ca_file = self.tls_ca_file or str(self.path("tls", "ca.pem"))
        return self

    def path(self, *parts: str) -> Path:
        """A path under the folder of all state."""
        return self.var.resolve().joinpath(*parts)

    @property
    def site_url(self) -> str:
        """Where people reach the site, without a closing slash."""
        return self.web_url.rstrip("/") or f"http://127.0.0.1:{self.web_port}"
