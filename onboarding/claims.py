"""What an applicant says, on its way from the pages to the application."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What an applicant says, cleaned. Domains are IDNA A-labels in lower case."""

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
