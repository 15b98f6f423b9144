"""Renders parts of webmail's pages by Jinja, from `portal/webmail/jinja2`."""

from __future__ import annotations

from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, cast

from django import template
from django.template.context import Context
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from jinja2 import Template

from portal.ui import compiled_templates
from portal.ui.templatetags import links
from portal.ui.templatetags.govuk import local_time
from portal.webmail.mailbox.list_place import ListPlace
from portal.webmail.mailbox.message_list import MessagePage
from portal.webmail.templatetags import organising, webmail

register = template.Library()

ROOM = Path(__file__).parents[1]
SIZES_KEPT = 4096

# The icons are shared with Django's templates.
_environment = compiled_templates.environment(ROOM / "jinja2", ROOM / "templates")


@register.simple_tag(takes_context=True)
def message_rows(context: dict[str, Any]) -> SafeString:
    """Renders the rows of a list of messages: `rows` in the context.

    Needs the context from `message_list.correspondents`, and `deliveries` for sent
    messages. With `chooses` each row has a checkbox; with `names_folder` its folder;
    `from_list` is what the links end with.
    """
    names = ("chooses", "names_folder", "from_list")
    given = {name: context.get(name) or "" for name in names}
    page = context.get("page")
    grouped = isinstance(page, MessagePage) and page.options.groups_conversations
    return _render(
        "message_rows", context, rows=context["rows"], grouped=grouped, **given
    )


@register.simple_tag(takes_context=True)
def neighbour_rows(context: dict[str, Any], place: ListPlace) -> SafeString:
    """Renders the list beside an open message.

    Needs the context from `message_list.correspondents`.
    """
    return _render(
        "neighbour_rows",
        context,
        rows=place.rows,
        position=place.position,
        from_list=place.link,
    )


@register.simple_tag(takes_context=True)
def compiled(context: dict[str, Any], name: str, **values: object) -> SafeString:
    """Renders a part of a page with the page's context, and what is given beside."""
    facts = _flat(context)
    rendered = _template(name).render(
        {
            **facts,
            "csrf": partial(_csrf_field, facts.get("csrf_token")),
            "url": links.link,
            "time": local_time,
            "size": _size,
            **values,
        }
    )
    return mark_safe(rendered)  # noqa: S308 - Jinja escapes


def _csrf_field(token: object) -> SafeString:
    return format_html(
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token or ""
    )


def _flat(context: Any) -> dict[str, Any]:
    """Returns a context as a plain dictionary, which is faster to ask."""
    flat = context.flatten() if isinstance(context, Context) else context
    return cast("dict[str, Any]", flat)


def _render(name: str, context: dict[str, Any], **values: object) -> SafeString:
    facts = _flat(context)
    rendered = _template(name).render(
        **values,
        names=partial(webmail.correspondent_names, facts),
        addresses=partial(webmail.correspondent_addresses, facts),
        delivery=partial(webmail.delivery_row, facts),
        marks=partial(organising.organising_marks, facts),
        read_url=_read_urls(),
        time=local_time,
        size=_size,
    )
    return mark_safe(rendered)  # noqa: S308 - Jinja escapes


@cache
def _template(name: str) -> Template:
    return _environment.get_template(f"webmail/{name}.html")


def _read_urls() -> Any:
    """Returns the address of a message's page by its id: resolved once for all rows."""
    before, _, after = reverse("webmail:read", args=[0]).rpartition("0")
    return lambda key: f"{before}{key}{after}"


def _size(octets: int) -> str:
    return _size_in(get_language(), octets)


@lru_cache(SIZES_KEPT)
def _size_in(_language: str | None, octets: int) -> str:
    return filesizeformat(octets)
