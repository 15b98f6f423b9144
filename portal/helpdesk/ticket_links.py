"""What proves that somebody speaks of a ticket: signed addresses and links."""

from __future__ import annotations

import re
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from engine import keys
from engine.mail.address import Address
from portal.helpdesk.models import Ticket

REPLY_SALT = "helpdesk.reply"
FOLLOW_SALT = "helpdesk.follow"
# 80 bits in hexadecimal digits: an address is compared whatever its case.
MAC_LENGTH = 20

_DETAIL = re.compile(rf"([0-9]{{1,12}})-([0-9a-f]{{{MAC_LENGTH}}})")
_NUMBER = re.compile(r"\bPT-([0-9]{6,12})\b", re.IGNORECASE)


class ForgedLinkError(Exception):
    """The link was never ours, or was broken on the way."""


class EndedLinkError(Exception):
    """The link was ours and is too old. Carries the ticket, to send another link."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__("The link has ended.")
        self.ticket = ticket


def helpdesk_address() -> Address:
    """The address of the helpdesk's mailbox."""
    return Address.parse(settings.POSTERN.helpdesk_address)


def reply_address(ticket: Ticket) -> Address:
    """Where an answer about the ticket goes: helpdesk+123-8f…@…"""
    address = helpdesk_address()
    return Address(f"{address.local}+{ticket.pk}-{_mac(ticket.pk)}", address.domain)


def ticket_of_address(address: Address) -> int | None:
    """The id of the ticket that a reply address was made for. None: not by us."""
    ours = helpdesk_address()
    local = address.local.casefold()
    prefix = f"{ours.local.casefold()}+"
    if address.domain != ours.domain or not local.startswith(prefix):
        return None
    found = _DETAIL.fullmatch(local.removeprefix(prefix))
    if found is None:
        return None
    ticket_id = int(found[1])
    is_ours = keys.is_mac(found[2], REPLY_SALT, str(ticket_id), length=MAC_LENGTH)
    return ticket_id if is_ours else None


def ticket_in_subject(subject: str) -> int | None:
    """The id of the ticket whose number the subject names."""
    found = _NUMBER.search(subject)
    return int(found[1]) if found else None


def follow_url(ticket: Ticket) -> str:
    """A link by which its holder reads and answers the ticket without signing in."""
    token = signing.dumps([ticket.pk, ticket.requester_address], salt=FOLLOW_SALT)
    return settings.POSTERN.site_url + reverse("helpdesk:follow", args=[token])


def own_url(ticket: Ticket) -> str:
    """Where a member reads the ticket, signed in."""
    return settings.POSTERN.site_url + reverse("helpdesk:ticket", args=[ticket.pk])


def followed_ticket(token: str) -> Ticket:
    """The ticket of a link. Raises ForgedLinkError, or EndedLinkError.

    The link ends with the address that it was sent to, and after so many days: every
    message about the ticket carries another.
    """
    found = _ticket_of(token)
    lifetime = timedelta(days=settings.POSTERN.ticket_link_days)
    try:
        signing.loads(token, salt=FOLLOW_SALT, max_age=lifetime)
    except signing.SignatureExpired as expired:
        raise EndedLinkError(found) from expired
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
    return keys.mac(REPLY_SALT, str(ticket_id))[:MAC_LENGTH]
