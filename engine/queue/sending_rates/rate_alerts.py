"""Alerts operators and administrators about a sender over its rate, once an hour or day."""

from __future__ import annotations

import logging

from django.db import transaction

from engine.queue.notifications import service_notices
from engine.queue.sending_rates import rate_limits, sending_counts
from engine.queue.sending_rates.sending_counts import Key, Totals
from engine.registry import senders
from engine.registry.models import ApiKey, Connection, Person, SenderKind
from engine.registry.senders import Found

log = logging.getLogger(__name__)

SUBJECT = "A sender has reached its sending limit: {who}"
TEXT = """\
This sender has reached its limit for one {span}. Further messages are deferred.
Nothing is lost: messages that were not accepted will be tried again, or are still with
their author.

Sender: {who}
{place}Sent in this {span}: {messages} messages to {recipients} recipients
Deferred: {deferred} times

If this is expected, such as a mailing to many people, the operator can give a bulk
allowance under "Sending rates" in the console. If it is not, the account or the system may
have been taken over: suspend it, change its password or key, and call the helpdesk.
"""


def send_due_alerts() -> None:
    """Shares this process's counts, and sends the alerts that are due."""
    for totals in rate_limits.meter.share():
        if totals.count.deferred and not totals.is_alarmed:
            with transaction.atomic():
                if _claim(totals.key):
                    _send_alert(totals)


def _claim(key: Key) -> bool:
    """Returns whether this process sends the alert; the minutes of an hour share one."""
    if key.span != "minute":
        return sending_counts.claim_alert(key)
    hour = rate_limits.SPANS["hour"]
    of_hour = Key(key.sender, "hour", key.starts // hour * hour)
    return sending_counts.claim_alert(key) and sending_counts.claim_alert(of_hour)


def _send_alert(totals: Totals) -> None:
    kind, _, row_id = totals.key.sender.partition(":")
    found = senders.find(SenderKind(kind), int(row_id))
    if found is None:
        return
    who = _name(found)
    log.warning("%s sends too much: %s in one %s", who, totals.count, totals.key.span)
    organisation = getattr(found, "organisation", None)
    text = TEXT.format(
        who=who,
        span=totals.key.span,
        place=f"Organisation: {organisation}\n" if organisation else "",
        **totals.count._asdict(),
    )
    recipients = service_notices.alert_recipients(senders.organisation_of(found))
    for address in set(recipients):
        service_notices.send_notice(address, subject=SUBJECT.format(who=who), text=text)


def _name(found: Found) -> str:
    match found:
        case Person():
            return found.address
        case Connection():
            return f"the connection of {found.organisation}"
        case ApiKey():
            return f"the API key {found.name}"
    return str(found)
