from __future__ import annotations

from typing import Any

from django import template

from portal.webmail import leaving

register = template.Library()


@register.inclusion_tag("webmail/leaving.html", takes_context=True)
def departures(context: dict[str, Any]) -> dict[str, Any]:
    """The messages that leave in a moment, each with its Undo, and word of one that left."""
    request = context["request"]
    return {
        "departures": leaving.waiting(request),
        "left_untold": leaving.left_untold(request),
        "csrf_token": context.get("csrf_token"),
    }
