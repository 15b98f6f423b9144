"""The variables about what is looked up in the DNS."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class DnsVariables(BaseSettings):
    """The name servers, and how the domains of incoming mail are compared with them."""

    dns_servers: list[str] = Field(default=[])  # host:port; empty: the system's own

    # The resolver that validates DNSSEC and whose word for it is trusted, such as
    # 127.0.0.1:53: on this host or in a protected network, because its answers could be
    # forged on any other way. With it, next hops with TLSA records are verified by DANE
    validating_resolver: str = ""

    # What DMARC takes for a proof of the author's domain: `exact`, that very domain, or
    # `relaxed`, any of the same organisation, as its record allows. Names below which many
    # organisations have theirs, such as pnn.police.uk or onmicrosoft.com, are seldom marked
    # as that: with `relaxed`, organisations below one of them could pass for each other
    dmarc_alignment: Literal["exact", "relaxed"] = "exact"

    @field_validator("validating_resolver")
    @classmethod
    def _resolver(cls, text: str) -> str:
        if not text:
            return text
        try:
            parts = urlsplit(f"//{text}")
            address, _ = ip_address(parts.hostname or ""), parts.port
        except ValueError as error:
            raise ValueError("Give its IP address, or ADDRESS:PORT.") from error
        if address.is_global or address.is_unspecified or address.is_multicast:
            raise ValueError(
                "It must be on this host or in a private network: the answers of a public "
                "resolver could be forged on their way."
            )
        return text
