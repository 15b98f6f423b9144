"""Notifies those concerned that somebody sends too much: once for each hour or day."""

from __future__ import annotations

import logging

from django.db import transaction

from engine.queue.notifications import infection_alerts
from engine.queue.sending_rates import rate_limits, sending_counts
from engine.queue.sending_rates.sending_counts import Key, Totals
from engine.registry import senders
from engine.registry.models import ApiKey, Connection, Person, SenderKind
from engine.registry.senders import Found

log = logging.getLogger(__name__)

SUBJECT = "Somebody sends too much: {who}"
TEXT = """\
This sender has sent as much as it may in one {span}, and is asked to wait. Nothing is lost:
what was not taken is tried again, or is still with its author.

Sender: {who}
{place}Sent in this {span}: {messages} messages to {recipients} recipients
Asked to wait: {deferred} times

If this is expected, such as a mailing to many people, the operator can give a bulk
allowance under "Sending rates" in the console. If it is not, somebody else may be using
the account or the system: suspend it, change its password or key, and call the helpdesk.
"""


def write() -> None:
    """Share what was counted, and raise the alarms that are due."""
    for totals in rate_limits.meter.share():
        if totals.count.deferred and not totals.is_alarmed:
            with transaction.atomic():
                if _claim(totals.key):
                    _raise(totals)


def _claim(key: Key) -> bool:
    """One alarm for the minutes of an hour: sixty would be read by nobody."""
    if key.span != "minute":
        return sending_counts.claim_alarm(key)
    hour = rate_limits.SPANS["hour"]
    of_hour = Key(key.sender, "hour", key.starts // hour * hour)
    return sending_counts.claim_alarm(key) and sending_counts.claim_alarm(of_hour)


def _raise(totals: Totals) -> None:
    kind, _, row_id = totals.key.sender.partition(":")
    found = senders.find(SenderKind(kind), int(row_id))
    if found is None:
        return
    who = _name(found)
    log.warning("%s sends too much: %s in one %s", who, totals.count, totals.key.span)
    place = getattr(found, "organisation", None)
    text = TEXT.format(
        who=who,
        span=totals.key.span,
        place=f"Organisation: {place}\n" if place else "",
        **totals.count._asdict(),
    )
    for address in set(infection_alerts.concerned(senders.organisation_of(found))):
        infection_alerts.notify(address, subject=SUBJECT.format(who=who), text=text)


def _name(found: Found) -> str:
    match found:
        case Person():
            return found.address
        case Connection():
            return f"the connection of {found.organisation}"
        case ApiKey():
            return f"the API key {found.name}"
    return str(found)
