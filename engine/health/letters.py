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
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from engine.health import identity, rules
from engine.health.models import Alarm
from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress
from engine.mail.composer import compose
from engine.registry.models import Person, RoleName
from engine.secrets import state_folder
from engine.transport import smart_host, tls
from engine.transport.next_hop import Hop

log = logging.getLogger(__name__)

SECONDS = 15.0  # for each step of the conversation
# Until the message is taken (RFC 5321 §4.5.3.2.6): who gives up earlier sends it again.
TAKEN_SECONDS = 600.0
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=5)
MOST = 20  # alarms that one mail describes


class NobodyToTellError(OSError):
    """No address is known to send alarms to."""


@dataclass(slots=True)
class Pause:
    """How long a mail that failed waits until it is tried again: longer each time, or
    wrong credentials would sign in every two seconds until they are locked out."""

    _length: timedelta = timedelta(0)
    _until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        # Longer than a pause can be: the clock was set back.
        until = self._until
        return until is None or now >= until or until - now > LONGEST_PAUSE

    def failed(self, now: datetime) -> None:
        self._length = min(self._length * 2 or FIRST_PAUSE, LONGEST_PAUSE)
        self._until = now + self._length

    def ended(self) -> None:
        self._length, self._until = timedelta(0), None


def send(alarms: Sequence[Alarm]) -> None:
    """Send one mail about all of them. Raises OSError or SMTPException.

    In development without a smart host it goes into the console's outbox. Where nobody
    is known to read it, NobodyToTellError is raised: those alarms stay to be told.
    """
    for alarm in alarms:
        level = logging.WARNING if alarm.is_open else logging.INFO
        log.log(level, "%s: %s", "alarm" if alarm.is_open else "over", _line(alarm))
    to = recipients()
    if not to:
        raise NobodyToTellError("nobody hears of alarms: set POSTERN_ALARM_ADDRESSES")
    raw = _compose(alarms, to)
    if settings.POSTERN.smarthost:
        _hand_over(smart_host.smart_host(settings.POSTERN.smarthost), raw, to)
    elif settings.POSTERN.env == "production":
        raise ConnectionError("No smart host: set POSTERN_SMARTHOST")
    else:
        smart_host.put_into_outbox(raw, to)


def recipients() -> list[Address]:
    """POSTERN_ALARM_ADDRESSES, or the operators as they were last known."""
    named: list[str] = settings.POSTERN.alarm_addresses or _remembered()
    return list(_parsed(named))


def remember() -> None:
    """Keep on this disk where the operators read, for when the database is away.

    Each host for itself: whether they share POSTERN_VAR is not known.
    """
    people = Person.objects.filter(
        staff_roles__role=RoleName.OPERATOR, is_active=True
    ).order_by("pk")
    found = [one.everyday_address or one.address for one in people.distinct()]
    if found == _remembered():
        return
    try:
        path = state_folder.subfolder("health") / _addresses().name
        state_folder.write_atomically(path, json.dumps(found).encode())
    except OSError:
        log.exception("where operators read cannot be kept on this disk")


def _remembered() -> list[str]:
    try:
        found = json.loads(_addresses().read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError):
        log.exception("where operators read cannot be read from this disk")
        return []
    return [str(one) for one in found] if isinstance(found, list) else []


def _addresses() -> Path:
    return settings.POSTERN.path("health", f"addresses-{identity.host()}.json")


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
        text="\n\n".join([*_described(alarms), _closing()]) + "\n",
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


def _described(alarms: Sequence[Alarm]) -> Iterator[str]:
    """A paragraph for each of the worst, and a number for the others."""
    worst_first = sorted(alarms, key=lambda one: not one.is_open)
    yield from map(_paragraphs, worst_first[:MOST])
    rest = worst_first[MOST:]
    if rest:
        lasting = sum(one.is_open for one in rest)
        yield f"And {len(rest)} more, of which {lasting} are not over."


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
    client = _Client(
        hop.host,
        hop.port,
        local_hostname=settings.POSTERN.smtp_name,
        timeout=SECONDS,
    )
    try:
        client.starttls(context=_context())
        if hop.username:
            client.login(hop.username, hop.password)
        refused = client.sendmail("", [str(address) for address in to], raw)
        for address, (code, said) in refused.items():
            log.error("alarms are refused for %s: %d %r", address, code, said)
        _take_leave(client)
    finally:
        client.close()


def _take_leave(client: smtplib.SMTP) -> None:
    """Say goodbye. The message was taken, whatever is answered now."""
    try:
        client.quit()
    except (OSError, smtplib.SMTPException) as error:
        log.info("the smart host ended oddly after it took an alarm: %s", error)


class _Client(smtplib.SMTP):
    """Waits long enough until a message is taken, and takes any reply of the 200s for
    success, where smtplib knows 250 and 251 (RFC 5321 §4.2.1)."""

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        return _plain(super().rcpt(recip, options))

    def data(self, msg: Any) -> tuple[int, bytes]:
        if self.sock is not None:
            self.sock.settimeout(TAKEN_SECONDS)
        taken = _plain(super().data(msg))
        if self.sock is not None:
            self.sock.settimeout(SECONDS)
        return taken


def _plain(reply: tuple[int, bytes]) -> tuple[int, bytes]:
    code, said = reply
    return (250 if code // 100 == 2 else code), said


def _context() -> ssl.SSLContext:
    """As towards every next hop; without our certificate where that is what is ill."""
    try:
        return tls.client_context()
    except (OSError, ValueError):
        log.warning("alarms go without our certificate, which does not load")
        return ssl.create_default_context(cafile=settings.POSTERN.tls_ca_file or None)
