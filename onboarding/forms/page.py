"""What the pages of the application have in common."""

from __future__ import annotations

from typing import Any

from django import forms

from onboarding.models import Application


class PageForm(forms.Form):
    """One page of questions, asked for one application."""

    def __init__(self, *args: Any, application: Application, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.application = application


def choice(label: str, choices: Any, missing: str, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=choices,
        widget=forms.RadioSelect,
        error_messages={"required": missing, "invalid_choice": missing},
        **options,
    )


def missing(sentence: str) -> dict[str, str]:
    return {"required": sentence}


def narrow(**attrs: str) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "govuk-input--width-20", **attrs})


def address_input() -> forms.TextInput:
    return forms.TextInput(
        attrs={"autocomplete": "email", "type": "email", "spellcheck": "false"}
    )
