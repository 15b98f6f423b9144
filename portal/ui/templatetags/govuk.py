"""`{% load govuk %}`: components, form fields, error summary and moments in time."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from portal.ui import components, fields

register = template.Library()


@register.simple_tag
def govuk(component: str, **params: Any) -> SafeString:
    """Any GOV.UK component: `{% govuk "button" text="Save" %}`."""
    return components.render(component, params)


@register.simple_tag
def field(bound: BoundField, **options: Any) -> SafeString:
    """One field of a form: `{% field form.name label_size="l" heading=True %}`."""
    return fields.render(bound, **options)


@register.simple_tag
def error_summary(*all_forms: forms.BaseForm) -> SafeString:
    """What is wrong in the forms, each line a link to its field; nothing when all is well."""
    errors = [line for form in all_forms if form for line in _error_lines(form)]
    if not errors:
        return SafeString()
    params = {"titleText": gettext("There is a problem"), "errorList": errors}
    return components.render("error-summary", params)


def _error_lines(form: forms.BaseForm) -> list[dict[str, str]]:
    lines = [{"text": str(error)} for error in form.non_field_errors()]
    for bound in form:
        href = "" if bound.is_hidden else f"#{bound.auto_id}"
        lines += [{"text": error, "href": href} for error in fields.errors_of(bound)]
    return lines


@register.simple_tag
def local_time(moment: datetime | None, style: str = "full") -> SafeString:
    """A moment in the reader's time zone: "23 November 2026 at 10:24am".

    `style="short"` gives the time alone for today, else the date.
    """
    if not moment:
        return SafeString()
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}">{}</time>', local.isoformat(), _worded(local, style)
    )


@register.filter
def broken(address: object) -> SafeString:
    """An address that a narrow place breaks after its @ and dots, never in a word."""
    parts = re.split(r"(?<=[@.])", str(address))
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts))


def _worded(local: datetime, style: str) -> str:
    clock = f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"
    if style == "short":
        if local.date() == timezone.localdate():
            return clock
        return date_format(local, "j M" if _is_this_year(local) else "j M Y")
    return gettext("%(date)s at %(clock)s") % {
        "date": date_format(local, "j F Y"),
        "clock": clock,
    }


def _is_this_year(local: datetime) -> bool:
    return local.year == timezone.localdate().year
