"""Template tags of webmail."""

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
def correspondent_names(context: dict[str, Any], message: Message) -> dict[str, Any]:
    """Renders the display names of a row: the sender, or the recipients if sent.

    Needs the context from `message_list.correspondents`. Anyone may choose any display
    name, so it must always be followed by `correspondent_addresses`.
    """
    recipients = _recipients(context, message)
    if recipients is None:
        name = lookalike.displayable(message.from_name) or message.from_address
        return {"names": [name or sender_trust.UNKNOWN_SENDER]}
    names = [one.name or str(one.address) for one in recipients.first]
    return {
        "is_sent": True,
        # In a list that also names senders, "To" must be visible.
        "says_to": bool(context.get("names_folder")),
        "names": names or [recipients.text or gettext("(no recipients)")],
        "others": _others(recipients),
    }


@register.inclusion_tag(
    "webmail/mailbox/correspondent_addresses.html", takes_context=True
)
def correspondent_addresses(
    context: dict[str, Any], message: Message
) -> dict[str, Any]:
    """Renders address and organisation, from the registry, of each name in a row."""
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
    """Renders the sender's name and address.

    Each is isolated (<bdi>): a right-to-left name would reverse the address too.
    """
    return {
        "name": lookalike.displayable(message.from_name),
        "address": message.from_address,
        "unknown": sender_trust.UNKNOWN_SENDER,
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
def undo_send_banners(context: dict[str, Any]) -> dict[str, Any]:
    """Renders a banner with an undo for each message that leaves in a moment."""
    request = context["request"]
    return {
        "scheduled_sends": undo_send.pending_sends(request),
        "sent_unannounced": undo_send.sent_unannounced(request),
        "csrf_token": context.get("csrf_token"),
    }
