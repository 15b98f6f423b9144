"""Renders the lines of the message trace by Jinja, from `portal/organisation/jinja2`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from django import template
from django.utils.safestring import SafeString, mark_safe
from jinja2 import Template

from portal.organisation.mail.trace_line import Line
from portal.ui import compiled_templates
from portal.ui.templatetags.govuk import broken, local_time

register = template.Library()

FOLDER = Path(__file__).parents[1] / "jinja2"


@register.simple_tag
def trace_rows(lines: Sequence[Line]) -> SafeString:
    """Renders the rows of the table."""
    rendered = _template().render(lines=lines, time=local_time, broken=broken)
    return mark_safe(rendered)  # noqa: S308 - Jinja escapes


@cache
def _template() -> Template:
    environment = compiled_templates.environment(FOLDER)
    return environment.get_template("organisation/trace_rows.html")
