"""Verifies by a TXT record that an organisation owns the domain it claims."""

from __future__ import annotations

from dataclasses import dataclass

from engine.network import dns
from engine.registry.models import Domain
from engine.secrets import secret_keys

LABEL = "_postern"
VALUE_PREFIX = "postern-verify="
TOKEN_LENGTH = 40
# Limits on what the page shows of records that are not ours.
SHOWN_RECORDS, SHOWN_LENGTH = 5, 200


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of a look-up: what was found, and what to correct.

    `advice` is empty if the domain is verified.
    """

    is_verified: bool
    found: tuple[str, ...]
    advice: str = ""


def record_name(domain: Domain) -> str:
    """Returns the DNS name at which the record must be."""
    return f"{LABEL}.{domain.member_domain}"


def record_text(domain: Domain) -> str:
    """Returns the value that the record must have.

    It is derived from the claim with the secret key, so nothing is stored, and another
    organisation's record for the same domain proves nothing.
    """
    return accepted_texts(domain)[0]


def accepted_texts(domain: Domain) -> list[str]:
    """Returns every accepted value: under the secret key, and under each earlier one."""
    claim = f"{domain.pk} {domain.organisation_id} {domain.member_domain}"
    tokens = secret_keys.macs("registry.ownership", claim)
    return [f"{VALUE_PREFIX}{token[:TOKEN_LENGTH]}" for token in tokens]


def look_up(domain: Domain) -> Verification:
    """Queries the DNS now, past the cache.

    Takes seconds: call it outside transactions. Reports DNS failures as advice.
    """
    wanted, *earlier = accepted_texts(domain)
    dns.flush_cache()
    try:
        found = dns.txt(record_name(domain))
        for text in (wanted, *earlier):
            if text in found:
                return Verification(True, (text,))
        return Verification(False, _shown(found), _advice(domain, wanted, found))
    except dns.DnsUnavailable:
        return Verification(
            False,
            (),
            f"The name servers of {domain.member_domain} do not answer. Try again later.",
        )


def _advice(domain: Domain, wanted: str, found: list[str]) -> str:
    """The likeliest mistake, as one sentence with what to do. Raises DnsUnavailable."""
    if any(text.strip().strip('"') == wanted for text in found):
        return "The value contains extra quotation marks or spaces. Remove them."
    if any(text.startswith(VALUE_PREFIX) for text in found):
        return "The record has another value. Replace it with the one below."
    if found:
        return "A TXT record exists at this name, but not ours. Add ours beside it."
    doubled = f"{record_name(domain)}.{domain.member_domain}"
    if wanted in dns.txt(doubled):
        return (
            f"The record is at {doubled}: your provider adds the domain automatically. "
            f"Enter only {LABEL} as its name."
        )
    if wanted in dns.txt(domain.member_domain):
        return f"The record is at {domain.member_domain}. Move it to {record_name(domain)}."
    return "No TXT record was found at this name yet. New records can take an hour to show."


def _shown(found: list[str]) -> tuple[str, ...]:
    return tuple(text[:SHOWN_LENGTH] for text in found[:SHOWN_RECORDS])
