"""Template tags of what members have done with a message, for its row in a list."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from engine.storage.models import Message
from portal.webmail.organising.group_work import FORMER_MEMBER

register = template.Library()


@register.simple_tag(takes_context=True)
def organising_marks(context: dict[str, Any], message: Message) -> SafeString:
    """Renders the assignee of a message; nothing where the list shows none."""
    assignees: dict[int, str] | None = context.get("assignees")
    if not message.assigned_to or assignees is None:
        return SafeString()
    return format_html(
        '<span class="app-mail-row__assignee">'
        '<span class="govuk-visually-hidden">Assigned to </span>{}</span>',
        assignees.get(message.assigned_to, FORMER_MEMBER),
    )
