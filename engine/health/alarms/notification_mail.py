"""The mail that notifies operators of alarms, sent straight to the smart host.

The queue may be what is broken, so this mail does not pass through it. It does not need
the database either: the operators' addresses are cached on the disk.
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

from engine.health import process_identity
from engine.health.checks import alarm_rules
from engine.health.models import Alarm
from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress
from engine.mail.composer import compose
from engine.registry.models import Person, RoleName
from engine.secrets import state_folder
from engine.transport import smart_host, tls
from engine.transport.next_hop import Hop

log = logging.getLogger(__name__)

STEP_SECONDS = 15.0  # for each command of the conversation
# For the reply to the final dot (RFC 5321 §4.5.3.2.6). A client that gives up earlier
# sends the message a second time.
DATA_SECONDS = 600.0
FIRST_DELAY, MAX_DELAY = timedelta(seconds=2), timedelta(minutes=5)
MAX_DESCRIBED = 20  # alarms that one mail describes


class NoRecipientError(OSError):
    """No address is known to send alarms to."""


@dataclass(slots=True)
class RetryDelay:
    """The delay after a mail that failed, doubled each time up to MAX_DELAY.

    Alarms are sent every two seconds otherwise: with wrong credentials, the smart host
    would lock the account.
    """

    _length: timedelta = timedelta(0)
    _until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether the next attempt may be made."""
        until = self._until
        # An end further away than any delay: the clock was set back.
        return until is None or now >= until or until - now > MAX_DELAY

    def failed(self, now: datetime) -> None:
        """Starts the next delay, twice as long as the last."""
        self._length = min(self._length * 2 or FIRST_DELAY, MAX_DELAY)
        self._until = now + self._length

    def succeeded(self) -> None:
        """Makes the next delay the first again."""
        self._length, self._until = timedelta(0), None


def send(alarms: Sequence[Alarm]) -> None:
    """Sends one mail about all of the alarms. Raises OSError or SMTPException.

    In development without a smart host, the mail goes to the console's outbox. Raises
    NoRecipientError if no address is known; the alarms then still need a notification.
    """
    for alarm in alarms:
        level = logging.WARNING if alarm.is_open else logging.INFO
        log.log(
            level, "%s: %s", "alarm" if alarm.is_open else "alarm ended", _line(alarm)
        )
    to = recipients()
    if not to:
        raise NoRecipientError(
            "no address is known to send alarms to: set POSTERN_ALARM_ADDRESSES"
        )
    raw = _compose(alarms, to)
    if settings.POSTERN.smarthost:
        _submit(smart_host.smart_host(settings.POSTERN.smarthost), raw, to)
    elif settings.POSTERN.env == "production":
        raise ConnectionError("no smart host is configured: set POSTERN_SMARTHOST")
    else:
        smart_host.put_into_outbox(raw, to)


def recipients() -> list[Address]:
    """Returns POSTERN_ALARM_ADDRESSES, or else the operators' addresses last cached."""
    named: list[str] = settings.POSTERN.alarm_addresses or _cached()
    return list(_parsed(named))


def cache_recipients() -> None:
    """Caches the operators' addresses on this disk, for an outage of the database.

    Each host keeps a file of its own, because hosts may share POSTERN_VAR or not.
    """
    people = Person.objects.filter(
        staff_roles__role=RoleName.OPERATOR, is_active=True
    ).order_by("pk")
    found = [one.everyday_address or one.address for one in people.distinct()]
    if found == _cached():
        return
    try:
        path = state_folder.subfolder("health") / _cache_path().name
        state_folder.write_atomically(path, json.dumps(found).encode())
    except OSError:
        log.exception("the operators' addresses cannot be cached on this disk")


def _cached() -> list[str]:
    try:
        found = json.loads(_cache_path().read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError):
        log.exception("the operators' addresses cannot be read from this disk")
        return []
    return [str(one) for one in found] if isinstance(found, list) else []


def _cache_path() -> Path:
    return settings.POSTERN.path("health", f"addresses-{process_identity.host()}.json")


def _parsed(texts: Iterable[str]) -> Iterator[Address]:
    for text in texts:
        try:
            yield Address.parse(text)
        except InvalidAddressError as error:
            log.warning("alarms cannot be sent to %r: %s", text, error)


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
    """Names the first open alarm, or the first that ended if none is open."""
    first = min(alarms, key=lambda one: not one.is_open)
    more = f" (and {len(alarms) - 1} more)" if len(alarms) > 1 else ""
    prefix = "" if first.is_open else "Resolved: "
    name = settings.POSTERN.community_name
    return f"[{name}] {prefix}{alarm_rules.get(first.rule).title}{more}"


def _line(alarm: Alarm) -> str:
    where = f" ({alarm.subject})" if alarm.subject else ""
    return f"{alarm_rules.get(alarm.rule).title}{where}. {alarm.detail}".rstrip()


def _described(alarms: Sequence[Alarm]) -> Iterator[str]:
    """Yields a paragraph for each of the first alarms, open ones first, and a count."""
    open_first = sorted(alarms, key=lambda one: not one.is_open)
    yield from map(_paragraph, open_first[:MAX_DESCRIBED])
    rest = open_first[MAX_DESCRIBED:]
    if rest:
        still_open = sum(one.is_open for one in rest)
        yield f"And {len(rest)} more, of which {still_open} are still open."


def _paragraph(alarm: Alarm) -> str:
    rule = alarm_rules.get(alarm.rule)
    since = f"Since {alarm.since:%-d %B %Y, %H:%M:%S} UTC"
    if alarm.ended_at is not None:
        lines = [
            f"RESOLVED: {_line(alarm)}",
            f"{since}, until {alarm.ended_at:%H:%M:%S}.",
        ]
        return "\n".join(lines)
    lines = [_line(alarm), f"{since}.", rule.impact, rule.remedy]
    if alarm.returns:
        lines.append(
            "The problem comes and goes. It is reported as resolved once it has been "
            "away for ten minutes."
        )
    return "\n".join(filter(None, lines))


def _closing() -> str:
    return f"The state of the service: {settings.POSTERN.site_url}/admin/health/"


def _submit(hop: Hop, raw: bytes, to: Sequence[Address]) -> None:
    client = _Client(
        hop.host,
        hop.port,
        local_hostname=settings.POSTERN.smtp_name,
        timeout=STEP_SECONDS,
    )
    try:
        client.starttls(context=_context())
        if hop.username:
            client.login(hop.username, hop.password)
        # The null sender, so that no bounce comes back (RFC 5321 §4.5.5).
        refused = client.sendmail("", [str(address) for address in to], raw)
        for address, (code, reply) in refused.items():
            log.error(
                "the smart host refused a recipient of alarms, %s: %d %r",
                address,
                code,
                reply,
            )
        _quit(client)
    finally:
        client.close()


def _quit(client: smtplib.SMTP) -> None:
    """Ends the conversation. The message was accepted, whatever the reply to QUIT."""
    try:
        client.quit()
    except (OSError, smtplib.SMTPException) as error:
        log.info("the smart host answered QUIT with an error after an alarm: %s", error)


class _Client(smtplib.SMTP):
    """Waits long enough for the reply to DATA, and accepts any 2yz reply as success.

    smtplib knows 250 and 251 only (RFC 5321 §4.2.1 judges by the first digit).
    """

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        return _normalised(super().rcpt(recip, options))

    def data(self, msg: Any) -> tuple[int, bytes]:
        if self.sock is not None:
            self.sock.settimeout(DATA_SECONDS)
        reply = _normalised(super().data(msg))
        if self.sock is not None:
            self.sock.settimeout(STEP_SECONDS)
        return reply


def _normalised(reply: tuple[int, bytes]) -> tuple[int, bytes]:
    code, text = reply
    return (250 if code // 100 == 2 else code), text


def _context() -> ssl.SSLContext:
    """Returns the TLS context of every next hop.

    If our certificate does not load, which may be the alarm, the mail goes without it.
    """
    try:
        return tls.client_context()
    except (OSError, ValueError):
        log.warning("alarms are sent without our certificate, which does not load")
        return ssl.create_default_context(cafile=settings.POSTERN.tls_ca_file or None)
