"""Renders GOV.UK Frontend's components from their Jinja templates."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from jinja2 import Environment, PackageLoader, PrefixLoader
from jinja2.environment import TemplateModule

PACKAGE = "govuk_frontend_jinja"

_environment = Environment(
    loader=PrefixLoader({PACKAGE: PackageLoader(PACKAGE)}), autoescape=True
)


def render(component: str, params: dict[str, Any]) -> SafeString:
    """Returns the component's HTML. `text` parameters are escaped, `html` ones are trusted.

    Raises jinja2.TemplateNotFound if GOV.UK Frontend has no such component.
    """
    macro = getattr(_module(component), _macro_name(component))
    return mark_safe(str(macro(params)))  # noqa: S308 - the macros escape


@cache
def _module(component: str) -> TemplateModule:
    template = _environment.get_template(f"{PACKAGE}/components/{component}/macro.html")
    return template.module


def _macro_name(component: str) -> str:
    return "govuk" + "".join(part.capitalize() for part in component.split("-"))
