"""Renders GOV.UK Frontend's components from their Jinja templates."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from jinja2 import Environment, PackageLoader, PrefixLoader
from jinja2.environment import TemplateModule

PACKAGE = "govuk_frontend_jinja"
# Most components of a page are the same for everybody: a process keeps the HTML of so many.
# A field with a value is not kept, nor anything with text of more characters than LONG.
KEPT, LONG = 1024, 300

_environment = Environment(
    loader=PrefixLoader({PACKAGE: PackageLoader(PACKAGE)}), autoescape=True
)


def render(component: str, params: dict[str, Any]) -> SafeString:
    """Returns the component's HTML. `text` parameters are escaped, `html` ones are trusted.

    Raises jinja2.TemplateNotFound if GOV.UK Frontend has no such component.
    """
    key = None if params.get("value") else _key(params)
    if key is None:
        return _rendered(component, params)
    return _repeated(_Call(component, key, params))


@dataclass(frozen=True, slots=True)
class _Call:
    """A component with its parameters; calls with equal keys give the same HTML."""

    component: str
    key: Hashable
    params: dict[str, Any] = field(compare=False)


@lru_cache(KEPT)
def _repeated(call: _Call) -> SafeString:
    return _rendered(call.component, call.params)


def _rendered(component: str, params: dict[str, Any]) -> SafeString:
    macro = getattr(_module(component), _macro_name(component))
    return mark_safe(str(macro(params)))  # noqa: S308 - the macros escape


def _key(value: Any) -> Hashable:
    """Returns what the HTML of a parameter depends on; None for long text, kept nowhere.

    Text that is trusted differs from the same text that is not, and True from 1.
    """
    if isinstance(value, Mapping):
        return _key_of_all(value.keys(), value.values())
    if isinstance(value, (list, tuple)):
        return _key_of_all((list,), value)
    if value is None or isinstance(value, (bool, int)):
        return type(value), value
    text = str(value)
    return None if len(text) > LONG else (hasattr(value, "__html__"), text)


def _key_of_all(names: Iterable[Hashable], values: Iterable[Any]) -> Hashable:
    keys = tuple(map(_key, values))
    return None if None in keys else (*names, keys)


@cache
def _module(component: str) -> TemplateModule:
    template = _environment.get_template(f"{PACKAGE}/components/{component}/macro.html")
    return template.module


def _macro_name(component: str) -> str:
    return "govuk" + "".join(part.capitalize() for part in component.split("-"))
