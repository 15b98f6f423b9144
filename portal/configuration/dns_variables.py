"""The variables about what is looked up in the DNS."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings


class DnsVariables(BaseSettings):
    """The name servers, and how the domains of incoming mail are compared with them."""

    dns_servers: list[str] = Field(default=[])  # host:port; empty: the system's own

    # What DMARC takes for a proof of the author's domain: `exact`, that very domain, or
    # `relaxed`, any of the same organisation, as its record allows. Names below which many
    # organisations have theirs, such as pnn.police.uk or onmicrosoft.com, are seldom marked
    # as that: with `relaxed`, organisations below one of them could pass for each other
    dmarc_alignment: Literal["exact", "relaxed"] = "exact"
