"""Says what became of a sent message, in sentences with times in the reader's zone."""

from __future__ import annotations

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from engine.queue.delivery_status.states import (
    DeliveryState,
    Group,
    MessageDelivery,
    RecipientDelivery,
)
from portal.ui.templatetags.govuk import local_time

TAG_COLOURS = {
    DeliveryState.SENDING: "blue",
    DeliveryState.WAITING: "yellow",
    DeliveryState.DELIVERED: "green",
    DeliveryState.RETURNED: "red",
    DeliveryState.TAKEN_BACK: "grey",
    DeliveryState.RECALLED: "purple",
    DeliveryState.PARTLY_RECALLED: "purple",
    DeliveryState.WITHDRAWN: "purple",
    DeliveryState.PARTLY: "orange",
    DeliveryState.UNKNOWN: "grey",
}
# Calls for the author's attention, so that a list says more about it.
TROUBLED = frozenset(
    {DeliveryState.WAITING, DeliveryState.RETURNED, DeliveryState.PARTLY}
)


def tag(state: DeliveryState) -> SafeString:
    """Renders a state as a coloured tag."""
    return format_html(
        '<strong class="govuk-tag govuk-tag--{} app-delivery__tag">{}</strong>',
        TAG_COLOURS[state],
        state.label,
    )


def of_message(delivery: MessageDelivery, style: str = "full") -> SafeString:
    """Renders what became of a message as a whole, after its tag.

    `style` is that of the times.
    """
    if delivery.state is DeliveryState.UNKNOWN:
        return SafeString(gettext("The service no longer has a record of it."))
    return _joined(
        *(_outcome(group, delivery.count, style) for group in delivery.groups),
        _waiting(delivery, style),
    )


def of_recipient(one: RecipientDelivery) -> SafeString:
    """Renders what became of one recipient's copy, after its tag."""
    if one.state is DeliveryState.WAITING:
        upcoming = "" if one.is_held else _next_attempt(one.as_group(), "full")
        return _joined(one.why, upcoming)
    said = format_html("{}, {}.", one.words, local_time(one.at)) if one.words else ""
    return _joined(said, one.why)


def row(delivery: MessageDelivery) -> SafeString:
    """Renders the delivery for a row of a list: short, unless something is wrong."""
    if delivery.state in TROUBLED:
        return format_html("{} {}", tag(delivery.state), of_message(delivery, "short"))
    if delivery.state is DeliveryState.DELIVERED:
        return format_html(
            "{} {}", delivery.state.label, local_time(delivery.at, style="short")
        )
    return format_html("{}", delivery.state.label)


def _outcome(group: Group, total: int, style: str) -> SafeString:
    """Says when a group came to its end, for how many recipients of all, and why."""
    when = local_time(group.at, style=style)
    if not when:
        return SafeString()
    counted = {
        DeliveryState.DELIVERED: gettext(
            "Delivered to %(count)s of %(total)s recipients"
        ),
        DeliveryState.RECALLED: gettext(
            "Recalled from %(count)s of %(total)s recipients"
        ),
        DeliveryState.RETURNED: gettext(
            "Returned for %(count)s of %(total)s recipients"
        ),
    }.get(group.state)
    if counted is None or total == 1:
        return _joined(format_html("{}.", when), group.why)
    said = counted % {"count": group.count, "total": total}
    return _joined(format_html("{}, {}.", said, when), group.why)


def _waiting(delivery: MessageDelivery, style: str) -> SafeString:
    """Says since when something waits, why, when it is tried next, and until when."""
    group = delivery.waiting
    if group is None:
        return SafeString()
    begun = gettext("Since")
    if delivery.count > 1:
        begun = gettext("Waiting for %(count)s since") % {"count": group.count}
    since = format_html("{} {}.", begun, local_time(delivery.since, style=style))
    if group.is_held or delivery.until is None:
        return _joined(since, group.why)
    ends = format_html(
        gettext("It is returned to you if it cannot be delivered by {}."),
        local_time(delivery.until, style=style),
    )
    return _joined(since, group.why, _next_attempt(group, style), ends)


def _next_attempt(group: Group, style: str) -> SafeString:
    if group.next_attempt_at is None:
        again = gettext("It is tried again as soon as the server can be reached.")
        return SafeString(again)
    at = local_time(group.next_attempt_at, style=style)
    return format_html("{} {}.", gettext("Next attempt:"), at)


def _joined(*sentences: SafeString | str) -> SafeString:
    said = [(one,) for one in sentences if one]
    return format_html_join(" ", "{}", said)
