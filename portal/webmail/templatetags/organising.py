"""Template tags of what was done with a message, for its row in a list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from engine.storage.models import Label, Message
from portal.ui import date_formats
from portal.webmail.organising.group_work import FORMER_MEMBER

register = template.Library()


@register.simple_tag(takes_context=True)
def organising_marks(context: dict[str, Any], message: Message) -> SafeString:
    """Renders a message's labels, assignee and reminder; nothing where it has none."""
    return format_html(
        "{}{}{}{}",
        _mailbox(context, message),
        _labels(context.get("labels_of", {}).get(message.pk, [])),
        _assignee(context, message),
        _reminder(context, message),
    )


def _mailbox(context: dict[str, Any], message: Message) -> SafeString:
    """Names the mailbox in a list of several."""
    name = context.get("mailbox_names", {}).get(message.mailbox_id)
    if name is None:
        return SafeString()
    return format_html(
        '<span class="app-mail-row__mark app-mail-row__mailbox">'
        '<span class="govuk-visually-hidden">In </span>{}</span>',
        name,
    )


def _labels(labels: list[Label]) -> SafeString:
    return format_html_join(
        "",
        '<span class="app-label app-label--{}">'
        '<span class="govuk-visually-hidden">Label: </span>{}</span>',
        ((label.colour, label.name) for label in labels),
    )


def _assignee(context: dict[str, Any], message: Message) -> SafeString:
    assignees: dict[int, str] | None = context.get("assignees")
    if not message.assigned_to or assignees is None:
        return SafeString()
    return format_html(
        '<span class="app-mail-row__assignee">'
        '<span class="govuk-visually-hidden">Assigned to </span>{}</span>',
        assignees.get(message.assigned_to, FORMER_MEMBER),
    )


def _reminder(context: dict[str, Any], message: Message) -> SafeString:
    if message.pk in context.get("returned", ()):
        return SafeString('<span class="app-mail-row__mark">Was snoozed</span>')
    due: datetime | None = context.get("returns_at", {}).get(message.pk)
    if due is None:
        return SafeString()
    return format_html(
        '<span class="app-mail-row__mark">Until {}</span>',
        date_formats.format_datetime(due, "short"),
    )
