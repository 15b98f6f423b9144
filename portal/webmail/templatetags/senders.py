from __future__ import annotations

from typing import Any

from django import template

from engine.mail import lookalike
from engine.storage.models import Message
from portal.webmail import trust

register = template.Library()


@register.simple_tag
def sender_name(message: Message) -> str:
    """What the sender is called, by their own choice; their address without a name."""
    return lookalike.shown(message.from_name) or message.from_address or trust.NOBODY


@register.inclusion_tag("webmail/sender.html", takes_context=True)
def sender_facts(context: dict[str, Any], message: Message) -> dict[str, Any]:
    """Whose the message is by the registry: address and organisation.

    Stands beside every chosen name, for anybody may choose any name. `organisations`
    in the context maps addresses to organisations.
    """
    organisations = context.get("organisations", {})
    return {
        "address": message.from_address,
        "organisation": organisations.get(message.from_address, ""),
    }


@register.simple_tag
def sender_words(message: Message) -> str:
    """Name and address in a line of text."""
    return trust.named(message)
