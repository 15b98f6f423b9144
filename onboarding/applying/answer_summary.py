"""Lists the applicant's answers for the "Check your answers" page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.urls import reverse

from onboarding.applying.wizard import Page, Wizard

Row = dict[str, Any]
# What a page is told of an applicant who comes from here, and is to come back.
CHECK = "check"


@dataclass(frozen=True, slots=True)
class Group:
    """The answers of one page, as `rows` of the GOV.UK summary list component."""

    title: str
    rows: list[Row]


def summary(wizard: Wizard) -> list[Group]:
    """Returns the answers of all pages that apply, each with a link to change it."""
    return [_group(page) for page in wizard.pages()]


def _group(page: Page) -> Group:
    change = f"{reverse('onboarding:step', args=[page.step.key])}?from={CHECK}"
    bound = page.form.visible_fields() if page.form else []
    return Group(page.step.title, [_row(field, change) for field in bound])


def _row(field: BoundField, change: str) -> Row:
    label = str(field.label)
    action = {
        "text": "Change",
        "href": f"{change}#{field.auto_id}",
        "visuallyHiddenText": label[:1].lower() + label[1:],
    }
    return {
        "key": {"text": label},
        "value": {"text": _display_value(field)},
        "actions": {"items": [action]},
    }


def _display_value(field: BoundField) -> str:
    """Returns the label of a choice, or the text as typed."""
    typed = str(field.value() or "")
    widget = field.field.widget
    if isinstance(widget, forms.RadioSelect):
        return str(dict(widget.choices).get(typed, typed))
    if isinstance(widget, forms.CheckboxInput):
        return "Yes" if field.value() else "No"
    return ", ".join(typed.splitlines()) or "Not given"
