"""What protected an attempt to start TLS with a next hop, and what came of it.

One record for each session that was tried: traces say it in words, and reports of TLS
(RFC 8460) count it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class PolicyType(StrEnum):
    """The policy that applied (RFC 8460 §4.4)."""

    DANE = "tlsa"
    MTA_STS = "sts"
    NONE = "no-policy-found"
    """The certificate must be valid for the host's name, as for every next hop."""


class ResultType(StrEnum):
    """What failed (RFC 8460 §4.3)."""

    SUCCESS = ""
    NO_STARTTLS = "starttls-not-supported"
    WRONG_NAME = "certificate-host-mismatch"
    EXPIRED = "certificate-expired"
    NOT_TRUSTED = "certificate-not-trusted"
    OTHER = "validation-failure"
    TLSA_INVALID = "tlsa-invalid"
    DNSSEC_INVALID = "dnssec-invalid"
    STS_FETCH = "sts-policy-fetch-error"
    STS_INVALID = "sts-policy-invalid"
    STS_CERTIFICATE = "sts-webpki-invalid"


@dataclass(frozen=True, slots=True)
class TlsAttempt:
    """One attempt. `policy` has the strings of the policy, as reports quote them."""

    policy_type: PolicyType
    policy_domain: str
    host: str
    result: ResultType = ResultType.SUCCESS
    policy: tuple[str, ...] = ()

    def failed(self, result: ResultType) -> TlsAttempt:
        """Returns the same attempt with this result."""
        return replace(self, result=result)

    def detail(self) -> dict[str, Any]:
        """Returns it for the trace of a message."""
        said = {"tls_policy": self.policy_type.value}
        return said | ({"tls_result": self.result.value} if self.result else {})
