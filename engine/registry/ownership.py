"""Whether an organisation shows, in the name system, that a domain is its own."""

from __future__ import annotations

from dataclasses import dataclass

from engine import dns, keys
from engine.registry.models import Domain

LABEL = "_postern"
MARK = "postern-verify="
TOKEN_LENGTH = 40
# Of what was found, so much is shown.
SHOWN_RECORDS, SHOWN_LENGTH = 5, 200


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found beside what is wanted. `advice` is empty where all is well."""

    is_proved: bool
    found: tuple[str, ...]
    advice: str = ""


def record_name(domain: Domain) -> str:
    """Where the record must stand."""
    return f"{LABEL}.{domain.member_domain}"


def record_text(domain: Domain) -> str:
    """What the record must say: derived from the claim, so nothing is stored."""
    return record_texts(domain)[0]


def record_texts(domain: Domain) -> list[str]:
    """All that it may say: under the secret key, and under each before it."""
    claim = f"{domain.pk} {domain.organisation_id} {domain.member_domain}"
    tokens = keys.macs("registry.ownership", claim)
    return [f"{MARK}{token[:TOKEN_LENGTH]}" for token in tokens]


def look(domain: Domain) -> Finding:
    """Ask the name system now. Takes seconds: call it outside transactions."""
    wanted, *earlier = record_texts(domain)
    dns.forget()
    try:
        found = dns.txt(record_name(domain))
        for text in (wanted, *earlier):
            if text in found:
                return Finding(True, (text,))
        return Finding(False, _shown(found), _advice(domain, wanted, found))
    except dns.DnsUnavailable:
        return Finding(
            False,
            (),
            f"The name servers of {domain.member_domain} do not answer. Try again later.",
        )


def _advice(domain: Domain, wanted: str, found: list[str]) -> str:
    """The likeliest mistake, as one sentence with what to do. Raises DnsUnavailable."""
    if any(text.strip().strip('"') == wanted for text in found):
        return "The value has quotation marks or spaces of its own. Remove them."
    if any(text.startswith(MARK) for text in found):
        return (
            "The value is another one, perhaps an older. Replace it by the one below."
        )
    if found:
        return "There is a TXT record, but not ours. Add ours beside it."
    doubled = f"{record_name(domain)}.{domain.member_domain}"
    if wanted in dns.txt(doubled):
        return (
            f"The record is at {doubled}: your provider adds the domain by itself. "
            f"Enter only {LABEL} as its name."
        )
    if wanted in dns.txt(domain.member_domain):
        return f"The record is at {domain.member_domain}. Move it to {record_name(domain)}."
    return (
        "There is no TXT record at this name yet. New records can take an hour to show."
    )


def _shown(found: list[str]) -> tuple[str, ...]:
    return tuple(text[:SHOWN_LENGTH] for text in found[:SHOWN_RECORDS])
