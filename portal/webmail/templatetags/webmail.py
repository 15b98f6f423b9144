from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext, ngettext

from engine.mail import lookalike
from engine.storage.addressees import Addressees
from engine.storage.models import Message
from portal.webmail.compose import undo_send
from portal.webmail.mailbox import sender_trust

register = template.Library()


@register.inclusion_tag("webmail/mailbox/correspondent_names.html", takes_context=True)
def line_who(context: dict[str, Any], message: Message) -> dict[str, Any]:
    """Who a line of a list is about, by a chosen name: the sender, or the recipients.

    Needs what `trust.facts` gives. Always stands with `line_whose`.
    """
    recipients = _recipients(context, message)
    if recipients is None:
        name = lookalike.shown(message.from_name) or message.from_address
        return {"names": [name or sender_trust.NOBODY]}
    names = [one.name or str(one.address) for one in recipients.first]
    return {
        "is_sent": True,
        # Beside lines that name senders, the eye must see it too.
        "says_to": bool(context.get("names_folder")),
        "names": names or [recipients.text or gettext("Nobody yet")],
        "others": _others(recipients),
    }


@register.inclusion_tag(
    "webmail/mailbox/correspondent_addresses.html", takes_context=True
)
def line_whose(context: dict[str, Any], message: Message) -> dict[str, Any]:
    """Whose the names in `line_who` are by the registry: address and organisation.

    Stands beside every chosen name, for anybody may choose any name.
    """
    recipients = _recipients(context, message)
    addresses = [message.from_address] if message.from_address else []
    if recipients is not None:
        addresses = [str(one.address) for one in recipients.first]
    organisations: dict[str, str] = context["organisations"]
    return {
        "people": [(address, organisations.get(address, "")) for address in addresses],
        "others": _others(recipients) if recipients else "",
    }


@register.inclusion_tag("webmail/address.html")
def sender(message: Message) -> dict[str, str]:
    """Name and address in a line: each by itself, or a name that is written from right
    to left would turn the address round too.
    """
    return {
        "name": lookalike.shown(message.from_name),
        "address": message.from_address,
        "unknown": sender_trust.NOBODY,
    }


def _recipients(context: dict[str, Any], message: Message) -> Addressees | None:
    found: dict[int, Addressees] = context["recipients"]
    return found.get(message.pk)


def _others(recipients: Addressees) -> str:
    more = recipients.more
    if more is None:
        return gettext("and many more")
    if not more:
        return ""
    return ngettext("and %(count)s more", "and %(count)s more", more) % {"count": more}


@register.inclusion_tag("webmail/compose/undo_send_banner.html", takes_context=True)
def departures(context: dict[str, Any]) -> dict[str, Any]:
    """The messages that leave in a moment, each with its Undo, and word of one that left."""
    request = context["request"]
    return {
        "departures": undo_send.waiting(request),
        "left_untold": undo_send.left_untold(request),
        "csrf_token": context.get("csrf_token"),
    }
