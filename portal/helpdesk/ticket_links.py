"""Signed reply addresses and links that lead back to a ticket."""

from __future__ import annotations

import re
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from engine.mail.address import Address
from engine.secrets import secret_keys
from portal.helpdesk.models import Ticket

REPLY_SALT = "helpdesk.reply"
FOLLOW_SALT = "helpdesk.follow"
# 80 bits, in hexadecimal because mail systems may change the case of an address.
MAC_LENGTH = 20

_DETAIL = re.compile(rf"([0-9]{{1,12}})-([0-9a-f]{{{MAC_LENGTH}}})")
_NUMBER = re.compile(r"\bPT-([0-9]{6,12})\b", re.IGNORECASE)


class ForgedLinkError(Exception):
    """The link was not made by us, or was damaged on the way."""


class ExpiredLinkError(Exception):
    """The link is genuine and has expired. Carries the ticket, to send a new link."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__("The link has expired.")
        self.ticket = ticket


def helpdesk_address() -> Address:
    """Returns the address of the helpdesk's mailbox."""
    return Address.parse(settings.POSTERN.helpdesk_address)


def reply_address(ticket: Ticket) -> Address:
    """Returns the Reply-To address of a ticket: helpdesk+123-8f…@…

    It holds the ticket's id and a MAC, so that nobody can compute another ticket's.
    """
    address = helpdesk_address()
    return Address(f"{address.local}+{ticket.pk}-{_mac(ticket.pk)}", address.domain)


def ticket_of_address(address: Address) -> int | None:
    """Returns the ticket id of a reply address; None where the address is not genuine."""
    ours = helpdesk_address()
    local = address.local.casefold()
    prefix = f"{ours.local.casefold()}+"
    if address.domain != ours.domain or not local.startswith(prefix):
        return None
    found = _DETAIL.fullmatch(local.removeprefix(prefix))
    if found is None:
        return None
    ticket_id = int(found[1])
    is_ours = secret_keys.is_mac(
        found[2], REPLY_SALT, str(ticket_id), length=MAC_LENGTH
    )
    return ticket_id if is_ours else None


def ticket_in_subject(subject: str) -> int | None:
    """Returns the ticket id of the first PT-number in a subject."""
    found = _NUMBER.search(subject)
    return int(found[1]) if found else None


def follow_url(ticket: Ticket) -> str:
    """Returns a link with which its holder reads and answers the ticket without an account."""
    token = signing.dumps([ticket.pk, ticket.requester_address], salt=FOLLOW_SALT)
    return settings.POSTERN.site_url + reverse("helpdesk:follow", args=[token])


def own_url(ticket: Ticket) -> str:
    """Returns the URL at which a signed-in member reads the ticket."""
    return settings.POSTERN.site_url + reverse("helpdesk:ticket", args=[ticket.pk])


def followed_ticket(token: str) -> Ticket:
    """Returns the ticket of a link. Raises ForgedLinkError or ExpiredLinkError.

    A link expires after POSTERN_TICKET_LINK_DAYS, and when the address changes; every
    message about the ticket carries a new one.
    """
    found = _ticket_of(token)
    lifetime = timedelta(days=settings.POSTERN.ticket_link_days)
    try:
        signing.loads(token, salt=FOLLOW_SALT, max_age=lifetime)
    except signing.SignatureExpired as expired:
        raise ExpiredLinkError(found) from expired
    return found


def _ticket_of(token: str) -> Ticket:
    try:
        pk, address = signing.loads(token, salt=FOLLOW_SALT)
    except signing.BadSignature as bad:
        raise ForgedLinkError from bad
    found = Ticket.objects.filter(pk=pk, requester_address=address).first()
    if found is None:
        raise ForgedLinkError
    return found


def _mac(ticket_id: int) -> str:
    return secret_keys.mac(REPLY_SALT, str(ticket_id))[:MAC_LENGTH]
