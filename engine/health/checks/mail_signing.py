"""The keys that sign mail: whether they can be used, and whether receivers find them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings

from engine.health.checks.findings import (
    CheckContext,
    Finding,
    Unknown,
    limit_findings,
)
from engine.signing import mail_keys
from engine.signing.models import KeyRecord, KeyState, MailKey

RULES = frozenset({"mail_key", "mail_key_record"})
# Within which a new community publishes its first records.
GRACE = timedelta(hours=1)
# Findings that are read from the database at most; more are summed up.
MOST = 1000


def check(context: CheckContext) -> Iterator[Finding | Unknown]:
    """Yields a finding for each key that cannot sign, and each record that is missing.

    A hosted domain whose records were never there is none: its mail is signed for the
    community's.
    """
    if not settings.POSTERN.sign_mail:
        return
    keys = list(MailKey.objects.all())
    yield from _keys(keys)
    domain = mail_keys.community_domain()
    needed = {key.pk for key in keys if _is_needed(key, keys, context)}
    wrong = KeyRecord.objects.filter(is_visible=False).select_related("key")
    for row in wrong.filter(domain=domain, key__in=needed):
        yield _finding(row)
    current = [key.pk for key in keys if key.is_current]
    lost = wrong.filter(key__in=current, seen_at__isnull=False).exclude(domain=domain)
    found = [_finding(row) for row in lost.order_by("domain")[:MOST]]
    yield from limit_findings(found, "records of hosted domains are missing")


def _keys(keys: list[MailKey]) -> Iterator[Finding]:
    for key in keys:
        if fault := mail_keys.fault(key):
            yield Finding("mail_key", key.selector, fault)


def _is_needed(key: MailKey, keys: list[MailKey], context: CheckContext) -> bool:
    """Whether a key signs, or would if its record were there."""
    if key.state != KeyState.NEXT:
        return key.is_current
    same = mail_keys.by_algorithm(keys, key.algorithm)
    current = next((one for one in same if one.is_current), None)
    if current is None:
        is_first = key.selector == min(one.selector for one in same)
        return is_first and key.made_at + GRACE <= context.now
    return mail_keys.is_due(current, context.now)


def _finding(row: KeyRecord) -> Finding:
    return Finding("mail_key_record", str(row), row.problem)
