"""Makes the tag `url` remember what it found; built into every template.

A page has forty links, and to resolve the names of the same views again made a tenth of
its time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as parse_url
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.html import conditional_escape

register = template.Library()

# Those to single messages soon leave again.
LINKS_KEPT = 8192


class _Link(URLNode):
    """Django's `url`, for what is found by a name, numbers and words."""

    def render(self, context: Context) -> str:
        """Returns the URL."""
        request = context.get("request")
        if self.asvar or hasattr(request, "current_app"):
            return super().render(context)
        page = getattr(request, "resolver_match", None)
        name = str(self.view_name.resolve(context))
        args = tuple(one.resolve(context) for one in self.args)
        named = tuple((key, one.resolve(context)) for key, one in self.kwargs.items())
        if not all(
            isinstance(one, str | int) for one in (*args, *dict(named).values())
        ):
            return super().render(context)
        place = get_urlconf() or settings.ROOT_URLCONF, get_script_prefix()
        found = _link(place, getattr(page, "namespace", None), name, args, named)
        return conditional_escape(found) if context.autoescape else found


@register.tag
def url(parser: Parser, token: Token) -> template.Node:
    """Links to a view, as Django's tag of that name."""
    node = parse_url(parser, token)
    return _Link(node.view_name, node.args, node.kwargs, node.asvar)


def link(name: str, **named: int | str) -> str:
    """Returns the address of a view, for templates that are not Django's."""
    place = get_urlconf() or settings.ROOT_URLCONF, get_script_prefix()
    return _link(place, None, name, (), tuple(named.items()))


@lru_cache(LINKS_KEPT)
def _link(
    _place: object,
    namespace: str | None,
    name: str,
    args: tuple[Any, ...],
    named: tuple[tuple[str, Any], ...],
) -> str:
    return reverse(name, args=args, kwargs=dict(named), current_app=namespace)
