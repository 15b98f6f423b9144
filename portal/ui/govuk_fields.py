"""Renders Django form fields as GOV.UK components.

The widget's class decides the component. The widget also supplies `attrs` (`class` for a
width, `autocomplete`, `inputmode`, …) and, where set, `hints`: a hint for each choice by
its value.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting
from django.forms.widgets import ChoiceWidget, Input
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from portal.ui import govuk_components

Params = dict[str, Any]

# Attributes that GOV.UK's macros take as parameters.
_PARAMETERS = ("autocomplete", "inputmode", "spellcheck", "autocapitalize", "pattern")
# The browser must not cut or block input: the server reports what is wrong with it.
_UNWANTED = {
    "class",
    "type",
    "required",
    "maxlength",
    "minlength",
    "min",
    "max",
    "step",
}


class PageRenderer(TemplatesSetting):
    """Renders `{{ form }}` as a column of GOV.UK fields.

    Single widgets keep Django's templates, because Wagtail's admin needs those.
    """

    form_template_name = "ui/form.html"
    field_template_name = "ui/field.html"


def render(
    field: BoundField, *, label_size: str = "", heading: bool = False
) -> SafeString:
    """Renders the field with its label, hint and error.

    `label_size` is GOV.UK's s, m, l or xl. `heading` makes the label the page's h1.
    """
    if field.is_hidden:
        return field.as_widget()
    return _rendered(field.field.widget, field, _label(field, label_size, heading))


def errors_of(field: BoundField) -> list[str]:
    """Returns the field's errors, worded so that they make sense away from the field."""
    return [_worded(str(error), field) for error in field.errors]


def error_of(field: BoundField) -> str:
    """Returns the field's errors as one text, to show beside it."""
    return " ".join(errors_of(field))


def _worded(error: str, field: BoundField) -> str:
    """Says what to enter where Django says only that the field is required."""
    if error != str(forms.Field.default_error_messages["required"]):
        return error
    label = str(field.label)
    if not label[:2].isupper():
        label = label[:1].lower() + label[1:]
    chosen = (ChoiceWidget, forms.CheckboxInput, forms.FileInput)
    if isinstance(field.field.widget, chosen):
        return gettext("Select %(label)s") % {"label": label}
    return gettext("Enter %(label)s") % {"label": label}


def _label(field: BoundField, size: str, heading: bool) -> Params:
    text = str(field.label)
    # The choices of an optional choice say what leaving it means.
    if not field.field.required and not isinstance(
        field.field.widget, (forms.CheckboxInput, ChoiceWidget)
    ):
        text = gettext("%(label)s (optional)") % {"label": text}
    return {"text": text, "size": size, "isPageHeading": heading}


def _sized(label: Params, block: str) -> Params:
    classes = f"{block}--{label['size']}" if label["size"] else ""
    return {**label, "classes": classes}


def _shared(field: BoundField, label: Params) -> Params:
    """Returns the parameters that every component takes, and the widget's attributes."""
    attrs = dict(field.field.widget.attrs)
    params: Params = {
        "id": field.auto_id,
        "name": field.html_name,
        "label": _sized(label, "govuk-label"),
        "classes": attrs.get("class", ""),
        **{name: attrs.pop(name) for name in _PARAMETERS if name in attrs},
        "attributes": {k: v for k, v in attrs.items() if k not in _UNWANTED},
    }
    if field.help_text:
        params["hint"] = {"text": field.help_text}
    if field.errors:
        params["errorMessage"] = {"text": error_of(field)}
    if field.field.disabled:
        params["disabled"] = True
    return params


def _value(field: BoundField) -> Any:
    value = field.field.widget.format_value(field.value())
    return "" if value is None else value


@singledispatch
def _rendered(widget: forms.Widget, field: BoundField, label: Params) -> SafeString:
    """Renders a widget without a GOV.UK component with its own markup."""
    hint_id, error_id = f"{field.auto_id}-hint", f"{field.auto_id}-error"
    described = [hint_id] * bool(field.help_text) + [error_id] * bool(field.errors)
    attrs = {"aria-describedby": " ".join(described)} if described else {}
    context = {
        "field": field,
        "label": _sized(label, "govuk-label"),
        "error": error_of(field),
        "hint_id": hint_id,
        "error_id": error_id,
        "widget": field.as_widget(attrs={"class": "govuk-select", **attrs}),
    }
    return render_to_string("ui/plain_field.html", context)


@_rendered.register
def _(widget: Input, field: BoundField, label: Params) -> SafeString:
    kind = str(widget.attrs.get("type") or widget.input_type)
    params = {**_shared(field, label), "value": _value(field), "type": kind}
    if kind == "number":
        # GOV.UK advises against number inputs: scrolling the page changes their value.
        params |= {"type": "text", "inputmode": params.get("inputmode", "numeric")}
    return govuk_components.render("input", params)


@_rendered.register
def _(widget: forms.PasswordInput, field: BoundField, label: Params) -> SafeString:
    return govuk_components.render("password-input", _shared(field, label))


@_rendered.register
def _(widget: forms.FileInput, field: BoundField, label: Params) -> SafeString:
    multiple = widget.allow_multiple_selected
    return govuk_components.render(
        "file-upload", {**_shared(field, label), "multiple": multiple}
    )


@_rendered.register
def _(widget: forms.Textarea, field: BoundField, label: Params) -> SafeString:
    params = {**_shared(field, label), "value": _value(field)}
    params["rows"] = params["attributes"].pop("rows", 5)
    params["attributes"].pop("cols", None)
    longest = getattr(field.field, "max_length", None)
    if longest is None:
        return govuk_components.render("textarea", params)
    return govuk_components.render("character-count", {**params, "maxlength": longest})


@_rendered.register
def _(widget: forms.Select, field: BoundField, label: Params) -> SafeString:
    items = [
        {"value": item["value"], "text": item["text"], "selected": item["checked"]}
        for item in _choices(field)
    ]
    return govuk_components.render("select", {**_shared(field, label), "items": items})


@_rendered.register
def _(widget: forms.SelectMultiple, field: BoundField, label: Params) -> SafeString:
    return _rendered.dispatch(forms.Widget)(widget, field, label)


@_rendered.register
def _(widget: forms.RadioSelect, field: BoundField, label: Params) -> SafeString:
    return govuk_components.render("radios", _several(field, label))


@_rendered.register
def _(
    widget: forms.CheckboxSelectMultiple, field: BoundField, label: Params
) -> SafeString:
    return govuk_components.render("checkboxes", _several(field, label))


@_rendered.register
def _(widget: forms.CheckboxInput, field: BoundField, label: Params) -> SafeString:
    params = _shared(field, label)
    item: Params = {
        "value": "on",
        "text": label["text"],
        "checked": bool(field.value()),
        "hint": params.pop("hint", None),
    }
    params |= {"idPrefix": field.auto_id, "items": [item]}
    return govuk_components.render("checkboxes", params)


def _several(field: BoundField, label: Params) -> Params:
    legend = _sized(label, "govuk-fieldset__legend")
    return {
        **_shared(field, label),
        "idPrefix": field.auto_id,
        "fieldset": {"legend": legend},
        "items": [item for item in _choices(field) if item["value"] != ""],
    }


def _choices(field: BoundField) -> list[Params]:
    hints = getattr(field.field.widget, "hints", {})
    choices = []
    for choice in field.subwidgets:
        # 0 is a valid choice, unlike None.
        value = "" if choice.data["value"] is None else str(choice.data["value"])
        item = {
            "value": value,
            "text": choice.data["label"],
            "checked": choice.data["selected"],
        }
        if value in hints:
            item["hint"] = {"text": hints[value]}
        choices.append(item)
    return choices
