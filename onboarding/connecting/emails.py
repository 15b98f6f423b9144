"""Emails administrators about an expiring certificate on their mail server."""

from __future__ import annotations

import logging
from collections.abc import Iterator
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
    path = reverse(
        "organisation:connection", args=[connection.organisation_id, connection.pk]
    )
    context = {
        "connection": connection,
        "ends_on": timezone.localtime(ends_at),
        "has_ended": ends_at <= timezone.now(),
        "link": settings.POSTERN.site_url + path,
        "community_name": settings.POSTERN.community_name,
        "helpdesk_phone": settings.POSTERN.helpdesk_phone,
    }
    body = render_to_string("connecting/emails/certificate.txt", context)
    subject = f"Your mail server's certificate: {connection.tls_name}"
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
