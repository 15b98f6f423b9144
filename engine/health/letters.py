"""The mail that notifies operators of alarms, straight to the smart host.

Never by the queue, which may be what is ill, and without the database: where it goes is
remembered on the disk.
"""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
from collections.abc import Iterable, Iterator, Sequence

from django.conf import settings

from engine import state
from engine.health import rules
from engine.health.models import Alarm
from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress
from engine.mail.message import compose
from engine.registry.models import Person, RoleName
from engine.transport import outside, tls
from engine.transport.hop import Hop

log = logging.getLogger(__name__)

SECONDS = 15.0  # for each step of the conversation
ADDRESSES = "addresses.json"


def send(alarms: Sequence[Alarm]) -> None:
    """Send one mail about all of them. Raises OSError or SMTPException.

    In development without a smart host it goes into the console's outbox.
    """
    for alarm in alarms:
        level = logging.WARNING if alarm.is_open else logging.INFO
        log.log(level, "%s: %s", "alarm" if alarm.is_open else "over", _line(alarm))
    to = recipients()
    if not to:
        log.error("nobody hears of alarms: set POSTERN_ALARM_ADDRESSES")
        return
    raw = _compose(alarms, to)
    if settings.POSTERN.smarthost:
        _hand_over(outside.smart_host(settings.POSTERN.smarthost), raw, to)
    elif settings.POSTERN.env == "production":
        raise ConnectionError("No smart host: set POSTERN_SMARTHOST")
    else:
        outside.put_into_outbox(raw, to)


def recipients() -> list[Address]:
    """POSTERN_ALARM_ADDRESSES, or the operators as they were last known."""
    named: list[str] = settings.POSTERN.alarm_addresses or _remembered()
    return list(_parsed(named))


def remember() -> None:
    """Keep on this disk where the operators read, for when the database is away."""
    people = Person.objects.filter(
        staff_roles__role=RoleName.OPERATOR, is_active=True
    ).order_by("pk")
    found = [one.everyday_address or one.address for one in people.distinct()]
    if found != _remembered():
        path = state.folder("health") / ADDRESSES
        state.replace(path, json.dumps(found).encode())


def _remembered() -> list[str]:
    path = state.folder("health") / ADDRESSES
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return []
    return [str(one) for one in found] if isinstance(found, list) else []


def _parsed(texts: Iterable[str]) -> Iterator[Address]:
    for text in texts:
        try:
            yield Address.parse(text)
        except InvalidAddressError as error:
            log.warning("alarms cannot go to %r: %s", text, error)


def _compose(alarms: Sequence[Alarm], to: Sequence[Address]) -> bytes:
    ours = settings.POSTERN
    return compose(
        sender=NamedAddress(
            ours.community_name, Address("notices", ours.community_domain)
        ),
        to=[NamedAddress("", address) for address in to],
        subject=_subject(alarms),
        text="\n\n".join([*map(_paragraphs, alarms), _closing()]) + "\n",
        extra_headers={"Auto-Submitted": "auto-generated"},
    )


def _subject(alarms: Sequence[Alarm]) -> str:
    """The worst first: what still lasts."""
    first = min(alarms, key=lambda one: not one.is_open)
    more = f" (and {len(alarms) - 1} more)" if len(alarms) > 1 else ""
    over = "" if first.is_open else "Over: "
    name = settings.POSTERN.community_name
    return f"[{name}] {over}{rules.get(first.rule).title}{more}"


def _line(alarm: Alarm) -> str:
    where = f" ({alarm.subject})" if alarm.subject else ""
    return f"{rules.get(alarm.rule).title}{where}. {alarm.detail}".rstrip()


def _paragraphs(alarm: Alarm) -> str:
    rule = rules.get(alarm.rule)
    since = f"Since {alarm.since:%-d %B %Y, %H:%M:%S} UTC"
    if alarm.ended_at is not None:
        lines = [f"OVER: {_line(alarm)}", f"{since}, until {alarm.ended_at:%H:%M:%S}."]
        return "\n".join(lines)
    lines = [_line(alarm), f"{since}.", rule.matters, rule.remedy]
    if alarm.returns:
        lines.append("It comes and goes: you hear of its end after ten calm minutes.")
    return "\n".join(filter(None, lines))


def _closing() -> str:
    return f"How the service stands: {settings.POSTERN.site_url}/admin/health/"


def _hand_over(hop: Hop, raw: bytes, to: Sequence[Address]) -> None:
    with smtplib.SMTP(
        hop.host,
        hop.port,
        local_hostname=settings.POSTERN.smtp_name,
        timeout=SECONDS,
    ) as client:
        client.starttls(context=_context())
        if hop.username:
            client.login(hop.username, hop.password)
        client.sendmail("", [str(address) for address in to], raw)


def _context() -> ssl.SSLContext:
    """As towards every next hop; without our certificate where that is what is ill."""
    try:
        return tls.client_context()
    except (OSError, ValueError):
        log.warning("alarms go without our certificate, which does not load")
        return ssl.create_default_context(cafile=settings.POSTERN.tls_ca_file or None)
