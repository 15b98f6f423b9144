"""Emails administrators about their mail server: its certificate, and waiting mail."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from engine.email_backend import EverydayMessage
from engine.mail.address import InvalidAddressError
from engine.mail.errors import PermanentFailure
from engine.registry.models import Connection, Person, RoleName

log = logging.getLogger(__name__)


def warn_of_expiry(connection: Connection, ends_at: datetime, *, key: str) -> None:
    """Warns each administrator, at an address that does not need the connection.

    Raises TemporaryFailure; the caller then retries with the same `key`, by which the
    queue recognises the messages that it has accepted already.
    """
    context = {
        "ends_on": timezone.localtime(ends_at),
        "has_ended": ends_at <= timezone.now(),
    }
    subject = f"Your mail server's certificate: {connection.tls_name}"
    _send(connection, subject, "certificate", context, key=key)


def warn_of_waiting_mail(connection: Connection, fault: str, *, key: str) -> None:
    """Tells each administrator that mail waits for their server, and what is wrong.

    `fault` is a sentence. Raises TemporaryFailure, as `warn_of_expiry` does.
    """
    subject = "Mail to you is waiting for your mail server"
    _send(connection, subject, "waiting", {"fault": fault}, key=key)


def _send(
    connection: Connection,
    subject: str,
    template: str,
    context: Mapping[str, object],
    *,
    key: str,
) -> None:
    path = reverse(
        "organisation:connection", args=[connection.organisation_id, connection.pk]
    )
    common = {
        "connection": connection,
        "link": settings.POSTERN.site_url + path,
        "community_name": settings.POSTERN.community_name,
        "helpdesk_phone": settings.POSTERN.helpdesk_phone,
    }
    body = render_to_string(f"connecting/emails/{template}.txt", common | dict(context))
    for address in _addresses(connection):
        message = EverydayMessage(subject, body, to=[address])
        message.key = key
        try:
            message.send()
        except (PermanentFailure, InvalidAddressError) as refusal:
            log.warning("an administrator could not be warned: %s", refusal)


def _addresses(connection: Connection) -> Iterator[str]:
    people = Person.objects.filter(
        organisation_roles__role=RoleName.ADMINISTRATOR,
        organisation_roles__organisation=connection.organisation,
        is_active=True,
    )
    for person in people.distinct():
        yield person.everyday_address or person.address
