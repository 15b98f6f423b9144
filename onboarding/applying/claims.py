"""The applicant's claims, passed from the application form to its submission."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The validated claims. Each name is a field of Application.

    Domains are IDNA A-labels in lower case; networks are in CIDR notation.
    """

    organisation_name: str
    kind: str
    town: str
    account_type: str
    community_domain: str
    applicant_name: str
    applicant_job_title: str
    applicant_phone: str
    is_sole_user: bool = False
    second_name: str = ""
    second_job_title: str = ""
    second_address: str = ""
    member_domain: str = ""
    next_hop_host: str = ""
    next_hop_port: int = 25
    proof: str = ""
    source_networks: list[str] = field(default_factory=list)
    certificate_name: str = ""
    provider: str = ""
    tenant_id: str = ""
