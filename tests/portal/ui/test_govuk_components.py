"""Our components render as GOV.UK Frontend's own fixtures do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.template import engines
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from jinja2 import TemplateNotFound

from portal.ui import govuk_components

FIXTURES = settings.BASE_DIR / "node_modules/govuk-frontend/dist/govuk/components"
USED = [
    "back-link",
    "button",
    "character-count",
    "checkboxes",
    "details",
    "error-message",
    "error-summary",
    "file-upload",
    "input",
    "notification-banner",
    "pagination",
    "password-input",
    "radios",
    "select",
    "skip-link",
    "tag",
    "textarea",
]


def goldens() -> list[Any]:
    found = []
    for component in USED:
        path = FIXTURES / component / "fixtures.json"
        for fixture in json.loads(path.read_text(encoding="utf-8"))["fixtures"]:
            name = f"{component}: {fixture['name']}"
            found.append(pytest.param(component, fixture, id=name))
    return found


def flat(html: str) -> str:
    """Removes white space that browsers ignore."""
    html = re.sub(r"\s+", " ", html)
    return re.sub(r"\s*([<>])\s*", r"\1", html).strip()


@pytest.mark.parametrize(("component", "fixture"), goldens())
def test_component_is_as_the_design_system_has_it(
    component: str, fixture: dict[str, Any]
) -> None:
    made = govuk_components.render(component, fixture["options"])

    assert flat(made) == flat(fixture["html"])


def test_text_is_escaped_by_the_tag() -> None:
    template = engines["django"].from_string('{% load govuk %}{% govuk "tag" text=x %}')

    html = template.render({"x": "<script>"})

    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_unknown_component_is_told() -> None:
    with pytest.raises(TemplateNotFound):
        govuk_components.render("flying-carpet", {})


def test_what_is_kept_of_one_text_is_not_shown_for_another() -> None:
    bold = "<b>Late</b>"
    for text, shown in 2 * [
        (bold, "&lt;b&gt;Late&lt;/b&gt;"),
        (mark_safe(bold), bold),
        ("Late", "Late"),
        (1, "1"),
        (True, "True"),
    ]:
        made = govuk_components.render("tag", {"text": text})

        assert flat(made) == f'<strong class="govuk-tag">{shown}</strong>'


def test_each_language_has_its_own_words() -> None:
    with translation.override("en"):
        english = govuk_components.render("tag", {"text": gettext_lazy("Monday")})
    with translation.override("cy"):
        welsh = govuk_components.render("tag", {"text": gettext_lazy("Monday")})

    assert "Monday" in english
    assert "Dydd Llun" in welsh
