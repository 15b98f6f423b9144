"""The DNS record that asks other servers for reports (RFC 8460 §3)."""

from __future__ import annotations

from engine.mail.address import Address
from engine.mail.role_addresses import TLS_REPORTS
from engine.network import dns
from engine.signing.mail_keys import community_domain


def name() -> str:
    """Returns the name of the record."""
    return f"_smtp._tls.{community_domain()}"


def value() -> str:
    """Returns the value of the TXT record."""
    return f"v=TLSRPTv1; rua=mailto:{Address(TLS_REPORTS, community_domain())}"


def problem() -> str:
    """Returns what is wrong in the DNS now; empty if nothing is. Takes seconds at most."""
    try:
        texts = [text for text in dns.txt(name()) if text.startswith("v=TLSRPTv1")]
    except dns.DnsUnavailable:
        return f"The name servers of {community_domain()} do not answer. Try again."
    if not texts:
        return "No record was found at this name yet. New records can take an hour to show."
    if len(texts) > 1:
        # RFC 8460 §3: of several, senders use none.
        return f"There are {len(texts)} such records at this name. Keep only this one."
    wanted = f"mailto:{Address(TLS_REPORTS, community_domain())}"
    named = texts[0].partition("rua=")[2].partition(";")[0].split(",")
    if wanted not in [one.strip() for one in named]:
        return "The record names another address. Replace its value with this one."
    return ""
