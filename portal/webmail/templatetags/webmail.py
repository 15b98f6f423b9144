"""Template tags of webmail."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from engine.mail import lookalike
from engine.storage.addressees import Addressees
from engine.storage.models import Message, MessageFacts
from portal.ui.templatetags.govuk import broken
from portal.webmail import keyboard_shortcuts
from portal.webmail.compose import undo_send
from portal.webmail.mailbox import receipts, sender_trust
from portal.webmail.rendering import delivery_words

register = template.Library()

HIDDEN = SafeString(' class="govuk-visually-hidden"')
COMMA = SafeString('<span class="govuk-visually-hidden">, </span>')
# Rendered senders that a process keeps: few people write most of a list's messages.
KEPT = 4096
DOT = SafeString('<span aria-hidden="true"> · </span>')


@register.simple_tag
def sends_pushes() -> bool:
    """Returns whether the service notifies browsers while no page is open."""
    return bool(settings.POSTERN.web_push)


# Markup in Python, because a list has fifty rows: an inclusion tag takes ten times as long
# and made a quarter of the page's time.
@register.simple_tag(takes_context=True)
def correspondent_names(context: dict[str, Any], message: Message) -> SafeString:
    """Renders the display names of a row: the sender, or the recipients if sent.

    Needs the context from `message_list.correspondents`. Anyone may choose any display
    name, so it must always be followed by `correspondent_addresses`.
    """
    recipients = _recipients(context, message)
    if recipients is None:
        known: dict[str, str] = context.get("directory_names", {})
        listed_as = known.get(message.from_address, "")
        return _sender_name(message.from_name, listed_as or message.from_address)
    names = [one.name or str(one.address) for one in recipients.first]
    listed = format_html_join(
        ", ",
        "<bdi>{}</bdi>",
        ((name,) for name in names or [recipients.text or gettext("(no recipients)")]),
    )
    # In a list that also names senders, "To" must be visible.
    hidden = "" if context.get("names_folder") else HIDDEN
    return format_html(
        "<span{}>{} </span>{} {}", hidden, gettext("To"), listed, _others(recipients)
    )


@register.simple_tag(takes_context=True)
def correspondent_addresses(context: dict[str, Any], message: Message) -> SafeString:
    """Renders address and organisation, from the registry, of each name in a row."""
    recipients = _recipients(context, message)
    organisations: dict[str, str] = context["organisations"]
    if recipients is None:
        sender = message.from_address
        return _sender_address(sender, organisations.get(sender, ""))
    addresses = [str(one.address) for one in recipients.first]
    entries = [_address(one, organisations.get(one, "")) for one in addresses]
    return _addresses(entries, _others(recipients))


@lru_cache(KEPT)
def _sender_name(name: str, otherwise: str) -> SafeString:
    shown = lookalike.displayable(name) or otherwise or sender_trust.UNKNOWN_SENDER
    return format_html("<bdi>{}</bdi>", shown)


@lru_cache(KEPT)
def _sender_address(address: str, organisation: str) -> SafeString:
    return _addresses([_address(address, organisation)] if address else [])


def _addresses(entries: list[tuple[SafeString]], others: str = "") -> SafeString:
    if not entries:
        return SafeString()
    more = format_html('<span class="app-mail-row__one">{}</span>', others)
    return format_html(
        '{}<span class="app-mail-row__from">{}{}</span>',
        COMMA,
        format_html_join(COMMA, '<span class="app-mail-row__one">{}</span>', entries),
        more if others else "",
    )


@register.simple_tag(takes_context=True)
def delivery_row(context: dict[str, Any], message: Message) -> SafeString:
    """Renders what became of a sent message in its row; nothing for other messages.

    Needs `deliveries` in the context, from `sent_messages.deliveries_of`.
    """
    delivery = context.get("deliveries", {}).get(message.pk)
    if delivery is None:
        return SafeString()
    is_troubled = delivery.state in delivery_words.TROUBLED
    return format_html(
        '<p class="app-mail-row__delivery{}" data-live-region="delivery-{}" data-live-says{}>{}</p>',
        " app-mail-row__delivery--long" if is_troubled else "",
        message.pk,
        SafeString("" if delivery.is_final else " data-live-waiting"),
        delivery_words.row(delivery),
    )


register.simple_tag(delivery_words.tag, name="delivery_tag")
register.simple_tag(delivery_words.of_message, name="delivery_of_message")
register.simple_tag(delivery_words.of_recipient, name="delivery_of_recipient")


@register.inclusion_tag("webmail/mailbox/message_marks.html", takes_context=True)
def message_marks(context: dict[str, Any]) -> dict[str, Any]:
    """Renders the classification, the importance, and a request for a receipt."""
    message, parsed = context["message"], context["parsed"]
    marks = receipts.marks_of(message, parsed, context["access"])
    return {
        "message": message,
        "parsed": parsed,
        "classification": marks.classification,
        "asks_for_receipt": marks.asks_for_receipt,
        "csrf_token": context.get("csrf_token"),
    }


def _address(address: str, organisation: str) -> tuple[SafeString]:
    shown = format_html('<bdi class="app-mail-row__address">{}</bdi>', broken(address))
    if not organisation:
        return (shown,)
    return (format_html("{}{}{}<bdi>{}</bdi>", shown, DOT, COMMA, organisation),)


@register.inclusion_tag("webmail/address.html")
def sender(message: MessageFacts) -> dict[str, str]:
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


@register.inclusion_tag("webmail/shortcut_list.html")
def shortcut_list() -> dict[str, object]:
    """Renders the keyboard shortcuts."""
    return {"shortcuts": keyboard_shortcuts.SHORTCUTS}


@register.inclusion_tag("webmail/compose/undo_send_banner.html", takes_context=True)
def undo_send_banners(context: dict[str, Any]) -> dict[str, Any]:
    """Renders a banner with an undo for each message that leaves in a moment."""
    request = context["request"]
    return {
        "scheduled_sends": undo_send.pending_sends(request),
        "sent_unannounced": undo_send.sent_unannounced(request),
        "csrf_token": context.get("csrf_token"),
    }
