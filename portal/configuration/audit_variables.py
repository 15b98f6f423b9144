"""The variables of the audit trail's checkpoints; see engine/audit/README.md."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings


class AuditVariables(BaseSettings):
    """Where checkpoints are sent, and who stamps them with the time."""

    # Checkpoints of the audit trail, signed every hour: a file that they are appended to,
    # best on another machine or append-only; addresses that they are mailed to; a URL that
    # they are posted to, a line of JSON for each. Without a file, production appends to
    # one under POSTERN_VAR, which one who controls database and hosts can rewrite as well
    audit_checkpoint_file: str = ""
    audit_checkpoint_addresses: list[str] = Field(default=[])
    audit_checkpoint_url: str = ""
    # The URL of a time stamp authority (RFC 3161), and its root certificates in PEM
    audit_tsa_url: str = ""
    audit_tsa_ca_file: str = ""

    @field_validator("audit_checkpoint_url", "audit_tsa_url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError(
                "POSTERN_AUDIT_CHECKPOINT_URL and POSTERN_AUDIT_TSA_URL are addresses such "
                "as https://records.example/checkpoints."
            )
        return url

    @model_validator(mode="after")
    def _roots(self) -> Self:
        if self.audit_tsa_ca_file and not self.audit_tsa_url:
            raise ValueError(
                "POSTERN_AUDIT_TSA_CA_FILE holds the roots of an authority. Set "
                "POSTERN_AUDIT_TSA_URL too."
            )
        return self
