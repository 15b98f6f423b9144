"""Actions on the keys that sign mail as it leaves: made, checked in the DNS, and changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from engine.audit.record import record
from engine.database import clock
from engine.network import dns
from engine.registry.errors import PolicyError
from engine.registry.models import AccountType, Actor, Domain
from engine.signing import key_records, mail_keys
from engine.signing.key_records import Found
from engine.signing.models import KeyRecord, KeyState, MailKey

# Domains whose records one run of the job looks up, and how often each comes round.
DOMAINS_AT_ONCE = 200
CHECK_EVERY = timedelta(hours=1)
# Domains without an answer after which a run gives up: each takes some seconds.
MAX_UNANSWERED = 3


def keep() -> int:
    """Makes missing keys, checks the records that are due, and changes keys.

    For the job. Looks up names, so call it outside transactions. Returns how many domains
    were checked.
    """
    if not settings.POSTERN.sign_mail:
        return 0
    make_missing(by=None)
    _forget_removed_domains()
    now = clock.now()
    checked = _check([mail_keys.community_domain(), *_due_domains(now)], now)
    promote(by=None)
    if _delete_outlived():
        make_missing(by=None)
    return checked


@transaction.atomic
def make_missing(*, by: Actor | None) -> list[MailKey]:
    """Makes the keys that are missing. None signs before its record is visible."""
    made = mail_keys.make_missing()
    for key in made:
        record("mail_key.made", key, detail=_detail(key), by=by)
    return made


def check(domain: str, *, by: Actor | None) -> None:
    """Looks a domain's records up now, past the cache, and uses keys that are due.

    Takes seconds: call it outside transactions.
    """
    make_missing(by=by)
    _check([domain], clock.now())
    promote(by=by)


@transaction.atomic
def promote(*, by: Actor | None) -> list[MailKey]:
    """Puts each key to use that is due and visible in the DNS."""
    mail_keys.hold_lock()
    now = clock.now()
    return [_use(key, now, by) for key in list(mail_keys.promotions(now))]


@transaction.atomic
def rotate(*, is_compromised: bool = False, by: Actor | None) -> list[MailKey]:
    """Puts the next keys to use now. Raises PolicyError unless all are visible.

    The record of the key before stays for a week, for mail on its way. Where others may
    have that key, it is deleted, and its record is to be replaced immediately.
    """
    mail_keys.hold_lock()
    now = clock.now()
    ready = list(mail_keys.promotions(now, at_once=True))
    missing = set(mail_keys.SELECTORS) - {key.algorithm for key in ready}
    if missing:
        raise PolicyError(_why_not(missing))
    replaced = list(MailKey.objects.filter(state=KeyState.CURRENT))
    used = [_use(key, now, by) for key in ready]
    if is_compromised:
        for key in replaced:
            _delete(key, {"is_compromised": True}, by)
        make_missing(by=by)
    return used


@transaction.atomic
def replace_lost(*, by: Actor | None) -> list[MailKey]:
    """Makes other keys in the place of those that no configured secret key opens.

    Their records have to be published again. Returns the keys that were made.
    """
    mail_keys.hold_lock()
    for key in MailKey.objects.all():
        if mail_keys.fault(key):
            _delete(key, {"is_lost": True}, by)
    return make_missing(by=by)


def hosted_domains() -> QuerySet[Domain]:
    """Returns the domains, beside the community's own, that mail is signed for."""
    return Domain.objects.filter(
        organisation__account_type=AccountType.WEBMAIL, verified_at__isnull=False
    ).exclude(community_domain=mail_keys.community_domain())


def _why_not(missing: set[str]) -> str:
    waiting = MailKey.objects.filter(algorithm__in=missing, state=KeyState.NEXT).first()
    if waiting is None:
        return (
            "The key before was retired less than a week ago, so the next one has not "
            "been made yet. Try again later."
        )
    name = key_records.target(waiting)
    return f"The record {name} is not visible yet. Publish it, and check again."


def _due_domains(now: datetime) -> Iterator[str]:
    oldest = KeyRecord.objects.filter(domain=OuterRef("community_domain"))
    seen = Subquery(oldest.order_by("checked_at").values("checked_at")[:1])
    due = Q(seen=None) | Q(seen__lte=now - CHECK_EVERY)
    rows = hosted_domains().annotate(seen=seen).filter(due)
    rows = rows.order_by(F("seen").asc(nulls_first=True), "pk")
    yield from rows.values_list("community_domain", flat=True)[:DOMAINS_AT_ONCE]


def _check(domains: list[str], now: datetime) -> int:
    """Looks up the records of the keys that sign or will; returns how many domains."""
    keys = list(MailKey.objects.exclude(state=KeyState.RETIRED))
    dns.flush_cache()
    unanswered = 0
    for number, domain in enumerate(domains, 1):
        found = Found(is_visible=False)
        for key in keys:
            # Where one is not answered, the others would not be either.
            if found.is_visible is not None:
                found = key_records.look_up(domain, key)
            key_records.note(domain, key, found, now)
        unanswered += found.is_visible is None
        if unanswered >= MAX_UNANSWERED:
            return number
    return len(domains)


def _use(key: MailKey, now: datetime, by: Actor | None) -> MailKey:
    replaced = mail_keys.use(key, now)
    detail = {**_detail(key), "replaced": replaced.selector if replaced else ""}
    record("mail_key.used", key, detail=detail, by=by)
    return key


def _delete_outlived() -> int:
    with transaction.atomic():
        mail_keys.hold_lock()
        keys = mail_keys.outlived(clock.now())
        for key in keys:
            _delete(key, {}, None)
    return len(keys)


def _delete(key: MailKey, more: dict[str, object], by: Actor | None) -> None:
    record("mail_key.deleted", key, detail={**_detail(key), **more}, by=by)
    key.delete()


def _forget_removed_domains() -> None:
    here = hosted_domains().values("community_domain")
    gone = KeyRecord.objects.exclude(domain=mail_keys.community_domain())
    gone.exclude(domain__in=here).delete()


def _detail(key: MailKey) -> dict[str, object]:
    return {
        "selector": key.selector,
        "algorithm": key.algorithm,
        "public_key": key.public_key,
    }
