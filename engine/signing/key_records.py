"""The DNS records that publish the keys of mail: what they must be, and what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from engine.mail.dkim.public_key import Key, WeakKey
from engine.mail.dkim.tag_list import TagError
from engine.network import dns
from engine.signing import mail_keys
from engine.signing.models import KeyRecord, MailKey

# RFC 1035 §3.3: of one string in a record, which has several where it is longer.
STRING_OCTETS = 255


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a look-up. `is_visible` is None where no server answered."""

    is_visible: bool | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record that a domain's DNS should have, and what was found there last."""

    key: MailKey
    name: str
    kind: str
    value: str
    found: KeyRecord | None


def name(domain: str, selector: str) -> str:
    """Returns the DNS name of a key's record (RFC 6376 §3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def text(key: MailKey) -> str:
    """Returns the value of a key's TXT record (RFC 6376 §3.6.1, RFC 8463 §4)."""
    return f"v=DKIM1; k={key.algorithm.partition('-')[0]}; p={key.public_key}"


def target(key: MailKey) -> str:
    """Returns the name that another domain's CNAME record points to."""
    return name(mail_keys.community_domain(), key.selector)


def wanted(domain: str) -> list[Wanted]:
    """Returns the records that a domain needs: the community's with the keys themselves.

    Those of other domains point there, and so follow each change of a key.
    """
    rows = {row.key_id: row for row in KeyRecord.objects.filter(domain=domain)}
    is_own = domain == mail_keys.community_domain()
    return [
        Wanted(
            key,
            name(domain, key.selector),
            "TXT" if is_own else "CNAME",
            text(key) if is_own else f"{target(key)}.",
            rows.get(key.pk),
        )
        for key in MailKey.objects.all()
    ]


def zone_line(key: MailKey) -> str:
    """Returns the community's record of a key as a line of a zone file (RFC 1035 §5)."""
    whole = text(key)
    starts = range(0, len(whole), STRING_OCTETS)
    strings = " ".join(f'"{whole[at : at + STRING_OCTETS]}"' for at in starts)
    return f"{target(key)}. IN TXT ( {strings} )"


def look_up(domain: str, key: MailKey) -> Found:
    """Queries the DNS for a key's record in a domain. Takes seconds at most."""
    asked = name(domain, key.selector)
    try:
        texts = dns.txt(asked)
        if texts:
            problem = _problem(texts, key)
        else:
            problem = _absence(asked, domain)
    except dns.DnsUnavailable:
        return Found(
            None, f"The name servers of {domain} do not answer. It is tried again."
        )
    return Found(not problem, problem)


@transaction.atomic
def note(domain: str, key: MailKey, found: Found, now: datetime) -> None:
    """Keeps the outcome of a look-up, unless the key was deleted meanwhile.

    A look-up that failed changes nothing of what was known before.
    """
    mail_keys.hold_lock()
    if not MailKey.objects.filter(pk=key.pk).exists():
        return
    kept = KeyRecord.objects.filter(domain=domain, key=key).first()
    if kept is None:
        kept = KeyRecord(domain=domain, key=key)
    if found.is_visible is not None:
        kept.is_visible = found.is_visible
    if found.is_visible:
        kept.seen_at = now
    kept.problem, kept.checked_at = found.problem, now
    kept.save()


def _problem(texts: Sequence[str], key: MailKey) -> str:
    """Returns what is wrong with the records at a key's name; empty if nothing is."""
    if len(texts) > 1:
        return (
            f"There are {len(texts)} TXT records at this name, of which receivers may "
            "take any. Keep only this one."
        )
    ours = Key.parse(text(key))
    try:
        found = Key.parse(texts[0])
    except (TagError, WeakKey) as error:
        return f"The record cannot be used: {error}. Copy the value again."
    if found.public != ours.public:
        return "The record has another key. Replace its value with this one."
    if found.is_test:
        return "The record says t=y, so receivers ignore the signatures. Remove t=y."
    return ""


def _absence(asked: str, domain: str) -> str:
    """Returns the likeliest mistake where there is no record. Raises DnsUnavailable."""
    if dns.txt(f"{asked}.{domain}"):
        return (
            f"The record is at {asked}.{domain}: your provider adds the domain "
            "automatically. Leave the domain out of the name."
        )
    return "No record was found at this name yet. New records can take an hour to show."
