"""Queues the service's notices to people, and finds who receives alerts."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Q

from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress
from engine.mail.composer import compose
from engine.mail.envelope import Envelope
from engine.mail.errors import MailError
from engine.mail.message import split
from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import Source
from engine.queue.notifications import notice_routing
from engine.registry.models import Person, RoleName
from engine.routing import routes
from engine.storage import content

log = logging.getLogger(__name__)


def send_notice(recipient: Address, *, subject: str, text: str) -> None:
    """Queues a notice of the service; logs a warning where it cannot be sent."""
    raw = compose(
        sender=_service_address(),
        to=[NamedAddress("", recipient)],
        subject=subject,
        text=text,
        extra_headers={"Auto-Submitted": "auto-generated"},  # RFC 3834 §5
    )
    try:
        address, destination = notice_routing.route_notice(routes.current(), recipient)
    except MailError as error:
        log.warning("no notice to %s, %s: %s", recipient, subject, error)
        return
    commit.commit_messages(
        [
            AcceptedMessage(
                # The null sender, so that an undeliverable notice triggers no DSN.
                envelope=Envelope.simple(None, address),
                destinations=(destination,),
                kept=content.keep(*split(raw)),
                source=Source.SYSTEM,
            )
        ]
    )


def alert_recipients(organisation_id: int | None) -> Iterator[Address]:
    """Yields an address for each operator and each administrator of the organisation."""
    people = Person.objects.filter(
        Q(staff_roles__role=RoleName.OPERATOR)
        | Q(
            organisation_roles__role=RoleName.ADMINISTRATOR,
            organisation_roles__organisation_id=organisation_id,
        ),
        is_active=True,
    ).select_related("mailbox")
    for person in people.distinct():
        # A person without a mailbox here reads mail elsewhere, preferably at the
        # everyday address.
        elsewhere = "" if hasattr(person, "mailbox") else person.everyday_address
        try:
            yield Address.parse(elsewhere or person.address)
        except InvalidAddressError:
            # One broken row must not keep the alert from everybody else.
            log.warning("no notice to person %s, who has no valid address", person.pk)


def _service_address() -> NamedAddress:
    service = settings.POSTERN
    return NamedAddress(
        service.community_name, Address("notices", service.community_domain)
    )
