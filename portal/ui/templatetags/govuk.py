"""`{% load govuk %}`: components, form fields, error summary and moments in time."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from portal.ui import date_formats, govuk_components, govuk_fields

register = template.Library()

# Moments that a process keeps as they are shown.
TIMES_KEPT = 4096


@register.simple_tag
def govuk(component: str, **params: Any) -> SafeString:
    """Renders any GOV.UK component: `{% govuk "button" text="Save" %}`."""
    return govuk_components.render(component, params)


@register.simple_tag
def field(bound: BoundField, **options: Any) -> SafeString:
    """Renders one field of a form: `{% field form.name label_size="l" heading=True %}`."""
    return govuk_fields.render(bound, **options)


@register.simple_tag
def error_summary(*all_forms: forms.BaseForm) -> SafeString:
    """Renders the forms' errors, each a link to its field; nothing without errors."""
    errors = [line for form in all_forms if form for line in _error_lines(form)]
    if not errors:
        return SafeString()
    params = {"titleText": gettext("There is a problem"), "errorList": errors}
    return govuk_components.render("error-summary", params)


def _error_lines(form: forms.BaseForm) -> list[dict[str, str]]:
    lines = [{"text": str(error)} for error in form.non_field_errors()]
    for bound in form:
        href = "" if bound.is_hidden else f"#{bound.auto_id}"
        lines += [
            {"text": error, "href": href} for error in govuk_fields.errors_of(bound)
        ]
    return lines


@register.simple_tag
def local_time(moment: datetime | None, style: str = "full") -> SafeString:
    """Renders a moment in words, and for programs in its datetime attribute."""
    if not moment:
        return SafeString()
    zone = timezone.get_current_timezone_name()
    return _time_element(moment, style, timezone.localdate(), zone, get_language())


@lru_cache(TIMES_KEPT)
def _time_element(
    moment: datetime, style: str, _today: date, _zone: str, _language: str | None
) -> SafeString:
    """Renders a moment, as it is written on that day: lists repeat the same ones."""
    local = timezone.localtime(moment)
    words = date_formats.format_datetime(local, style)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), words)


@register.filter
def date_and_time(moment: datetime) -> str:
    """Formats a moment for mail, as `local_time` does for pages."""
    return date_formats.format_datetime(moment)


@register.filter
def broken(address: object) -> SafeString:
    """Lets an address break after its @ and dots, and never within a word."""
    safe = escape(address)
    return SafeString(safe.replace("@", "@<wbr>").replace(".", ".<wbr>"))
